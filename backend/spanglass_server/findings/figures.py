"""What a finding costs in a day, how sure it is, and whether it is told of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from spanglass_server.findings.judging.regressions import DAY_HOURS, HOUR_NS
from spanglass_server.findings.leak import leak_of
from spanglass_server.findings.model import Kind
from spanglass_server.findings.words import WORDS

if TYPE_CHECKING:
    from spanglass_server.findings.model import Known

DAY_NS: Final = DAY_HOURS * HOUR_NS
#: In fewer requests of the last day it may be chance.
LEAST_HITS: Final = 3
#: So many requests more, and half of the doubt that is left for their number is gone.
_HALVED_BY: Final = 2.0
#: What a busy machine may cause, too, is told of when it is seen in so many minutes, with so much time between the
#: first and the last, and in this share of all requests or calls, or waits for locks, that are like it.
_LEAST_MINUTES, _LEAST_NS = 10, HOUR_NS // 2
_LEAST_SHARE, _LEAST_OF_LOCKS = 0.3, 0.1


def cost_per_day_ns(known: Known, watched_ns: int) -> int:
    """Return the time that requests of a day lose; what was watched for less than an hour counts as an hour's."""
    return round(known.waste_ns * DAY_NS / min(DAY_NS, max(HOUR_NS, watched_ns)))


def confidence(known: Known) -> float:
    """Return how likely the finding is what it says, 0 to 1: by its pattern, and how many requests show it.

    Of a memory leak: by how long it goes on.
    """
    leak, certainty = leak_of(known), WORDS[known.place.kind].certainty
    if leak is not None:
        return certainty * leak.confidence
    return float(certainty * (1 - 0.5 ** (known.hits / _HALVED_BY)))


def is_current(known: Known, now_ns: int) -> bool:
    """Return whether a finding is told of: seen often enough in the last day, and no doing of a busy machine."""
    least = 1 if known.place.kind is Kind.MEMORY_LEAK else LEAST_HITS
    is_seen = known.hits >= least and known.last_ns > now_ns - DAY_NS
    return is_seen and (not known.doubtful or _is_usual(known))


def _is_usual(known: Known) -> bool:
    """Whether it is usual, and not seen while a machine was busy: in many like it, and for long or in all of them."""
    lasts = known.minutes >= _LEAST_MINUTES and known.last_ns - known.first_ns >= _LEAST_NS
    least = _LEAST_OF_LOCKS if known.place.kind is Kind.LOCK_WAIT else _LEAST_SHARE
    is_often = known.calls >= least * known.alike
    return is_often and (lasts or known.hits - known.doubtful >= LEAST_HITS)
