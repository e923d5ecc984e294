"""Two traces, or two groups of traces, side by side: what differs, in a sentence, as a list, and path by path."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_core.ids import read_trace_id
from spanglass_server.pages.ports import ApiError
from spanglass_server.pages.rendering import terms

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.responses import Response

    from spanglass_server.pages.visit import Visit

    Paths = Sequence[Mapping[str, Any]]

#: Rows of the table, differences in the list above it, traces that are offered to compare with.
ROWS, MOST_ROWS, LISTED, OFFERED = 300, 5_000, 8, 12
MOST_DEPTH = 24
#: Parameters of the sides, and what the page calls them.
SIDES = {"a": "A", "b": "B", "start_b": "B\u2019s own time", "end_b": "B\u2019s own time"}
#: A difference of less than this share of the larger side's work is not worth a word.
NOTABLE = 0.01
#: Widest bar of a difference, in per cent of its cell: from the middle to one side.
HALF = 50.0


async def show(visit: Visit) -> Response:
    """``/traces/compare``: by ``a`` and ``b``, each ids of traces or a filter; ``start_b``, ``end_b`` are b's own."""
    first, second = visit.param("a"), visit.param("b")
    texts = {"a": first, "b": second, "start_b": visit.param("start_b"), "end_b": visit.param("end_b")}
    if not second and not texts["start_b"]:
        return visit.page(
            "trace/compare.html", texts=texts, offers=await _offers(visit, first), found=None, problem=None
        )
    try:
        found = await visit.api("traces", "compare", **visit.window.as_params(), **texts)
    except ApiError as error:
        if error.error.get("field") not in SIDES:
            raise
        problem = _problem(error)
        return visit.page(
            "trace/compare.html", status=error.status, texts=texts, offers=None, found=None, problem=problem
        )
    paths, differences = found["paths"], _differences(found)
    kept = paths if visit.param("show") == "all" else _changed(paths)
    most = MOST_ROWS if visit.param("rows") == "all" else ROWS
    return visit.page(
        "trace/compare.html", texts=texts, offers=None, problem=None, found=found, names=_names(texts),
        verdict=_verdict(found, differences), differences=differences, rows=_rows(kept[:most]), kept=len(kept),
    )  # fmt: skip


def _problem(error: ApiError) -> Mapping[str, str]:
    """Say what is wrong with one side, to be shown above the form's answer."""
    message, hint = str(error), str(error.error.get("hint") or "")
    return {
        "side": SIDES[error.error["field"]],
        "message": f"{message[:1].upper()}{message[1:].rstrip('.')}.",
        "hint": f"{hint[:1].upper()}{hint[1:].rstrip('.')}." if hint else "",
    }


async def _offers(visit: Visit, text: str) -> Mapping[str, Any] | None:
    """Return what a trace may be compared with: the newest and the fastest of the same operation, around its time."""
    trace_id = read_trace_id(text)
    if trace_id is None:
        return None
    head = await visit.api("traces", trace_id, format="paths")
    root = head["paths"][0]
    asked = {**visit.window.as_params(), "service": root["service"], "operation": root["name"], "limit": OFFERED}
    newest, fastest = await visit.together(
        visit.attempt(visit.api("traces", **asked), {"traces": []}),
        visit.attempt(visit.api("traces", **asked, sort="duration", order="asc"), {"traces": []}),
    )
    return {
        "head": head,
        "root": root,
        "filter": f"{terms.term(terms.SERVICE, root['service'])} and {terms.term(terms.OPERATION, root['name'])}",
        "newest": [trace for trace in newest["traces"] if trace["trace_id"] != trace_id],
        "fastest": [trace for trace in fastest["traces"] if trace["trace_id"] != trace_id],
    }


def _names(texts: Mapping[str, str]) -> Mapping[str, str]:
    """Call each side what it is: a trace, or a filter."""
    return {side: texts[side] or "all traces" for side in ("a", "b")}


def _changed(paths: Paths) -> Paths:
    """Leave out paths below which nothing changed; what changed keeps all that is above it."""
    kept = [False] * len(paths)
    above: list[int] = []
    for place, path in enumerate(paths):
        del above[path["depth"] :]
        above.append(place)
        if path["change"] != "same":
            for at in reversed(above):
                if kept[at]:
                    break
                kept[at] = True
    return [path for path, keep in zip(paths, kept, strict=True) if keep]


def _verdict(found: Mapping[str, Any], differences: Paths) -> Mapping[str, Any]:
    """Say how much longer or shorter b takes, and which path holds most of the difference."""
    difference_ns = found["b"]["duration_ns"] - found["a"]["duration_ns"]
    return {
        "difference_ns": difference_ns,
        "same": abs(difference_ns) < NOTABLE * max(found["a"]["duration_ns"], found["b"]["duration_ns"]),
        "most": differences[0] if differences else None,
    }


def _differences(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the paths whose own time differs the most, with bars of both sides in per cent of the longest."""
    least_ns = NOTABLE * max(found["a"]["work_ns"], found["b"]["work_ns"])
    notable = [path for path in found["paths"] if abs(path["self_difference_ns"]) > least_ns]
    notable.sort(key=lambda path: -abs(path["self_difference_ns"]))
    shown = notable[:LISTED]
    longest_ns = max((_own(path, side) for path in shown for side in "ab"), default=0) or 1
    return [
        {**path, "self": {side: _own(path, side) for side in "ab"},
         "bars": {side: round(100 * _own(path, side) / longest_ns, 2) for side in "ab"}}
        for path in shown
    ]  # fmt: skip


def _own(path: Mapping[str, Any], side: str) -> float:
    return float(path[side]["self_time_ns"]) if path[side] else 0.0


def _rows(paths: Paths) -> list[dict[str, Any]]:
    """Return rows of the table: indentation, and the bar of the difference, to the right where b takes longer."""
    widest_ns = max((abs(path["work_difference_ns"]) for path in paths), default=0) or 1
    rows = []
    for path in paths:
        width = round(HALF * abs(path["work_difference_ns"]) / widest_ns, 2)
        left = HALF if path["work_difference_ns"] > 0 else HALF - width
        rows.append({**path, "d": min(path["depth"], MOST_DEPTH), "x": round(left, 2), "w": width})
    return rows
