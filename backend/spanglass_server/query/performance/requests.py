"""Requests of an operation that stand for all of them: some chosen by chance, and some of the slowest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spanglass_server.query.differences.slices import slices
from spanglass_server.query.language.compiling.sql import all_of, union_all
from spanglass_server.query.matching import match_spans, within
from spanglass_server.query.statements import rows, statement
from spanglass_server.signals import Signal

if TYPE_CHECKING:
    from spanglass_server.query.matching import Matching, SpanQuestion
    from spanglass_server.store.ports import QuerySession, Window

#: How many are chosen by chance, and of the slowest twentieth. Reading a trace takes a millisecond.
USUAL, SLOW = 100, 50
#: With fewer, the newest are taken: those that match came in a burst between the stretches of time that are read.
_TOO_FEW = 20
_SLOW_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class ChosenRequests:
    """Spans by trace id and span id, with whether each is one of the usual or of the slow ones, or both.

    ``spans`` match in all, and take ``mean_ns`` on average; the slow ones take ``slow_ns`` or more.
    """

    spans: int
    mean_ns: float | None
    slow_ns: int | None
    usual: frozenset[tuple[bytes, bytes]]
    slow: frozenset[tuple[bytes, bytes]]


def choose_requests(session: QuerySession, question: SpanQuestion) -> ChosenRequests:
    """Choose requests among the spans of a question."""
    matching = match_spans(session, question)
    (totals,) = rows(session, statement(
        "performance/operation_totals", relation=matching.relation(session, ("duration_ns",)), where=matching.where
    ))  # fmt: skip
    if not totals["spans"]:
        return ChosenRequests(0, None, None, frozenset(), frozenset())
    slow_ns = round(totals["slow_ns"])
    usual = _choose(session, matching, totals["spans"], USUAL, 0)
    slow = _choose(session, matching, max(1, round(totals["spans"] * _SLOW_SHARE)), SLOW, slow_ns)
    is_slow = {(row["trace_id"], row["span_id"]) for row in [*usual, *slow] if row["duration_ns"] >= slow_ns}
    chosen = frozenset((row["trace_id"], row["span_id"]) for row in usual)
    return ChosenRequests(totals["spans"], totals["mean_ns"], slow_ns, chosen, frozenset(is_slow))


def _choose(session: QuerySession, matching: Matching, spans: int, wanted: int, least_ns: int) -> list[dict[str, Any]]:
    """Choose about as many spans as wanted, of that many that take so long."""
    windows = slices(session.parts(Signal.SPANS, matching.window), matching.window, wanted / spans)
    found = _read(session, matching, windows, wanted, least_ns)
    if len(found) < min(_TOO_FEW, spans) and windows != [matching.window]:
        return _read(session, matching, [matching.window], wanted, least_ns)
    return found


def _read(
    session: QuerySession, matching: Matching, windows: list[Window], wanted: int, least_ns: int
) -> list[dict[str, Any]]:
    pieces = [
        statement(
            "performance/chosen_requests",
            relation=part.relation(session, ("trace_id", "span_id", "duration_ns")),
            where=all_of([within(window), part.predicate]),
            least_ns=least_ns,
            count=-(-wanted // len(windows)),
        )
        for window in windows
        for part in [matching.narrowed(window)]
    ]
    return rows(session, union_all(pieces))
