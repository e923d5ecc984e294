"""What keys did over a range, as answers show it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass_server.times import format_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.alerting.backtest.answers import FiredSpan, KeyHistory, PendingSpan, Totals
    from spanglass_server.alerting.backtest.fires import Fire
    from spanglass_server.alerting.backtest.walking import Walk, Watched

#: Spans of one key; of all keys together there are at most as many keys times that.
_MOST_SPANS = 200


@dataclass(frozen=True, slots=True)
class Figures:
    """How often and how long something fired up to ``end_ns``."""

    fires: int
    firing_ns: int
    longest_ns: int

    @classmethod
    def of(cls, fires: Sequence[Fire], end_ns: int) -> Figures:
        """Of some times; those that were only pending count for nothing."""
        lengths = [fire.firing_ns(end_ns) for fire in fires if fire.fired_ns]
        return cls(len(lengths), sum(lengths), max(lengths, default=0))


def totals(found: Walk, end_ns: int) -> Totals:
    """Of all keys."""
    fires = [fire for each in found.watched.values() for fire in each.fires]
    figures = Figures.of(fires, end_ns)
    return {
        "keys": len(found.keys),
        "keys_fired": sum(any(fire.fired_ns for fire in each.fires) for each in found.watched.values()),
        "fires": figures.fires,
        "pending_only": sum(not fire.fired_ns and bool(fire.ended_ns) for fire in fires),
        "firing_ns": figures.firing_ns,
        "longest_ns": figures.longest_ns,
        "firing_at_end": sum(bool(fire.fired_ns) and not fire.ended_ns for fire in fires),
    }


def history(watched: Watched, end_ns: int, *, below: bool) -> KeyHistory:
    """Of one key."""
    shown = watched.fires[-_MOST_SPANS:]
    figures = Figures.of(watched.fires, end_ns)
    return {
        "labels": dict(watched.key),
        "fires": figures.fires,
        "firing_ns": figures.firing_ns,
        "longest_ns": figures.longest_ns,
        "fired": [_fired(fire, end_ns, below=below) for fire in shown if fire.fired_ns],
        "pending": [_pending(fire) for fire in shown if not fire.fired_ns],
        "spans_left_out": len(watched.fires) - len(shown),
    }


def _fired(fire: Fire, end_ns: int, *, below: bool) -> FiredSpan:
    return {
        "pending_time": format_time(fire.pending_ns),
        "fired_time": format_time(fire.fired_ns),
        "resolved_time": format_time(fire.ended_ns) if fire.ended_ns else None,
        "severity": fire.severity.value,
        "value": fire.value,
        "peak": fire.peak(below=below),
        "firing_ns": fire.firing_ns(end_ns),
    }


def _pending(fire: Fire) -> PendingSpan:
    return {
        "start_time": format_time(fire.pending_ns),
        "end_time": format_time(fire.ended_ns) if fire.ended_ns else None,
    }
