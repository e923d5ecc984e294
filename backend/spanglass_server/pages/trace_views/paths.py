"""The spans of a trace folded by path, from the same answer as its waterfall."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_core.traces.trace_paths import PathSpan
from spanglass_server.pages.rendering.columns import parents_of
from spanglass_server.query.trace_views import paths as trace_paths

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from spanglass_server.pages.rendering.columns import Spans
    from spanglass_server.query.trace_views.paths import TracePath


def folded(trace: Mapping[str, Any]) -> tuple[list[TracePath], int]:
    """Return the paths of a trace, depth first, as in the API's answer, and how many were left out."""
    slots = {service["service"]: service["slot"] for service in trace["services"]}
    return trace_paths.folded(_path_spans(trace["spans"]), lambda service: slots.get(service, 0))


def _path_spans(spans: Spans) -> Iterable[PathSpan]:
    steps = zip(*map(spans.column, ("service", "name", "target")), strict=True)
    failed = (status == "error" for status in spans.column("status"))
    keys, depths, durations, own = map(spans.column, ("key", "depth", "duration_ns", "self_time_ns"))
    return map(PathSpan, keys, depths, steps, durations, own, spans.critical_ns(), failed)


def parents(paths: Sequence[Mapping[str, Any]]) -> list[int]:
    """Return for each path the place of the one above it, -1 at the top."""
    return parents_of([path["depth"] for path in paths])
