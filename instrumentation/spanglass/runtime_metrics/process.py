"""This process: processor time, memory, disk, descriptors, threads, age. A forked child reports its own."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import psutil

from spanglass.clock import NS_PER_S
from spanglass.runtime_metrics.groups import Group, Kind, Metric
from spanglass.runtime_metrics.host.containers import memory_limit_bytes
from spanglass.runtime_metrics.intervals import INTERVALS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from spanglass.clock import Clock
    from spanglass.runtime_metrics.groups import Reading

CPU_TIME = Metric("process.cpu.time", Kind.COUNTER, "s", "Processor time of this process.")
CPU_UTILIZATION = Metric(
    "process.cpu.utilization", Kind.GAUGE, "1", "Share of the processors it may run on that this process used."
)
MEMORY_USAGE = Metric("process.memory.usage", Kind.UP_DOWN_COUNTER, "By", "Resident memory of this process.")
MEMORY_VIRTUAL = Metric("process.memory.virtual", Kind.UP_DOWN_COUNTER, "By", "Virtual memory of this process.")
MEMORY_UTILIZATION = Metric(
    "process.memory.utilization", Kind.GAUGE, "1", "Resident memory as a share of what the container or host has."
)
DISK_IO = Metric("process.disk.io", Kind.COUNTER, "By", "Bytes that this process read from and wrote to disks.")
DESCRIPTORS = Metric(
    "process.unix.file_descriptor.count", Kind.UP_DOWN_COUNTER, "{file_descriptor}", "Open file descriptors."
)
HANDLES = Metric("process.windows.handle.count", Kind.UP_DOWN_COUNTER, "{handle}", "Open handles.")
THREADS = Metric("process.thread.count", Kind.UP_DOWN_COUNTER, "{thread}", "Threads, as the system counts them.")
SWITCHES = Metric("process.context_switches", Kind.COUNTER, "{context_switch}", "Context switches of this process.")
UPTIME = Metric("process.uptime", Kind.GAUGE, "s", "How long this process has been running.")

METRICS = (
    CPU_TIME, CPU_UTILIZATION, MEMORY_USAGE, MEMORY_VIRTUAL, MEMORY_UTILIZATION, DISK_IO, DESCRIPTORS, HANDLES, THREADS,
    SWITCHES, UPTIME,
)  # fmt: skip

_MODES = ("user", "system")


class ProcessMetrics:
    """Measures the process that asks: after a fork, the child."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._process = psutil.Process()
        self._cpu_before = self._cpu_now()

    def group(self) -> Group:
        """Make the group of these metrics."""
        collectors = {
            "processor": self._processor,
            "memory": self._memory,
            "disk": self._disk,
            "descriptors": self._descriptors,
            "threads": self._threads,
            "context switches": self._switches,
            "uptime": self._uptime,
        }
        off_when = (psutil.AccessDenied, NotImplementedError, AttributeError)
        is_due = INTERVALS.pace("process", self._clock.monotonic_ns)
        return Group("process", METRICS, collectors, around=self._oneshot, off_when=off_when, is_due=is_due)

    def after_fork(self) -> None:
        """Measure the child from here on."""
        self._process = psutil.Process()
        self._cpu_before = self._cpu_now()

    def _oneshot(self) -> AbstractContextManager[None]:
        return self._process.oneshot()

    def _cpu_now(self) -> tuple[int, dict[str, float]]:
        times = self._process.cpu_times()
        return self._clock.monotonic_ns(), {mode: getattr(times, mode) for mode in _MODES}

    def _processor(self) -> Iterator[Reading]:
        before_ns, before = self._cpu_before
        now_ns, now = self._cpu_before = self._cpu_now()
        available_ns = (now_ns - before_ns) * _processors()
        for mode in _MODES:
            yield CPU_TIME, now[mode], {"cpu.mode": mode}
            if available_ns > 0:
                yield CPU_UTILIZATION, (now[mode] - before[mode]) * NS_PER_S / available_ns, {"cpu.mode": mode}

    def _memory(self) -> Iterator[Reading]:
        memory = self._process.memory_info()
        yield MEMORY_USAGE, memory.rss, {}
        yield MEMORY_VIRTUAL, memory.vms, {}
        yield MEMORY_UTILIZATION, memory.rss / (memory_limit_bytes() or psutil.virtual_memory().total), {}

    def _disk(self) -> Iterator[Reading]:
        counts = self._process.io_counters()
        yield DISK_IO, counts.read_bytes, {"disk.io.direction": "read"}
        yield DISK_IO, counts.write_bytes, {"disk.io.direction": "write"}

    def _descriptors(self) -> Iterator[Reading]:
        if sys.platform == "win32":
            yield HANDLES, self._process.num_handles(), {}
        else:
            yield DESCRIPTORS, self._process.num_fds(), {}

    def _threads(self) -> Iterator[Reading]:
        yield THREADS, self._process.num_threads(), {}

    def _switches(self) -> Iterator[Reading]:
        counts = self._process.num_ctx_switches()
        yield SWITCHES, counts.voluntary, {"process.context_switch.type": "voluntary"}
        yield SWITCHES, counts.involuntary, {"process.context_switch.type": "involuntary"}

    def _uptime(self) -> Iterator[Reading]:
        yield UPTIME, max(0.0, self._clock.unix_ns() / NS_PER_S - self._process.create_time()), {}


def _processors() -> int:
    """How many processors this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
