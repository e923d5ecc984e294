"""Two made-up traces compared, in the shape of docs/api.md."""

from __future__ import annotations

from types import SimpleNamespace

import made_up as shop

from spanglass_core.traces.trace_comparison import compare
from spanglass_core.traces.trace_paths import PathSpan, fold, listed
from spanglass_server.query.trace_views.comparing import _figures

PARTS = ("spans", "errors", "duration_ns", "self_time_ns", "critical_ns", "work_ns", "longest_ns", "longest")


def better_trace(trace_id):
    """Return the checkout with one query for all prices, a cache, and without its failure."""
    spans = shop.checkout_trace(trace_id)["spans"]
    kept = [one for one in spans if one["name"] != "pricing.convert" and not one["name"].startswith("SELECT price")]
    parent = next(one for one in kept if one["name"] == "pricing.total_for")
    saved, end = 1_130 * shop.MS, parent["offset_ns"] + parent["duration_ns"]
    for one in kept:
        if one["offset_ns"] > end:
            one["offset_ns"] -= saved
        elif one["offset_ns"] + one["duration_ns"] >= end:
            one["duration_ns"] -= saved
    for one in kept:
        one["status"], one["events"] = "unset", []
    for number, name, at in ((90, "cache.get prices", 178), (91, "SELECT price WHERE sku = ?", 184)):
        kept.append(shop.span(number, parent["span_id"], 4, "checkout", name, at, 5 + number % 9, kind="client"))
    order = {one["span_id"]: one for one in kept}
    return shop.as_trace(trace_id, sorted(kept, key=lambda one: _lineage(order, one)))


def _lineage(order, one):
    """Sort depth first, siblings by start."""
    above = order.get(one["parent_span_id"])
    return (*(_lineage(order, above) if above else ()), one["offset_ns"], one["span_id"])


def folded(trace, prefix=""):
    """Fold a made-up trace by path."""
    return fold(
        PathSpan(
            prefix + one["key"],
            one["depth"],
            (one["service"], one["name"], ""),
            one["duration_ns"],
            one["self_time_ns"],
            sum(took for _, took in one["critical"]),
            one["status"] == "error",
        )
        for one in trace["spans"]
    )


def in_paths(trace):
    """Return a trace as ``format=paths`` does."""
    paths = [
        {**dict(zip(("service", "name", "target"), path.step, strict=True)), "depth": path.depth, "slot": slot(path)}
        | {name: getattr(path, name) for name in PARTS}
        for path in listed(folded(trace))
    ]
    head = {name: value for name, value in trace.items() if name != "spans"}
    return {**head, "paths": paths, "paths_left_out": 0}


def slot(path):
    """Return the colour of a path's service."""
    return shop.SLOTS.get(path.step[0], 1)


def comparison(*traces):
    """Compare two traces as ``GET /api/v1/traces/compare`` does."""
    tops = [folded(trace, f"{trace['trace_id']}/") for trace in traces]
    groups = [
        SimpleNamespace(trace_ids=[trace["trace_id"]], not_found=[], traces=1,
                        duration_ns=trace["duration_ns"], work_ns=top.work_ns,
                        spans=trace["span_count"], errors=trace["error_count"])
        for trace, top in zip(traces, tops, strict=True)
    ]  # fmt: skip
    paths = [
        {**dict(zip(("service", "name", "target"), path.step, strict=True)), "depth": path.depth, "slot": slot(path),
         "change": path.change, "self_difference_ns": path.self_difference_ns,
         "work_difference_ns": path.work_difference_ns,
         **{side: _figures(own, 1) for side, own in zip("ab", path.sides, strict=True)}}
        for path in compare(*tops)
    ]  # fmt: skip
    return {"a": vars(groups[0]), "b": vars(groups[1]), "paths": paths, "paths_left_out": 0}
