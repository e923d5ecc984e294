"""Where an expression had a value lately, and before."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from spanglass_server.alerting.evaluation.quantities.expressions import REMEMBERED_MS, Absence, promql_duration

if TYPE_CHECKING:
    from spanglass_server.alerting.evaluation.quantities.expressions import Expression

#: How old a sample may be, usually.
_LOOKBACK_MS = 300_000
#: Values that are gone are looked for at so many times, which are whole multiples of their distance since 1970.
_TIMES = 12


def seen_before(value: Expression, over_ms: int) -> Absence:
    """Where an expression has a sample that is no older, or no older than that and some hours.

    A series that ended with a staleness marker had its samples before.
    """
    lookback_ms = max(1, min(_LOOKBACK_MS, over_ms // 2))
    limited = replace(value, lookback_ms=lookback_ms)
    # A sample is seen for as long as the lookback, so that times before that need not be looked at.
    recent = limited.written(lambda text: f"({text}) or {_over(text, over_ms - lookback_ms)}")
    known = value.written(lambda text: f"({text}) or {_over(text, over_ms + REMEMBERED_MS)}")
    return Absence(recent, known)


def _over(text: str, range_ms: int) -> str:
    range_ms = max(range_ms, 1)
    step_ms = max(1000, range_ms // _TIMES // 1000 * 1000)
    return f"last_over_time(({text})[{promql_duration(range_ms)}:{promql_duration(min(step_ms, _LOOKBACK_MS))}])"
