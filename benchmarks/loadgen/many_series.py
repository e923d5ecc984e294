"""Ten thousand series of metrics, a point of each a minute: a hundred of each of a hundred metrics, from a fixed seed.

Six metrics are those of hosts and processes that trends read; of the others every second is a gauge and a counter.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality

HOSTS, METRICS = 100, 100
SERIES = HOSTS * METRICS
STEP_S = 60
NS = 1_000_000_000
#: Gauges that trends read, with unit and largest value, and an attribute where they want one.
_KNOWN = (
    ("system.filesystem.utilization", "1", 1.0, ("system.filesystem.mountpoint", "/")),
    ("system.memory.utilization", "1", 1.0, ("system.memory.state", "used")),
    ("system.paging.utilization", "1", 1.0, ("system.paging.state", "used")),
    ("process.memory.usage", "By", 1e9, None),
    ("process.open_file_descriptor.count", "{count}", 1000.0, None),
    ("process.thread.count", "{thread}", 100.0, None),
)
#: Hosts of one body, each a resource: a hundred bodies a minute would be as many requests.
_AT_ONCE = 10
BODIES_A_STEP = HOSTS // _AT_ONCE
#: What stands for the time while a body is made, and where the value stands behind it: both are written anew.
_TIME = 0x0102030405060708
_VALUE_BEHIND = 9
_DAY_STEPS = 1440


class ManySeries:
    """Bodies in the order they are sent: ten for each minute from ``start_ns`` on."""

    def __init__(self, start_ns: int, steps: int) -> None:
        self.start_ns, self.steps = start_ns, steps
        self._bodies = [_template(first) for first in range(0, HOSTS, _AT_ONCE)]

    def __len__(self) -> int:
        return self.steps * BODIES_A_STEP

    def item(self, position: int) -> tuple[bytes, int]:
        """Return the body at a position, and its number of points."""
        step, part = divmod(position, BODIES_A_STEP)
        body, places = self._bodies[part]
        made = body.copy()
        time_ns = self.start_ns + step * STEP_S * NS
        made[places[:, None] + np.arange(8)] = np.array([time_ns], "<u8").view(np.uint8)
        values = self._values(part, time_ns // NS // STEP_S)
        made[places[:, None] + _VALUE_BEHIND + np.arange(8)] = values.astype("<f8").view(np.uint8).reshape(-1, 8)
        return made.tobytes(), len(places)

    def _values(self, part: int, minute: int) -> np.ndarray:
        """Values (hosts x metrics): gauges around a level with days, counters that rise by it each minute."""
        chance = np.random.default_rng((minute, part)).random((_AT_ONCE, METRICS))
        day = 1 + 0.3 * np.sin(2 * np.pi * (minute % _DAY_STEPS) / _DAY_STEPS)
        values = 50 * day * (0.8 + 0.4 * chance)
        counters = np.array([_is_counter(place) for place in range(METRICS)])
        values[:, counters] = np.floor(values[:, counters] + 60.0 * (minute % 10_000_000))
        values[:, : len(_KNOWN)] *= np.array([most for _, _, most, _ in _KNOWN]) / 100
        return values.reshape(-1)


def _template(first: int) -> tuple[np.ndarray, np.ndarray]:
    """The body of some hosts, and the places of its points' times."""
    request = ExportMetricsServiceRequest()
    for host in range(first, first + _AT_ONCE):
        resource_metrics = request.resource_metrics.add()
        for key, value in (("service.name", f"worker-{host:02}"), ("host.name", f"host-{host:02}")):
            resource_metrics.resource.attributes.add(key=key).value.string_value = value
        metrics = resource_metrics.scope_metrics.add().metrics
        for place in range(METRICS):
            _add(metrics, place)
    body = request.SerializeToString()
    wanted, at, places = _TIME.to_bytes(8, "little"), -1, []
    while (at := body.find(wanted, at + 1)) >= 0:
        places.append(at)
    return np.frombuffer(body, np.uint8).copy(), np.array(places)


def _add(metrics: Any, place: int) -> None:
    """Add a metric with its point; the point's value follows its time, and attributes come after it."""
    name, unit, _, attribute = _KNOWN[place] if place < len(_KNOWN) else (f"app.figure.{place:02}", "1", 0.0, None)
    metric = metrics.add(name=name, unit=unit)
    points = metric.gauge.data_points
    if _is_counter(place):
        metric.sum.is_monotonic = True
        metric.sum.aggregation_temporality = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
        points = metric.sum.data_points
    point = points.add(time_unix_nano=_TIME, as_double=1.0)
    if attribute is not None:
        point.attributes.add(key=attribute[0]).value.string_value = attribute[1]


def _is_counter(place: int) -> bool:
    return place >= len(_KNOWN) and place % 2 == 1
