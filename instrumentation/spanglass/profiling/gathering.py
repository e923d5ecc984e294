"""What was seen since it was last told, added up by span and stack, within a bound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, set_span_in_context

from spanglass_core import attribute_names as names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.trace import SpanContext
    from opentelemetry.util.types import AnyValue

#: Stacks, with what they are of, that are told at one time; the time of further ones is told without their frames.
MAX_STACKS = 1000
OTHERS = ("(other stacks)",)
_MAX_NAME = 512


class Seen(NamedTuple):
    """A stack of a thread, and the span that it worked for: its trace id, its id and its name, empty for none.

    ``operation`` is the name of the span with which work began in this process.
    """

    trace_id: int
    span_id: int
    name: str
    operation: str
    thread: str
    stack: tuple[str, ...]


@dataclass(slots=True)
class _Sums:
    span: SpanContext | None
    samples: int = 0
    wall_ns: int = 0
    cpu_ns: int = 0


class Gathered:
    """Times of stacks. ``cpu_is_known``: whether processor times are told."""

    def __init__(self, *, cpu_is_known: bool) -> None:
        self._cpu_is_known = cpu_is_known
        self._sums: dict[Seen, _Sums] = {}

    def add(self, seen: Seen, span: SpanContext | None, wall_ns: int, cpu_ns: int) -> None:
        """Count one sample, which stands for so much time."""
        sums = self._sums.get(seen)
        if sums is None:
            if len(self._sums) >= MAX_STACKS:
                seen, span = Seen(0, 0, "", "", "", OTHERS), None
            sums = self._sums.setdefault(seen, _Sums(span))
        sums.samples += 1
        sums.wall_ns += wall_ns
        sums.cpu_ns += cpu_ns

    def take(self, now_ns: int) -> Iterator[LogRecord]:
        """Return a log record for each stack, and begin anew."""
        taken, self._sums = self._sums, {}
        return (self._record(seen, sums, now_ns) for seen, sums in taken.items())

    def _record(self, seen: Seen, sums: _Sums, now_ns: int) -> LogRecord:
        attributes: dict[str, AnyValue] = {names.PROFILE_SAMPLES: sums.samples, names.PROFILE_WALL_NANO: sums.wall_ns}
        if self._cpu_is_known:
            attributes[names.PROFILE_CPU_NANO] = sums.cpu_ns
        texts = {names.SPAN_NAME: seen.name, names.PROFILE_OPERATION: seen.operation, "thread.name": seen.thread}
        attributes |= {key: text[:_MAX_NAME] for key, text in texts.items() if text}
        context = Context() if sums.span is None else set_span_in_context(NonRecordingSpan(sums.span), Context())
        return LogRecord(
            timestamp=now_ns,
            observed_timestamp=now_ns,
            context=context,
            severity_number=SeverityNumber.TRACE,
            severity_text="TRACE",
            body="\n".join(seen.stack),
            attributes=attributes,
            event_name=names.PROFILE_EVENT,
        )
