"""Following logs: whether a page keeps up with what arrives, and what that costs.

    python benchmarks/log_tail.py [--rate 2000] [--seconds 20]

Starts a server, sends it so many log records a second, and opens ``/logs?follow=1`` in a Chromium without a window
(playwright, and chromium-headless-shell on PATH). Told are how far the newest line of the page is behind the newest one
that was acknowledged, the frames of the page a second and the longest one, how many lines the page holds, and the
processor time of page and server, with what ingest alone takes beside it. Results go to benchmarks/out/log_tail.json.
"""

from __future__ import annotations

import argparse
import bisect
import http.client
import os
import shutil
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from playwright.sync_api import Page, sync_playwright

from loadgen.process import clean_up_on_sigterm, cpu_seconds, tree
from loadgen.report import check, table, write
from loadgen.server import HOST, ServerProcess

_BODIES_PER_S = 20
_WARM_UP_S = 5.0
_LOOK_S = 0.25
_MOST_LINES = 500
_HEADERS = {"content-type": "application/x-protobuf"}

#: Counts frames and remembers the longest pause between two, since it was asked last.
_FRAMES = """() => {
  let last = performance.now();
  window.frames_ = { count: 0, longest: 0 };
  const next = (now) => {
    window.frames_.count += 1;
    window.frames_.longest = Math.max(window.frames_.longest, now - last);
    last = now;
    requestAnimationFrame(next);
  };
  requestAnimationFrame(next);
}"""
#: The number of the newest line, how many rows there are, the frames, and the bytes of the script's objects.
_LOOK = """() => {
  const newest = document.querySelector("#log .log-r code")?.textContent.match(/line (\\d+) /);
  const seen = { newest: newest ? Number(newest[1]) : -1, rows: document.querySelectorAll("#log > *").length,
    heap: performance.memory?.usedJSHeapSize ?? 0, ...window.frames_ };
  window.frames_.count = window.frames_.longest = 0;
  return seen;
}"""


@dataclass
class Sender:
    """Sends lines that are numbered at a steady rate, and remembers when each body was acknowledged."""

    port: int
    rate: int
    numbers: list[int] = field(default_factory=list)  # the last line of each body
    times_s: list[float] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)
    failure: str = ""

    def run(self) -> None:
        """Send until ``ended``."""
        connection, sent, begun = http.client.HTTPConnection(HOST, self.port, timeout=30), 0, time.monotonic()
        while not self.ended.is_set():
            count = int((time.monotonic() - begun) * self.rate) - sent
            if count <= 0:
                self.ended.wait(1 / _BODIES_PER_S)
                continue
            connection.request("POST", "/v1/logs", _body(sent, count), _HEADERS)
            response = connection.getresponse()
            response.read()
            if response.status != http.client.OK:
                self.failure = f"sending failed: {response.status}"
                return
            sent += count
            self.numbers.append(sent - 1)
            self.times_s.append(time.monotonic())

    def behind_s(self, number: int, now_s: float) -> float:
        """Return for how long there has been a line past one that was acknowledged."""
        place = bisect.bisect_right(self.numbers, number)
        return max(0.0, now_s - self.times_s[place]) if place < len(self.times_s) else 0.0


def _browser_s() -> float:
    """Return the processor time that the page's process has used; the server is a child of this one too."""
    pages = [each for each in tree(os.getpid()) if "--type=renderer" in each.cmdline()]
    return sum(cpu_seconds(each.pid) for each in pages)


def _body(first: int, count: int) -> bytes:
    request = ExportLogsServiceRequest()
    resource = request.resource_logs.add()
    name = resource.resource.attributes.add()
    name.key, name.value.string_value = "service.name", "tail"
    records = resource.scope_logs.add()
    for number in range(first, first + count):
        record = records.log_records.add()
        record.time_unix_nano = time.time_ns()
        record.severity_number = 9 if number % 20 else 17
        record.body.string_value = f"line {number} of a shop that logs a lot: order {number % 977} placed"
        for key, value in (("http.route", "/orders"), ("order.lines", str(number % 7))):
            attribute = record.attributes.add()
            attribute.key, attribute.value.string_value = key, value
    return request.SerializeToString()


def _watch(page: Page, sender: Sender, seconds: float) -> list[dict[str, Any]]:
    """Look at the page again and again."""
    page.evaluate(_FRAMES)
    looks: list[dict[str, Any]] = []
    until_s = time.monotonic() + seconds
    while time.monotonic() < until_s and not sender.failure:
        page.wait_for_timeout(_LOOK_S * 1000)
        now_s = time.monotonic()
        seen = page.evaluate(_LOOK)
        looks.append({**seen, "behind_s": sender.behind_s(seen["newest"], now_s)})
    if sender.failure:
        raise SystemExit(sender.failure)
    return looks


def _measured(looks: list[dict[str, Any]], seconds: float) -> dict[str, Any]:
    behind = sorted(look["behind_s"] for look in looks)
    return {
        "behind p50 s": behind[len(behind) // 2],
        "behind p95 s": behind[int(len(behind) * 0.95)],
        "frames/s": sum(look["count"] for look in looks) / seconds,
        "longest frame ms": max(look["longest"] for look in looks),
        "rows": max(look["rows"] for look in looks),
        "heap MB": max(look["heap"] for look in looks) / 1e6,
    }


def measure(rate: int, seconds: float) -> dict[str, Any]:
    """Follow ``rate`` lines a second for some seconds."""
    path = next(filter(None, map(shutil.which, ("chromium-headless-shell", "chromium"))), None)
    if path is None:
        raise SystemExit("no chromium-headless-shell on PATH: apt install chromium-headless-shell")
    with tempfile.TemporaryDirectory(prefix="log-tail-") as folder, ServerProcess(Path(folder) / "data") as server:
        sender = Sender(server.port, rate)
        thread = threading.Thread(target=sender.run, name="sender", daemon=True)
        thread.start()
        try:
            time.sleep(_WARM_UP_S)
            before_s = cpu_seconds(server.pid)
            time.sleep(seconds / 2)
            alone_s = 2 * (cpu_seconds(server.pid) - before_s)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
                page = browser.new_page(viewport={"width": 1440, "height": 900})
                page.goto(f"{server.url}/logs?last=5m&follow=1")
                page.wait_for_timeout(_WARM_UP_S * 1000)
                before_s, page_s, begun_s = cpu_seconds(server.pid), _browser_s(), time.monotonic()
                looks = _watch(page, sender, seconds)
                took_s = time.monotonic() - begun_s
                measured = _measured(looks, took_s)
                measured |= {
                    "page % of a core": 100 * (_browser_s() - page_s) / took_s,
                    "server % of a core": 100 * (cpu_seconds(server.pid) - before_s) / took_s,
                    "of that ingest %": 100 * alone_s / seconds,
                }
                browser.close()
        finally:
            sender.ended.set()
            thread.join(30)
    return {"lines/s": rate, "sent/s": sender.numbers[-1] / (sender.times_s[-1] - sender.times_s[0]), **measured}


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description="Measure a page that follows logs.")
    parser.add_argument("--rate", type=int, default=2_000, help="lines a second (2000)")
    parser.add_argument("--seconds", type=float, default=20, help="for how long (20)")
    arguments = parser.parse_args()
    clean_up_on_sigterm()
    measured = measure(arguments.rate, arguments.seconds)
    targets = [
        check("seconds behind, p95", measured["behind p95 s"], 2.0),
        check("% of a core, page", measured["page % of a core"], 50),
        check("rows in the page", measured["rows"], _MOST_LINES),
    ]
    print(table([measured]))
    print(table(targets))
    print(write("log_tail", {"measured": measured, "targets": targets}))


if __name__ == "__main__":
    main()
