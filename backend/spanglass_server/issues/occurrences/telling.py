"""What is compared of the tellings of exceptions."""

from __future__ import annotations

from typing import NamedTuple

_MILLISECOND_NS = 1_000_000
#: Of one frame in a telling's frames.
FRAME_BYTES = 4


class Telling(NamedTuple):
    """One span event or log record that tells of an exception; ids are bytes, None or empty where there are none."""

    occurrence_id: str | None
    trace_id: bytes | None
    span_id: bytes | None
    parent_span_id: bytes | None  # of the span that has the event
    is_span_event: bool
    time_ns: int
    event_index: int
    origin: tuple[str, str, str, str]  # service, type, message, and the place that raised
    stack_hash: int
    frames: bytes = b""  # of the application, innermost first, ``FRAME_BYTES`` each

    @property
    def record(self) -> tuple[bytes | None, int, int] | None:
        """What tells the event or log record from all others; None if its time is too coarse for that."""
        if self.is_span_event:
            return self.span_id, self.time_ns, self.event_index
        return (self.span_id, self.time_ns, ~self.stack_hash) if self.time_ns % _MILLISECOND_NS else None
