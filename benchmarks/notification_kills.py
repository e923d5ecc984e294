"""Alerts that get lost, or are told twice, when the server is killed again and again in a storm.

    python benchmarks/notification_kills.py [--alerts 10000] [--kills 100] [--seed 1]

While alerts are made over the API, the server is ended with SIGKILL at random moments and
started again. Each alert is a group of its own and is told over mail and a webhook. When all is quiet, every alert
that was acknowledged must have arrived at both sinks. Counted are messages that came twice with the same id, which a
crash between sending and logging makes unavoidable, and alerts that were told twice under different ids, of which
there must be none. Results go to benchmarks/out/notification_kills.json.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from loadgen.process import clean_up_on_sigterm
from loadgen.report import check, table, write
from loadgen.scenario import fresh_server
from loadgen.sinks import Sinks

if TYPE_CHECKING:
    from loadgen.server import ServerProcess

ROUTE = """  notifications:
    route: {channels: [mail, hook], group_by: ["..."], group_wait: 1s, group_interval: 1h, repeat_interval: 24h}
"""
CHANNELS = ("mail", "hook")
_LIFE_S = (0.1, 2.5)  # between ready and the kill
_QUIET_S = 15.0
_START_S = 180.0  # on a machine that is busy with other things
_PATIENCE_S = 900.0


class Storm:
    """Makes alerts in a thread; one that was not acknowledged is sent again, and is the same alert."""

    def __init__(self, server: ServerProcess, number: int, per_s: float) -> None:
        self._server = server
        self._number = number
        self._pause_s = 1 / per_s
        self.made = 0
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        begun = time.monotonic()
        while self.made < self._number:
            time.sleep(max(0.0, begun + self.made * self._pause_s - time.monotonic()))
            labels = {"service": f"service-{self.made % 50}", "number": str(self.made)}
            body = {"title": f"Alert {self.made}", "severity": "error", "labels": labels}
            body |= {"fingerprint": f"storm-{self.made}"}
            try:
                headers = {"content-type": "application/json"}
                answer = self._server.request("POST", "/api/monitoring/alerts/", json.dumps(body).encode(), headers)
            except (OSError, http.client.HTTPException):
                time.sleep(0.05)
                continue
            if answer.status in {200, 201}:
                self.made += 1

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join(_PATIENCE_S)


def wait_until_quiet(server: ServerProcess, sinks: Sinks) -> None:
    """Wait until nothing has arrived for a while, and nothing waits."""
    deadline, last, since = time.monotonic() + _PATIENCE_S, -1, time.monotonic()
    while time.monotonic() < deadline:
        # copied: the sinks go on in their own thread
        arrived = sum(len(times) for name in CHANNELS for times in list(sinks.received[name].values()))
        if arrived != last:
            last, since = arrived, time.monotonic()
        elif time.monotonic() - since > _QUIET_S and not server.get("/deliveries", state="waiting")["deliveries"]:
            return
        time.sleep(1)
    raise SystemExit("it did not become quiet in time")


def counted(sinks: Sinks, number: int) -> list[dict[str, Any]]:
    """Count what arrived at each sink."""
    rows = []
    for name in CHANNELS:
        received, alerts = sinks.received[name], sinks.alerts[name]
        rows.append({
            "channel": name,
            "alerts": number,
            "told": len(alerts),
            "lost": number - len(alerts),
            "messages": sum(len(times) for times in received.values()),
            "same_id_twice": sum(len(times) - 1 for times in received.values()),
            "two_ids": sum(len(ids) > 1 for ids in alerts.values()),
        })  # fmt: skip
    return rows


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description="Kill the server in a storm of alerts.")
    parser.add_argument("--alerts", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--per-second", type=float, default=25, help="alerts made a second, while the server is up")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    clean_up_on_sigterm()
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory(prefix="spanglass-bench-") as folder, Sinks() as sinks:
        config = Path(folder) / "settings.yaml"
        config.write_text(sinks.settings() + ROUTE)
        begun = time.monotonic()
        with fresh_server({"config": str(config), "alerting.shipped": "false"}) as server:
            with Storm(server, options.alerts, options.per_second) as storm:
                for _ in range(options.kills):
                    time.sleep(chance.uniform(*_LIFE_S))
                    server.kill()
                    server.start(timeout_s=_START_S)
                made_at_last_kill = storm.made
            wait_until_quiet(server, sinks)
        rows = counted(sinks, options.alerts)
    targets = [
        check("alerts that were lost", float(sum(row["lost"] for row in rows)), 0),
        check("alerts told under two ids", float(sum(row["two_ids"] for row in rows)), 0),
    ]
    print(table(rows))
    print(table(targets))
    results = {"rows": rows, "targets": targets, "kills": options.kills, "seconds": time.monotonic() - begun}
    print(f"{options.kills} kills, the last one after {made_at_last_kill} alerts, in {results['seconds']:.0f} s")
    print(f"written to {write('notification_kills', results)}")


if __name__ == "__main__":
    main()
