"""Trace search: summaries of the traces that have a matching span, page by page.

Two phases, so that nothing but a few columns is read of most spans: first the ids of the traces of a page, then
summaries of just these traces, from all their spans: storage knows when they began.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any, TypedDict

from spanglass_core.trace_times import EARLIEST_NS
from spanglass_server.query.answers import NextCursor
from spanglass_server.query.cursors import Cursor
from spanglass_server.query.language.sql import TRUE, Sql
from spanglass_server.query.matching import Matching, match_spans
from spanglass_server.query.statements import one_of, rows, run, statement
from spanglass_server.query.traces.announcements import of_traces
from spanglass_server.query.traces.identity import COLUMNS, HOST, HOST_COLUMNS, SELECTED, SPANS, Identity, of_row
from spanglass_server.query.traces.summaries import ListedTrace, Summary, add_open, add_up, place
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
#: What lies apart in time is read separately, so that nothing between is; each part takes 1.5 ms to plan.
_MAX_PARTS = 8
#: Matching spans fetched at first for each trace wanted; most traces have fewer matching ones.
_SPANS_A_TRACE = 64
_GROWTH = 8
#: Most searches find enough in a small part of the range, so that is looked at first: all of it costs 6 % more then.
_SHARES = (16, 1)

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
_SUMMARY_COLUMNS = ("trace_id", *COLUMNS, *HOST_COLUMNS, "parent_span_id", "status_code", "name")


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
    matching = match_spans(session, question)
    after = Cursor.decode(page.cursor, page.order)
    if page.sort == "time":
        found, summaries = _TimeSearch(session, matching, page, after).find()
    else:
        found = _by_figure(session, matching, page, after)
        summaries = summarise(session, matching, found[: page.limit])
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
        for share in _SHARES:
            part = self._part(share)
            count = wanted * _SPANS_A_TRACE
            is_cut = True
            while is_cut:
                spans = self._spans(part, count)
                is_cut = len(spans) == count
                edge_ns = int(spans[-1]["start_time_ns"]) if is_cut else self._edge_ns(part)
                starts = _first_starts(spans)
                if len(starts) >= wanted or edge_ns is None:
                    certain, summaries = self._certain(starts, edge_ns, wanted)
                    if len(certain) >= wanted or edge_ns is None:
                        return certain[:wanted], summaries
                count *= _GROWTH
        raise AssertionError("the last part is the whole range")

    def _part(self, share: int) -> Window:
        """Cut the first part, one of so many, of the range that is left after the cursor."""
        window, after = self.matching.window, self.after
        start_ns, end_ns = window.start_ns, window.end_ns
        if self.page.descending:
            end_ns = end_ns if after is None else min(end_ns, after.value + 1)
            return clamp(end_ns - (end_ns - start_ns) // share, end_ns)
        start_ns = start_ns if after is None else max(start_ns, after.value)
        return clamp(start_ns, start_ns + (end_ns - start_ns) // share)

    def _edge_ns(self, part: Window) -> int | None:
        """Return where a part ends and the rest of the range begins; None when there is no rest."""
        window = self.matching.window
        if self.page.descending:
            return part.start_ns if part.start_ns > window.start_ns else None
        return part.end_ns if part.end_ns < window.end_ns else None

    def _spans(self, part: Window, count: int) -> list[dict[str, Any]]:
        """Fetch the first matching spans of a part of the range."""
        matching = self.matching.narrowed(part)
        return rows(
            self.session,
            statement(
                "newest_matches",
                relation=matching.relation(self.session, ("trace_id",)),
                where=matching.predicate,
                direction=_DIRECTIONS[self.page.descending],
                count=count,
            ),
        )

    def _certain(
        self, starts: Mapping[bytes, int], edge_ns: int | None, wanted: int
    ) -> tuple[list[Found], dict[bytes, Summary]]:
        """Those of the traces found whose place is certain, in order, and their summaries."""
        candidates = self._ordered(Found(trace_id, start, start) for trace_id, start in starts.items())
        placed: list[Found] = []
        summaries: dict[bytes, Summary] = {}
        for taken in range(0, len(candidates), wanted):
            batch = candidates[taken : taken + wanted]
            summaries |= summarise(self.session, self.matching, batch)
            placed.extend(filter(self._is_next, _placed(batch, summaries)))
            rest = candidates[taken + wanted : taken + wanted + 1]
            bound = rest[0].value if rest else edge_ns
            certain = [found for found in placed if bound is None or self._is_before(found.value, bound)]
            if len(certain) >= wanted:
                break
        return self._ordered(certain) if candidates else [], summaries

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


def _first_starts(spans: Iterable[Mapping[str, Any]]) -> dict[bytes, int]:
    """Return the earliest start of the spans of each trace."""
    starts: dict[bytes, int] = {}
    for span in spans:
        trace_id, start_ns = span["trace_id"], span["start_time_ns"]
        starts[trace_id] = min(start_ns, starts.get(trace_id, start_ns))
    return starts


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


def summarise(session: QuerySession, matching: Matching, traces: Collection[Found]) -> dict[bytes, Summary]:
    """Summarise traces by id, from all their spans, whenever they began."""
    if not traces:
        return {}
    windows = session.trace_windows({trace.trace_id for trace in traces})
    parts = [_spans_of(session, matching, trace_ids, window) for window, trace_ids in _parts(windows)]
    if not parts:
        return {}
    parameters = tuple(parameter for part in parts for parameter in part.parameters)
    table = run(session, Sql(" UNION ALL ".join(part.text for part in parts), parameters))
    return add_up(table)


def _first_events(session: QuerySession, trace_ids: Collection[bytes]) -> dict[tuple[bytes, Identity], int]:
    """When the first events were of the spans of some traces that have a start before all clocks."""
    window = clamp(ALL_TIME.start_ns, EARLIEST_NS)
    columns = ("trace_id", *COLUMNS, "event_time_ns")
    relation = Sql(session.relation(Signal.SPANS, window, columns, trace_ids=trace_ids))
    found = rows(session, statement("first_events", identity=SELECTED, relation=relation, trace_ids=one_of(trace_ids)))
    return {(row["trace_id"], of_row(row)): row["first_ns"] for row in found}


def _parts(windows: Iterable[tuple[bytes, Window]]) -> list[tuple[Window, set[bytes]]]:
    """Join windows of traces where there is no time between them, and over the narrowest gaps if they are too many."""
    ordered = sorted(windows, key=lambda pair: pair[1].start_ns)
    ends_ns = accumulate((window.end_ns for _, window in ordered), max)
    gaps = [window.start_ns - end_ns for end_ns, (_, window) in zip(ends_ns, ordered[1:], strict=False)]
    widest = sorted((place for place, gap in enumerate(gaps, 1) if gap > 0), key=lambda place: -gaps[place - 1])
    cuts = sorted(widest[: _MAX_PARTS - 1])
    parts = (ordered[start:end] for start, end in pairwise([0, *cuts, len(ordered)]))
    return [
        (
            Window(part[0][1].start_ns, max(window.end_ns for _, window in part)),
            {trace_id for trace_id, _ in part},
        )
        for part in parts
        if part
    ]


def _spans_of(session: QuerySession, matching: Matching, trace_ids: Collection[bytes], window: Window) -> Sql:
    """Select the spans of traces that begin in a window."""
    return statement(
        "trace_spans",
        identity=SELECTED,
        host=HOST,
        matches=matching.where,
        relation=Sql(
            session.relation(Signal.SPANS, window, {*_SUMMARY_COLUMNS, *matching.columns}, trace_ids=trace_ids)
        ),
        trace_ids=one_of(trace_ids),
    )
