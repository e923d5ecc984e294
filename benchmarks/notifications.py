"""From the decision to tell until a message arrives, with one sink that hangs and one that fails.

    python benchmarks/notifications.py [--alerts 1000] [--seconds 60]

Alerts are made over the API at a steady rate, each a group of its own, told over mail (a real SMTP server) and three
webhooks: one that answers, one that never does, one that answers 503. Measured are the times from the decision (the
delivery log) to the sink, what the courier's own figures say, and how long the same requests of OTLP take to be
acknowledged before and during it. Results go to benchmarks/out/notifications.json.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import threading
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from loadgen.process import clean_up_on_sigterm, cpu_seconds, resident_bytes
from loadgen.report import check, table, write
from loadgen.scenario import fresh_server
from loadgen.sinks import Sinks
from loadgen.transports import Http

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loadgen.server import ServerProcess

ROUTE = """  notifications:
    route:
      channels: [mail, hook, hangs, fails]
      group_by: ["..."]
      group_wait: 1s
      group_interval: 5m
      repeat_interval: 4h
"""
_LIMIT_S = 5.0
_SHARE = 99
_PATIENCE_S = 120.0
_QUIET_S = 10.0
_SPANS = 200


def make_alert(server: ServerProcess, number: int) -> None:
    """Make an alert of a service."""
    labels = {"service": f"service-{number % 50}", "number": str(number)}
    body = {"title": f"Alert {number}", "severity": "error", "labels": labels, "description": "It is too slow."}
    headers = {"content-type": "application/json"}
    answer = server.request("POST", "/api/monitoring/alerts/", json.dumps(body).encode(), headers)
    if answer.status not in {200, 201}:
        raise RuntimeError(f"{answer.status} {answer.body[:200]!r}")


def make_alerts(server: ServerProcess, number: int, seconds: float) -> None:
    """Make them at a steady rate."""
    begun = time.monotonic()
    for position in range(number):
        time.sleep(max(0.0, begun + position * seconds / number - time.monotonic()))
        make_alert(server, position)


def deliveries(server: ServerProcess, channel: str) -> Iterator[dict[str, Any]]:
    """Yield what the delivery log has of a channel."""
    cursor = None
    while True:
        page = server.get("/deliveries", channel=channel, limit=1000, **({"cursor": cursor} if cursor else {}))
        yield from page["deliveries"]
        cursor = page["next_cursor"]
        if not cursor:
            return


def waits_s(server: ServerProcess, sinks: Sinks, channel: str) -> np.ndarray[Any, Any]:
    """Seconds from the decision to the first arrival, of every notification of a channel; infinite if it did not."""
    found = []
    for delivery in deliveries(server, channel):
        created_s = datetime.fromisoformat(delivery["created_at"]).timestamp()
        arrived = sinks.received[channel].get(delivery["id"])
        found.append(arrived[0] / 1e9 - created_s if arrived else np.inf)
    return np.array(found)


def spans_of_now(number: int) -> bytes:
    """Write a request of so many spans that ended just now."""
    request, now_ns = ExportTraceServiceRequest(), time.time_ns()
    resource = request.resource_spans.add()
    resource.resource.attributes.add(key="service.name").value.string_value = "shop"
    scope = resource.scope_spans.add()
    for _ in range(number):
        span = scope.spans.add(name="GET /cart", start_time_unix_nano=now_ns - 10**7, end_time_unix_nano=now_ns)
        span.trace_id, span.span_id = os.urandom(16), os.urandom(8)
    return request.SerializeToString()


class Acknowledged:
    """Sends OTLP at a steady rate in a thread, and measures how long each acknowledgement takes."""

    def __init__(self, server: ServerProcess, per_s: float = 5.0) -> None:
        self.took_s: list[float] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(Http(server.port, "traces"), per_s))

    def _run(self, transport: Http, per_s: float) -> None:
        while not self._stop.wait(1 / per_s):
            body = spans_of_now(_SPANS)
            begun = time.monotonic()
            transport.send(body)
            self.took_s.append(time.monotonic() - begun)

    def __enter__(self) -> list[float]:
        self._thread.start()
        return self.took_s

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def wait_for_all(server: ServerProcess, sinks: Sinks, number: int) -> None:
    """Wait until everything that can arrive has."""
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline and min(len(sinks.received[name]) for name in ("mail", "hook")) < number:
        time.sleep(0.5)
    server.get("/notifications")


def row(name: str, waits: np.ndarray[Any, Any]) -> dict[str, Any]:
    """Describe the times of one channel."""
    arrived = waits[np.isfinite(waits)]
    shares = dict(zip(("p50_s", "p99_s", "max_s"), np.percentile(arrived, [50, 99, 100]), strict=True))
    return {"channel": name, "decided": len(waits), "arrived": len(arrived), **{k: float(v) for k, v in shares.items()}}


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description="From the decision to the sink.")
    parser.add_argument("--alerts", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=60)
    options = parser.parse_args()
    clean_up_on_sigterm()
    with Sinks() as sinks:
        results = measure(sinks, options.alerts, options.seconds)
    print(table(results["channels"]))
    print(table(results["targets"]))
    print({name: value for name, value in results.items() if name not in {"channels", "targets"}})
    print(f"written to {write('notifications', results)}")


def measure(sinks: Sinks, number: int, seconds: float) -> dict[str, Any]:
    """Make the alerts and measure."""
    with tempfile.TemporaryDirectory(prefix="spanglass-bench-") as folder:
        config = Path(folder) / "settings.yaml"
        config.write_text(sinks.settings() + ROUTE)
        with fresh_server({"config": str(config), "alerting.shipped": "false"}) as server:
            with Acknowledged(server) as before:
                time.sleep(_QUIET_S)
            cpu_s = cpu_seconds(server.pid)
            with Acknowledged(server) as during:
                make_alerts(server, number, seconds)
            wait_for_all(server, sinks, number)
            used_s = cpu_seconds(server.pid) - cpu_s
            waits = {name: waits_s(server, sinks, name) for name in ("mail", "hook")}
            memory = resident_bytes(server.pid) / 1e6
            attempts = {name: len(list(deliveries(server, name))) for name in ("hangs", "fails")}
    targets = [check(f"{name}: p{_SHARE} in s", float(np.percentile(w, _SHARE)), _LIMIT_S) for name, w in waits.items()]
    return {
        "channels": [row(name, found) for name, found in waits.items()],
        "targets": targets,
        "waiting": attempts,
        "ack_p99_ms_before": float(np.percentile(before, _SHARE)) * 1e3,
        "ack_p99_ms_during": float(np.percentile(during, _SHARE)) * 1e3,
        "cpu_s": used_s,
        "resident_MB": memory,
    }


if __name__ == "__main__":
    main()
