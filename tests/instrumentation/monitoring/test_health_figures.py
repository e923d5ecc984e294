"""Health and the host as figures, and the configuration that monitors take."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import NamedTuple

import psutil
import pytest

from spanglass.api.analysis.usage import HostUsage
from spanglass.api.config import MonitoringConfig
from spanglass.api.health.monitor import HealthMonitor
from spanglass.api.health.runs import Clocks
from spanglass.api.operations import PerformanceMonitor
from spanglass.errors import HealthError, MonitorError, ResourceError

CONFIG = {
    "performance": {"enabled": True, "sampling_rate": 0.1, "retention_days": 30},
    "health": {"enabled": True, "check_interval": "30s", "timeout": "10s"},
    "metrics": {"enabled": True, "collection_interval": "60s", "retention_days": 90},
    "alerting": {"enabled": True, "channels": {"email": {"smtp_server": "localhost"}, "slack": {}}},
    "alert_rules": [{"name": "a", "condition": "error_rate > 0.05"}],
}


class Io(NamedTuple):
    """Bytes of disks."""

    read_bytes: int
    write_bytes: int


class Net(NamedTuple):
    """Counters of the network."""

    bytes_sent: int
    bytes_recv: int
    errin: int
    errout: int


class Cpu(NamedTuple):
    """Seconds of processors."""

    user: float
    idle: float
    iowait: float
    guest: float


class Host:
    """As much of psutil as is asked, with counters that are set by hand."""

    def __init__(self):
        self.cpu = Cpu(10.0, 80.0, 10.0, 5.0)
        self.io, self.net = Io(1000, 2000), Net(100, 200, 1, 2)
        self.virtual_memory = lambda: SimpleNamespace(percent=40.0, available=6e9)
        self.swap_memory = lambda: SimpleNamespace(total=0, used=0)
        self.disk_partitions = lambda **_: [SimpleNamespace(device="d", mountpoint="/", fstype="ext4", opts="rw")]
        self.disk_usage = lambda _: SimpleNamespace(percent=95.0, free=1e9)
        self.disk_io_counters, self.net_io_counters = lambda: self.io, lambda: self.net
        self.cpu_times, self.cpu_count = lambda: self.cpu, lambda: 4

    def getloadavg(self):
        """Not there, as on some platforms."""
        raise AttributeError


def test_the_host_is_read_with_rates_since_the_reading_before(time):
    """Shares, bytes and rates under the names that rules have; what a platform lacks is left out."""
    host = Host()
    usage = HostUsage(time.clock, psutil=host, wait=lambda _: setattr(host, "cpu", Cpu(10.5, 80.4, 10.1, 5.0)))

    first = dict(usage.read())
    host.cpu, host.io, host.net = Cpu(11.5, 82.4, 11.1, 9.0), Io(5000, 3000), Net(100, 300, 5, 2)
    time.pass_s(2)
    second = usage.read()

    assert first == {
        "cpu_count": 4.0,
        "cpu_usage": pytest.approx(0.5),
        "memory_usage": 0.4,
        "memory_available": 6e9,
        "disk_usage": 0.95,
        "disk_free": 1e9,
    }
    assert {name: second[name] for name in second if name not in {"memory_usage", "memory_available"}} == {
        "cpu_count": 4.0,
        "cpu_usage": pytest.approx(0.25),
        "disk_usage": 0.95,
        "disk_free": 1e9,
        "disk_io": 2500.0,
        "network_io": 50.0,
        "network_errors": 2.0,
    }
    assert (second.units["network_io"], second.time_ns) == ("bytes/s", time.now_ns)
    with pytest.raises(ResourceError, match="'gpu' is no resource: there are cpu, memory"):
        usage.read(("gpu",))
    with pytest.raises(ResourceError, match="memory can't be measured here"):
        HostUsage(time.clock, psutil=SimpleNamespace()).read(("memory",))


def test_the_real_host_tells_what_psutil_tells():
    """On this machine: shares between 0 and 1, close to psutil's own."""
    found = HostUsage().read()

    assert {"cpu_usage", "memory_usage", "disk_usage"} <= set(found)
    assert all(0 <= found[name] <= 1 for name in found if found.units.get(name) == "ratio")
    assert found["memory_usage"] == pytest.approx(psutil.virtual_memory().percent / 100, abs=0.2)


def test_health_and_performance_are_figures(time):
    """get_health_metrics has checks and host, get_performance_metrics the operations; each can be switched off."""
    performance = PerformanceMonitor(clock_ns=lambda: time.now_ns, unix_ns=lambda: time.now_ns)
    monitor = HealthMonitor(CONFIG, clocks=Clocks(lambda: time.now_ns, lambda: time.now_ns), performance=performance)
    monitor.register_check("database", lambda: True)
    monitor.register_check("cache", lambda: (False, "gone"), critical=False)
    operation = performance.track_operation("pay", span=False)
    time.pass_s(3)
    operation.fail("declined")

    async def both(asked):
        return await asked.get_health_metrics(), await asked.get_performance_metrics()

    health, figures = asyncio.run(both(monitor))
    off = HealthMonitor({"health": {"enabled": False}, "performance": {"enabled": False}})

    assert (health["health_status"], health["failed_checks"]) == (0.5, 1)
    assert (health["check_database"], health["check_cache"]) == (1, 0)
    assert 0 <= health["disk_usage"] <= 1
    assert (figures["error_rate"], figures["avg_response_time"]) == (1.0, 3.0)
    assert [each.timeout_ns for each in monitor.checks()] == [10 * 10**9] * 2
    assert [each.interval_ns for each in monitor.checks()] == [30 * 10**9] * 2
    assert [dict(each) for each in asyncio.run(both(off))] == [{}, {}]
    with pytest.raises(HealthError, match="timeout is 0"):
        monitor.register_check("a", lambda: True, timeout=0)


def test_a_configuration_is_read_whole():
    """C1: the part `monitoring` of a settings file, with or without its name; an object stays as it is."""
    read = MonitoringConfig.of({"monitoring": CONFIG})

    assert (read.check_interval_s, read.check_timeout_s, read.collection_interval_s) == (30, 10, 60)
    assert (read.channels, read.alert_rules) == (("email", "slack"), ({"name": "a", "condition": "error_rate > 0.05"},))
    assert MonitoringConfig.of(read) is read
    assert MonitoringConfig.of(None) == MonitoringConfig()


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"healt": {}}, "healt is no key of the configuration; did you mean health?"),
        ({"health": {"time_out": 3}}, "health.time_out is no key of the configuration; did you mean health.timeout?"),
        ({"health": {"timeout": "3x"}}, "health.timeout: unknown unit 'x'"),
        ({"health": {"timeout": 0}}, "health.timeout must be more than 0"),
        ({"health": []}, "health is \\[\\], and must be a mapping"),
        ({"alerting": {"enabled": "yes"}}, "alerting.enabled is 'yes', and must be true or false"),
        ({"alerting": {"channels": "email"}}, "alerting.channels is 'email', and must be a list"),
        ({"alert_rules": {}}, "alert_rules must be a list"),
        ([], "the configuration is \\[\\]"),
    ],
)
def test_mistakes_of_a_configuration_are_named(config, said):
    """The key, what it may be, and which was probably meant."""
    with pytest.raises(MonitorError, match=said):
        MonitoringConfig.of(config)
