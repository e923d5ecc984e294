"""Spans and failed spans of a range over time, from counts of minutes.

No span is read but of minutes that a range cuts, and for steps that are shorter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.query.span_figures.columns import failed_of, numbers_of, within
from spanglass_server.signals import TIME_COLUMN, Signal
from spanglass_server.store.minute_counts import MinuteCounts
from spanglass_server.store.ports import Window
from spanglass_server.store.segment_files.trace_filter import MINUTE_NS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from spanglass_server.query.span_figures.columns import Numbers
    from spanglass_server.query.window import Buckets
    from spanglass_server.store.ports import Part, QuerySession

#: Without counts so many spans are read here, more by SQL.
_MOST_ROWS = 2_000_000
_COLUMNS = (TIME_COLUMN[Signal.SPANS], "status_code")


def counts_over_time(session: QuerySession, window: Window, steps: Buckets) -> Numbers | None:
    """How many spans start in each step, and how many of them failed: two rows of numbers.

    None if too many would have to be read: those of parts without counts, and all for steps that are no whole minutes.
    """
    parts = session.parts(Signal.SPANS, window)
    are_minutes = steps.step_ns % MINUTE_NS == 0
    if sum(part.rows for part in parts if part.minute_counts is None or not are_minutes) > _MOST_ROWS:
        return None
    if not are_minutes:
        return sum((_of_spans(session, part, window, steps) for part in parts), start=_nothing(steps))
    held = [(part, part.minute_counts or _counted(session, part)) for part in parts]
    found = _add_up([counts for part, counts in held if part.is_inside(window)], steps)
    for part, counts in held:
        if not part.is_inside(window):
            found += _of_cut_part(session, part, counts, window, steps)
    return found


def _counted(session: QuerySession, part: Part) -> MinuteCounts:
    """Counts of a part that has none; they are kept."""
    return session.kept.kept(("minutes", part.key), lambda: _count(session, part), lambda counts: counts.size)


def _count(session: QuerySession, part: Part) -> MinuteCounts:
    start_ns, failed = _read(session, part)
    minutes = start_ns // MINUTE_NS
    return MinuteCounts.of(minutes, minutes[failed])


def _read(session: QuerySession, part: Part) -> tuple[Numbers, NDArray[np.bool_]]:
    """When the spans of a part start, and which of them failed."""
    table = session.part_table(part, _COLUMNS)
    return numbers_of(table, _COLUMNS[0], 0), failed_of(table)


def _of_spans(session: QuerySession, part: Part, window: Window, steps: Buckets, but: Window | None = None) -> Numbers:
    """Count a part's spans of a window, but for those of another; a range that moves on finds them kept."""
    start_ns, failed = session.kept.kept(
        ("starts", part.key), lambda: _read(session, part), lambda pair: sum(array.nbytes for array in pair)
    )
    chosen = within(start_ns, window)
    if but is not None:
        chosen &= ~within(start_ns, but)
    place = (start_ns[chosen] - steps.first_ns) // steps.step_ns
    of_failed = place[failed[chosen]]
    return np.stack([np.bincount(each, minlength=steps.count) for each in (place, of_failed)])


def _of_cut_part(session: QuerySession, part: Part, counts: MinuteCounts, window: Window, steps: Buckets) -> Numbers:
    """Count a part that reaches out of the window: whole minutes by their counts, and spans of the minutes it cuts."""
    first, end = -(-window.start_ns // MINUTE_NS), window.end_ns // MINUTE_NS
    minutes = counts.minutes
    whole = (minutes >= first) & (minutes < end)
    found = _add_up([MinuteCounts(minutes[whole], counts.spans[whole], counts.failed[whole])], steps)
    ends = (window.start_ns // MINUTE_NS, (window.end_ns - 1) // MINUTE_NS)
    if np.isin(minutes[~whole], ends).any():
        found += _of_spans(session, part, window, steps, Window(first * MINUTE_NS, end * MINUTE_NS))
    return found


def _add_up(counts: Sequence[MinuteCounts], steps: Buckets) -> Numbers:
    """The spans of each step, and those that failed."""
    found = _nothing(steps)
    if counts:
        minutes = np.concatenate([each.minutes for each in counts]).astype(np.int64)
        place = (minutes * MINUTE_NS - steps.first_ns) // steps.step_ns
        np.add.at(found[0], place, np.concatenate([each.spans for each in counts]))
        np.add.at(found[1], place, np.concatenate([each.failed for each in counts]))
    return found


def _nothing(steps: Buckets) -> Numbers:
    return np.zeros((2, steps.count), np.int64)
