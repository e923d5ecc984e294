"""What the page of an operation says of its requests: what they are made of, where slow ones differ, who calls them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_server.pages.rendering import terms
from spanglass_server.pages.rendering.format import duration_text
from spanglass_server.pages.rendering.units import MINUS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spanglass_server.pages.visit import Visit

MOST_CALLS, MOST_VERSIONS, MOST_ERRORS, MOST_LOGS = 40, 12, 8, 6
VERSION = "service.version"
#: Places at which slow requests differ: as many at most, each with that share of the difference at least.
PLACES, NOTABLE = 3, 0.1
#: Depths that are told apart.
DEEPEST = 24
NO_GROUPS: dict[str, Any] = {"groups": []}
NO_LOGS: dict[str, Any] = {"logs": []}
NO_TRACE: dict[str, Any] = {"calls": [], "statements": [], "callers": [], "spans": 0, "usual": 0, "slow": 0,
                            "slow_ns": None}  # fmt: skip


async def read(visit: Visit, service: str, operation: str) -> dict[str, Any] | None:
    """Return all that is told of an operation; nothing of a service as a whole."""
    if not operation:
        return None
    spans = {**visit.window.as_params(), "service": service, "operation": operation}
    typical, versions, errors = await visit.together(
        visit.attempt(visit.api("services", service, "typical", **visit.window.as_params(), operation=operation,
                                limit=MOST_CALLS), NO_TRACE),
        visit.attempt(visit.api("spans", "groups", **spans, by=VERSION, limit=MOST_VERSIONS), NO_GROUPS),
        visit.attempt(visit.api("spans", "groups", **spans, filter=terms.ERRORS, by="error.type", limit=MOST_ERRORS),
                      NO_GROUPS),
    )  # fmt: skip
    slower = _slower(typical["calls"])
    return {
        "problem": typical["problem"], "typical": typical, "calls": _calls(typical["calls"], slower),
        "slower": slower, "callees": _callees(typical["calls"]),
        "versions": [_version(visit, service, operation, row) for row in versions["groups"]],
        "errors": [_error(visit, spans, row) for row in errors["groups"]],
    }  # fmt: skip


async def logs_of(visit: Visit, traces: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """Return the newest warnings and errors that were logged in some traces."""
    ids = list(dict.fromkeys(str(trace["trace_id"]) for trace in traces))
    if not ids:
        return ()
    text = f"trace_id in ({', '.join(ids)}) and severity >= warn"
    answer = await visit.attempt(visit.api("logs", **visit.window.as_params(), filter=text, limit=MOST_LOGS), NO_LOGS)
    found: Sequence[Mapping[str, Any]] = answer["logs"]
    return found


def _calls(calls: Sequence[Mapping[str, Any]], slower: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the places of the tree for the template: shares of the request's time, and how deep each is shown."""
    whole_ns = (calls[0]["usual"]["total_ns"] or calls[0]["slow"]["total_ns"] or 1) if calls else 1
    notable = {each["place"] for each in slower}
    return [
        {**call, "shown_depth": min(call["depth"], DEEPEST), "share": call["usual"]["self_ns"] / whole_ns,
         "slower": _more(call["slower_ns"]), "is_slower": place in notable}
        for place, call in enumerate(calls)
    ]  # fmt: skip


def _more(difference_ns: int) -> str:
    """Write by how much more or less time something takes."""
    if not difference_ns:
        return ""
    return ("+" if difference_ns > 0 else MINUS) + duration_text(abs(difference_ns))


def _slower(calls: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the places at which slow requests spend most of what they take longer."""
    longer = [{**call, "place": place} for place, call in enumerate(calls) if call["slower_ns"] > 0]
    longer.sort(key=lambda call: -call["slower_ns"])
    least_ns = NOTABLE * sum(call["slower_ns"] for call in longer)
    return [call for call in longer[:PLACES] if call["slower_ns"] >= least_ns]


def _callees(calls: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return what the service itself calls in others: places whose service is another than that they hang from."""
    return [
        call for call in calls
        if call["parent"] >= 0 and call["service"] != calls[0]["service"] == calls[call["parent"]]["service"]
        and call["usual"]["calls"]
    ]  # fmt: skip


def _version(visit: Visit, service: str, operation: str, row: Mapping[str, Any]) -> dict[str, Any]:
    name = row["by"][VERSION]
    since = None if name is None else visit.go("/differences", service=service, operation=operation, release=str(name))
    return {**row, "name": name, "since": since}


def _error(visit: Visit, spans: Mapping[str, str], row: Mapping[str, Any]) -> dict[str, Any]:
    kind = row["by"]["error.type"]
    condition = terms.both(terms.ERRORS, "error.type not exists" if kind is None else terms.term("error.type", kind))
    params = {"service": spans["service"], "operation": spans["operation"], "filter": condition}
    issues = None if kind is None else visit.go("/issues", service=spans["service"], filter=terms.term("type", kind))
    return {**row, "name": kind, "traces": visit.go("/traces", **params), "issues": issues}
