"""Prometheus evaluating rules in real time over series that it is sent: what that costs it beyond taking them."""

from __future__ import annotations

import http.client
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cramjam

from loadgen.process import cpu_seconds
from loadgen.rule_load import Series, prometheus_rules
from loadgen.server import HOST, free_ports

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from loadgen.rule_load import MadeRule

_READY_S = 30.0
_STEPS = 25
_HEADERS = {
    "Content-Type": "application/x-protobuf",
    "Content-Encoding": "snappy",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
}


def prometheus_cpu(made: Sequence[MadeRule], series: int, ticks: int, interval_s: int) -> dict[str, Any]:
    """Processor seconds a tick that evaluation takes: with rules, less those without any, over as many ticks."""
    used = {}
    for name, own in (("without rules", []), ("with rules", made)):
        with _prometheus(prometheus_rules(own, interval_s)) as (port, pid):
            used[name] = _run(port, pid, Series(series), ticks, interval_s)
    spent = used["with rules"] - used["without rules"]
    return {
        "rules": len([rule for rule in made if rule.promql]),
        "with_rules_cpu_s": used["with rules"],
        "without_rules_cpu_s": used["without rules"],
        "cpu_s_per_tick": spent / ticks,
    }


def _run(port: int, pid: int, series: Series, ticks: int, interval_s: int) -> float:
    now_ms = time.time_ns() // 10**6
    for step in range(_STEPS):
        _send(port, series, now_ms - (_STEPS - step) * interval_s * 1000)
    time.sleep(interval_s)
    before_s, begun = cpu_seconds(pid), time.monotonic()
    for tick in range(ticks):
        _send(port, series, time.time_ns() // 10**6)
        time.sleep(max(0.0, begun + (tick + 1) * interval_s - time.monotonic()))
    return cpu_seconds(pid) - before_s


def _send(port: int, series: Series, time_ms: int) -> None:
    series.step()
    connection = http.client.HTTPConnection(HOST, port, timeout=60)
    for body in series.bodies(time_ms):
        connection.request("POST", "/api/v1/write", bytes(cramjam.snappy.compress_raw(body)), _HEADERS)
        response = connection.getresponse()
        text = response.read()
        if response.status // 100 != 2:
            raise SystemExit(f"prometheus answered {response.status} to a write: {text[:300]!r}")
    connection.close()


@contextmanager
def _prometheus(rules_text: str) -> Iterator[tuple[int, int]]:
    """Run Prometheus with rules on a folder of its own; its port and process id."""
    folder = Path(tempfile.mkdtemp(prefix="spanglass-bench-"))
    (folder / "rules.yml").write_text(rules_text)
    (folder / "prometheus.yml").write_text(f"rule_files: [{folder}/rules.yml]\n")
    (port,) = free_ports(1)
    process = subprocess.Popen(
        [
            *("prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"),
            *(f"--web.listen-address={HOST}:{port}", "--web.enable-remote-write-receiver", "--log.level=warn"),
        ],
        stdin=subprocess.DEVNULL,
    )
    try:
        _wait_until_ready(port)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _wait_until_ready(port: int) -> None:
    until = time.monotonic() + _READY_S
    while time.monotonic() < until:
        try:
            connection = http.client.HTTPConnection(HOST, port, timeout=5)
            connection.request("GET", "/-/ready")
            if connection.getresponse().status == http.client.OK:
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise SystemExit(f"prometheus was not ready after {_READY_S:g} s")
