"""One large trace: how long the API and the pages take to answer it, and what that costs the server.

    python benchmarks/large_trace.py [--spans 100000] [--rounds 5] [--no-browser]

Starts a server, sends one trace, and asks for it again and again: as JSON, in columns, as each of its pages. Then opens
the pages in a headless Chromium (playwright, of the test dependencies): until rows are drawn, and frames a second while
the page scrolls by 200 pixels a frame, 13 windows a second.
Processor seconds are the server's own; on a machine that does other things too they say more than the wall time.
Results go to benchmarks/out/large_trace.json.
"""

from __future__ import annotations

import argparse
import http.client
import random
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loadgen.chromium import chromium, opened, scrolled
from loadgen.process import clean_up_on_sigterm, cpu_seconds
from loadgen.report import table, write
from loadgen.server import HOST, ServerProcess
from loadgen.traces import SPANS_PER_BODY, TraceMaker, encode_request

if TYPE_CHECKING:
    from collections.abc import Iterator

_PACKED = {"accept-encoding": "gzip"}
#: What is asked: a name, the path's end, headers, the seconds it may take.
QUESTIONS = (
    ("API, JSON", "/api/v1/traces/{}", {}, 2.0),
    ("API, JSON, gzip", "/api/v1/traces/{}", _PACKED, 2.0),
    ("API, columns", "/api/v1/traces/{}?format=columns", {}, 2.0),
    ("API, columns, gzip", "/api/v1/traces/{}?format=columns", _PACKED, 2.0),
    ("API, waterfall, gzip", "/api/v1/traces/{}?format=waterfall", _PACKED, 2.0),
    *(
        (f"page, {view}", f"/traces/{{}}?view={view}", _PACKED, 2.0)
        for view in ("waterfall", "spans", "flame", "services")
    ),
)
#: Pages that are opened and scrolled: the view, and what is in it when it is drawn.
PAGES = (("waterfall", ".wf-r[data-id]"), ("spans", "tbody tr"), ("flame", ".fl-f"), ("services", "tbody tr"))
#: Seconds until a page is drawn, and frames a second, that are aimed at.
OPEN_S, FRAMES_PER_S = 2.0, 50


def send(server: ServerProcess, count: int) -> str:
    """Send one trace of ``count`` spans in bodies of one service, and return its id in hex."""
    rng = random.Random(1)
    maker = TraceMaker(rng)
    spans = maker.large_trace(count)
    ordered = sorted(spans, key=lambda span: (span.service, span.instance))
    for body in _bodies(ordered, rng):
        answer = server.request("POST", "/v1/traces", body, {"content-type": "application/x-protobuf"})
        if answer.status != http.client.OK:
            raise SystemExit(f"sending failed: {answer.status} {answer.body[:500]!r}")
    return maker.trace_id.hex()


def _bodies(spans: list[Any], rng: random.Random) -> Iterator[bytes]:
    for start in range(0, len(spans), SPANS_PER_BODY):
        yield encode_request(spans[start : start + SPANS_PER_BODY], rng)[0]


def measure(server: ServerProcess, path: str, headers: dict[str, str], rounds: int) -> dict[str, Any]:
    """Ask ``rounds`` times after once that is not counted; the best wall time, and the mean of processor seconds."""
    walls_s, used_s, size = [], [], 0
    for _ in range(rounds + 1):
        connection = http.client.HTTPConnection(HOST, server.port, timeout=120)
        before_s, begun = cpu_seconds(server.pid), time.perf_counter()
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        size = len(response.read())
        walls_s.append(time.perf_counter() - begun)
        used_s.append(cpu_seconds(server.pid) - before_s)
        connection.close()
        if response.status != http.client.OK:
            raise SystemExit(f"GET {path}: {response.status}")
    walls_s, used_s = sorted(walls_s[1:]), used_s[1:]
    return {"best_s": walls_s[0], "median_s": walls_s[len(walls_s) // 2], "cpu_s": sum(used_s) / len(used_s),
            "MB": size / 1e6}  # fmt: skip


def draw(server: ServerProcess, trace_id: str, rounds: int) -> list[dict[str, Any]]:
    """Open each page ``rounds`` times in a browser, and scroll it: the median until it is drawn, the best scrolling."""
    rows = []
    with chromium() as browser:
        for view, selector in PAGES:
            opens_s, scrolls = [], []
            for _ in range(rounds):
                page, took_s = opened(browser, f"{server.url}/traces/{trace_id}?view={view}", selector)
                opens_s.append(took_s)
                scrolls.append(scrolled(page))
                page.context.close()
            open_s, best = sorted(opens_s)[rounds // 2], max(scrolls, key=lambda one: one["frames_per_s"])
            met = open_s <= OPEN_S and best["frames_per_s"] >= FRAMES_PER_S
            rows.append({"page": view, "best_s": min(opens_s), "median_s": open_s, **best, "met": met})
    return rows


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description="Measure one large trace.")
    parser.add_argument("--spans", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--no-browser", action="store_true", help="leave the part in Chromium out")
    options = parser.parse_args()
    clean_up_on_sigterm()
    rows, drawn = [], []
    with tempfile.TemporaryDirectory(prefix="spanglass-") as folder, ServerProcess(Path(folder) / "data") as server:
        trace_id = send(server, options.spans)
        for name, path, headers, limit_s in QUESTIONS:
            found = measure(server, path.format(trace_id), headers, options.rounds)
            rows.append({"question": name, **found, "limit_s": limit_s, "met": found["median_s"] <= limit_s})
        if not options.no_browser:
            drawn = draw(server, trace_id, options.rounds)
    print(*map(_readable, filter(None, (rows, drawn))), sep="\n\n")
    print(f"written to {write('large_trace', {'spans': options.spans, 'rows': rows, 'drawn': drawn})}")


def _readable(rows: list[dict[str, Any]]) -> str:
    """Lay the rows out with two decimals: seconds matter here in hundredths."""
    return table([{k: f"{v:.2f}" if isinstance(v, float) else v for k, v in row.items()} for row in rows])


if __name__ == "__main__":
    main()
