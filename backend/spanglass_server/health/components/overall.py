"""The whole: one status, one number, and the reasons."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from spanglass_server.health.model import VALUES, Component, Overall, Reason, Status, worst

if TYPE_CHECKING:
    from collections.abc import Sequence

#: A critical component counts twice.
_WEIGHTS: Final = {True: 2.0, False: 1.0}
#: The best score that goes with a status, so that the number never says something else than the word.
_CAPS: Final = {Status.UNHEALTHY: 49.0, Status.DEGRADED: 94.0, Status.HEALTHY: 100.0}


def overall_of(components: Sequence[Component], now_ns: int) -> Overall:
    """Judge all components together.

    It is unhealthy if a critical component is, degraded if any is not healthy, unknown if nothing is known. The score
    is the weighted mean of the components (1, 0.5, 0), times 100, and not above 49 if it is unhealthy, 94 if degraded.
    """
    known = [component for component in components if component.status in VALUES]
    counts = Counter(component.status for component in components)
    if not known:
        return Overall(status=Status.UNKNOWN, score=0, reasons=(), counts=counts, since_ns=now_ns, time_ns=now_ns)
    status = worst(tuple(counting_as(component.status, critical=component.critical) for component in known))
    total = sum(_WEIGHTS[component.critical] for component in known)
    lost = {
        component.uid: 100 * _WEIGHTS[component.critical] * (1 - VALUES[component.status]) / total
        for component in known
    }
    score = min(100 - sum(lost.values()), _CAPS[status])
    bad = sorted(
        (component for component in known if component.status is not Status.HEALTHY),
        key=lambda component: (-lost[component.uid], component.name),
    )
    reasons = tuple(Reason(each.uid, each.name, each.status, each.reason, round(lost[each.uid], 1)) for each in bad)
    return Overall(
        status=status,
        score=max(0, int(score)),
        reasons=reasons,
        counts={each: counts[each] for each in Status},
        since_ns=now_ns,
        time_ns=now_ns,
    )


def counting_as(status: Status, *, critical: bool) -> Status:
    """What a status means for what is above it: what is not critical degrades it at most."""
    return status if critical or status is not Status.UNHEALTHY else Status.DEGRADED
