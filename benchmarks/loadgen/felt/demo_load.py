"""What the server uses when it idles, and under the demo shop's load with no page open."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from loadgen.process import cpu_seconds, mapped_bytes, resident_bytes, tree
from loadgen.scenario import fresh_server
from loadgen.server import SPANGLASS, ServerProcess

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
_SAMPLE_S = 5.0


@dataclass(frozen=True)
class DemoLoad:
    """How long what is watched, in seconds.

    ``warm_up_s`` after start, and again after the shop opened, nothing is counted: imports, first flush, first rules.
    """

    idle_s: float = 120
    load_s: float = 3600
    warm_up_s: float = 60

    @classmethod
    def lasting(cls, seconds: float) -> DemoLoad:
        """A load of so many seconds; a short one does not wait longer for the rest than it lasts itself."""
        return cls(idle_s=min(cls.idle_s, seconds / 5), load_s=seconds, warm_up_s=min(cls.warm_up_s, seconds / 8))

    @property
    def whole_s(self) -> float:
        """How long all of it takes, besides starting and stopping."""
        return self.idle_s + self.load_s + 2 * self.warm_up_s

    def quick(self) -> DemoLoad:
        """Return a load for trying out."""
        return replace(self, idle_s=2, load_s=4, warm_up_s=1)


@dataclass(frozen=True)
class Watched:
    """What a server used over some time: its share of a core in percent, and its resident memory while it ran.

    ``mapped_mb`` is what of the memory was pages of files at the end.
    """

    share_pct: float
    resident_mb: list[float]
    hours: list[float]
    mapped_mb: float

    def growth_mb_per_hour(self) -> float:
        """Slope of the resident memory over the second half, when caches and buffers have filled; 0 for one sample."""
        half = len(self.hours) // 2
        if len(self.hours) - half < 2:
            return 0.0
        return float(np.polyfit(self.hours[half:], self.resident_mb[half:], 1)[0])


def measure_demo(load: DemoLoad, program: str = SPANGLASS) -> dict[str, float]:
    """Watch a server of its own idle, then under the shop's load; the shop is this checkout's for every build."""
    print(f"the demo's load takes {load.whole_s / 60:.1f} minutes", file=sys.stderr)
    with fresh_server(program=program) as server:
        time.sleep(load.warm_up_s)
        idle = watch(server, load.idle_s)
        with shop(server):
            time.sleep(load.warm_up_s)
            busy = watch(server, load.load_s)
            spans = server.get("/traces/counts", last="2h", buckets=1)["total"]
    return {
        "idle_pct": idle.share_pct,
        "idle_MB": idle.resident_mb[-1],
        "idle_mapped_MB": idle.mapped_mb,
        "load_pct": busy.share_pct,
        "resident_MB": busy.resident_mb[-1],
        "mapped_MB": busy.mapped_mb,
        "peak_MB": max(busy.resident_mb),
        "growth_MB_per_hour": busy.growth_mb_per_hour(),
        "spans": spans,
    }


def watch(server: ServerProcess, seconds: float) -> Watched:
    """Sample a server for some time, at least twice."""
    begun, cpu_s = time.monotonic(), cpu_seconds(server.pid)
    resident_mb, hours = [], []
    while True:
        passed_s = time.monotonic() - begun
        resident_mb.append(resident_bytes(server.pid) / 1e6)
        hours.append(passed_s / 3600)
        if passed_s >= seconds and len(hours) > 1:
            break
        time.sleep(min(_SAMPLE_S, max(0.0, seconds - passed_s)))
    share_pct = 100 * (cpu_seconds(server.pid) - cpu_s) / passed_s
    return Watched(share_pct, resident_mb, hours, mapped_bytes(server.pid) / 1e6)


@contextmanager
def shop(server: ServerProcess) -> Iterator[None]:
    """Open the demo shop with its customers, sending to a server; closed at the end."""
    with tempfile.TemporaryDirectory(prefix="spanglass-shop-") as folder:
        words = ["--data", folder, "--shop-port", "0", "--send-to", server.url]
        environment = server.environment() | {"PYTHONPATH": str(ROOT / "demo")}
        process = subprocess.Popen(
            [sys.executable, "-m", "shop", *words], env=environment, stdout=subprocess.PIPE, text=True
        )
        try:
            if not any("Ctrl-C" in line for line in process.stdout):  # its last line of welcome
                raise SystemExit("the demo shop ended before it was open")
            yield
        finally:
            family = tree(process.pid)
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                for member in family:
                    member.kill()
            process.stdout.close()
