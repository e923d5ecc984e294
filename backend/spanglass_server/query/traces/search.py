"""Trace search: summaries of the traces that have a matching span, page by page.

Two phases, so that nothing but a few columns is read of most spans: first the ids of the traces of a page, then
summaries of just these traces, from all their spans: storage knows when they began.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from operator import itemgetter
from typing import TYPE_CHECKING, Any, TypedDict

from spanglass_core.traces.trace_times import EARLIEST_NS
from spanglass_server.query.answers import NextCursor
from spanglass_server.query.cursors import Cursor
from spanglass_server.query.kept_columns.first_matches import first_matches
from spanglass_server.query.kept_columns.first_related import First, first_related
from spanglass_server.query.language.compiling.sql import FALSE, TRUE, Sql
from spanglass_server.query.matching import Matching, match_spans
from spanglass_server.query.statements import one_of, rows, statement
from spanglass_server.query.traces.announcements import of_traces
from spanglass_server.query.traces.identity import COLUMNS, SELECTED, SPANS, Identity, of_row
from spanglass_server.query.traces.summaries import ListedTrace, Summary, add_open, place
from spanglass_server.query.traces.whole_traces import summarise
from spanglass_server.query.window import clamp, widen
from spanglass_server.signals import Signal
from spanglass_server.store.ports import ALL_TIME, Window
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from spanglass_server.query.matching import SpanQuestion
    from spanglass_server.query.traces.announcements import OpenSpan
    from spanglass_server.store.ports import QuerySession

#: Sorting by a figure looks at the spans of a trace this far around the range.
_AROUND_RANGE_NS = 900 * NS_PER_SECOND
#: Clocks of processes that announce spans may be off by this much.
_SKEW_NS = 900 * NS_PER_SECOND
#: Matching spans fetched at first for each trace wanted; most traces have fewer matching ones.
_SPANS_A_TRACE = 64
_GROWTH = 8
#: Most searches find enough in a small part of the range, so this much of it is looked at first, or what seems to hold
#: so many spans if that is less: a sixteenth of a hundred million would be sixty segments, 0.3 s instead of 0.05 ...
_FIRST_SHARE = 16
_FIRST_SPANS = 250_000
#: The same of filters about other spans, for which the spans around are read too.
_FIRST_OF_STRUCTURE = 16_000
#: The next ones hold at most so many: of all their traces storage tells how far they reach.
_SPANS_OF_STRUCTURE = 80_000
#: ... and then as much as seems to hold the rest, and a little more: looking once more takes 3 ms.
_MARGIN = 1.4
#: What remains is taken whole when less than this would be left of it.
_REMAINDER = 0.4

#: Figures that traces can be sorted by. Spans sent twice count once.
FIGURES = {
    "duration": Sql("max(start_time_ns + duration_ns) - min(start_time_ns)"),
    "spans": SPANS,
    "errors": Sql(f"{SPANS.text} FILTER (status_code = 2)"),
}
_FIGURE_COLUMNS = {
    "duration": ("trace_id", "start_time_ns", "duration_ns"),
    "spans": ("trace_id", *COLUMNS),
    "errors": ("trace_id", *COLUMNS, "status_code"),
}
SORTS = ("time", *FIGURES)
_DIRECTIONS = {True: Sql("DESC"), False: Sql("ASC")}


class TraceList(TypedDict):
    """The answer of ``GET /api/v1/traces``."""

    traces: list[ListedTrace]
    next_cursor: NextCursor


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of the results is wanted. ``sort`` is one of ``SORTS``."""

    limit: int = 20
    sort: str = "time"
    descending: bool = True
    cursor: str | None = None

    @property
    def order(self) -> str:
        """The sorting's name, which its cursors carry."""
        return f"{self.sort} {'desc' if self.descending else 'asc'}"


@dataclass(frozen=True, slots=True)
class Found:
    """A trace of the page: its sort value, and when one of its spans started."""

    trace_id: bytes
    value: int
    start_ns: int


def search_traces(session: QuerySession, question: SpanQuestion, page: Page, now_ns: int) -> TraceList:
    """Answer ``GET /api/v1/traces``.

    By time, a trace stands where its first matching span of the range starts. Spans that have not ended count in the
    traces that are found, but find none.
    """
    matching = match_spans(session, question, in_parts=page.sort == "time")
    after = Cursor.decode(page.cursor, page.order)
    if page.sort == "time":
        found, summaries = _TimeSearch(session, matching, page, after).find()
    else:
        found = _by_figure(session, matching, page, after)
        summaries = summarise(session, matching, [trace.trace_id for trace in found[: page.limit]])
    shown = found[: page.limit]
    is_last = len(found) <= page.limit
    listed = [summaries[trace.trace_id] for trace in shown if trace.trace_id in summaries]
    place(listed, _count_open(session, listed, now_ns), partial(_first_events, session))
    if page.sort != "time":  # the order is that of a part of their time, and a row must not contradict it
        listed.sort(key=lambda summary: (summary.figures[page.sort], summary.trace_id), reverse=page.descending)
    return {
        "traces": [summary.as_json(session.service_slot) for summary in listed],
        "next_cursor": None if is_last else Cursor(shown[-1].value, shown[-1].trace_id).encode(page.order),
    }


@dataclass(frozen=True, slots=True)
class _TimeSearch:
    """Traces by the start of their first matching span, without grouping all matching spans.

    The newest spans are fetched, some for each trace wanted. A trace among them may have an older matching span that
    was not fetched, which its summary tells; other traces stand below the oldest span that was fetched. So everything
    above that is certain.
    """

    session: QuerySession
    matching: Matching
    page: Page
    after: Cursor | None

    def find(self) -> tuple[list[Found], dict[bytes, Summary]]:
        """Find the page's traces, with one more when there is one, and summaries of them."""
        wanted = self.page.limit + 1
        starts: dict[bytes, int] = {}
        summaries: dict[bytes, Summary] = {}
        part, count = self._first_part(), wanted * _SPANS_A_TRACE
        is_cut, guesses = True, 1
        while True:
            spans, is_cut = self._spans(part, count, are_few=not is_cut)
            _add_starts(starts, spans)
            if self.matching.parts is not None:
                self.matching.parts.found_some, guesses = bool(spans), 1  # what is looked at costs by its length
            edge_ns = int(spans[-1]["start_time_ns"]) if is_cut else self._edge_ns(part)
            if len(starts) >= wanted or edge_ns is None:
                certain = self._certain(starts, edge_ns, wanted, summaries)
                if len(certain) >= wanted or edge_ns is None:
                    return certain[:wanted], summaries
            if is_cut:
                part, count = self._rest(part, edge_ns), count * _GROWTH
            else:
                part, guesses = self._next_part(part, len(starts) if guesses else 0, wanted), 0

    def _range(self) -> Window:
        """Return the range that is left after the cursor."""
        window, after = self.matching.window, self.after
        if after is None:
            return window
        if self.page.descending:
            return clamp(window.start_ns, min(window.end_ns, after.value + 1))
        return clamp(max(window.start_ns, after.value), window.end_ns)

    def _first_part(self) -> Window:
        """Return the part of the range to look at first."""
        window = self._range()
        spans = max(self.matching.known.values(), default=0)  # of all segments that lie in the question's range
        first = _FIRST_SPANS if self.matching.parts is None else _FIRST_OF_STRUCTURE
        share = max(_FIRST_SHARE, spans // first)
        return self._at_least_few(window, self._within(window, (window.end_ns - window.start_ns) // share))

    def _at_least_few(self, rest: Window, part: Window) -> Window:
        """Return a part, or one that few traces which can match have spans in, if that is longer, or SQL's turn."""
        parts = self.matching.parts
        few = None if parts is None else parts.part_with_few(rest, descending=self.page.descending)
        if parts is None or few is None:
            return part
        return max(part, few, key=lambda each: each.end_ns - each.start_ns) if parts.is_first else few

    def _within(self, window: Window, length_ns: int) -> Window:
        """Return the part of a range where the page's order begins: never an empty one, or the search would not end."""
        length_ns = max(1, length_ns)
        if self.page.descending:
            return clamp(max(window.start_ns, window.end_ns - length_ns), window.end_ns)
        return clamp(window.start_ns, min(window.end_ns, window.start_ns + length_ns))

    def _rest(self, part: Window, edge_ns: int) -> Window:
        """Return what is left of a part: all that starts at the edge, of which some may have been fetched, or after."""
        if self.page.descending:
            return clamp(part.start_ns, edge_ns + 1)
        return clamp(edge_ns, part.end_ns)

    def _next_part(self, part: Window, found: int, wanted: int) -> Window:
        """Return the part after this one, as long as it should be by the traces found, or sixteen times as long."""
        whole = self._range()
        if self.page.descending:
            rest, seen_ns = clamp(whole.start_ns, part.start_ns), whole.end_ns - part.start_ns
        else:
            rest, seen_ns = clamp(part.end_ns, whole.end_ns), part.end_ns - whole.start_ns
        rest_ns = rest.end_ns - rest.start_ns
        times = _MARGIN * (wanted - found) / found if found else _FIRST_SHARE
        length_ns = int(seen_ns * max(1, times))
        parts = self.matching.parts
        if parts is not None and parts.may_be_small:
            length_ns = min(length_ns, self._small_ns())
        part = rest if length_ns > rest_ns * (1 - _REMAINDER) else self._within(rest, length_ns)
        return part if part == rest else self._at_least_few(rest, part)

    def _small_ns(self) -> int:
        """Return how much of the range holds about as many spans as a small part may have."""
        window, spans = self.matching.window, max(self.matching.known.values(), default=0)
        return (window.end_ns - window.start_ns) * _SPANS_OF_STRUCTURE // max(1, spans)

    def _edge_ns(self, part: Window) -> int | None:
        """Return where a part ends and the rest of the range begins; None when there is no rest."""
        window = self.matching.window
        if self.page.descending:
            return part.start_ns if part.start_ns > window.start_ns else None
        return part.end_ns if part.end_ns < window.end_ns else None

    def _spans(self, part: Window, count: int, *, are_few: bool) -> First:
        """Fetch the first matching spans of a part of the range; those that seem to be few all at once."""
        parts = self.matching.parts
        of_few = self._of_few(part, count)
        if of_few is not None:
            return of_few
        if parts is not None and parts.is_first:
            related = first_related(self.session, self.matching, part, count, descending=self.page.descending)
            if related is not None:
                parts.asked += 1
                return related
            of_few = self._of_few(part, count)  # if the first part had nothing, it was asked which traces can match
            if of_few is not None:
                return of_few
        found = self._matches(part, count, are_few=are_few)
        return First(found, len(found) == count)

    def _of_few(self, part: Window, count: int) -> First | None:
        """The same where it is known which few traces can match; None if it is not, or SQL has to look."""
        trace_ids = None if self.matching.parts is None else self.matching.parts.few_in(part)
        if not trace_ids:
            return None if trace_ids is None else First([], are_cut=False)
        of_few = replace(self.matching, window=part, trace_ids=trace_ids)
        found = first_matches(self.session, of_few, count, descending=self.page.descending)
        return None if found is None else First(found, len(found) == count)

    def _matches(self, part: Window, count: int, *, are_few: bool) -> list[dict[str, Any]]:
        """The same where not only little is looked at."""
        matching = self.matching.narrowed(part)
        if matching.predicate.text == FALSE.text:
            return []
        kept = first_matches(self.session, matching, count, descending=self.page.descending)
        if kept is not None:
            return kept
        relation = matching.relation(self.session, ("trace_id",))
        if are_few:
            found = rows(
                self.session, statement("any_matches", relation=relation, where=matching.predicate, count=count)
            )
            if len(found) < count:
                return sorted(found, key=itemgetter("start_time_ns"), reverse=self.page.descending)
        direction = _DIRECTIONS[self.page.descending]
        return rows(
            self.session,
            statement("newest_matches", relation=relation, where=matching.predicate, direction=direction, count=count),
        )

    def _certain(
        self, starts: Mapping[bytes, int], edge_ns: int | None, wanted: int, summaries: dict[bytes, Summary]
    ) -> list[Found]:
        """Those of the traces found whose place is certain, in order; adds summaries that are not there yet."""
        candidates = self._ordered(Found(trace_id, start, start) for trace_id, start in starts.items())
        placed: list[Found] = []
        certain: list[Found] = []
        for taken in range(0, len(candidates), wanted):
            batch = candidates[taken : taken + wanted]
            unknown = [found.trace_id for found in batch if found.trace_id not in summaries]
            summaries |= summarise(self.session, self.matching, unknown)
            placed.extend(filter(self._is_next, _placed(batch, summaries)))
            rest = candidates[taken + wanted : taken + wanted + 1]
            bound = rest[0].value if rest else edge_ns
            certain = [found for found in placed if bound is None or self._is_before(found.value, bound)]
            if len(certain) >= wanted:
                break
        return self._ordered(certain)

    def _ordered(self, found: Iterable[Found]) -> list[Found]:
        return sorted(found, key=lambda trace: (trace.value, trace.trace_id), reverse=self.page.descending)

    def _is_next(self, found: Found) -> bool:
        """Whether a trace belongs to this page or a later one."""
        cursor = self.after
        return cursor is None or cursor.precedes(found.value, found.trace_id, descending=self.page.descending)

    def _is_before(self, value: int, bound: int) -> bool:
        """Whether a place comes before the first place that is not certain."""
        return value > bound if self.page.descending else value < bound


def _placed(batch: Iterable[Found], summaries: Mapping[bytes, Summary]) -> Iterator[Found]:
    """Yield the traces at the starts of their first matching spans."""
    for found in batch:
        summary = summaries.get(found.trace_id)
        if summary is not None and summary.first_match_ns is not None:
            yield replace(found, value=summary.first_match_ns)


def _add_starts(starts: dict[bytes, int], spans: Iterable[Mapping[str, Any]]) -> None:
    """Add the earliest start of the spans of each trace."""
    for span in spans:
        trace_id, start_ns = span["trace_id"], span["start_time_ns"]
        starts[trace_id] = min(start_ns, starts.get(trace_id, start_ns))


def _by_figure(session: QuerySession, matching: Matching, page: Page, after: Cursor | None) -> list[Found]:
    """Return the page's traces by a figure of the whole trace, with one more when there is one."""
    around = widen(matching.window, _AROUND_RANGE_NS)
    columns = _FIGURE_COLUMNS[page.sort]
    found = rows(
        session,
        statement(
            "sorted_traces",
            matching=matching.relation(session, ("trace_id",)),
            where=matching.predicate,
            figure=FIGURES[page.sort],
            relation=Sql(session.relation(Signal.SPANS, around, columns, trace_ids=matching.trace_ids)),
            after=_after(after, descending=page.descending),
            direction=_DIRECTIONS[page.descending],
            count=page.limit + 1,
        ),
    )
    return [Found(row["trace_id"], row["value"], row["start_time_ns"]) for row in found]


def _after(cursor: Cursor | None, *, descending: bool) -> Sql:
    """Write that a trace comes after the cursor."""
    if cursor is None:
        return TRUE
    sign = "<" if descending else ">"
    parameters = (cursor.value, cursor.value, cursor.id)
    return Sql(f"(value {sign} ? OR (value = ? AND trace_id {sign} ?))", parameters)


def _count_open(session: QuerySession, listed: Collection[Summary], now_ns: int) -> list[OpenSpan]:
    """Count the spans of a page's traces that have not ended; without announcements there is nothing to read."""
    if not listed:
        return []
    since = clamp(min(summary.start_ns for summary in listed) - _SKEW_NS, ALL_TIME.end_ns)
    by_id = {summary.trace_id: summary for summary in listed}
    return add_open(by_id, of_traces(session, by_id, since, now_ns))


def _first_events(session: QuerySession, trace_ids: Collection[bytes]) -> dict[tuple[bytes, Identity], int]:
    """When the first events were of the spans of some traces that have a start before all clocks."""
    window = clamp(ALL_TIME.start_ns, EARLIEST_NS)
    columns = ("trace_id", *COLUMNS, "event_time_ns")
    relation = Sql(session.relation(Signal.SPANS, window, columns, trace_ids=trace_ids))
    found = rows(session, statement("first_events", identity=SELECTED, relation=relation, trace_ids=one_of(trace_ids)))
    return {(row["trace_id"], of_row(row)): row["first_ns"] for row in found}
