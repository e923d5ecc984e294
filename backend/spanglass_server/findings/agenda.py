"""Which minutes of spans are to be looked at next: those that hold any and were not, the newest first.

A look costs a fifth of a second of a processor before it reads anything. So minutes with few spans wait for each other
and are looked at several at once; only a young server, of which little was looked at yet, looks at each.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from spanglass_server.store.ports import Window
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from spanglass_server.store.ports import Part

MINUTE_NS: Final = 60 * NS_PER_SECOND
#: So long after its end a minute is looked at: spans that began in it have ended and come by then, or take longer.
LATE_NS: Final = 20 * NS_PER_SECOND
#: Clocks of senders may be so far ahead.
AHEAD_NS: Final = 10 * MINUTE_NS
#: So far back minutes are looked at.
BACK_MINUTES: Final = 24 * 60
#: Of a minute with more spans, a part is read that holds so many: 0.3 s of a processor.
MOST_SPANS: Final = 20_000
_LEAST_NS: Final = NS_PER_SECOND // 2
#: So many spans are worth a look; fewer wait for so many minutes after theirs. So many minutes are looked at at once.
_WORTH: Final = 10_000
_WAIT_MINUTES: Final = 5
_TOGETHER: Final = 10
#: Until so many minutes were looked at, nothing waits: people who try it out want to see something.
_YOUNG: Final = 10
#: What ended so many minutes ago, twice as many as anything waits for others, is of the past: it is in no hurry.
_NEW: Final = 15
#: And so soon after the first span, with so many, what a server without any minute yet has is looked at.
_EARLY_NS: Final = 8 * NS_PER_SECOND
_EARLY_SPANS: Final = 50
#: Where in a minute that part lies: at another place each minute, and after some minutes everywhere.
_GOLDEN: Final = 0.618_033_988_75


@dataclass(frozen=True, slots=True)
class Due:
    """Minutes to look at, in a row and in one hour: what is read, those requests that are told of, and their weight.

    The weight is how many requests each of them stands for.
    """

    minutes: Sequence[int]
    window: Window
    own: Window
    weight: float


@dataclass(frozen=True, slots=True)
class Agenda:
    """Minutes that are due, the newest first, and whether there are some that are not over, or wait for others.

    ``past`` are those that are in no hurry. ``early`` is the first minute of a server, which is not over, but holds
    enough to be looked at before.
    """

    due: Sequence[Due]
    goes_on: bool
    past: Sequence[Due] = ()
    early: Due | None = None


def list_minutes(
    parts: Sequence[Part], count: Callable[[Part], Mapping[int, int]], looked_at: Collection[int], now_ns: int
) -> Agenda:
    """Return which minutes of the spans of some parts are to be looked at.

    ``count`` says how many spans of a part begin in each minute, where the part does not say so itself.
    """
    first = now_ns // MINUTE_NS - BACK_MINUTES
    spans = _spans_by_minute(parts, count, first)
    last = (now_ns - LATE_NS) // MINUTE_NS - 1
    left = sorted(spans.keys() - set(looked_at), reverse=True)
    goes_on = any(last < minute <= (now_ns + AHEAD_NS) // MINUTE_NS for minute in left)
    several = list(_in_rows([minute for minute in left if minute <= last], spans))
    ripe = [
        minutes
        for minutes in several
        if len(looked_at) < _YOUNG
        or sum(spans[minute] for minute in minutes) >= _WORTH
        or minutes[-1] <= last - _WAIT_MINUTES
    ]
    due = [make_due(minutes, sum(spans[minute] for minute in minutes)) for minutes in ripe]
    is_first = not looked_at and not due
    early = _early(parts, {minute: spans[minute] for minute in left if minute > last}, now_ns) if is_first else None
    oldest = first if len(looked_at) < _YOUNG else last - _NEW
    past = [each for each in due if each.minutes[0] < oldest]
    return Agenda(due[: len(due) - len(past)], goes_on or len(ripe) < len(several), past, early)


def _early(parts: Sequence[Part], spans: Mapping[int, int], now_ns: int) -> Due | None:
    """The minute that is not over, where it holds enough for a first look."""
    minute = now_ns // MINUTE_NS
    is_enough = _EARLY_SPANS <= spans.get(minute, 0) <= MOST_SPANS
    if not is_enough or now_ns - min(part.min_time_ns for part in parts) < _EARLY_NS:
        return None
    return make_due([minute], spans[minute])


def _spans_by_minute(parts: Iterable[Part], count: Callable[[Part], Mapping[int, int]], first: int) -> Counter[int]:
    """How many spans begin in each minute from ``first`` on; about, where a part lies in two."""
    spans: Counter[int] = Counter()
    for part in parts:
        if part.minute_counts is not None:
            counts = part.minute_counts
            recent = counts.minutes >= first
            spans.update(dict(zip(counts.minutes[recent].tolist(), counts.spans[recent].tolist(), strict=True)))
            continue
        start, end = part.min_time_ns // MINUTE_NS, part.max_time_ns // MINUTE_NS
        if end - start > 1:
            spans.update({minute: spans for minute, spans in count(part).items() if minute >= first})
        elif start >= first:
            spans.update(dict.fromkeys({start, end}, max(1, part.rows // (end - start + 1))))
    return spans


def _in_rows(minutes: Sequence[int], spans: Mapping[int, int]) -> Iterator[list[int]]:
    """Minutes, the newest first, by what can be looked at at once: those of one hour that follow one another."""
    row: list[int] = []
    for minute in minutes:
        fits = len(row) < _TOGETHER and sum(spans[each] for each in row) + spans[minute] <= MOST_SPANS
        if row and not (fits and minute == row[-1] - 1 and minute // 60 == row[-1] // 60):
            yield row
            row = []
        row.append(minute)
    if row:
        yield row


def make_due(minutes: Sequence[int], spans: int) -> Due:
    """What is read of some minutes, the newest first, in which so many spans begin: a part if they are too many."""
    all_ns = long_ns = len(minutes) * MINUTE_NS
    start_ns = minutes[-1] * MINUTE_NS
    if spans > MOST_SPANS:
        long_ns = max(_LEAST_NS, all_ns * MOST_SPANS // spans)
        start_ns += int((minutes[-1] * _GOLDEN) % 1.0 * (all_ns - long_ns))
    own = Window(start_ns, start_ns + long_ns)
    # what began in it may go on behind it, for as long as late minutes are waited for
    return Due(minutes, Window(own.start_ns, own.end_ns + min(long_ns, LATE_NS)), own, all_ns / long_ns)
