"""All monitors together, the host's resources, and the pipeline of metrics."""

from __future__ import annotations

import asyncio
import json
import threading
from types import SimpleNamespace

import pytest

from spanglass.api.analysis.figures import Figures
from spanglass.api.analysis.report import Analysis, Finding
from spanglass.api.collector import MetricsCollector
from spanglass.api.operations import PerformanceMonitor
from spanglass.errors import AnalysisError, CollectionError, MonitorError, ResourceError
from spanglass.monitoring.findings import of_health
from spanglass.monitoring.manager import AlertManager
from spanglass.monitoring.measurements import Aggregator, Measurement
from spanglass.monitoring.metric_collector import MetricCollector
from spanglass.monitoring.resources import ResourceMonitor
from spanglass.monitoring.rules import AlertRule
from spanglass.monitoring.storage import MemoryStorage
from spanglass.monitoring.strategies import of_operations, recorded
from spanglass.monitoring.system import SystemMonitor
from spanglass_core.alerting.severity import Severity

MIN_NS = 60 * 10**9


class Queue:
    """A collector as a class, and a strategy as one."""

    def collect(self):
        """Measure."""
        return {"queue_size": 120, "oldest": None}

    def analyze(self, figures):
        """Judge."""
        text = f"{figures['queue_size']:g} wait"
        return [Finding(metric="queue_size", text=text, severity=Severity.ERROR, value=figures["queue_size"])]


def test_a_system_monitor_runs_what_is_registered(time):
    """A7: custom collectors and strategies take effect; figures are checked for alerts; one report comes of it all."""
    told = []
    alerts = AlertManager({"alert_rules": [{"name": "Queue", "condition": "queue_size > 100"}]}, clock=time.clock)
    alerts.add_handler("*", lambda alert: told.append((alert.title, alert.status)))
    system = SystemMonitor(alerts=alerts, clock=time.clock, with_usual=False)
    system.register("queue", Queue, Queue())

    async def memory():
        return Figures({"memory_usage": 0.4}, {"memory_usage": "ratio"}, {}, time.now_ns)

    system.register("memory", memory, lambda figures: Analysis((), {"half": figures["memory_usage"] / 2}))
    system.register("broken", lambda: 1 / 0)
    system.register("unjudged", lambda: {"x": 1}, lambda _: 1 / 0)
    report = asyncio.run(system.monitor_system())

    assert report.status == "error"
    assert list(report.reports) == ["queue", "memory", "unjudged"]
    assert report.reports["queue"].analysis.findings[0].text == "120 wait"
    assert report.reports["memory"].analysis.details == {"half": 0.2}
    assert {name: str(error) for name, error in report.errors.items()} == {
        "broken": "monitor 'broken' could not collect: ZeroDivisionError: division by zero",
        "unjudged": "monitor 'unjudged' could not analyse: ZeroDivisionError: division by zero",
    }
    assert [type(error) for error in report.errors.values()] == [CollectionError, AnalysisError]
    assert told == [("Queue: queue_size > 100, is 120", "active")]
    assert [each.alert.rule for each in report.processed] == ["Queue"]
    assert json.loads(json.dumps(report.as_dict()))["alerts"][0]["severity"] == "warning"

    time.pass_s(60)
    system.register("queue", lambda: {"queue_size": 3})
    system.unregister("unjudged")
    assert asyncio.run(system.monitor_system("queue", "memory")).status == "healthy"
    assert told[1:] == [("Queue: queue_size > 100, is 120", "resolved")]
    assert asyncio.run(system.monitor_system("broken")).status == "unknown"
    with pytest.raises(MonitorError, match="there is no monitor 'qeue': there are queue, memory, broken"):
        asyncio.run(system.monitor_system("qeue"))
    with pytest.raises(AnalysisError, match="strategy 5 is nothing to call"):
        system.register("queue", Queue, 5)


def test_the_usual_monitors_are_those_that_are_enabled():
    """Health, performance and resources of this process, without a word of configuration; each can be left out."""
    report = asyncio.run(SystemMonitor().monitor_system())

    assert list(report.reports) == ["health", "performance", "resources"]
    assert report.errors == {}
    assert report.reports["resources"].metrics["disk_usage"] <= 1
    off = {"health": {"enabled": False}, "performance": {"enabled": False}, "metrics": {"enabled": False}}
    assert SystemMonitor(off).monitor_types() == ()
    unhealthy = of_health(Figures({"health_status": 0.0, "check_a": 1.0, "check_b": 0.0, "check_b_time": 0.1}))
    assert [(each.text, each.severity) for each in unhealthy.analysis.findings] == [
        ("health check b is not healthy", Severity.CRITICAL)
    ]


class Usage:
    """Readings of the host that are set by hand."""

    def __init__(self, time):
        self._time, self.numbers = time, {}

    def read(self, _kinds):
        """Read, in another thread."""
        assert threading.current_thread() is not threading.main_thread()
        if not self.numbers:
            raise ResourceError("nothing is told here")
        units = {**dict.fromkeys(("cpu_usage", "memory_usage", "disk_usage"), "ratio"), "network_io": "bytes/s"}
        return Figures(dict(self.numbers), units, {}, self._time.now_ns)

    def largest_processes(self):
        """Name the largest."""
        return [{"name": "python", "pid": 7, "memory_bytes": 10**9}]


def test_resources_have_trends_and_advice(time):
    """A10: usage, where it is going, what is crossed, and what to do; the largest processes where memory is short."""
    usage = Usage(time)
    monitor = ResourceMonitor(usage=usage, clock=time.clock)
    with pytest.raises(ResourceError, match="nothing is told"):
        asyncio.run(monitor.monitor_resources())
    for number in range(10):
        time.pass_s(3600)
        usage.numbers = {
            "cpu_usage": 0.2 + 0.1 * (number % 2),
            "memory_usage": 0.96 if number == 9 else 0.5,
            "disk_usage": 0.6 + 0.01 * number,
            "network_io": 1e6 - 1e4 * number,
            "network_errors": 12.5,
        }
        report = asyncio.run(monitor.monitor_resources())

    trends = report.analysis.details["trends"]
    assert {name: each.direction for name, each in trends.items()} == {
        "cpu_usage": "steady",
        "memory_usage": "steady",
        "disk_usage": "rising",
        "network_io": "falling",
    }
    assert trends["network_io"].per_hour == pytest.approx(-1e4)
    assert trends["disk_usage"].reaches_limit_s == pytest.approx(31 * 3600)
    assert [(each.text, each.severity) for each in report.analysis.findings] == [
        ("memory_usage is 96%, above the critical threshold of 95%", Severity.CRITICAL),
        ("network_errors is 12.5/s, above the warning threshold of 10/s", Severity.WARNING),
        ("disk_usage rises and is full in about 31h", Severity.INFO),
    ]
    memory, network, disk = report.recommendations
    assert memory.evidence["largest_processes"] == usage.largest_processes()
    assert "interface" in network.action
    assert "shorten retention" in disk.action


def test_metrics_are_collected_aggregated_stored_and_returned(time):
    """A13: in this order, by a strategy for each type; then over time and dimensions from the storage."""
    order, kept = [], MemoryStorage()

    class Watched(Aggregator):
        def aggregate(self, measurements):
            order.append("aggregate")
            return super().aggregate(measurements)

    class Requests:
        def collect(self):
            order.append("collect")
            return [
                Measurement("request", "duration", value, "s", {"route": route, "host": host})
                for route, host, value in (("/a", "w1", 1.0), ("/a", "w2", 3.0), ("/b", "w1", 5.0), ("/b", "w1", 7.0))
            ]

    storage = SimpleNamespace(store=lambda found: (order.append("store"), kept.store(found)), read=kept.read)
    collector = MetricCollector(
        strategies={"request": Requests, "cpu": lambda: Figures({"cpu_usage": 0.5}, {"cpu_usage": "ratio"})},
        aggregator=Watched(window_ns=MIN_NS),
        storage=storage,
        clock=time.clock,
    )
    collector.register("broken", lambda: 1 / 0)
    collector.register("wrong", lambda: ["x"])
    first = asyncio.run(collector.collect())
    time.pass_s(300)
    asyncio.run(collector.collect("request"))

    assert order == ["collect", "aggregate", "store"] * 2
    assert [(each.name, each.count) for each in first.stages] == [("collect", 5), ("aggregate", 4), ("store", 4)]
    assert {name: str(error) for name, error in first.errors.items()} == {
        "broken": "broken: ZeroDivisionError: division by zero",
        "wrong": "wrong: a strategy gives measurements or numbers by name, not 'x'",
    }
    assert dict(first.figures) == {"duration": 7.0, "cpu_usage": 0.5}
    assert [(each.dimensions, each.count, each.average) for each in first.aggregates[:3]] == [
        ({"host": "w1", "route": "/a"}, 1, 1.0),
        ({"host": "w2", "route": "/a"}, 1, 3.0),
        ({"host": "w1", "route": "/b"}, 2, 6.0),
    ]

    def asked(**how):
        found = asyncio.run(collector.query("duration", **how))
        return [(dict(each.dimensions), each.count, each.minimum, each.maximum, each.last) for each in found]

    assert asked(by=["route"]) == [({"route": "/a"}, 4, 1.0, 3.0, 3.0), ({"route": "/b"}, 4, 5.0, 7.0, 7.0)]
    assert asked(by=[], window_s=60) == [({}, 4, 1.0, 7.0, 7.0)] * 2
    assert asked(by=[], last_s=60) == [({}, 4, 1.0, 7.0, 7.0)]
    with pytest.raises(CollectionError, match="'reqest' has no strategy: there are request, cpu"):
        asyncio.run(collector.collect("reqest"))
    with pytest.raises(CollectionError, match="has no method collect"):
        collector.register("x", 5)


def test_a_storage_that_fails_loses_no_cycle_and_memory_is_bounded(time):
    """What was measured is returned all the same, with the error; the memory keeps the newest."""

    def full(_aggregates):
        raise OSError("disk full")

    strategies = {"a": lambda: {"x": 1}}
    storage = SimpleNamespace(store=full, read=lambda *_: [])
    collected = asyncio.run(MetricCollector(strategies=strategies, storage=storage, clock=time.clock).collect())
    memory = MemoryStorage(most=100, retention_ns=10 * MIN_NS)
    cycles, stop = [], asyncio.Event()

    def enough(each):
        cycles.append(each)
        time.pass_s(60)
        if len(cycles) == 30:
            stop.set()

    config = {"metrics": {"collection_interval": 0.0001}}
    running = MetricCollector(
        config, strategies=strategies, storage=memory, aggregator=Aggregator(window_ns=MIN_NS), clock=time.clock
    )
    asyncio.run(running.run(stop, enough))

    assert str(collected.errors["storage"]) == "storage: OSError: disk full"
    assert dict(collected.figures) == {"x": 1.0}
    assert len(cycles) == 30
    assert len(memory.read("x", 0, time.now_ns)) == 10
    off = MetricCollector({"metrics": {"enabled": False}}, strategies=strategies, clock=time.clock)
    assert asyncio.run(off.collect()).measurements == ()


def test_what_the_application_counts_can_be_collected(time):
    """The usual strategies: the host, operations by name, and what MetricsCollector recorded by its attributes."""
    performance = PerformanceMonitor(clock_ns=lambda: time.now_ns)
    performance.track_operation("pay", span=False).complete()
    metrics = MetricsCollector()
    metrics.record_counter("orders", 3, shop="a")
    collector = MetricCollector(clock=time.clock)
    collector.register("operation", of_operations(performance))
    collector.register("custom", recorded(metrics))
    found = {(each.name, *each.dimensions.values()): each.last for each in asyncio.run(collector.collect()).aggregates}

    assert found["error_rate", "pay"] == 0.0
    assert found["orders", "a"] == 3.0
    assert {("cpu_usage",), ("memory_usage",), ("disk_usage",)} <= set(found)


def test_rules_fire_on_what_was_collected(time):
    """Collected figures are checked like any others."""
    manager = AlertManager(clock=time.clock)
    manager.add_rule(AlertRule("a", "x > 0.5", "error"))
    collector = MetricCollector(strategies={"a": lambda: {"x": 1}}, clock=time.clock)

    assert manager.check_metrics(asyncio.run(collector.collect()).figures).severity == "error"
