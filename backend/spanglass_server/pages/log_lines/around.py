"""One log line with those before and after it, of its stream, service, host or trace, or of all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from spanglass_server.pages.rendering.format import parse_time_ns, rfc3339
from spanglass_server.query.logs.around import SAME

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.responses import Response

    from spanglass_server.pages.visit import Visit

LINES, MOST_LINES = 20, 500
_HALF_HOUR_NS = 1_800_000_000_000
_STEP = 4  # how many times as many lines "more" shows
#: What a record must have so that lines of the same are worth asking for.
_NEEDS: Mapping[str, Callable[[Mapping[str, Any]], bool]] = {
    "host": lambda log: "host.name" in log["resource"],
    "trace": lambda log: log["trace_id"] is not None,
}
_NAMES = {"stream": "Stream", "service": "Service", "host": "Host", "trace": "Trace", "all": "All"}
_TITLES = {"stream": "same service, instance, host, container, process and file"}


async def show(visit: Visit) -> Response:
    """``/logs/{log}``: ``same`` says what the lines have in common, ``before`` and ``after`` how many there are."""
    log_id = str(visit.request.path_params["log"])
    before, after = (_count(visit.param(name)) for name in ("before", "after"))
    answer = await visit.api("logs", log_id, "around", same=visit.param("same") or None, before=before, after=after)
    return visit.page(
        "log_lines/around.html",
        hit=answer["log"],
        near=_near(answer["log"]),
        before=answer["before"],
        after=answer["after"],
        choices=_choices(visit, answer),
        more_before=_more(visit, "before", before, is_there=answer["has_more_before"]),
        more_after=_more(visit, "after", after, is_there=answer["has_more_after"]),
        in_list=_in_list(visit, answer),
    )


def _count(text: str) -> int:
    """Return how many lines are asked for; what is no number is the usual one."""
    return min(int(text), MOST_LINES) if text.isascii() and text.isdigit() and len(text) < len(str(2**31)) else LINES


def _more(visit: Visit, name: str, count: int, *, is_there: bool) -> str | None:
    """Return the link to more lines on one side, if there are any and not too many are shown."""
    wanted = min(max(count, 1) * _STEP, MOST_LINES)
    return visit.here(**{name: str(wanted)}) if is_there and wanted > count else None


def _choices(visit: Visit, answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what the lines may have in common, with links; what the record lacks is left out."""
    return [
        {"name": _NAMES[same], "title": _TITLES.get(same), "on": same == answer["same"], "href": visit.here(same=same)}
        for same in SAME
        if same not in _NEEDS or _NEEDS[same](answer["log"])
    ]


def _in_list(visit: Visit, answer: Mapping[str, Any]) -> str:
    """Return the search that shows the same lines."""
    lines = [*answer["before"], answer["log"], *answer["after"]]
    first_ns, last_ns = (parse_time_ns(line["time"]) for line in (lines[0], lines[-1]))
    return visit.link(
        "/logs",
        {"start": rfc3339(first_ns), "end": rfc3339(last_ns + 1), "order": "asc", "filter": answer["filter"]},
    )


def _near(log: Mapping[str, Any]) -> dict[str, str]:
    """Return the range of searches for what a line has: an hour, with the line in its middle."""
    time_ns = parse_time_ns(log["time"])
    return {"start": rfc3339(max(0, time_ns - _HALF_HOUR_NS)), "end": rfc3339(time_ns + _HALF_HOUR_NS)}


def path_of(log: Mapping[str, Any]) -> str:
    """Return the path of a record's page."""
    return f"/logs/{quote(str(log['id']), safe='')}"
