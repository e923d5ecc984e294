"""The spans of a trace folded by path, from the same answer as its waterfall."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_core.trace_paths import PathSpan
from spanglass_server.query.trace_views import paths as trace_paths

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spanglass_server.query.trace_views.paths import TracePath


def folded(trace: Mapping[str, Any]) -> tuple[list[TracePath], int]:
    """Return the paths of a trace, depth first, as in the API's answer, and how many were left out."""
    slots = {service["service"]: service["slot"] for service in trace["services"]}
    return trace_paths.folded(map(_path_span, trace["spans"]), lambda service: slots.get(service, 0))


def _path_span(span: Mapping[str, Any]) -> PathSpan:
    return PathSpan(
        span["key"],
        span["depth"],
        (span["service"], span["name"], span["target"]),
        span["duration_ns"],
        span["self_time_ns"],
        sum(took_ns for _, took_ns in span["critical"]),
        span["status"] == "error",
    )


def parents(paths: Sequence[Mapping[str, Any]]) -> list[int]:
    """Return for each path the place of the one above it, -1 at the top."""
    above: list[int] = []
    found = []
    for place, path in enumerate(paths):
        del above[path["depth"] :]
        found.append(above[-1] if above else -1)
        above.append(place)
    return found
