"""Figures of the process itself: memory, processor time, open files, uptime."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import psutil

from spanglass_server.self_metrics.registry import CPU_SECONDS, OPEN_FDS, RESIDENT_BYTES, UPTIME_SECONDS

if TYPE_CHECKING:
    from spanglass_server.self_metrics.registry import Telemetry


def watch_process(telemetry: Telemetry) -> None:
    """Have the process read when the figures are asked for; uptime counts from this call."""
    process = psutil.Process()
    start_s = time.monotonic()

    def cpu_seconds() -> float:
        times = process.cpu_times()
        return float(times.user + times.system)

    telemetry.watch(RESIDENT_BYTES, lambda: int(process.memory_info().rss))
    telemetry.watch(CPU_SECONDS, cpu_seconds)
    telemetry.watch(OPEN_FDS, lambda: int(process.num_fds()))
    telemetry.watch(UPTIME_SECONDS, lambda: time.monotonic() - start_s)
