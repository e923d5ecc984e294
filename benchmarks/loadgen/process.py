"""What a process tree uses: processor time, memory, open files, and the disk under a folder."""

from __future__ import annotations

import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, Self

import psutil

if TYPE_CHECKING:
    from pathlib import Path


def clean_up_on_sigterm() -> None:
    """Make SIGTERM an ordinary exit of a script, so that the servers it started are stopped and their data removed."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


def tree(pid: int) -> list[psutil.Process]:
    """Return a process and everything under it; empty once it is gone."""
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def cpu_seconds(pid: int) -> float:
    """User and system seconds of a process tree, children that have ended included."""
    total = 0.0
    for process in tree(pid):
        try:
            times = process.cpu_times()
            own = _clock_s(process.pid) if sys.platform == "linux" else times.user + times.system
        except (psutil.NoSuchProcess, OSError):
            continue
        total += own + times.children_user + times.children_system
    return total


def _clock_s(pid: int) -> float:
    """Processor time of one process, threads that ended included, in nanoseconds' resolution.

    /proc counts it in hundredths of a second, which is a third of what 30 questions use. The number of the clock is
    Linux's own (posix-timers: the process's number inverted, and 2 for the scheduler's count).
    """
    return time.clock_gettime(((~pid) << 3) | 2)


def resident_bytes(pid: int) -> int:
    """Resident memory of a process tree."""
    total = 0
    for process in tree(pid):
        try:
            total += process.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total


def mapped_bytes(pid: int) -> int:
    """What of the resident memory of a process tree is pages of files, code of libraries for the most; 0 off Linux."""
    total = 0
    for process in tree(pid):
        try:
            total += getattr(process.memory_info(), "shared", 0)
        except psutil.NoSuchProcess:
            continue
    return total


def open_files(pid: int) -> int:
    """How many file descriptors a process tree holds."""
    total = 0
    for process in tree(pid):
        try:
            total += process.num_fds()
        except psutil.NoSuchProcess:
            continue
    return total


def disk_bytes(folder: Path) -> int:
    """Allocated bytes of all files under a folder."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.lstat().st_blocks * 512
        except FileNotFoundError:  # compaction removed it meanwhile
            continue
    return total


#: Longer than the server's own timers (flush after 30 s, a look for small segments every 60 s): a shorter calm can be
#: the pause before them, and then neither their processor time nor their effect on the disk would be counted.
_CALM_S = 75.0


class PeakMemory(threading.Thread):
    """Watches a process tree's resident memory in the background; use it as a context manager."""

    def __init__(self, pid: int, every_s: float = 0.1) -> None:
        super().__init__(daemon=True)
        self.pid, self.every_s = pid, every_s
        self.peak_bytes = 0
        self.stopped = threading.Event()

    def run(self) -> None:
        """Sample until stopped."""
        while not self.stopped.wait(self.every_s):
            self.peak_bytes = max(self.peak_bytes, resident_bytes(self.pid))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        self.join()


def settle(pid: int, folder: Path, *, calm_s: float = _CALM_S, limit_s: float = 400.0) -> float:
    """Wait until a server has nothing left to do, and return the seconds waited.

    That is: it uses under a twentieth of a core, and its folder does not move by more than 1 %, for ``calm_s``.
    """
    begun = calm_since = time.monotonic()
    cpu_s, size = cpu_seconds(pid), disk_bytes(folder)
    while (now := time.monotonic()) - calm_since < calm_s and now - begun < limit_s:
        time.sleep(1)
        cpu_now_s, size_now = cpu_seconds(pid), disk_bytes(folder)
        if cpu_now_s - cpu_s > 0.05 or abs(size_now - size) > max(size // 100, 65536):
            calm_since = time.monotonic()
        cpu_s, size = cpu_now_s, size_now
    return time.monotonic() - begun
