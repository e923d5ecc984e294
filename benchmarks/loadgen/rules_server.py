"""A whole server with many alert rules, in real time: what it uses with them and without, and how late it is."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cramjam

from loadgen.process import cpu_seconds, resident_bytes, settle
from loadgen.server import ServerProcess

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loadgen.rule_load import Load, MadeRule

_REMOTE_WRITE = {"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy"}
_OTLP = {"Content-Type": "application/x-protobuf"}


def server_figures(made: Sequence[MadeRule], load: Load, ticks: int, interval_s: int) -> dict[str, Any]:
    """What a server uses over so many intervals, without the rules and then with them, and how late they are.

    Lags are bounds of the server's own histogram, without the first ticks, which read what caches hold later.
    """
    folder = Path(tempfile.mkdtemp(prefix="spanglass-bench-"))
    rules = folder / "rules"
    rules.mkdir()
    settings = {"alerting.dir": str(rules), "alerting.interval": f"{interval_s}s", "alerting.shipped": "false"}
    try:
        with ServerProcess(folder / "data", settings) as server:
            _send(server, load.past(time.time_ns()))
            settle(server.pid, server.data)
            idle_s = _run(server, load, ticks, interval_s)
            (rules / "rules.yaml").write_text(_yaml(made))
            _run(server, load, 2, interval_s)  # the rules are read, and caches filled
            before = _lags(server)
            busy_s = _run(server, load, ticks, interval_s)
            status = server.request("GET", "/api/v1/rules").json()["alerter"]
            return {
                "rules": len(made),
                "without_%": 100 * idle_s / ticks / interval_s,
                "with_%": 100 * busy_s / ticks / interval_s,
                "rules_%": 100 * (busy_s - idle_s) / ticks / interval_s,
                "lag_p50_s": _quantile(0.5, before, _lags(server)),
                "lag_p99_s": _quantile(0.99, before, _lags(server)),
                "with_cold_p99_s": status["lag_p99_ns"] / 1e9,
                "missed": status["missed_ticks"],
                "failed": status["failed_evaluations"],
                "MB": resident_bytes(server.pid) / 1e6,
            }
    finally:
        shutil.rmtree(folder, ignore_errors=True)


_LAG = re.compile(r'^spanglass_alert_lag_seconds_bucket\{le="([^"]+)"\} ([0-9.e+]+)$', re.MULTILINE)


def _lags(server: ServerProcess) -> dict[float, float]:
    """How many ticks had at most a lag, by seconds, since the server began."""
    text = server.request("GET", "/metrics").body.decode()
    return {float(bound): float(count) for bound, count in _LAG.findall(text)}


def _quantile(share: float, before: dict[float, float], after: dict[float, float]) -> float:
    """The bound below which so many of the lags in between lie."""
    counts = {bound: count - before.get(bound, 0.0) for bound, count in after.items()}
    return min(bound for bound, count in counts.items() if count >= share * max(counts.values()))


def _yaml(made: Sequence[MadeRule]) -> str:
    """The rules as their file; JSON is YAML, and quotes conditions."""
    return json.dumps({"alert_rules": [{"name": rule.name, "condition": rule.condition} for rule in made]})


def _run(server: ServerProcess, load: Load, ticks: int, interval_s: int) -> float:
    """Send what comes in during so many intervals, in real time; returns the server's processor seconds."""
    before_s, begun = cpu_seconds(server.pid), time.monotonic()
    for tick in range(ticks):
        _send(server, load.arriving(time.time_ns()))
        time.sleep(max(0.0, begun + (tick + 1) * interval_s - time.monotonic()))
    return cpu_seconds(server.pid) - before_s


def _send(server: ServerProcess, bodies: Any) -> None:
    for signal, body in bodies:
        if signal == "traces":
            answer = server.request("POST", "/v1/traces", body, _OTLP)
        else:
            written = bytes(cramjam.snappy.compress_raw(body))
            answer = server.request("POST", "/prometheus/api/v1/write", written, _REMOTE_WRITE)
        if answer.status // 100 != 2:
            raise SystemExit(f"the server answered {answer.status}: {answer.body[:300]!r}")
