"""Two traces, or two groups of traces, compared by path."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypedDict

from spanglass_core.ids import read_trace_id
from spanglass_core.traces.trace_comparison import Change, compare
from spanglass_core.traces.trace_paths import fold_all, heaviest
from spanglass_server.query.answers import Slot
from spanglass_server.query.errors import BadQuestionError, FilterError
from spanglass_server.query.matching import SpanQuestion
from spanglass_server.query.one_trace.view import arrange
from spanglass_server.query.trace_views.paths import MOST_PATHS, path_spans
from spanglass_server.query.traces.search import Page, search_traces

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from spanglass_core.traces.trace_comparison import Aligned
    from spanglass_core.traces.trace_paths import Path, PathSpan
    from spanglass_server.store.ports import QuerySession, Window

#: Traces that a group may name, and spans that are read of a group: a trace that exceeds them is the last one.
MOST_TRACES, MOST_SPANS = 200, 200_000


class ComparedGroup(TypedDict):
    """One side as a whole. Figures are means of its traces; ``trace_ids`` names those that were read.

    ``not_found`` names those that were asked for and are not stored.
    """

    trace_ids: list[str]
    not_found: list[str]
    traces: int
    duration_ns: float
    work_ns: float
    spans: float
    errors: float


class LongestSpan(TypedDict):
    """Where the longest span of a path is."""

    trace_id: str
    key: str


class PathFigures(TypedDict):
    """A path on one side: how many traces have it, and means over all traces of the side; ``call_ns`` of a span."""

    traces: int
    spans: float
    errors: float
    self_time_ns: float
    work_ns: float
    call_ns: float
    longest: LongestSpan


class ComparedPath(TypedDict):
    """A path of two sides, null on one that lacks it. Differences are of ``b`` against ``a``, in ns a trace."""

    depth: int
    service: str
    slot: Slot
    name: str
    target: str
    change: Change
    self_difference_ns: float
    work_difference_ns: float
    a: PathFigures | None
    b: PathFigures | None


class Comparison(TypedDict):
    """The answer of ``GET /api/v1/traces/compare``."""

    a: ComparedGroup
    b: ComparedGroup
    paths: list[ComparedPath]
    paths_left_out: int


@dataclass(frozen=True, slots=True)
class Side:
    """What one side is asked for by: ids of traces with commas between them, or a filter with its range."""

    name: str
    text: str
    window: Window


def compare_traces(session: QuerySession, sides: tuple[Side, Side], limit: int, now_ns: int) -> Comparison:
    """Answer ``GET /api/v1/traces/compare``: of a filter the ``limit`` newest traces are read.

    Raises BadQuestionError that names the side for an unreadable filter, or when nothing is found.
    """
    (before, first), (after, second) = (_group(session, side, limit, now_ns) for side in sides)
    aligned = compare(before, after)
    shown = heaviest(aligned, MOST_PATHS, _work_ns)
    return {
        "a": first,
        "b": second,
        "paths": [_path(session, path, (first["traces"], second["traces"])) for path in shown],
        "paths_left_out": len(aligned) - len(shown),
    }


def _group(session: QuerySession, side: Side, limit: int, now_ns: int) -> tuple[Path, ComparedGroup]:
    """Read the traces of a side, fold them together, and add up what is said of them as a whole."""
    read = _Read(session, now_ns)
    top = fold_all(read.traces(_trace_ids(session, side, limit, now_ns)))
    count = len(read.trace_ids)
    if not count:
        missing = f"no span of trace {read.not_found[0]} is stored" if read.not_found else "no trace matches"
        raise BadQuestionError(
            missing, field=side.name, hint="try a longer time range or another filter", code="not_found"
        )
    return top, {
        "trace_ids": read.trace_ids,
        "not_found": read.not_found,
        "traces": count,
        "duration_ns": read.duration_ns / count,
        "work_ns": top.work_ns / count,
        "spans": read.spans / count,
        "errors": read.errors / count,
    }


@dataclass(slots=True)
class _Read:
    """What was read of a group, and what its traces add up to."""

    session: QuerySession
    now_ns: int
    trace_ids: list[str] = field(default_factory=list)
    not_found: list[str] = field(default_factory=list)
    duration_ns: int = 0
    spans: int = 0
    errors: int = 0

    def traces(self, trace_ids: Iterable[bytes]) -> Iterator[Iterable[PathSpan]]:
        """Read traces one after the other, until there are more than ``MOST_SPANS`` spans."""
        for trace_id in trace_ids:
            try:
                found = arrange(self.session, trace_id, self.now_ns)
            except BadQuestionError:  # not stored, or not any more
                self.not_found.append(trace_id.hex())
                continue
            self.trace_ids.append(trace_id.hex())
            self.duration_ns += found.tree.length_ns
            self.spans += found.read.count
            self.errors += sum(found.read.lists.failed)
            yield path_spans(found, f"{trace_id.hex()}/")
            if self.spans > MOST_SPANS:
                return


def _trace_ids(session: QuerySession, side: Side, limit: int, now_ns: int) -> Sequence[bytes]:
    """Return the ids that a side names, or of the traces that its filter finds."""
    parts = [part.strip() for part in side.text.split(",") if part.strip()]
    named = [read_trace_id(part) for part in parts]
    if parts and all(named):
        if len(named) > MOST_TRACES:
            raise BadQuestionError(f"{len(named)} traces are too many; the most is {MOST_TRACES}", field=side.name)
        return [bytes.fromhex(trace_id) for trace_id in dict.fromkeys(named) if trace_id]
    try:
        found = search_traces(session, SpanQuestion(side.window, side.text), Page(limit), now_ns)
    except FilterError as error:
        message = f"{error.message}, at character {error.column} of the filter"
        raise BadQuestionError(message, field=side.name, hint=error.hint) from error
    return [bytes.fromhex(trace["trace_id"]) for trace in found["traces"]]


def _work_ns(path: Aligned) -> int:
    return sum(side.work_ns for side in path.sides if side)


def _path(session: QuerySession, path: Aligned, traces: tuple[int, int]) -> ComparedPath:
    service, name, target = path.step
    before, after = (_figures(side, count) for side, count in zip(path.sides, traces, strict=True))
    return {
        "depth": path.depth,
        "service": service,
        "slot": session.service_slot(service),
        "name": name,
        "target": target,
        "change": path.change,
        "self_difference_ns": path.self_difference_ns,
        "work_difference_ns": path.work_difference_ns,
        "a": before,
        "b": after,
    }


def _figures(side: Path | None, traces: int) -> PathFigures | None:
    if side is None:
        return None
    trace_id, _, key = side.longest.partition("/")
    return {
        "traces": side.traces,
        "spans": side.spans / traces,
        "errors": side.errors / traces,
        "self_time_ns": side.self_time_ns / traces,
        "work_ns": side.work_ns / traces,
        "call_ns": side.duration_ns / side.spans,
        "longest": {"trace_id": trace_id, "key": key},
    }
