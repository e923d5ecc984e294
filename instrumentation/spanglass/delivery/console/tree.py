"""One local trace as a readable tree for a terminal: its spans, their errors, and log records where they were written.

    trace 3f2a9c10  checkout  POST /checkout  412 ms  1 error
    └─ POST /checkout                               412 ms  status=500 route=/checkout
       │  warning  card declined for order 7
       ├─ SELECT orders                              12 ms  system=sqlite
       └─ charge                                    380 ms  ✗ shop.CardError: declined

Everything in it is text of strangers: what could steer the terminal is shown as an escape.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.trace import SpanKind, StatusCode

from spanglass.terminal.printing import cells, first_cells
from spanglass.terminal.safe import terminal_text
from spanglass.terminal.show import counted, duration
from spanglass.terminal.tree import branches
from spanglass_core.traces.trace_nodes import Span as TreeSpan
from spanglass_core.traces.trace_tree import build_tree

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opentelemetry.sdk.trace import ReadableSpan

_TRACE_ID_SHOWN = 8
_TEXT_SHOWN = 400  # of one value, before the line is cut to the terminal
_LEAST_NAME = 24
_DURATION_WIDTH = 8
_ERROR = 17  # OpenTelemetry's least severity number of an error
_WARNING = 13

_STYLES = {"bold": "1", "dim": "2", "red": "31", "yellow": "33", "cyan": "36"}

#: Attributes that tell what a span did, in the order in which they are shown, and the short word for each.
_TELLING = {
    "http.response.status_code": "status",
    "http.status_code": "status",
    "rpc.response.status_code": "status",
    "url.path": "path",
    "url.full": "url",
    "http.url": "url",
    "db.system.name": "db",
    "db.system": "db",
    "db.query.text": "query",
    "db.statement": "query",
    "messaging.destination.name": "queue",
    "gen_ai.request.model": "model",
}
_MOST_TOLD = 4


@dataclass(slots=True)
class Gathered:
    """What has ended, or was logged, in one trace of this process."""

    spans: list[ReadableSpan] = field(default_factory=list)
    logs: list[ReadableLogRecord] = field(default_factory=list)
    left_out: int = 0  # items for which there was no room

    def __len__(self) -> int:
        return len(self.spans) + len(self.logs)

    def add(self, item: ReadableSpan | ReadableLogRecord) -> None:
        """Add a span or a log record."""
        if isinstance(item, ReadableLogRecord):
            self.logs.append(item)
        else:
            self.spans.append(item)

    def take_below(self, top: ReadableSpan) -> Gathered:
        """Take a span out with what descends from it and was logged there; the rest stays."""
        children: dict[int, list[ReadableSpan]] = {}
        for span in self.spans:
            if span.parent is not None and span is not top:
                children.setdefault(span.parent.span_id, []).append(span)
        below = {span_id(top): top}
        todo = [top]
        while todo:
            for child in children.get(span_id(todo.pop()), ()):
                if span_id(child) not in below:
                    below[span_id(child)] = child
                    todo.append(child)
        taken = Gathered(
            [span for span in self.spans if span_id(span) in below],
            [record for record in self.logs if record.log_record.span_id in below],
        )
        self.spans = [span for span in self.spans if span_id(span) not in below]
        self.logs = [record for record in self.logs if record.log_record.span_id not in below]
        return taken


def render(trace: Gathered, *, width: int, colours: bool) -> str:
    """Draw a trace that has a span at least, in lines of at most ``width`` cells; each ends with a line feed."""
    spans = {span_id(span): span for span in trace.spans}
    tree = build_tree(_tree_span(span) for span in trace.spans)
    prefixes = branches([node.depth + 1 for node in tree.nodes])
    logs = _by_span(trace.logs, spans)
    names = [_name(spans[_number(node.span.span_id)]) for node in tree.nodes]
    column = max(cells(prefix) + cells(name) for (prefix, _), name in zip(prefixes, names, strict=True))
    column = max(_LEAST_NAME, min(column, width // 2))
    lines = [_heading(spans[_number(tree.nodes[0].span.span_id)], tree.duration_ns, trace.spans)]
    for node, (here, below), name in zip(tree.nodes, prefixes, names, strict=True):
        span = spans[_number(node.span.span_id)]
        lines.append(_span_line(span, here, name, column))
        lines += [_log_line(record, below) for record in logs.get(_number(node.span.span_id), ())]
    lines += [_log_line(record, "   ") for record in logs.get(0, ())]
    if trace.left_out:
        lines.append([(f"   {trace.left_out:,} more are not shown", "dim")])
    return "".join(_paint(line, width, colours=colours) + "\n" for line in lines)


Line = list[tuple[str, str]]  # pieces of a line: text, and its style


def _heading(first: ReadableSpan, duration_ns: int, spans: Sequence[ReadableSpan]) -> Line:
    context = first.get_span_context()
    trace_id = f"{context.trace_id if context else 0:032x}"
    errors = sum(span.status.status_code is StatusCode.ERROR for span in spans)
    line = [
        (f"trace {trace_id[:_TRACE_ID_SHOWN]}", "bold"),
        (f"  {_safe(first.resource.attributes.get('service.name', ''))}", "cyan"),
        (f"  {_safe(first.name)}  {duration(duration_ns)}", ""),
    ]
    return [*line, (f"  {counted(errors, 'error')}", "red")] if errors else line


def _span_line(span: ReadableSpan, prefix: str, name: str, column: int) -> Line:
    shown = _fit(name, max(column - cells(prefix), 8))
    gap = " " * max(1, column - cells(prefix) - cells(shown) + 1)
    took = duration(max(0, (span.end_time or 0) - (span.start_time or 0)))
    failed = span.status.status_code is StatusCode.ERROR
    line = [(prefix, "dim"), (shown, "red" if failed else ""), (f"{gap}{took:>{_DURATION_WIDTH}}", "")]
    if error := _error(span, failed=failed):
        line.append((f"  ✗ {error}", "red"))
    told = _told(span.attributes or {})
    return [*line, (f"  {told}", "dim")] if told else line


def _log_line(record: ReadableLogRecord, prefix: str) -> Line:
    log = record.log_record
    severity = log.severity_number.value if log.severity_number is not None else 0
    word = log.severity_text or (log.severity_number.name if log.severity_number is not None else "log")
    style = "red" if severity >= _ERROR else "yellow" if severity >= _WARNING else "dim"
    text = log.event_name or "" if log.body is None else log.body
    return [(f"{prefix}", "dim"), (_safe(word).lower()[:8], style), (f"  {_safe(text)}", "")]


def _error(span: ReadableSpan, *, failed: bool) -> str:
    """Name the last exception that the span recorded, or what its status says; nothing if neither failed."""
    for event in reversed(span.events):
        attributes = event.attributes or {}
        if "exception.type" in attributes:
            message = _safe(attributes.get("exception.message", ""))
            return _safe(attributes["exception.type"]) + (f": {message}" if message else "")
    return (_safe(span.status.description or "") or "error") if failed else ""


def _told(attributes: Mapping[str, Any]) -> str:
    pairs = [f"{word}={_safe(attributes[key])}" for key, word in _TELLING.items() if key in attributes]
    return " ".join(pairs[:_MOST_TOLD])


def _name(span: ReadableSpan) -> str:
    kind = "" if span.kind is SpanKind.INTERNAL else f" ({span.kind.name.lower()})"
    return _safe(span.name) + kind


def _tree_span(span: ReadableSpan) -> TreeSpan:
    start_ns = span.start_time or 0
    parent = span.parent.span_id.to_bytes(8) if span.parent is not None else None
    return TreeSpan(span_id(span).to_bytes(8), parent, "here", start_ns, max(0, (span.end_time or 0) - start_ns))


def _by_span(
    logs: Sequence[ReadableLogRecord], spans: Mapping[int, ReadableSpan]
) -> dict[int, list[ReadableLogRecord]]:
    """Log records by their span, in the order in which they came; 0 for spans that are not here."""
    found: dict[int, list[ReadableLogRecord]] = {}
    for record in logs:
        where = record.log_record.span_id or 0
        found.setdefault(where if where in spans else 0, []).append(record)
    return found


def span_id(span: ReadableSpan) -> int:
    """A span's id, 0 for none."""
    context = span.get_span_context()
    return context.span_id if context else 0


def _number(raw: bytes) -> int:
    return int.from_bytes(raw)


def _safe(value: Any) -> str:
    text = value if isinstance(value, str) else str(value)
    return terminal_text(text[:_TEXT_SHOWN])


def _paint(line: Line, width: int, *, colours: bool) -> str:
    """Cut a line to the width and colour its pieces; an ellipsis says that something is missing."""
    fits = sum(cells(text) for text, _ in line) <= width
    painted, left = [], width if fits else width - 1
    for text, style in line:
        shown = first_cells(text, left)
        left -= cells(shown)
        painted.append(f"\x1b[{_STYLES[style]}m{shown}\x1b[0m" if colours and style and shown else shown)
        if shown != text:
            break
    return "".join(painted).rstrip() + ("" if fits else "…")


def _fit(text: str, width: int) -> str:
    """Cut a text to a number of cells; an ellipsis says that something is missing."""
    return text if cells(text) <= width else first_cells(text, width - 1) + "…"
