"""One trace: where its time went, the waterfall, the chosen span, its logs."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

from spanglass_core.ids import TRACE_ID_FORM, read_trace_id
from spanglass_server.pages.explorer import running
from spanglass_server.pages.ports import ApiError
from spanglass_server.pages.rendering import columns, exceptions, terms
from spanglass_server.pages.rendering.format import parse_time_ns
from spanglass_server.pages.trace_views import flame, table, waterfall
from spanglass_server.pages.trace_views.paths import folded
from spanglass_server.pages.window import SECOND_NS, fixed
from spanglass_server.query.one_trace.collecting import paused_collector

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response

    from spanglass_server.pages.visit import Visit

#: Rows rendered by the server; script draws all others, and without script a link asks for more.
ROWS, MOST_ROWS = 200, 10_000
LOGS_SHOWN = 500
LINKS_SHOWN = 50
WATERFALL, VIEWS = "waterfall", ("flame", "spans", "services", "logs")
#: Logs of a trace and spans that link to it are looked for from this long before it to this long after it.
BEFORE_NS, AFTER_NS = 300 * SECOND_NS, 3600 * SECOND_NS
#: Searches for an attribute of this trace look this far around it.
NEAR_NS = 1800 * SECOND_NS

NOT_ENDED = "The root span has not arrived: it has not ended, or its service does not announce open spans."
WARNINGS = {
    "missing_root": "The root span has not arrived: the trace is incomplete, or its start was not sampled.",
    "orphans": "Some spans name a parent that has not arrived; they stand at the top level.",
    "clock_skew": "Clocks of the services differ; calls were moved so that they are served while their callers wait.",
    "unknown_start": "Some spans have no usable start time; they stand where their parents begin.",
    "cycle": "Some spans name each other as parent; the circle was cut.",
}


async def show(visit: Visit) -> Response:
    """``/traces/{trace_id}``."""
    with paused_collector():  # of 100,000 spans it would look at half a million objects again and again
        return await _shown(visit)


async def _shown(visit: Visit) -> Response:
    trace_id = read_id(visit)
    answer = await visit.api("traces", trace_id, format="waterfall")
    trace = columns.unpack(answer)
    # the first span that is asked for unpacks the columns of all: 100 ms for 100,000
    chosen = await asyncio.to_thread(chosen_of, trace, visit.param("span"))
    view = visit.param("view") if visit.param("view") in VIEWS else WATERFALL
    whole, (logs, logs_problem), linking, profile = await visit.together(
        _span(visit, trace, chosen), logs_of(visit, trace), linking_to(visit, trace), profile_of(visit, trace)
    )
    of_spans = {"trace": answer, "chosen": whole, "linking": linking, "logs": [log for log in logs if log["span_id"]],
                "profile": profile}  # fmt: skip
    data, drawn = await asyncio.to_thread(_drawn, visit, view, trace, of_spans)
    start_ns = parse_time_ns(trace["start_time"])
    return await visit.page_of_data(
        "trace.html", data, trace=trace, pinned=visit.site.pinned(trace_id), root=trace["spans"][0],
        start_ns=start_ns, chosen=columns.in_full(chosen, whole), **drawn,
        slots={service["service"]: service["slot"] for service in trace["services"]},
        shares=shares_of(trace), axis=waterfall.axis(trace["duration_ns"]),
        logs=logs, logs_problem=logs_problem, view=view, linking=linking, profile=profile,
        warnings=warnings_of(trace), open=running.tally(trace), chosen_mark=running.mark(chosen, visit.clock),
        near=fixed(start_ns - NEAR_NS, start_ns + trace["duration_ns"] + NEAR_NS),
        logs_filter=terms.term(terms.TRACE_ID, trace_id),
    )  # fmt: skip


async def profile_of(visit: Visit, trace: Mapping[str, Any]) -> str | None:
    """Return where the profile of a trace is shown, None if nothing of it is stored; other threads tell nothing."""
    start_ns, trace_id = parse_time_ns(trace["start_time"]), trace["trace_id"]
    end_ns = start_ns + trace["duration_ns"] + AFTER_NS
    question = visit.api("profiles", trace_id=trace_id, start=start_ns, end=end_ns, limit=1)
    answer = await visit.attempt(question, {"samples": 0})
    return visit.link("/profiles", {"trace_id": trace_id, **fixed(start_ns, end_ns)}) if answer["samples"] else None


def read_id(visit: Visit) -> str:
    """Return the trace's id as it is stored; ApiError (not_found) for what is none."""
    written = visit.request.path_params["trace_id"]
    trace_id = read_trace_id(written)
    if trace_id is None:
        raise ApiError(
            404, {"code": "not_found", "message": f"{written!r} is not a trace id: those are {TRACE_ID_FORM}."}
        )
    return trace_id


def _drawn(
    visit: Visit, view: str, trace: Mapping[str, Any], whole: Mapping[str, Any]
) -> tuple[bytes, Mapping[str, Any]]:
    """Return what a script draws as JSON, and what the template shows of all spans; of 100,000 that takes 0.2 s."""
    data, of_view = _of_view(visit, view, trace, whole)
    shown = min(MOST_ROWS, int(visit.param("rows"))) if re.fullmatch(r"\d{1,6}", visit.param("rows")) else ROWS
    is_worth = waterfall.is_worth_an_answer(trace)
    return columns.as_bytes(data), {
        "of_view": of_view,
        "rows": waterfall.rows(trace, shown, visit.clock) if view == WATERFALL else (),
        "answer": columns.time_spent_of(trace["spans"]) if is_worth else None,
        "told": exceptions.tellers(trace),
    }


def _of_view(
    visit: Visit, view: str, trace: Mapping[str, Any], whole: Mapping[str, Any]
) -> tuple[Mapping[str, Any] | None, Mapping[str, Any]]:
    """Return what the script of a view draws, and what its template shows."""
    if view == WATERFALL:
        return whole, {}
    if view == "spans":
        return {"trace": whole["trace"]}, _table(visit, trace)
    if view == "flame":
        return _flame(visit, trace)
    return None, _services(visit, trace) if view == "services" else {}


def _flame(visit: Visit, trace: Mapping[str, Any]) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    paths, left_out = folded(trace)
    found = {"paths": paths, "left_out": left_out, **flame.drawn(paths, visit.param("frame")),
             "work_ns": sum(path["work_ns"] for path in paths if not path["depth"])}  # fmt: skip
    return {"paths": paths}, found


def _table(visit: Visit, trace: Mapping[str, Any]) -> Mapping[str, Any]:
    sort, ascending = table.sorting(visit.param("sort"), visit.param("order"), table.SORTS, "start")
    found = table.rows(trace["spans"], sort, visit.param("find"), ascending=ascending)
    return {
        "spans": [trace["spans"][row] for row in found[: table.ROWS]],
        "count": len(found),
        "sort": sort,
        "ascending": ascending,
    }


def _services(visit: Visit, trace: Mapping[str, Any]) -> Mapping[str, Any]:
    operations = table.operations(folded(trace)[0])
    sort, ascending = table.sorting(visit.param("sort"), visit.param("order"), table.OPERATION_SORTS, "self")
    shown = table.in_order(operations, sort, ascending=ascending)
    return {"services": table.services(trace, operations), "operations": shown[: table.ROWS], "count": len(shown),
            "sort": sort, "ascending": ascending}  # fmt: skip


def warnings_of(trace: Mapping[str, Any]) -> list[str]:
    """Return what is wrong in words; while spans of the trace are open, a missing root is nothing that went wrong."""
    words = {**WARNINGS, "missing_root": NOT_ENDED} if trace["running_count"] else WARNINGS
    return [words.get(name, name) for name in trace["warnings"]]


def chosen_of(trace: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return the span the URL names by its key or its id, or where the failure began, or the root.

    Of spans that share an id the first is meant, unless the key says which; one that has since become the only span of
    its id is found by that.
    """
    key, spans = key.lower(), trace["spans"]
    began = trace["failure"]["key"] if trace["failure"] else ""
    rows = (spans.row_of(name) for name in (key, key.partition("-")[0], began))
    return spans[next((row for row in rows if row is not None), 0)]  # type: ignore[no-any-return]


async def _span(visit: Visit, trace: Mapping[str, Any], span: Mapping[str, Any]) -> dict[str, Any]:
    """Return a span in full; without it, its row says enough for the page."""
    try:
        return await visit.api("traces", trace["trace_id"], "spans", span["key"])
    except ApiError:
        return {}


async def logs_of(visit: Visit, trace: Mapping[str, Any]) -> tuple[list[Mapping[str, Any]], str]:
    """Return the trace's logs, oldest first; a failure to get them does not cost the reader the trace."""
    start_ns = parse_time_ns(trace["start_time"])
    try:
        answer = await visit.api(
            "logs", start=max(0, start_ns - BEFORE_NS), end=start_ns + trace["duration_ns"] + AFTER_NS,
            filter=terms.term(terms.TRACE_ID, trace["trace_id"]), limit=LOGS_SHOWN, order="asc",
        )  # fmt: skip
    except ApiError as error:
        return [], str(error)
    return answer["logs"], ""


async def linking_to(visit: Visit, trace: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return spans of other traces that link to this one, with the ids of the spans that they link ``to``."""
    start_ns = parse_time_ns(trace["start_time"])
    question = visit.api(
        "spans", start=max(0, start_ns - BEFORE_NS), end=start_ns + trace["duration_ns"] + AFTER_NS,
        filter=terms.term(terms.LINKED_TRACE, trace["trace_id"]), limit=LINKS_SHOWN, order="asc",
    )  # fmt: skip
    spans = (await visit.attempt(question, {"spans": []}))["spans"]
    shown = ("trace_id", "span_id", "service", "slot", "name", "duration_ns")
    return [
        {name: span[name] for name in shown}
        | {"to": [link["span_id"] for link in span["links"] if link["trace_id"] == trace["trace_id"]]}
        for span in spans
        if span["trace_id"] != trace["trace_id"]
    ]


def shares_of(trace: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Self time by service, largest first, as parts of a bar: positions in per cent."""
    whole_ns = sum(service["self_time_ns"] for service in trace["services"]) or 1
    shares, at = [], 0.0
    for service in sorted(trace["services"], key=lambda service: -service["self_time_ns"]):
        width = 100 * service["self_time_ns"] / whole_ns
        shares.append({**service, "x": round(at, 2), "w": round(max(0.0, width - 0.15), 2), "share": width / 100})
        at += width
    return shares
