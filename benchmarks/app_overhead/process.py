"""Processes of the benchmark: the application on one core, the sink on the other; CPU time and memory from /proc."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
APP_CORE = "0"
CLIENT_CORE = "1"
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_START_TIMEOUT_S = 60


def cpu_s(pid: int) -> float:
    """Return user and system time of a process and its children, from their stat, in clock ticks of 10 ms."""
    return sum(_cpu_s(each) for each in (pid, *_children(pid)))


def rss_mib(pid: int) -> float:
    """Return the resident memory of what serves: the process, or its only child (gunicorn's worker)."""
    serves = next(iter(_children(pid)), pid)
    pages = int(Path(f"/proc/{serves}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


def _children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def free_port() -> int:
    """Give a port of 127.0.0.1 that is free now."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


def pinned(core: str, words: list[str]) -> list[str]:
    """Give a command that runs on one core, where taskset is."""
    return ["taskset", "-c", core, *words] if shutil.which("taskset") else words


@contextmanager
def sink() -> Iterator[int]:
    """Run the sink on the client's core; gives its port."""
    words = pinned(CLIENT_CORE, [sys.executable, str(HERE / "sink.py")])
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None  # noqa: S101 - narrows the type
            yield int(process.stdout.readline())
        finally:
            process.kill()


@contextmanager
def application(command: list[str], environ: dict[str, str], port: int) -> Iterator[int]:
    """Run the application on its core until it answers; gives its pid, and ends it by SIGTERM."""
    process = subprocess.Popen(pinned(APP_CORE, command), env=environ, cwd=HERE / "shops")
    try:
        _wait(process, port)
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    deadline_s = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < deadline_s:
        if process.poll() is not None:
            raise SystemExit(f"the application ended with {process.returncode} before it served")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/modules", timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    raise SystemExit("the application did not answer within a minute")
