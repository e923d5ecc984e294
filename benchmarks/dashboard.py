"""A dashboard of 12 panels over 30 days of metrics of 100 services, through the HTTP API: with rollups, and without.

    python benchmarks/dashboard.py [--days 30] [--services 100] [--every 60] [--keep DIR]

Sends a gauge, a counter, a histogram of 14 bounds and another gauge of each service, a point every so many seconds,
by OTLP; waits until all of it is rolled up; then asks for all panels as a browser does, six at a time. A second pass
asks at steps of a second less than three hours, which rollups can't answer: the same panels from the points themselves.
Cold is the first time after a start of the server. Results go to benchmarks/out/dashboard.json.
"""

from __future__ import annotations

import argparse
import http.client
import json
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from loadgen.process import clean_up_on_sigterm
from loadgen.report import table, write
from loadgen.server import HOST, ServerProcess

if TYPE_CHECKING:
    from collections.abc import Iterator

NS = 10**9
HOUR_S = 3600
#: A round number of windows that are rolled up (6 hours).
WINDOW_S = 6 * HOUR_S
BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]
PANELS = [
    ("line", "sum(rate(shop_requests_total[$__rate_interval]))"),
    ("line", "sum by (job) (rate(shop_requests_total[$__rate_interval]))"),
    ("top", "topk(10, sum by (job) (rate(shop_requests_total[$__rate_interval])))"),
    ("line", "histogram_quantile(0.95, sum by (le) (rate(shop_duration_seconds_bucket[$__rate_interval])))"),
    ("line", "histogram_quantile(0.5, sum by (le) (rate(shop_duration_seconds_bucket[$__rate_interval])))"),
    ("heatmap", "sum by (le) (increase(shop_duration_seconds_bucket[$__rate_interval]))"),
    ("line", "sum(rate(shop_duration_seconds_sum[1h])) / sum(rate(shop_duration_seconds_count[1h]))"),
    ("line", "avg(avg_over_time(shop_memory_bytes[$__rate_interval]))"),
    ("line", "topk(5, max_over_time(shop_memory_bytes[$__rate_interval]))"),
    ("stat", "sum(shop_queue_length)"),
    ("gauge", "max(shop_memory_bytes)"),
    ("table", "topk(20, sum by (job) (increase(shop_requests_total[1d])))"),
]  # fmt: skip
#: Marks in the template: times are counted in points, values and counts grow with them.
_TIME, _START = 0x5A5A_0000_0000_0000, 0x3C3C_0000_0000_0000


def template(services: int, points: int) -> tuple[bytes, int]:
    """A body of an hour whose times are marks, and how many points it has."""
    request = ExportMetricsServiceRequest()
    for service in range(services):
        resource = request.resource_metrics.add()
        resource.resource.attributes.add(key="service.name").value.string_value = f"service-{service:03}"
        resource.resource.attributes.add(key="service.instance.id").value.string_value = f"i-{service:03}"
        metrics = resource.scope_metrics.add(scope={"name": "shop"}).metrics
        counter = metrics.add(name="shop.requests").sum
        duration = metrics.add(name="shop.duration", unit="s").histogram
        counter.aggregation_temporality = duration.aggregation_temporality = 2
        counter.is_monotonic = True
        gauges = [metrics.add(name="shop.memory", unit="By").gauge, metrics.add(name="shop.queue.length").gauge]
        for place in range(points):
            facts = {"time_unix_nano": _TIME + place, "start_time_unix_nano": _START}
            counter.data_points.add(as_int=1 + place * (service + 1), **facts)
            for gauge in gauges:
                gauge.data_points.add(as_double=1e6 * (1 + service) + 1e5 * np.sin(place / 7 + service), **facts)
            counts = [place * (1 + (bucket + service) % 5) for bucket in range(len(BOUNDS) + 1)]
            duration.data_points.add(
                bucket_counts=counts, explicit_bounds=BOUNDS, count=sum(counts), sum=0.1 * sum(counts), **facts
            )
    return request.SerializeToString(), services * points * 4


def bodies(days: int, services: int, every_s: int, end_s: int) -> Iterator[bytes]:
    """An hour of points each, from the oldest on: marks become times; counters are reset once an hour."""
    points = HOUR_S // every_s
    made, _ = template(services, points)
    raw = np.frombuffer(made, np.uint8)
    times = _places(made, _TIME)
    starts = _places(made, _START)
    numbers = np.array([int.from_bytes(made[at : at + 8], "little") - _TIME for at in times.tolist()])
    for hour in range(days * 24):
        start_s = end_s - days * 86_400 + hour * HOUR_S
        body = raw.copy()
        _put(body, times, (start_s + numbers * every_s + 1) * NS)
        _put(body, starts, np.full(len(starts), start_s * NS))
        yield body.tobytes()


def _places(made: bytes, mark: int) -> Any:
    """Where 64-bit numbers with a mark in their upper half stand."""
    upper = (mark >> 48).to_bytes(2, "little")
    found = np.flatnonzero(
        (np.frombuffer(made, np.uint8)[6:-1] == upper[0]) & (np.frombuffer(made, np.uint8)[7:] == upper[1])
    )
    zeros = np.frombuffer(made, np.uint8)[found[:, None] + np.arange(3, 6)]
    return found[(zeros == 0).all(axis=1)]


def _put(body: Any, places: Any, values: Any) -> None:
    body[places[:, None] + np.arange(8)] = values.astype("<u8").view(np.uint8).reshape(-1, 8)


def fill(server: ServerProcess, options: argparse.Namespace, end_s: int) -> float:
    """Send everything; returns the seconds it took."""
    begun = time.perf_counter()
    connection = http.client.HTTPConnection(HOST, server.port, timeout=300)
    for body in bodies(options.days, options.services, options.every, end_s):
        while True:
            connection.request("POST", "/v1/metrics", body, {"content-type": "application/x-protobuf"})
            answer = connection.getresponse()
            answer.read()
            if answer.status == http.client.OK:
                break
            if answer.status not in {429, 503}:
                raise SystemExit(f"loading failed: {answer.status}")
            time.sleep(1)
    connection.close()
    return time.perf_counter() - begun


def wait_for_rollups(server: ServerProcess, windows: int) -> float:
    """Wait until all windows are rolled up; returns the seconds it took."""
    begun = time.perf_counter()
    while True:
        text = _text(server)
        done = next((line for line in text.splitlines() if line.startswith("spanglass_rollup_seconds_count")), "x 0")
        if int(float(done.split()[-1])) >= windows:
            return time.perf_counter() - begun
        time.sleep(2)


def _text(server: ServerProcess) -> str:
    connection = http.client.HTTPConnection(HOST, server.port, timeout=60)
    connection.request("GET", "/metrics", headers={"accept": "text/plain"})
    return connection.getresponse().read().decode()


def draw(server: ServerProcess, start_s: int, end_s: int, step: dict[str, str]) -> dict[str, Any]:
    """Ask for all panels, six at a time; the seconds until the last answer, and how many series there were."""

    def one(panel: tuple[str, str]) -> tuple[float, int]:
        kind, query = panel
        body = {"panel": {"title": "p", "type": kind, "query": query}, "points": 240, **step}
        begun = time.perf_counter()
        connection = http.client.HTTPConnection(HOST, server.port, timeout=300)
        path = f"/api/v1/dashboards/panel-data?start={start_s}&end={end_s}"
        connection.request("POST", path, json.dumps(body), {"content-type": "application/json"})
        answer = connection.getresponse()
        content = json.loads(answer.read())
        connection.close()
        if answer.status != http.client.OK or content["errors"]:
            raise SystemExit(f"{query}: {answer.status} {content}")
        filled = len(content["series"]) or len((content["table"] or {}).get("rows", ())) or bool(content["heatmap"])
        if not filled:
            raise SystemExit(f"{query}: an empty panel")
        return time.perf_counter() - begun, filled

    begun = time.perf_counter()
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(one, PANELS))
    return {"all_s": time.perf_counter() - begun, "slowest_s": max(each for each, _ in found)}


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description="Measure a dashboard over weeks.")
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--services", type=int, default=100)
    parser.add_argument("--every", type=int, default=60, help="seconds between points")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--keep", type=Path, help="folder for the data")
    options = parser.parse_args()
    clean_up_on_sigterm()
    with tempfile.TemporaryDirectory(prefix="spanglass-") as folder:
        results = _measure(options, Path(folder) / "data" if options.keep is None else options.keep / "data")
    print(table(results["rows"]))
    print(f"written to {write('dashboard', results)}")


def _measure(options: argparse.Namespace, data: Path) -> dict[str, Any]:
    end_s = (int(time.time()) - 900) // WINDOW_S * WINDOW_S
    start_s = end_s - options.days * 86_400
    facts = {"days": options.days, "services": options.services, "every_s": options.every}
    data.parent.mkdir(exist_ok=True, parents=True)
    with ServerProcess(data) as server:
        facts["fill_s"] = fill(server, options, end_s)
        facts["rollups_s"] = wait_for_rollups(server, options.days * 4)
        time.sleep(15)
    rows = []
    for name, step in (("rollups", {}), ("points", {"step": "10799s"})):
        with ServerProcess(data) as server:
            first = draw(server, start_s, end_s, step)
            warm = [draw(server, start_s, end_s, step) for _ in range(options.rounds)]
        rows.append(
            {
                "read": name,
                "cold_ms": first["all_s"] * 1000,
                "warm_ms": median(each["all_s"] for each in warm) * 1000,
                "slowest_panel_cold_ms": first["slowest_s"] * 1000,
            }
        )
    return {"facts": facts, "rows": rows}


if __name__ == "__main__":
    main()
