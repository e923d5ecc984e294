"""Spans and failed spans of a range over time, from counts of minutes: no span is read but of a minute that is cut."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.query.span_figures.columns import failed_of, numbers_of, within
from spanglass_server.signals import TIME_COLUMN, Signal
from spanglass_server.store.minute_counts import MinuteCounts
from spanglass_server.store.trace_filter import MINUTE_NS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from spanglass_server.query.span_figures.columns import Numbers
    from spanglass_server.query.window import Buckets
    from spanglass_server.store.ports import Part, QuerySession, Window

#: Without counts so many spans are read here, more by SQL.
_MOST_ROWS = 2_000_000
_COLUMNS = (TIME_COLUMN[Signal.SPANS], "status_code")


def counts_of_minutes(session: QuerySession, window: Window, steps: Buckets) -> Numbers | None:
    """How many spans start in each step, and how many of them failed: two rows of numbers.

    None if it is not to be told from minutes: the steps are none of whole minutes, or too many spans have no counts.
    """
    if steps.step_ns % MINUTE_NS:
        return None
    parts = session.parts(Signal.SPANS, window)
    if sum(part.rows for part in parts if part.minute_counts is None) > _MOST_ROWS:
        return None
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
    start_ns, failed = _starts(session, part)
    minutes = start_ns // MINUTE_NS
    return MinuteCounts.of(minutes, minutes[failed])


def _starts(session: QuerySession, part: Part) -> tuple[Numbers, NDArray[np.bool_]]:
    """When the spans of a part start, and which of them failed: a range that moves on cuts the same part again."""
    table = session.part_table(part, _COLUMNS)
    return numbers_of(table, _COLUMNS[0], 0), failed_of(table)


def _of_cut_part(session: QuerySession, part: Part, counts: MinuteCounts, window: Window, steps: Buckets) -> Numbers:
    """Count a part that reaches out of the window: whole minutes by their counts, and spans of the minutes it cuts."""
    first, end = -(-window.start_ns // MINUTE_NS), window.end_ns // MINUTE_NS
    minutes = counts.minutes
    whole = (minutes >= first) & (minutes < end)
    found = _add_up([MinuteCounts(minutes[whole], counts.spans[whole], counts.failed[whole])], steps)
    ends = (window.start_ns // MINUTE_NS, (window.end_ns - 1) // MINUTE_NS)
    if np.isin(minutes[~whole], ends).any():
        start_ns, failed = session.kept.kept(
            ("starts", part.key), lambda: _starts(session, part), lambda pair: sum(array.nbytes for array in pair)
        )
        chosen = within(start_ns, window) & ((start_ns < first * MINUTE_NS) | (start_ns >= end * MINUTE_NS))
        place = (start_ns[chosen] - steps.first_ns) // steps.step_ns
        found[0] += np.bincount(place, minlength=steps.count)
        found[1] += np.bincount(place[failed[chosen]], minlength=steps.count)
    return found


def _add_up(counts: Sequence[MinuteCounts], steps: Buckets) -> Numbers:
    """The spans of each step, and those that failed."""
    found = np.zeros((2, steps.count), np.int64)
    if counts:
        minutes = np.concatenate([each.minutes for each in counts]).astype(np.int64)
        place = (minutes * MINUTE_NS - steps.first_ns) // steps.step_ns
        np.add.at(found[0], place, np.concatenate([each.spans for each in counts]))
        np.add.at(found[1], place, np.concatenate([each.failed for each in counts]))
    return found
