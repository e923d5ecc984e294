"""Which alerts does each fault of the demo shop raise, how soon, and does a healthy shop raise none.

    python benchmarks/alerts_in_the_demo.py --healthy 30          # minutes before the first fault
    python benchmarks/alerts_in_the_demo.py --only payment_down,slow_query

Starts the demo with its defaults and the rules that come with the product, waits, and switches each fault on for
``--fault`` seconds and off again until all is quiet. Printed: which alerts each fault opened, how long after it, and
what the evidence says of the cause.
"""

from __future__ import annotations

import argparse
import json
import re
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

ROOT = Path(__file__).parents[1]
#: The service in which each fault is: the alert of it, or of one that it makes fail, is the right one.
FAULTS = {
    "payment_failure": "payment",
    "product_failure": "catalog",
    "slow_query": "catalog",
    "n_plus_one": "catalog",
    "memory_leak": "web",
    "queue_lag": "fulfilment",
    "payment_down": "payment",
    "log_errors": "catalog",
}
POLL_S = 1.0
QUIET_S = 60


@dataclass
class Raised:
    """An alert as it was first seen, seconds after the fault."""

    after_s: float
    alert: dict[str, Any]
    cause: str = ""


@dataclass
class Shop:
    """The demo at work: its server and its switches."""

    process: subprocess.Popen[str]
    server: str
    switches: str
    seen: set[str] = field(default_factory=set)

    def ask(self, path: str) -> Any:
        """Ask the server."""
        with urlopen(f"{self.server}{path}", timeout=30) as answer:  # noqa: S310 - our own server
            return json.load(answer)

    def switch(self, fault: str, *, on: bool) -> None:
        """Switch a fault."""
        body = json.dumps({"on": on}).encode()
        url = f"{self.switches}/api/faults/{fault}"
        asked = Request(url, body, {"content-type": "application/json"}, method="PUT")  # noqa: S310
        with urlopen(asked, timeout=30):  # noqa: S310
            pass

    def new_alerts(self) -> list[dict[str, Any]]:
        """Alerts that were not seen before."""
        found = [a for a in self.ask("/api/monitoring/alerts/?limit=200")["alerts"] if a["id"] not in self.seen]
        self.seen |= {alert["id"] for alert in found}
        return found

    def open_alerts(self) -> int:
        """How many alerts are open."""
        counts = self.ask("/api/monitoring/alerts/?limit=1")["counts"]["status"]
        return int(counts["active"]) + int(counts["acknowledged"])

    def cause(self, alert_id: str) -> str:
        """What the evidence says of the cause."""
        return str(self.ask(f"/api/monitoring/alerts/{alert_id}/")["evidence"].get("cause") or "")


def started(folder: str, rate: float) -> Shop:
    """Start the demo on free ports."""
    words = ["--port", "0", "--grpc-port", "0", "--shop-port", "0", "--data", folder, "--rate", f"{rate:g}"]
    process = subprocess.Popen(
        [sys.executable, "-m", "shop", *words],
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT / "demo")},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None  # noqa: S101 - asked for
    server = switches = ""
    while not switches:
        line = process.stdout.readline()
        if not line:
            sys.exit("the demo ended")
        server = server or "".join(re.findall(r"http://[\d.:]+", line)[:1])
        switches = "".join(f"http://127.0.0.1:{port}" for port in re.findall(r"port (\d+) of this machine", line))
    return Shop(process, server, switches)


def watched(shop: Shop, seconds: float) -> list[Raised]:
    """Alerts that open in some time."""
    begin, found = time.monotonic(), []
    while (passed := time.monotonic() - begin) < seconds:
        found += [Raised(passed, alert) for alert in shop.new_alerts()]
        time.sleep(POLL_S)
    return found


def quiet_again(shop: Shop) -> list[Raised]:
    """Wait until no alert is open."""
    begin, found = time.monotonic(), []
    while shop.open_alerts() and time.monotonic() - begin < QUIET_S:
        found += watched(shop, 5 * POLL_S)
    return found


def tell(fault: str, found: list[Raised]) -> None:
    """Print what was raised."""
    print(f"\n{fault}: {len(found)} alerts")
    for one in found:
        part = "  part of a problem" if one.alert["part_of"] else ""
        print(f"  {one.after_s:6.1f} s  {one.alert['severity']:8} {one.alert['title']}{part}")
        if one.cause:
            print(f"            {one.cause}")
    sys.stdout.flush()


def main() -> None:
    """Run it."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--healthy", type=float, default=12, help="minutes without a fault at first")
    words.add_argument("--fault", type=float, default=75, help="seconds that each fault is on")
    words.add_argument("--only", default="", help="some faults, with commas")
    words.add_argument("--rate", type=float, default=4)
    asked = words.parse_args()
    faults = [name for name in FAULTS if not asked.only or name in asked.only.split(",")]
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        shop = started(folder, asked.rate)
        try:
            healthy = watched(shop, asked.healthy * 60)
            tell(f"{asked.healthy:g} healthy minutes", healthy)
            results["healthy"] = [one.alert["title"] for one in healthy]
            for fault in faults:
                shop.switch(fault, on=True)
                found = watched(shop, asked.fault)
                for one in found:
                    one.cause = shop.cause(one.alert["id"])
                    one.alert = shop.ask(f"/api/monitoring/alerts/{one.alert['id']}/")
                shop.switch(fault, on=False)
                tell(fault, found)
                late = quiet_again(shop)
                if late:
                    tell(f"{fault}, once it was over", late)
                results[fault] = [
                    {"after_s": one.after_s, "title": one.alert["title"], "cause": one.cause} for one in [*found, *late]
                ]
        finally:
            shop.process.send_signal(signal.SIGINT)
            shop.process.wait(60)
    out = ROOT / "benchmarks" / "out"
    out.mkdir(exist_ok=True)
    (out / "alerts_in_the_demo.json").write_text(json.dumps(results, indent=1), "utf-8")


if __name__ == "__main__":
    main()
