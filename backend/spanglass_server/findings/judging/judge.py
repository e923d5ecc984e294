"""Looks at figures of hours, of operations that were served lately: which became slower, which grow with a number."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from spanglass_server.findings.detecting.detect import evidence_of
from spanglass_server.findings.judging.growth import growth
from spanglass_server.findings.judging.regressions import DAY_HOURS, HOUR_NS, regression
from spanglass_server.findings.model import Kind, Place, Sighting
from spanglass_server.times import NS_PER_MS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from spanglass_server.findings.detecting.stretch import Stretch
    from spanglass_server.findings.model import Evidence
    from spanglass_server.findings.store.store import FindingStore, Operation

#: Hours that are compared: two days for releases, the same two of the seven days before.
_HOURS_BACK: Final = sorted({*range(48), *(DAY_HOURS * day + more for day in range(1, 8) for more in (0, 1))})
#: Operations that are looked at, those with the most requests first.
_MOST: Final = 300


class Judge:
    """Remembers what was served since it last judged."""

    def __init__(self, store: FindingStore) -> None:
        self._store = store
        self._served: Counter[Operation] = Counter()
        self._slowest: dict[Operation, Sequence[Evidence]] = {}
        self._sizes: dict[tuple[str, str, str], Mapping[str, Any]] = {}
        self._weight = 1.0

    def take(self, stretch: Stretch, weight: float) -> None:
        """Remember what a minute told."""
        for row in stretch.durations:
            self._served[row["service"], row["operation"]] += row["requests"]
        self._slowest.update(stretch.slowest)
        self._sizes.update({(row["service"], row["operation"], row["key"]): row for row in stretch.sizes})
        self._weight = weight

    def judge(self, now_ns: int) -> list[Sighting]:
        """Return what is told by the hours, for what was served since it was last asked."""
        now_hour = now_ns // HOUR_NS
        served = dict(self._served.most_common(_MOST))
        found = [*self._regressions(served, now_hour, now_ns), *self._growing(now_hour, now_ns)]
        self._served.clear()
        self._slowest.clear()
        self._sizes.clear()
        return found

    def _regressions(self, served: Mapping[Operation, int], now_hour: int, now_ns: int) -> Iterable[Sighting]:
        hours = self._store.hours_of(served, (now_hour - back for back in _HOURS_BACK))
        for (service, operation), of_it in hours.items():
            found = regression(of_it, now_hour)
            if found is None:
                continue
            change, requests = found.change, served[service, operation]
            quantile = "median" if change.quantile == 0.5 else f"{change.quantile * 100:.0f}th percentile"  # noqa: PLR2004 - the middle
            yield Sighting(
                Place(Kind.REGRESSION, service, operation, found.against),
                requests, requests, requests, round(change.lost_ns * requests), now_ns, now_ns,
                f"{quantile} {change.now_ns / NS_PER_MS:.0f} ms, was {change.before_ns / NS_PER_MS:.0f} ms",
                self._slowest.get((service, operation), ()), self._weight,
            )  # fmt: skip

    def _growing(self, now_hour: int, now_ns: int) -> Iterable[Sighting]:
        if not self._sizes:
            return
        for service, operation, key, sums in self._store.sizes_since(now_hour - DAY_HOURS + 1):
            row = self._sizes.get((service, operation, key))
            found = growth(sums) if row else None
            if row is None or found is None:
                continue
            n = int(row["n"])
            yield Sighting(
                Place(Kind.GROWS_WITH_SIZE, service, operation, key),
                n, n, n, max(0, round(row["total_ns"] - n * found.small_ns)), now_ns, now_ns,
                f"{found.small_ns / NS_PER_MS:.0f} ms at {found.small:.3g}, "
                f"{found.large_ns / NS_PER_MS:.0f} ms at {found.large:.3g}",
                evidence_of(row["evidence"]), self._weight,
            )  # fmt: skip
