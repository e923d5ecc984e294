"""PromQL beside Debian's Prometheus: the same million points, the same questions in turn, the same cores.

    python benchmarks/promql.py [--fill otlp] [--rounds 15] [--only TEXT]

Needs ``prometheus`` on PATH (Debian: apt install prometheus). Both are filled with one million points of 14,500 series
over the last hour: Prometheus by remote write, Spanglass the same way or, with ``--fill otlp``, by OTLP with equal
points. Each question is asked of both in turn, answers are compared, medians printed. Results go to
benchmarks/out/promql.json.
"""

from __future__ import annotations

import argparse
import http.client
import json
import math
import shutil
import statistics
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from loadgen.process import clean_up_on_sigterm, cpu_seconds, resident_bytes, settle
from loadgen.prometheus_series import POINTS, SERIES, STEP_MS, STEPS, otlp_exports, remote_writes
from loadgen.report import table, write
from loadgen.scenario import fresh_server
from loadgen.server import HOST, free_ports

if TYPE_CHECKING:
    from collections.abc import Iterator

_READY_S = 30.0
_OK = range(200, 300)
#: Values may differ so much, relatively: sums are added up in another order.
_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Target:
    """A server that is asked; ``root`` is the part of its address before ``/api/v1``."""

    name: str
    port: int
    root: str
    pid: int
    connection: http.client.HTTPConnection

    @classmethod
    def of(cls, name: str, port: int, root: str, pid: int) -> Target:
        """Make a target; the connection opens with the first question."""
        return cls(name, port, root, pid, http.client.HTTPConnection(HOST, port, timeout=120))

    def ask(self, path: str, parameters: dict[str, Any]) -> tuple[float, bytes]:
        """Ask once, on a connection that is kept as clients do; returns seconds until the answer is whole, and it."""
        started = time.perf_counter()
        self.connection.request("GET", f"{self.root}/api/v1{path}?{urlencode(parameters)}")
        response = self.connection.getresponse()
        body = response.read()
        seconds = time.perf_counter() - started
        if response.status not in _OK:
            raise SystemExit(f"{self.name} answered {response.status}: {body[:500]!r}")
        return seconds, body


@dataclass(frozen=True)
class Question:
    """An expression; over a range of an hour in steps of 15 s, or at its end. ``ratio`` is what is aimed at."""

    name: str
    query: str
    ratio: float = 1.0
    is_range: bool = True

    def parameters(self, end_s: float) -> tuple[str, dict[str, Any]]:
        """Return path and parameters."""
        if self.is_range:
            return "/query_range", {"query": self.query, "start": end_s - 3600, "end": end_s, "step": 15}
        return "/query", {"query": self.query, "time": end_s}


QUESTIONS = (
    Question("sum by route of rate", "sum by (http_route) (rate(http_requests_total[5m]))", 0.5),
    Question(
        "quantile by route",
        "histogram_quantile(0.95, sum by (le, http_route) (rate(http_request_duration_seconds_bucket[5m])))",
        0.5,
    ),
    Question("topk of rate", "topk(10, rate(http_requests_total[5m]))", 0.5),
    Question("topk of sums", "topk(10, sum by (http_route, method) (rate(http_requests_total[5m])))", 0.5),
    Question(
        "rate, one series", 'rate(http_requests_total{instance="10.0.0.3:8080",http_route="/r7",method="GET"}[5m])'
    ),
    Question("rate, 200 series", 'rate(http_requests_total{instance="10.0.0.3:8080"}[5m])'),
    Question("rate, 5,800 series", "rate(http_requests_total[5m])", 0.5),
    Question("all 14,500 series", '{__name__=~".+"}', 0.5),
    Question(
        "instant, one series",
        'http_requests_total{instance="10.0.0.3:8080",http_route="/r7",method="GET"}',
        is_range=False,
    ),
    Question("instant, 14,500 series", '{__name__=~".+"}', is_range=False),
)


@contextmanager
def prometheus() -> Iterator[Target]:
    """Run Prometheus on a folder of its own, stopped and removed at the end."""
    program = shutil.which("prometheus")
    if program is None:
        raise SystemExit("there is no prometheus on PATH; Debian: apt install prometheus")
    folder = Path(tempfile.mkdtemp(prefix="spanglass-bench-"))
    (folder / "prometheus.yml").write_text("global: {}\n")
    (port,) = free_ports(1)
    command = [
        *(program, f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"),
        *(f"--web.listen-address={HOST}:{port}", "--web.enable-remote-write-receiver", "--log.level=warn"),
    ]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    try:
        _wait_until_ready(port)
        yield Target.of("prometheus", port, "", process.pid)
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _wait_until_ready(port: int) -> None:
    until = time.monotonic() + _READY_S
    while time.monotonic() < until:
        try:
            if _send(port, "GET", "/-/ready", b"", {}) == http.HTTPStatus.OK:
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise SystemExit(f"prometheus was not ready after {_READY_S:g} s")


def _send(port: int, method: str, path: str, body: bytes, headers: dict[str, str]) -> int:
    connection = http.client.HTTPConnection(HOST, port, timeout=60)
    connection.request(method, path, body, headers)
    status = connection.getresponse().status
    connection.close()
    return status


REMOTE_WRITE = {
    "Content-Type": "application/x-protobuf",
    "Content-Encoding": "snappy",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
}


def fill(target: Target, how: str, start_ms: int) -> dict[str, Any]:
    """Send all points; returns what that took."""
    if how == "otlp":
        path, headers, bodies = "/v1/metrics", {"Content-Type": "application/x-protobuf"}, otlp_exports(start_ms)
    else:
        path, headers, bodies = f"{target.root}/api/v1/write", REMOTE_WRITE, remote_writes(start_ms)
    cpu_s, begun = cpu_seconds(target.pid), time.perf_counter()
    for body in bodies:
        status = _send(target.port, "POST", path, body, headers)
        if status not in _OK:
            raise SystemExit(f"{target.name} answered {status} to a write")
    return {
        "server": target.name,
        "filled by": how,
        "points": POINTS,
        "seconds": time.perf_counter() - begun,
        "cpu_s_per_M": (cpu_seconds(target.pid) - cpu_s) / POINTS * 1e6,
        "MB": resident_bytes(target.pid) / 1e6,
    }


def measure(question: Question, ours: Target, theirs: Target, end_s: float, rounds: int) -> dict[str, Any]:
    """Ask both in turn; returns one row, with what differs between their answers."""
    path, parameters = question.parameters(end_s)
    bodies = [target.ask(path, parameters)[1] for target in (ours, theirs)]
    times: dict[str, list[float]] = {ours.name: [], theirs.name: []}
    for _ in range(rounds):
        for target in (ours, theirs):
            times[target.name].append(target.ask(path, parameters)[0] * 1000)
    medians = {name: statistics.median(values) for name, values in times.items()}
    ratio = medians[ours.name] / medians[theirs.name]
    return {
        "query": question.name,
        "series": len(json.loads(bodies[0])["data"]["result"]),
        "MB": len(bodies[0]) / 1e6,
        "spanglass_ms": medians[ours.name],
        "prometheus_ms": medians[theirs.name],
        "ratio": round(ratio, 2),
        "aim": question.ratio,
        "met": ratio <= question.ratio,
        "answers": difference(*map(json.loads, bodies)),
    }


def difference(ours: Any, theirs: Any) -> str:
    """Say in a few words where two answers differ."""
    mine, others = _by_labels(ours), _by_labels(theirs)
    if mine.keys() != others.keys():
        return f"{len(mine.keys() - others.keys())} series more, {len(others.keys() - mine.keys())} fewer"
    for labels, samples in mine.items():
        if len(samples) != len(others[labels]):
            return f"{len(samples)} samples instead of {len(others[labels])} of {dict(labels)}"
        for (at, value), (other_at, other) in zip(samples, others[labels], strict=True):
            if at != other_at or not _is_near(float(value), float(other)):
                return f"{value} at {at} instead of {other} at {other_at} of {dict(labels)}"
    return "equal"


def _is_near(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=_TOLERANCE, abs_tol=1e-12) or (math.isnan(one) and math.isnan(other))


def _by_labels(answer: Any) -> dict[frozenset[tuple[str, str]], list[Any]]:
    return {
        frozenset(series["metric"].items()): series.get("values") or [series["value"]]
        for series in answer["data"]["result"]
    }


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description="Measure PromQL beside Prometheus.")
    parser.add_argument("--fill", choices=("remote-write", "otlp"), default="remote-write", help="how ours is filled")
    parser.add_argument("--rounds", type=int, default=15, help="how often each question is asked of each")
    parser.add_argument("--only", default="", help="only questions whose name has this")
    options = parser.parse_args()
    clean_up_on_sigterm()
    end_ms = time.time_ns() // 1_000_000 // 15_000 * 15_000
    # never at a step, nor a range before one: Prometheus 2 has the sample at the left end of a range, 3 has it not
    start_ms = end_ms - (STEPS - 1) * STEP_MS - 7
    with prometheus() as theirs, fresh_server() as server:
        ours = Target.of("spanglass", server.port, "/prometheus", server.pid)
        print(f"{POINTS:,} points of {SERIES:,} series")
        filled = [fill(theirs, "remote-write", start_ms), fill(ours, options.fill, start_ms)]
        print(table(filled))
        settle(server.pid, server.data)
        rows = [
            measure(question, ours, theirs, end_ms / 1000, options.rounds)
            for question in QUESTIONS
            if options.only in question.name
        ]
    print(table(rows))
    print(f"written to {write('promql', {'filled': filled, 'rows': rows})}")


if __name__ == "__main__":
    main()
