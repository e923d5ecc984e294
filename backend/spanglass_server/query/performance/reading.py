"""Chosen requests with all that they call, out of whole traces."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spanglass_core.call_trees.folding import Request
from spanglass_core.call_trees.statements import normalised
from spanglass_core.traces.trace_nodes import Span
from spanglass_core.traces.trace_tree import build_tree
from spanglass_server.query.rows.span_rows import SpanRows
from spanglass_server.query.traces.identity import COLUMNS, HOST_COLUMNS, clock_name, first_of_each
from spanglass_server.signals import Signal
from spanglass_server.store.ports import ALL_TIME, LargeColumnsError, OfTraces

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from spanglass_core.call_trees.statements import Call
    from spanglass_server.query.performance.requests import ChosenRequests
    from spanglass_server.store.ports import QuerySession

#: Where the text of a query stands: today's convention, and the one before.
_STATEMENTS = ("span.db.query.text:str", "span.db.statement:str")
_COLUMNS = ("trace_id", "parent_span_id", "name", "status_code", *COLUMNS, *HOST_COLUMNS, *_STATEMENTS)
#: Of larger traces together only some are folded: building a tree takes 10 microseconds a span.
_MOST_SPANS = 30_000
#: Traces that are read first; then as many at once as fit into what is left, if they are like those.
_FIRST_TRACES, _MOST_TRACES = 8, 64


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """A request; ``rows`` has for each span of its trace where that stands among all that were read.

    ``caller`` is the service and the name of its parent, None for a root.
    """

    request: Request
    rows: Sequence[int]
    texts: Sequence[str]
    caller: tuple[str, str] | None

    def statements(self) -> Iterator[Call]:
        """Return the statements of the request and all that it calls, without their values."""
        todo = [self.request.root]
        while todo:
            node = todo.pop()
            todo += node.children
            text = self.texts[self.rows[node.index]]
            if text:
                yield node.span.service, text, node.duration_ns, self.request.is_usual, self.request.is_slow


def read_requests(session: QuerySession, chosen: ChosenRequests) -> Iterator[ReadRequest]:
    """Read the traces of chosen requests, and return each request in its tree."""
    trace_ids = sorted({trace_id for trace_id, _ in chosen.usual | chosen.slow})
    left, at_once, begun = _MOST_SPANS, _FIRST_TRACES, 0
    while left > 0 and begun < len(trace_ids):
        some = trace_ids[begun : begun + at_once]
        begun += len(some)
        spans = SpanRows(_rows_of(session, some), session.service_slot)
        yield from _read(spans, some, chosen)
        left -= len(spans.columns["trace_id"])
        at_once = max(1, min(_MOST_TRACES, left * begun // (_MOST_SPANS - left + 1)))


def _rows_of(session: QuerySession, trace_ids: Collection[bytes]) -> Any:
    """Read the rows of traces: whole where columns of a row group are too large to be kept."""
    try:
        return session.trace_rows(Signal.SPANS, ALL_TIME, OfTraces(trace_ids, columns=_COLUMNS))
    except LargeColumnsError:
        return session.trace_rows(Signal.SPANS, ALL_TIME, OfTraces(trace_ids))


def _read(spans: SpanRows, trace_ids: Collection[bytes], chosen: ChosenRequests) -> Iterator[ReadRequest]:
    texts = _texts(spans)
    for rows in _by_trace(spans, set(trace_ids)):
        names = [spans.value("name", row) or "" for row in rows]
        trace_id = spans.value("trace_id", rows[0])
        for node in build_tree([_span(spans, row) for row in rows]).nodes:
            key = trace_id, node.span.span_id
            if key in chosen.usual or key in chosen.slow:
                caller = node.parent and (node.parent.span.service, names[node.parent.index])
                request = Request(node, names, is_usual=key in chosen.usual, is_slow=key in chosen.slow)
                yield ReadRequest(request, rows, texts, caller or None)


def _by_trace(spans: SpanRows, trace_ids: set[bytes]) -> Iterator[list[int]]:
    """Return the rows of each trace, without copies, until there are too many of one reading."""
    of_trace: dict[bytes, list[int]] = defaultdict(list)
    for row, trace_id in enumerate(spans.columns["trace_id"]):
        if trace_id in trace_ids:
            of_trace[trace_id].append(row)
    left = _MOST_SPANS
    for rows in of_trace.values():
        yield [rows[place] for place in first_of_each(map(spans.identity, rows))]
        left -= len(rows)
        if left <= 0:
            return


def _texts(spans: SpanRows) -> list[str]:
    """The statement of each row without its values, empty for rows that have none; equal texts are looked at once."""
    known: dict[str, str] = {"": ""}
    columns = [spans.columns[name] for name in _STATEMENTS]
    found = [next(filter(None, texts), "") for texts in zip(*columns, strict=True)]
    known |= {text: normalised(text) for text in set(found) - {""}}
    return [known[text] for text in found]


def _span(spans: SpanRows, row: int) -> Span:
    """Take what the tree needs of a row."""
    identity = spans.identity(row)
    host = next(filter(None, (spans.value(name, row) for name in HOST_COLUMNS)), None)
    return Span(
        span_id=identity.span_id,
        parent_id=spans.parent_id(row),
        clock=clock_name(host, identity.service),
        start_ns=identity.start_ns,
        duration_ns=identity.duration_ns,
        service=identity.service,
        kind=identity.kind,
        failed=spans.status(row) == "error",
    )
