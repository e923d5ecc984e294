"""The real Prometheus of Debian scrapes an application and sends what it collected to the real server."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
import urllib.parse
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server
from remote_write_bodies import HEADERS_2, PATH, STALE, Write2, snappy

from loadgen.server import HOST, free_ports

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from loadgen.server import ServerProcess

_PATIENCE_S = 120.0  # only a failure waits so long
_TRACE_ID = "0af7651916cd43dd8448eb211c80319c"


def ask(server: ServerProcess, path: str, **parameters: str) -> Any:
    """Ask Prometheus' API of the server."""
    answer = server.request("GET", f"/prometheus/api/v1/{path}?{urllib.parse.urlencode(parameters)}")
    body = answer.json()
    assert body["status"] == "success", body
    return body["data"]


def values(server: ServerProcess, query: str) -> dict[str, str]:
    """The values of an instant query by their labels, as sorted JSON."""
    found = ask(server, "query", query=query)["result"]
    return {json.dumps(series["metric"], sort_keys=True): series["value"][1] for series in found}


def until(ask_again: Callable[[], object], wanted: object) -> None:
    """Ask until the answer is as it should be."""
    end = time.monotonic() + _PATIENCE_S
    while (found := ask_again()) != wanted:
        assert time.monotonic() < end, found
        time.sleep(0.1)


@contextmanager
def exposing() -> Iterator[int]:
    """An application with a few metrics, on a free port."""
    registry = CollectorRegistry()
    requests = Counter("shop_requests", "Requests of the shop.", ["code"], registry=registry)
    requests.labels("200").inc(3, exemplar={"trace_id": _TRACE_ID})
    requests.labels("500").inc(0.5)
    Gauge("shop_carts", "Open carts.", registry=registry).set(-7)
    duration = Histogram("shop_seconds", "Durations.", buckets=(0.1, 1), registry=registry)
    for seconds in (0.05, 0.5, 5):
        duration.observe(seconds)
    server, thread = start_http_server(0, HOST, registry=registry)
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def scraping(folder: Path, program: str, targets: list[str], url: str) -> Iterator[None]:
    """Prometheus with these targets, which sends on what it scrapes."""
    config = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
        "scrape_configs": [{"job_name": "team/shop", "static_configs": [{"targets": targets}]}],
        "remote_write": [
            {
                "url": url,
                "send_exemplars": True,
                "queue_config": {"batch_send_deadline": "200ms"},
                "metadata_config": {"send_interval": "1s"},
            }
        ],
    }
    (folder / "prometheus.yml").write_text(json.dumps(config))  # JSON is YAML
    (port,) = free_ports(1)
    options = {
        "config.file": folder / "prometheus.yml",
        "storage.tsdb.path": folder / "tsdb",
        "web.listen-address": f"{HOST}:{port}",
        "enable-feature": "exemplar-storage",
    }
    with (folder / "prometheus.log").open("wb") as log:
        command = [program, *(f"--{name}={value}" for name, value in options.items())]
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            yield
        finally:
            process.kill()
            process.wait()
            print((folder / "prometheus.log").read_text()[-4000:])  # noqa: T201 - pytest shows it when the test failed


@pytest.fixture
def prometheus(need: Callable[[str], None]) -> str:
    """Where the program is."""
    found = shutil.which("prometheus")
    if found is None:
        need("there is no prometheus: apt-get install --no-install-recommends prometheus, and stop its service")
    return found or ""


def sql(server: ServerProcess, statement: str) -> list[Any]:
    """The rows of a statement."""
    body = json.dumps({"sql": statement}).encode()
    rows: list[Any] = server.request("POST", "/api/v1/sql", body, {"content-type": "application/json"}).json()["rows"]
    return rows


_TYPES = "SELECT metric_type, is_monotonic, metric_metadata FROM metrics WHERE metric_name = 'shop_requests_total' "


def test_prometheus_sends_what_it_scrapes(shared_server, prometheus, tmp_path):
    """Names, labels, values, types, exemplars: what it scraped is what PromQL gives back, until the target is gone."""
    with ExitStack() as application, ExitStack() as sender:
        port = application.enter_context(exposing())
        sender.enter_context(scraping(tmp_path, prometheus, [f"{HOST}:{port}"], shared_server.url + PATH))

        def labels(name: str, **more: str) -> str:
            own = {"__name__": name, "instance": f"{HOST}:{port}", "job": "team/shop"}
            return json.dumps({**own, **more}, sort_keys=True)

        scraped = {
            "up": {labels("up"): "1"},
            "shop_requests_total": {
                labels("shop_requests_total", code="200"): "3",
                labels("shop_requests_total", code="500"): "0.5",
            },
            "shop_carts": {labels("shop_carts"): "-7"},
            "shop_seconds_bucket": {
                labels("shop_seconds_bucket", le=le): count for le, count in (("0.1", "1"), ("1.0", "2"), ("+Inf", "3"))
            },
        }
        # all at once: after a scrape that a busy machine was too slow for, series have ended until the next one
        until(lambda: {name: values(shared_server, name) for name in scraped}, scraped)
        latest = _TYPES + "AND flags IS NULL ORDER BY time DESC LIMIT 1"
        until(lambda: sql(shared_server, latest), [["sum", True, '{"prometheus.type":"counter"}']])
        exemplars = (
            "SELECT DISTINCT exemplar_trace_id FROM metrics WHERE metric_name = 'shop_requests_total' AND flags = 2"
        )
        until(lambda: sql(shared_server, exemplars), [[[_TRACE_ID]]])
        application.close()
        until(lambda: values(shared_server, "up"), {labels("up"): "0"})
        until(lambda: values(shared_server, "shop_carts"), {})
        assert values(shared_server, "last_over_time(shop_carts[5m])") == {labels("shop_carts"): "-7"}


def test_remote_write_2_over_http(shared_server):
    """A sender of 2.0 is told what was stored, and PromQL gives back floats and native histograms as they were."""
    now_ms = int(time.time() * 1000)
    request = Write2()
    request.series({"__name__": "w2_total", "job": "w2", "zone": "a.b"}, (now_ms, 4.5), kind="counter")
    histogram = request.series({"__name__": "w2_seconds", "job": "w2"}, kind="histogram").histograms.add(
        count_int=4, sum=9.5, schema=0, zero_threshold=0.001, zero_count_int=1, timestamp=now_ms
    )
    histogram.positive_spans.add(offset=0, length=2)
    histogram.positive_deltas.extend([1, 1])
    answer = shared_server.request("POST", PATH, snappy(request.body()), HEADERS_2)
    assert answer.status == 204
    assert answer.headers["x-prometheus-remote-write-samples-written"] == "1"
    assert answer.headers["x-prometheus-remote-write-histograms-written"] == "1"
    labels = json.dumps({"__name__": "w2_total", "job": "w2", "zone": "a.b"}, sort_keys=True)
    assert values(shared_server, 'w2_total{job="w2"}') == {labels: "4.5"}
    (series,) = ask(shared_server, "query", query="w2_seconds")["result"]
    assert series["histogram"][1] == {
        "count": "4",
        "sum": "9.5",
        "buckets": [[3, "-0.001", "0.001", "1"], [0, "0.5", "1", "1"], [0, "1", "2", "2"]],
    }


def test_native_histograms_come_back(shared_server):
    """Float counts, gaps, negative buckets and custom bounds are in PromQL's answer as they were sent; markers end."""
    now_ms = int(time.time() * 1000)
    request = Write2()
    floats = request.series({"__name__": "w2_floats", "job": "w2"}, kind="histogram").histograms.add(
        count_float=4.75, sum=-9.5, schema=0, zero_threshold=0.001, zero_count_float=0.25, timestamp=now_ms
    )
    for offset in (1, 2):
        floats.positive_spans.add(offset=offset, length=1)
    floats.positive_counts.extend([1.5, 2.5])
    floats.negative_spans.add(offset=0, length=1)
    floats.negative_counts.append(0.5)
    custom = request.series({"__name__": "w2_custom", "job": "w2"}, kind="histogram").histograms.add(
        count_int=5, sum=7, schema=-53, timestamp=now_ms, custom_values=[1, 2.5]
    )
    custom.positive_spans.add(offset=0, length=3)
    custom.positive_deltas.extend([1, 0, 2])
    gone = request.series({"__name__": "w2_gone", "job": "w2"}, kind="histogram").histograms
    gone.add(count_int=1, sum=1, timestamp=now_ms - 1)
    gone.add(sum=STALE, timestamp=now_ms)
    assert shared_server.request("POST", PATH, snappy(request.body()), HEADERS_2).status == 204
    found = {
        series["metric"]["__name__"]: series["histogram"][1]
        for series in ask(shared_server, "query", query='{__name__=~"w2_(floats|custom|gone)"}')["result"]
    }
    assert found == {
        "w2_floats": {
            "count": "4.75",
            "sum": "-9.5",
            "buckets": [
                [1, "-1", "-0.5", "0.5"],
                [3, "-0.001", "0.001", "0.25"],
                [0, "1", "2", "1.5"],
                [0, "8", "16", "2.5"],
            ],
        },
        "w2_custom": {
            "count": "5",
            "sum": "7",
            "buckets": [[3, "-Inf", "1", "1"], [0, "1", "2.5", "1"], [0, "2.5", "+Inf", "3"]],
        },
    }
