"""A trace folded by path: what its flame graph and its figures by service and operation are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from spanglass_core.traces.trace_paths import PathSpan, fold, heaviest, listed
from spanglass_server.query.answers import Nanoseconds
from spanglass_server.query.one_trace.view import TraceHead, arrange

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from spanglass_core.traces.trace_paths import Path
    from spanglass_server.query.one_trace.view import Arranged
    from spanglass_server.store.ports import QuerySession

#: Paths of an answer; a trace in which every span has a name of its own has more.
MOST_PATHS = 20_000


class TracePath(TypedDict):
    """All spans of one path. Its parent is the last path above it that is less deep; ``longest`` is a span's key.

    ``work_ns`` is the self time of these spans and of all below them, ``critical_ns`` how long the trace waited for
    these spans themselves.
    """

    depth: int
    service: str
    slot: int
    name: str
    target: str
    spans: int
    errors: int
    duration_ns: Nanoseconds
    self_time_ns: Nanoseconds
    work_ns: Nanoseconds
    critical_ns: Nanoseconds
    longest_ns: Nanoseconds
    longest: str


class TracePaths(TraceHead):
    """The answer of ``GET /api/v1/traces/{trace_id}?format=paths``."""

    paths: list[TracePath]
    paths_left_out: int


def show_paths(session: QuerySession, trace_id: bytes, now_ns: int) -> TracePaths:
    """Answer ``GET /api/v1/traces/{trace_id}?format=paths``: depth first, the lightest left out if there are many."""
    found = arrange(session, trace_id, now_ns)
    paths, left_out = folded(path_spans(found), session.service_slot)
    return {**found.head(session, trace_id), "paths": paths, "paths_left_out": left_out}


def folded(spans: Iterable[PathSpan], slot: Callable[[str], int]) -> tuple[list[TracePath], int]:
    """Fold the spans of a trace; returns its paths, depth first, and how many, the lightest, were left out."""
    paths = listed(fold(spans))
    shown = heaviest(paths, MOST_PATHS)
    return [_path(path, slot(path.step[0])) for path in shown], len(paths) - len(shown)


def path_spans(found: Arranged, before_key: str = "") -> Iterator[PathSpan]:
    """Return what folding needs of the spans of a trace, depth first; their keys begin with ``before_key``."""
    tree = found.tree
    keys = (before_key + key for key in found.keys_in_order())
    critical = (sum(end_ns - start_ns for start_ns, end_ns in parts) for parts in tree.critical)
    failed = (found.read.lists.failed[index] for index in tree.index)
    return map(PathSpan, keys, tree.depth, found.called(), tree.duration_ns, tree.self_time_ns, critical, failed)


def _path(path: Path, slot: int) -> TracePath:
    service, name, target = path.step
    return {
        "depth": path.depth,
        "service": service,
        "slot": slot,
        "name": name,
        "target": target,
        "spans": path.spans,
        "errors": path.errors,
        "duration_ns": path.duration_ns,
        "self_time_ns": path.self_time_ns,
        "work_ns": path.work_ns,
        "critical_ns": path.critical_ns,
        "longest_ns": path.longest_ns,
        "longest": path.longest,
    }
