"""Findings as metrics, so that alert rules and dashboards can ask for them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from spanglass_server.findings.figures import cost_per_day_ns
from spanglass_server.ingest.prometheus.requests import WriteRequest, own_key
from spanglass_server.times import NS_PER_MS, NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanglass_server.findings.desk import FindingDesk
    from spanglass_server.ingest.prometheus.requests import Key

COUNT, COST = "performance_findings", "performance_findings_cost_seconds_per_day"
#: Series, those that cost most first.
_MOST: Final = 200


class SampleSink(Protocol):
    """Stores samples that are made here."""

    def store(self, body: bytes) -> str:
        """Store a request of remote write 2.0; why nothing was stored, or ""."""


@dataclass(frozen=True, slots=True)
class _Family:
    """What is known of a metric; see ``ingest.prometheus.requests.Family``."""

    help: str
    unit: str
    type: str = "gauge"


_FAMILIES: Final = {
    COUNT: _Family("Open performance findings, by kind and service.", ""),
    COST: _Family("Time of requests that open performance findings cost in a day.", "seconds"),
}


class Announcer:
    """Stores how many findings are open and what they cost, by kind and service. One that is gone ends."""

    def __init__(self, desk: FindingDesk, sink: SampleSink, clock_ns: Callable[[], int]) -> None:
        self._desk = desk
        self._sink = sink
        self._clock_ns = clock_ns
        self._alive: frozenset[Key] = frozenset()

    def announce(self) -> str:
        """Store the figures as they are now; why they could not be stored, or ""."""
        values = self._values()
        if not values and not self._alive:
            return ""
        request, time_ms = WriteRequest(), self._clock_ns() // NS_PER_MS
        for key, value in values.items():
            request.add(key, _FAMILIES[dict(key)["__name__"]]).samples.add(value=value, timestamp=time_ms)
        request.end(self._alive - values.keys(), time_ms)
        problem = self._sink.store(request.body())
        if not problem:
            self._alive = frozenset(values)
        return problem

    def _values(self) -> dict[Key, float]:
        watched_ns = self._desk.watched_ns()
        counts: Counter[tuple[str, str]] = Counter()
        costs: Counter[tuple[str, str]] = Counter()
        for one in self._desk.current():
            group = one.place.kind.value, one.place.service
            counts[group] += 1
            costs[group] += cost_per_day_ns(one, watched_ns)
        values: dict[Key, float] = {}
        for (kind, service), cost_ns in costs.most_common(_MOST):
            labels = {"kind": kind}
            values[own_key(COUNT, service, labels)] = float(counts[kind, service])
            values[own_key(COST, service, labels)] = cost_ns / NS_PER_SECOND
        return values
