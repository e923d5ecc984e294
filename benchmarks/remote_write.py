"""Remote write: processor time and memory that a server needs to take and keep a million samples.

    python benchmarks/remote_write.py [--samples 1000000] [--series 14500] [--version 1] [--senders 4]

Starts a server and sends as Prometheus does: bodies of 2,000 samples, one a series, eight to ten labels each, in
blocks of snappy, from a few shards at once. It is stopped before the processor time is read, so that writing the
last segments is part of it. Results go to benchmarks/out/remote_write.json.
"""

from __future__ import annotations

import argparse
import http.client
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from loadgen.process import clean_up_on_sigterm, cpu_seconds, resident_bytes
from loadgen.report import table, write
from loadgen.server import HOST, ServerProcess

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "e2e"))

from remote_write_bodies import HEADERS_1, HEADERS_2, PATH, Write1, Write2, snappy

if TYPE_CHECKING:
    from collections.abc import Iterator

SAMPLES_PER_BODY = 2_000
STEP_MS = 15_000
_BOUNDS = ("0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "+Inf")


def series(count: int) -> Iterator[dict[str, str]]:
    """Label sets of an HTTP histogram and its counters, of several services, pods and routes."""
    for number in range(count):
        rest, bucket = divmod(number, len(_BOUNDS))
        rest, route = divmod(rest, 40)
        yield {
            "__name__": "http_server_request_duration_seconds_bucket",
            "cluster": "eu-west-1-production",
            "container": "app",
            "http_route": f"/api/v1/customers/{{customer}}/orders/{route}",
            "instance": f"10.0.{rest // 250}.{rest % 250}:9102",
            "job": f"production/service-{rest % 12}",
            "le": _BOUNDS[bucket],
            "method": ("GET", "POST", "PUT")[route % 3],
            "namespace": "production",
            "pod": f"service-{rest % 12}-6f7c9d8b5-{rest:05d}",
            "status": ("200", "404", "500")[route % 3],
        }


def bodies(samples: int, labels: list[dict[str, str]], version: int, end_ms: int) -> Iterator[bytes]:
    """Requests as they go over the wire, in order of time."""
    steps = -(-samples // len(labels))
    sent = 0
    for step in range(steps):
        at = end_ms - (steps - step) * STEP_MS
        for start in range(0, len(labels), SAMPLES_PER_BODY):
            request = Write1() if version == 1 else Write2()
            for number, one in enumerate(labels[start : start + SAMPLES_PER_BODY], start):
                if sent == samples:
                    break
                options = {} if version == 1 else {"kind": "histogram", "help_text": "Duration of requests."}
                request.series(one, (at, float(step * 17 + number)), **options)
                sent += 1
            yield snappy(request.body())


def send(port: int, waiting: Iterator[bytes], turn: threading.Lock, version: int) -> None:
    """One shard: send bodies over one connection until there are no more."""
    connection = http.client.HTTPConnection(HOST, port, timeout=60)
    while True:
        with turn:
            body = next(waiting, None)
        if body is None:
            return
        connection.request("POST", PATH, body, HEADERS_1 if version == 1 else HEADERS_2)
        response = connection.getresponse()
        text = response.read()
        if response.status != http.client.NO_CONTENT:
            raise SystemExit(f"sending failed: {response.status} {text[:500]!r}")


def main() -> None:
    """Send, and print what it cost."""
    clean_up_on_sigterm()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=1_000_000)
    parser.add_argument("--series", type=int, default=14_500)
    parser.add_argument("--version", type=int, choices=(1, 2), default=1)
    parser.add_argument("--senders", type=int, default=4)
    options = parser.parse_args()
    prepared = list(bodies(options.samples, list(series(options.series)), options.version, int(time.time() * 1000)))
    with tempfile.TemporaryDirectory() as folder, ServerProcess(Path(folder) / "data") as server:
        before_s, begun = cpu_seconds(server.pid), time.perf_counter()
        waiting, turn = iter(prepared), threading.Lock()
        arguments = (server.port, waiting, turn, options.version)
        senders = [threading.Thread(target=send, args=arguments) for _ in range(options.senders)]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        wall_s = time.perf_counter() - begun
        taken_s, memory = cpu_seconds(server.pid) - before_s, resident_bytes(server.pid)
        time.sleep(40)  # the last records become segments
        used_s = cpu_seconds(server.pid) - before_s
    result = {
        "version": options.version,
        "samples": options.samples,
        "bodies_mb": sum(map(len, prepared)) / 1e6,
        "wall_s": wall_s,
        "cpu_s_until_acknowledged": taken_s,
        "cpu_s_per_million": used_s / options.samples * 1e6,
        "resident_mb": memory / 1e6,
    }
    print(table([{name: round(value, 2) for name, value in result.items()}]))
    write("remote_write", result)


if __name__ == "__main__":
    main()
