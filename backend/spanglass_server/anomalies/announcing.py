"""Anomalies as a metric, so that alert rules and dashboards can ask for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from spanglass_server.ingest.prometheus.requests import WriteRequest, own_key
from spanglass_server.times import NS_PER_MS

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanglass_server.anomalies.desk import AnomalyDesk
    from spanglass_server.ingest.prometheus.requests import Key

SURPRISE: Final = "anomaly_surprise"
#: Series, the most important anomalies first; and characters of a title.
_MOST, _LONGEST = 100, 200


class SampleSink(Protocol):
    """Stores samples that are made here."""

    def store(self, body: bytes) -> str:
        """Store a request of remote write 2.0; why nothing was stored, or ""."""


@dataclass(frozen=True, slots=True)
class _Family:
    """What is known of a metric; see ``ingest.prometheus.requests.Family``."""

    help: str = "Deviations that an anomaly lies beyond what is usual at its peak, while it goes on."
    unit: str = ""
    type: str = "gauge"


class Announcer:
    """Stores how surprising the anomalies are that go on, by kind, service, subject and id. One that is over ends.

    Of lines of several services the one that wrote most is named by ``service_name``, the others by ``subject``.
    """

    def __init__(self, desk: AnomalyDesk, sink: SampleSink, clock_ns: Callable[[], int]) -> None:
        self._desk, self._sink, self._clock_ns = desk, sink, clock_ns
        self._alive: frozenset[Key] = frozenset()

    def announce(self) -> str:
        """Store them as they are now; why they could not be stored, or ""."""
        values: dict[Key, float] = {}
        for one in self._desk.current()[:_MOST]:
            labels = {"kind": one.key.kind.value, "subject": one.name[:_LONGEST], "anomaly": str(one.id)}
            values[own_key(SURPRISE, next(iter(one.services), ""), labels)] = one.peak.surprise
        if not values and not self._alive:
            return ""
        request, time_ms = WriteRequest(), self._clock_ns() // NS_PER_MS
        for key, value in values.items():
            request.add(key, _Family()).samples.add(value=value, timestamp=time_ms)
        request.end(self._alive - values.keys(), time_ms)
        problem = self._sink.store(request.body())
        if not problem:
            self._alive = frozenset(values)
        return problem
