"""The demo and its shop, started and driven from outside."""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx
    from otlp_receiver import Receiver, Record

HERE = Path(__file__).parent
DEMO = HERE.parents[1] / "demo"
STOP_LIMIT_S = 120
WAIT_LIMIT_S = 120

# Telemetry leaves at once: the tests wait for what they look for, and should not wait long.
QUICK_EXPORT = {
    "OTEL_BSP_SCHEDULE_DELAY": "100",
    "OTEL_BLRP_SCHEDULE_DELAY": "100",
    "OTEL_METRIC_EXPORT_INTERVAL": "500",
}


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for something that must happen. The limit is generous: it only ends a test that has failed."""
    deadline = time.monotonic() + WAIT_LIMIT_S
    while not condition():
        assert time.monotonic() < deadline, f"did not happen within {WAIT_LIMIT_S} s"
        time.sleep(0.05)


class Shop:
    """A running shop without customers: tests send the requests themselves."""

    def __init__(self, client: httpx.Client, receiver: Receiver) -> None:
        self.client = client
        self._receiver = receiver

    def turn(self, fault: str, *, on: bool) -> None:
        """Press a fault switch through the API."""
        self.client.put(f"/api/faults/{fault}", json={"on": on}).raise_for_status()

    def order(self, product: str = "p-01", **more: str) -> httpx.Response:
        """Place an order for one product."""
        order = {"email": "ada@example.com", "card": "visa", "items": {product: 2}, **more}
        return self.client.post("/api/orders", json=order)

    def new_trace(self) -> bytes:
        """Send the next requests as parts of one new trace and return its id."""
        trace_id = secrets.token_bytes(16)
        self.client.headers["traceparent"] = f"00-{trace_id.hex()}-{secrets.token_hex(8)}-01"
        return trace_id

    def in_trace(self, trace_id: bytes, matches: Callable[[Record], bool], at_least: int = 1) -> list[Record]:
        """Wait until `at_least` matching spans or log records of the trace have come; return them by time."""
        found = self.find(0, lambda record: record.trace_id == trace_id and matches(record), at_least)
        return sorted(found, key=lambda record: record.time_ns)

    def mark(self) -> int:
        """Return a place in the stream of telemetry, to look only at what comes after it."""
        return self._receiver.count()

    def find(self, mark: int, matches: Callable[[Record], bool], at_least: int = 1) -> list[Record]:
        """Wait until `at_least` matching records have come since `mark` and return all of them."""
        found: list[Record] = []

        def enough() -> bool:
            found[:] = [record for record in self._receiver.since(mark) if matches(record)]
            return len(found) >= at_least

        self.wait_until(enough)
        return found

    wait_until = staticmethod(wait_until)


class Demo:
    """Starts and stops `python -m shop`."""

    def environment(self) -> dict[str, str]:
        """Return the environment in which the demo runs, exporting quickly."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "SHOP_"))}
        return clean | QUICK_EXPORT | {"PYTHONPATH": os.pathsep.join([str(DEMO), str(HERE)])}

    def start(self, data: Path, *arguments: str) -> tuple[subprocess.Popen[str], str]:
        """Start the demo, the shop on free ports; return it with all it said up to the end of its greeting."""
        command = [sys.executable, "-m", "shop", "--data", str(data), "--shop-port", "0", *arguments]
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, env=self.environment(), stdout=pipe, stderr=pipe, text=True)
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if "Ctrl-C" in line:
                return process, "".join(said)
        _, errors = process.communicate()
        message = f"the demo ended with {process.returncode} after {said}: {errors}"
        raise AssertionError(message)

    def stop(self, process: subprocess.Popen[str]) -> None:
        """Stop the demo with SIGTERM; it must end well."""
        process.terminate()
        process.communicate(timeout=STOP_LIMIT_S)
        assert process.returncode == 0


def only_url(said: str) -> str:
    """Return the one URL in what the demo said; there must be no second one."""
    (url,) = re.findall(r"https?://\S+", said)
    return str(url)
