"""The host: processors, memory, file systems, disks, network, connections; what psutil reads, under OTel's names."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import psutil

from spanglass.clock import NS_PER_S
from spanglass.runtime_metrics.groups import Group, Kind, Metric
from spanglass.runtime_metrics.host import connections, containers, storage
from spanglass.runtime_metrics.intervals import INTERVALS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from spanglass.clock import Clock
    from spanglass.runtime_metrics.groups import Collector, Reading

CPU_TIME = Metric("system.cpu.time", Kind.COUNTER, "s", "Time of all logical processors, by what they did.")
CPU_UTILIZATION = Metric("system.cpu.utilization", Kind.GAUGE, "1", "Share of the processors' time, by what they did.")
CPU_COUNT = Metric("system.cpu.logical.count", Kind.UP_DOWN_COUNTER, "{cpu}", "Logical processors.")
UPTIME = Metric("system.uptime", Kind.GAUGE, "s", "How long the host has been running.")
MEMORY_USAGE = Metric("system.memory.usage", Kind.UP_DOWN_COUNTER, "By", "Memory, by what it is used for.")
MEMORY_UTILIZATION = Metric("system.memory.utilization", Kind.GAUGE, "1", "Share of memory, by what it is used for.")
MEMORY_LIMIT = Metric("system.memory.limit", Kind.UP_DOWN_COUNTER, "By", "Memory of the host.")
MEMORY_AVAILABLE = Metric(
    "system.memory.linux.available", Kind.UP_DOWN_COUNTER, "By", "Memory that applications can have without swapping."
)
SWAP_USAGE = Metric("system.paging.usage", Kind.UP_DOWN_COUNTER, "By", "Swap space.")
SWAP_UTILIZATION = Metric("system.paging.utilization", Kind.GAUGE, "1", "Share of the swap space.")
NETWORK_IO = Metric("system.network.io", Kind.COUNTER, "By", "Bytes sent and received.")
PACKETS = Metric("system.network.packet.count", Kind.COUNTER, "{packet}", "Packets sent and received.")
DROPPED = Metric("system.network.packet.dropped", Kind.COUNTER, "{packet}", "Packets dropped without an error.")
ERRORS = Metric("system.network.errors", Kind.COUNTER, "{error}", "Errors of sending and receiving.")

METRICS = (
    CPU_TIME, CPU_UTILIZATION, CPU_COUNT, UPTIME, MEMORY_USAGE, MEMORY_UTILIZATION, MEMORY_LIMIT, MEMORY_AVAILABLE,
    SWAP_USAGE, SWAP_UTILIZATION, NETWORK_IO, PACKETS, DROPPED, ERRORS, *storage.METRICS, *connections.METRICS,
    *containers.METRICS,
)  # fmt: skip

#: psutil's fields as OTel's modes. Guests' time is left out: Linux has it in user and nice already.
_MODES = {
    "user": "user", "nice": "nice", "system": "system", "idle": "idle", "iowait": "iowait", "irq": "interrupt",
    "softirq": "interrupt", "interrupt": "interrupt", "dpc": "interrupt", "steal": "steal",
}  # fmt: skip

#: Interfaces of single containers come and go, thousands in a day; the bridge they hang on has their traffic too.
_FLEETING_INTERFACES = ("veth", "cali", "lxc", "tap")
_MOST_INTERFACES = 32

#: Metric, psutil's field for what leaves, and for what arrives.
_NETWORK = (
    (NETWORK_IO, "bytes_sent", "bytes_recv"),
    (PACKETS, "packets_sent", "packets_recv"),
    (DROPPED, "dropout", "dropin"),
    (ERRORS, "errout", "errin"),
)


class HostMetrics:
    """Measures the host; silent unless ``is_ours`` says that this process speaks for it."""

    def __init__(self, clock: Clock, is_ours: Callable[[], bool]) -> None:
        self._clock = clock
        self._is_ours = is_ours
        self._cpu_before = _cpu_modes()
        self._speaks = False

    def group(self) -> Group:
        """Make the group of these metrics."""
        collectors = {
            "processors": self._processors,
            "uptime": self._uptime,
            "memory": _memory,
            "swap": _swap,
            "network": _network,
            "file systems": storage.filesystems,
            "disks": storage.disks,
            "connections": connections.connections,
            "container": containers.container_memory,
        }
        silenced = {name: self._if_ours(collector) for name, collector in collectors.items()}
        return Group(
            "host",
            METRICS,
            silenced,
            around=self._ask_whose,
            off_when=(psutil.AccessDenied, NotImplementedError, AttributeError),
            is_due=INTERVALS.pace("host", self._clock.monotonic_ns),
        )

    @contextlib.contextmanager
    def _ask_whose(self) -> Iterator[None]:
        self._speaks = self._is_ours()
        yield

    def _if_ours(self, collector: Collector) -> Collector:
        return lambda: collector() if self._speaks else ()

    def _processors(self) -> Iterator[Reading]:
        before, now = self._cpu_before, _cpu_modes()
        self._cpu_before = now
        # iowait and steal may go back a little on Linux
        spent = {mode: max(0.0, now[mode] - before[mode]) for mode in now}
        total = sum(spent.values())
        for mode, seconds in now.items():
            yield CPU_TIME, seconds, {"cpu.mode": mode}
            if total:
                yield CPU_UTILIZATION, spent[mode] / total, {"cpu.mode": mode}
        yield CPU_COUNT, psutil.cpu_count() or 1, {}

    def _uptime(self) -> Iterator[Reading]:
        yield UPTIME, max(0.0, self._clock.unix_ns() / NS_PER_S - psutil.boot_time()), {}


def _cpu_modes() -> dict[str, float]:
    times = psutil.cpu_times()._asdict()
    modes: dict[str, float] = {}
    for field, seconds in times.items():
        if mode := _MODES.get(field):
            modes[mode] = modes.get(mode, 0.0) + seconds
    return modes


def _memory() -> Iterator[Reading]:
    """Memory by state: the states add up to the whole, as the conventions want it."""
    memory = psutil.virtual_memory()
    states = {state: getattr(memory, state) for state in ("free", "cached", "buffers") if hasattr(memory, state)}
    states["used"] = memory.total - sum(states.values())
    for state, size in states.items():
        yield MEMORY_USAGE, size, {"system.memory.state": state}
        yield MEMORY_UTILIZATION, size / memory.total, {"system.memory.state": state}
    yield MEMORY_LIMIT, memory.total, {}
    yield MEMORY_AVAILABLE, memory.available, {}


def _swap() -> Iterator[Reading]:
    swap = psutil.swap_memory()
    for state, size in (("used", swap.used), ("free", swap.free)):
        yield SWAP_USAGE, size, {"system.paging.state": state}
        if swap.total:
            yield SWAP_UTILIZATION, size / swap.total, {"system.paging.state": state}


def _network() -> Iterator[Reading]:
    counts = psutil.net_io_counters(pernic=True)
    lasting = [name for name in sorted(counts) if not name.startswith(_FLEETING_INTERFACES)]
    used = [name for name in lasting if counts[name].packets_sent or counts[name].packets_recv]
    for name in used[:_MOST_INTERFACES]:
        for metric, leaves, arrives in _NETWORK:
            for direction, field in (("transmit", leaves), ("receive", arrives)):
                attributes = {"network.interface.name": name, "network.io.direction": direction}
                yield metric, getattr(counts[name], field), attributes
