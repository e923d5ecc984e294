"""Does anything grow with uptime? Minutes of demo-like load, with memory and open files sampled.

    python benchmarks/soak.py [--minutes 30] [--rate 2] [--settings NAME=VALUE ...]

Sends small bodies of all three signals at a steady rate and asks the API now and then, as a page that refreshes would.
Prints a sample a minute and, for the second half of the run, the slope per hour. Results go to
benchmarks/out/soak.json.
"""

from __future__ import annotations

import argparse
import itertools
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from loadgen.prepared import Bodies
from loadgen.process import clean_up_on_sigterm, disk_bytes, open_files, resident_bytes
from loadgen.report import table, write
from loadgen.scenario import fresh_server
from loadgen.traces import BASE_TIME_NS
from loadgen.transports import Http

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loadgen.server import ServerProcess

PAGES = ["/services?last=15m", "/traces?last=15m", "/logs?last=15m", "/metrics?last=15m", "/traces/counts?last=15m"]
_SAMPLE_S = 10


def bodies_for_ever(kinds: dict[str, Bodies]) -> Iterator[tuple[str, bytes]]:
    """Yield bodies of the three signals in turn, always of now and with new ids."""
    for position in itertools.count():
        for kind, source in kinds.items():
            turn, index = divmod(position, len(source))
            yield kind, source.body(index, time.time_ns() - BASE_TIME_NS - 2_000_000_000, turn)


def sample(server: ServerProcess, begun: float) -> dict[str, Any]:
    """Read what the server uses now."""
    return {
        "minute": (time.monotonic() - begun) / 60,
        "resident_MB": resident_bytes(server.pid) / 1e6,
        "open_files": open_files(server.pid),
        "disk_MB": disk_bytes(server.data) / 1e6,
    }


def slopes(samples: list[dict[str, Any]]) -> dict[str, float]:
    """Return growth per hour over the second half, when caches and buffers have filled."""
    half = samples[len(samples) // 2 :]
    hours = [row["minute"] / 60 for row in half]
    return {
        f"{name}_per_hour": float(np.polyfit(hours, [row[name] for row in half], 1)[0])
        for name in ("resident_MB", "open_files")
    }


def drive(server: ServerProcess, kinds: dict[str, Bodies], minutes: float, rate_per_s: float) -> list[dict[str, Any]]:
    """Keep the server under load and return the samples."""
    begun = time.monotonic()
    transports = {kind: Http(server.port, kind) for kind in kinds}
    samples, pages, refused = [], itertools.cycle(PAGES), 0
    for position, (kind, body) in enumerate(bodies_for_ever(kinds)):
        due = begun + position / rate_per_s
        time.sleep(max(0.0, due - time.monotonic()))
        refused += bool(transports[kind].send(body).error)
        if time.monotonic() - begun >= len(samples) * _SAMPLE_S:
            server.request("GET", f"/api/v1{next(pages)}")
            samples.append({**sample(server, begun), "refused": refused})
        if time.monotonic() - begun > minutes * 60:
            return samples
    return samples


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description="Look for growth over time.")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--rate", type=float, default=2, help="bodies of 500 records a second, over all signals")
    parser.add_argument("--settings", nargs="*", default=[], metavar="NAME=VALUE", help="settings of the server")
    options = parser.parse_args()
    clean_up_on_sigterm()
    kinds = {kind: Bodies(kind) for kind in ("traces", "logs", "metrics")}
    with fresh_server(dict(text.split("=", 1) for text in options.settings)) as server:
        samples = drive(server, kinds, options.minutes, options.rate)
    growth = slopes(samples)
    print(table(samples[:: max(1, 60 // _SAMPLE_S)]))
    print("second half:", ", ".join(f"{name} {value:+.1f}" for name, value in growth.items()))
    print(f"written to {write('soak', {'samples': samples, 'growth': growth})}")


if __name__ == "__main__":
    main()
