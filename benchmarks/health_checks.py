"""Health checks: what two thousand of them cost, how punctual they are, and what a hundred that hang do to the others.

    python benchmarks/health_checks.py [--checks 2000] [--interval 30] [--intervals 4] [--hung 100]

A whole server in real time: without checks, with HTTP checks that are answered at once, and with some more that are
accepted and never answered. Punctuality is measured where the checks arrive: how far each arrival is from a whole
number of intervals after the check's first one. Results go to benchmarks/out/health_checks.json.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from loadgen.process import clean_up_on_sigterm, cpu_seconds, open_files, resident_bytes
from loadgen.report import check, table, write
from loadgen.server import ServerProcess

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Answers ``/N`` at once and notes when; ``/times`` gives all of it, ``/forget`` begins anew. The second port hangs.
_TARGET = r"""
import asyncio, json, sys, time
arrived = {}
async def answer(reader, writer):
    path = (await reader.readuntil(b"\r\n\r\n")).split(b" ", 2)[1].decode()
    body = b"ok"
    if path == "/times":
        body = json.dumps(arrived).encode()
    elif path == "/forget":
        arrived.clear()
    else:
        arrived.setdefault(path, []).append(time.monotonic())
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b" % (len(body), body))
    await writer.drain()
    writer.close()
async def hang(reader, writer):
    try:
        while await reader.read(4096):
            pass
    except ConnectionError:
        pass
    writer.close()
async def main():
    quick = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=4096)
    slow = await asyncio.start_server(hang, "127.0.0.1", 0, backlog=4096)
    print(*(each.sockets[0].getsockname()[1] for each in (quick, slow)), flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


class Target:
    """The process that is asked by the checks."""

    def __init__(self) -> None:
        command = [sys.executable, "-c", _TARGET]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        said = self._process.stdout.readline() if self._process.stdout is not None else ""
        self.quick, self.hanging = map(int, said.split())

    def ask(self, path: str) -> str:
        """Ask it for what it noted."""
        answer = subprocess.run(
            ["curl", "-fsS", f"http://127.0.0.1:{self.quick}{path}"], capture_output=True, text=True, check=True
        )
        return answer.stdout

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()


@contextmanager
def target() -> Iterator[Target]:
    """Run a target until the block ends."""
    made = Target()
    try:
        yield made
    finally:
        made.close()


def settings_text(port: int, checks: int, hanging: int, hung: int, interval_s: int) -> str:
    """The settings file: so many checks that are answered, and so many that hang."""
    lines = ["monitoring:", f"  health: {{check_interval: {interval_s}s, timeout: 10s}}", "  checks:"]
    lines += [f"    - {{name: Check {number}, http: 'http://127.0.0.1:{port}/{number}'}}" for number in range(checks)]
    lines += [f"    - {{name: Hung {number}, http: 'http://127.0.0.1:{hanging}/'}}" for number in range(hung)]
    return "\n".join(lines) + "\n" if checks or hung else "monitoring: {}\n"


def errors_of(times: dict[str, list[float]], interval_s: int) -> np.ndarray[Any, Any]:
    """How far each arrival but the first of a check is from a whole number of intervals after that, in seconds."""
    found = []
    for each in times.values():
        since = np.array(each[1:]) - each[0]
        found.append(np.abs(since - np.round(since / interval_s) * interval_s))
    return np.concatenate(found) if found else np.zeros(0)


def measured(checks: int, hung: int, interval_s: int, intervals: int, asked: Target) -> dict[str, Any]:
    """A server with so many checks, after two intervals in which it finds its pace."""
    folder = Path(tempfile.mkdtemp(prefix="spanglass-bench-"))
    try:
        file = folder / "settings.yaml"
        file.write_text(settings_text(asked.quick, checks, asked.hanging, hung, interval_s))
        with ServerProcess(folder / "data", {"config": str(file), "alerting.shipped": "false"}) as server:
            time.sleep(2 * interval_s)
            asked.ask("/forget")
            before_s, begun = cpu_seconds(server.pid), time.monotonic()
            time.sleep(intervals * interval_s)
            took_s = time.monotonic() - begun
            cpu_s = cpu_seconds(server.pid) - before_s
            times = json.loads(asked.ask("/times"))
            listed = server.request("GET", "/api/v1/checks").json()["checks"]
            errors = errors_of(times, interval_s)
            latencies = [row["latency_ns"] / 1e6 for row in listed if row["status"] == "healthy"]
            return {
                "checks": checks,
                "hung": hung,
                "core_%": 100 * cpu_s / took_s,
                "runs": sum(map(len, times.values())),
                "runs_due": checks * intervals,
                "late_p50_ms": 1000 * float(np.quantile(errors, 0.5)) if errors.size else None,
                "late_p99_ms": 1000 * float(np.quantile(errors, 0.99)) if errors.size else None,
                "late_most_ms": 1000 * float(errors.max()) if errors.size else None,
                "took_p50_ms": float(np.median(latencies)) if latencies else None,
                "healthy": sum(row["status"] == "healthy" for row in listed),
                "unhealthy": sum(row["status"] == "unhealthy" for row in listed),
                "MB": resident_bytes(server.pid) / 1e6,
                "files": open_files(server.pid),
            }
    finally:
        shutil.rmtree(folder, ignore_errors=True)


_LEAST_INTERVALS = 2


def main() -> int:
    """Measure, print, write; 1 if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checks", type=int, default=2000)
    parser.add_argument("--interval", type=int, default=30, help="seconds")
    parser.add_argument("--intervals", type=int, default=4, help="how many are measured")
    parser.add_argument("--hung", type=int, default=100)
    arguments = parser.parse_args()
    if arguments.intervals < _LEAST_INTERVALS:
        parser.error("--intervals: how punctual checks are shows after two of them")
    clean_up_on_sigterm()
    pace = (arguments.interval, arguments.intervals)
    with target() as asked:
        rows = [
            measured(checks, hung, *pace, asked)
            for checks, hung in ((0, 0), (arguments.checks, 0), (arguments.checks, arguments.hung))
        ]
    print(table(rows))
    idle, busy, hung = rows
    targets = [
        check("half a core for the checks, %", busy["core_%"] - idle["core_%"], 50),
        check("late at p99, ms", busy["late_p99_ms"], 1000),
        check("late at p99 with hung ones, ms", hung["late_p99_ms"], 1000),
        check("share of runs that came with hung ones", hung["runs"] / hung["runs_due"], 0.99, at_least=True),
    ]
    print(table(targets))
    print(write("health_checks", {"servers": rows, "targets": targets}))
    return int(not all(row["met"] for row in targets))


if __name__ == "__main__":
    sys.exit(main())
