"""The typical trace of an operation: what its requests call, folded by path, and where the slow ones differ."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, TypedDict, cast

from spanglass_core.call_trees.folding import fold
from spanglass_core.call_trees.statements import add_up
from spanglass_server.query.answers import Nanoseconds, Slot, SpanKind, TimeRange
from spanglass_server.query.performance.reading import read_requests
from spanglass_server.query.performance.requests import choose_requests
from spanglass_server.query.window import describe

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from spanglass_core.call_trees.folding import Figures, Place
    from spanglass_server.query.matching import SpanQuestion
    from spanglass_server.query.performance.reading import ReadRequest
    from spanglass_server.store.ports import QuerySession

_MOST_STATEMENTS, _MOST_CALLERS = 20, 20


class CallFigures(TypedDict):
    """The calls of a place. ``calls``, ``total_ns`` and ``self_ns`` are of an average request, percentiles of a call.

    ``share`` is of requests that make any, ``failed`` of calls.
    """

    calls: float
    share: float
    failed: float
    total_ns: Nanoseconds
    self_ns: Nanoseconds
    p50_ns: Nanoseconds | None
    p95_ns: Nanoseconds | None


class TypicalCall(TypedDict):
    """A place of the tree: calls of one name below the same calls. ``parent`` is a place in the list, -1 for the first.

    ``slower_ns`` is by how much more time a slow request spends here itself, in what it does not wait for others.
    """

    service: str
    slot: Slot
    operation: str
    kind: SpanKind
    depth: int
    parent: int
    usual: CallFigures
    slow: CallFigures
    slower_ns: Nanoseconds


class TypicalStatement(TypedDict):
    """A statement of a database without its values, of an average request, and of a slow one."""

    service: str
    slot: Slot
    text: str
    calls: float
    total_ns: Nanoseconds
    slow_calls: float
    slow_total_ns: Nanoseconds


class Caller(TypedDict):
    """Who called: the parent of so many of the requests."""

    service: str
    slot: Slot
    operation: str
    requests: int


class TypicalTrace(TypedDict):
    """The answer of ``GET /api/v1/services/{service}/typical``.

    ``spans`` match in all; ``usual`` of them were chosen by chance and ``slow`` of the slowest twentieth, those that
    take ``slow_ns`` or more. ``calls`` begins with the request itself.
    """

    window: TimeRange
    spans: int
    usual: int
    slow: int
    slow_ns: Nanoseconds | None
    calls: list[TypicalCall]
    statements: list[TypicalStatement]
    callers: list[Caller]


def typical_trace(session: QuerySession, question: SpanQuestion, limit: int) -> TypicalTrace:
    """Answer ``GET /api/v1/services/{service}/typical``; beyond the limit the places of least time are left out."""
    chosen, slot = choose_requests(session, question), session.service_slot
    found = list(read_requests(session, chosen))
    tree = fold((each.request for each in found), limit)
    calls = (call for each in found for call in each.statements())
    return {
        "window": describe(question.window),
        "spans": chosen.spans,
        "usual": tree.usual,
        "slow": tree.slow,
        "slow_ns": chosen.slow_ns,
        "calls": [_call(slot, place, tree.usual, tree.slow) for place in tree.places],
        "statements": [
            {
                "service": each.service,
                "slot": slot(each.service),
                "text": each.text,
                "calls": round(each.calls, 2),
                "total_ns": round(each.total_ns),
                "slow_calls": round(each.slow_calls, 2),
                "slow_total_ns": round(each.slow_total_ns),
            }
            for each in add_up(calls, tree.usual, tree.slow, _MOST_STATEMENTS)
        ],
        "callers": _callers(slot, found),
    }


def _call(slot: Callable[[str], int], place: Place, usual: int, slow: int) -> TypicalCall:
    return {
        "service": place.service,
        "slot": slot(place.service),
        "operation": place.operation,
        "kind": cast("SpanKind", place.kind),
        "depth": place.depth,
        "parent": place.parent,
        "usual": _figures(place.usual, usual),
        "slow": _figures(place.slow, slow),
        "slower_ns": round(place.slower_ns),
    }


def _figures(figures: Figures, requests: int) -> CallFigures:
    return {
        "calls": round(figures.calls / requests, 2) if requests else 0.0,
        "share": round(figures.share, 4),
        "failed": round(figures.failed / figures.calls, 4) if figures.calls else 0.0,
        "total_ns": round(figures.total_ns),
        "self_ns": round(figures.self_ns),
        "p50_ns": figures.p50_ns,
        "p95_ns": figures.p95_ns,
    }


def _callers(slot: Callable[[str], int], found: Sequence[ReadRequest]) -> list[Caller]:
    """Who called the requests that were chosen by chance, the most frequent first; roots have no caller."""
    counts = Counter(each.caller for each in found if each.request.is_usual and each.caller)
    return [
        {"service": service, "slot": slot(service), "operation": operation, "requests": count}
        for (service, operation), count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:_MOST_CALLERS]
    ]
