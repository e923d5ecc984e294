"""From a question's range to storage's window, and from a window to the buckets of a time series."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spanglass_core.units import TIME_UNITS_NS, UnitError, parse_duration_ns
from spanglass_server.query.errors import BadQuestionError
from spanglass_server.signals import Signal
from spanglass_server.store.ports import ALL_TIME, Window
from spanglass_server.times import NS_PER_SECOND, format_time, parse_time

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from spanglass_server.query.answers import TimeRange
    from spanglass_server.store.ports import QuerySession

#: The range of a question that names none.
DEFAULT_LAST_NS = 3_600 * NS_PER_SECOND

#: Widths of buckets that people read easily, in nanoseconds: 1, 2, 5, 10, 15, 30 of a unit and whole hours and days.
_MINUTE_NS, _HOUR_NS = 60 * NS_PER_SECOND, 3_600 * NS_PER_SECOND
ROUND_STEPS_NS = (
    *(count * unit_ns for unit_ns in (1_000_000, 10_000_000, 100_000_000) for count in (1, 2, 5)),
    *(count * unit_ns for unit_ns in (NS_PER_SECOND, _MINUTE_NS) for count in (1, 2, 5, 10, 15, 30)),
    *(count * _HOUR_NS for count in (1, 2, 3, 6, 12, 24, 48, 168, 720, 2_160, 8_760, 87_600)),
)


_UNIT_NAMES = ", ".join(filter(str.isascii, TIME_UNITS_NS))
_UNITS = f"write a number and a unit, such as 15m, 1h30m or 7d; the units are {_UNIT_NAMES}"


def parse_window(now_ns: int, *, start: str | None = None, end: str | None = None, last: str | None = None) -> Window:
    """Read a range: ``start`` and ``end``, or ``last`` up to ``end``; the last hour when nothing is said.

    ``end`` is now unless said. Raises BadQuestionError for a text that is no time, both ``start`` and ``last``, or an
    empty range. The window is cut to what can be stored.
    """
    if start and last:
        raise BadQuestionError("start and last both say where the range begins; leave one out", field="last")
    end_ns = _read("end", parse_time, end, now_ns) if end else now_ns
    if start:
        start_ns = _read("start", parse_time, start, now_ns)
    else:
        start_ns = end_ns - (_read("last", parse_duration_ns, last) if last else DEFAULT_LAST_NS)
    if start_ns >= end_ns:
        field = "start" if start else "last" if last else "end"
        raise BadQuestionError(
            f"the range is empty: it starts at {_show(start_ns)} and ends at {_show(end_ns)}", field=field
        )
    return clamp(start_ns, end_ns)


def _read(field: str, parse: Any, *arguments: Any) -> int:
    """Run a parser of text and put the parameter's name on its error."""
    try:
        value: int = parse(*arguments)
    except UnitError as error:
        raise BadQuestionError(str(error), field=field, hint=_UNITS) from error
    except ValueError as error:
        raise BadQuestionError(str(error), field=field) from error
    return value


def _show(time_ns: int) -> str:
    """Write a time for an error message, also one too far away for a calendar."""
    return format_time(min(max(time_ns, ALL_TIME.start_ns), ALL_TIME.end_ns))


def clamp(start_ns: int, end_ns: int) -> Window:
    """Cut a window to what can be stored, so that its ends fit the stored type."""
    start_ns = min(max(start_ns, ALL_TIME.start_ns), ALL_TIME.end_ns)
    return Window(start_ns, min(max(end_ns, start_ns), ALL_TIME.end_ns))


def widen(window: Window, margin_ns: int) -> Window:
    """Add a margin on both sides."""
    return clamp(window.start_ns - margin_ns, window.end_ns + margin_ns)


def covered_s_of(session: QuerySession, window: Window, signals: Sequence[Signal] = (Signal.SPANS,)) -> float:
    """How many seconds of a range have data: a server that was started in it knows nothing of what was before."""
    first_ns = [first_ns for signal in signals if (first_ns := session.first_ns(signal)) is not None]
    since_ns = max(min(first_ns, default=window.start_ns), window.start_ns)
    covered_ns = window.end_ns - since_ns
    return max(covered_ns / NS_PER_SECOND, 1.0) if covered_ns > 0 else (window.end_ns - window.start_ns) / NS_PER_SECOND


def describe(window: Window) -> TimeRange:
    """Make the ``window`` field of answers."""
    return {"start_time": format_time(window.start_ns), "end_time": format_time(window.end_ns)}


@dataclass(frozen=True, slots=True)
class Buckets:
    """Equal steps of time that cover a window, aligned to multiples of the step since 1970.

    The first and the last bucket may reach outside the window; only records inside it are counted in them.
    """

    first_ns: int
    step_ns: int
    count: int

    @property
    def step_s(self) -> float:
        """The step in seconds, a whole number where it is one."""
        seconds = self.step_ns / NS_PER_SECOND
        return int(seconds) if seconds.is_integer() else seconds

    def starts_ns(self) -> Iterator[int]:
        """Return the start of every bucket, in order."""
        return iter(range(self.first_ns, self.first_ns + self.count * self.step_ns, self.step_ns))

    @classmethod
    def of_step(cls, window: Window, step_ns: int) -> Buckets:
        """Cover a window with a given step."""
        first_ns = window.start_ns // step_ns * step_ns
        return cls(first_ns, step_ns, -((first_ns - window.end_ns) // step_ns))

    @classmethod
    def about(cls, window: Window, wanted: int) -> Buckets:
        """Cover a window with the smallest round step of at most ``wanted`` buckets (one more when unaligned)."""
        exact_ns = (window.end_ns - window.start_ns) / wanted
        largest_ns = math.ceil(exact_ns / ROUND_STEPS_NS[-1]) * ROUND_STEPS_NS[-1]
        step_ns = next((step for step in ROUND_STEPS_NS if step >= exact_ns), largest_ns)
        return cls.of_step(window, step_ns)


def bucket_seconds(start_ns: int) -> float:
    """Return a bucket's ``t``: Unix seconds, a whole number where it is one."""
    seconds, rest_ns = divmod(start_ns, NS_PER_SECOND)
    return seconds if rest_ns == 0 else start_ns / NS_PER_SECOND
