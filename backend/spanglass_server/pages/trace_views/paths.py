"""The spans of a trace folded by path, from the same answer as its waterfall."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_core.trace_paths import PathSpan, fold, heaviest, listed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spanglass_core.trace_paths import Path

#: Paths that a page holds, as many as an answer of the API.
MOST_PATHS = 20_000


def folded(trace: Mapping[str, Any]) -> tuple[list[dict[str, Any]], int]:
    """Return the paths of a trace, depth first, shaped as in the API's answer, and how many were left out."""
    paths = listed(fold(_path_span(span) for span in trace["spans"]))
    slots = {service["service"]: service["slot"] for service in trace["services"]}
    shown = heaviest(paths, MOST_PATHS)
    return [_path(path, slots.get(path.step[0], 0)) for path in shown], len(paths) - len(shown)


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


def _path(path: Path, slot: int) -> dict[str, Any]:
    service, name, target = path.step
    return {
        "depth": path.depth, "service": service, "slot": slot, "name": name, "target": target,
        "spans": path.spans, "errors": path.errors, "duration_ns": path.duration_ns,
        "self_time_ns": path.self_time_ns, "work_ns": path.work_ns, "critical_ns": path.critical_ns,
        "longest_ns": path.longest_ns, "longest": path.longest,
    }  # fmt: skip


def parents(paths: Sequence[Mapping[str, Any]]) -> list[int]:
    """Return for each path the place of the one above it, -1 at the top."""
    above: list[int] = []
    found = []
    for place, path in enumerate(paths):
        del above[path["depth"] :]
        found.append(above[-1] if above else -1)
        above.append(place)
    return found
