"""Clients of Prometheus against the server: promtool, prometheus-api-client, and what Grafana asks."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlencode

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from otlp_bodies import PROTOBUF
from prometheus_api_client import PrometheusConnect

ROOT = Path(__file__).parents[2]
STEP_S, STEPS = 15, 40
CUMULATIVE = 2
TRACE_ID = bytes(range(16))
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def put(attributes, **values):
    for key, value in values.items():
        attributes.add(key=key.replace("_", ".")).value.string_value = value


def exported(start_s):
    """A counter of two routes, a histogram with an exemplar, and an exponential histogram; a point every 15 s."""
    request = ExportMetricsServiceRequest()
    resource = request.resource_metrics.add()
    put(resource.resource.attributes, service_name="shop", service_instance_id="a", host_name="h1")
    metrics = resource.scope_metrics.add().metrics
    counter, histogram, native = (metrics.add() for _ in range(3))
    counter.name, counter.description = "http.requests", "Requests so far"
    histogram.name, histogram.unit, native.name = "http.request.duration", "s", "queue.wait"
    counter.sum.is_monotonic, counter.sum.aggregation_temporality = True, CUMULATIVE
    histogram.histogram.aggregation_temporality = native.exponential_histogram.aggregation_temporality = CUMULATIVE
    for step in range(STEPS):
        times = {"start_time_unix_nano": start_s * 10**9, "time_unix_nano": (start_s + (step + 1) * STEP_S) * 10**9}
        for route, each in (("/a", 15), ("/b", 30)):
            point = counter.sum.data_points.add(as_int=(step + 1) * each, **times)
            put(point.attributes, http_route=route)
        counts = [(step + 1) * 3, step + 1, 0]
        point = histogram.histogram.data_points.add(
            count=sum(counts), sum=step + 1.0, bucket_counts=counts, explicit_bounds=[0.1, 1.0], **times
        )
        put(point.attributes, http_route="/a")
        point.exemplars.add(
            time_unix_nano=times["time_unix_nano"], as_double=0.5, trace_id=TRACE_ID, span_id=b"12345678"
        )
        point = native.exponential_histogram.data_points.add(
            count=2 * step + 2, sum=3.0, scale=0, zero_count=0, **times
        )
        point.positive.bucket_counts.extend([step + 1, step + 1])
    return request.SerializeToString()


@pytest.fixture(scope="module")
def asked(shared_server):
    """Send the metrics; return the server with the time of the last point, in seconds."""
    start_s = int(time.time()) // STEP_S * STEP_S - (STEPS + 1) * STEP_S
    answer = shared_server.request("POST", "/v1/metrics", exported(start_s), PROTOBUF)
    assert answer.status == 200
    return shared_server, start_s + STEPS * STEP_S


@pytest.fixture
def promtool(asked, need):
    """Return a function that asks with promtool and gives what it printed."""
    program = shutil.which("promtool")
    if program is None:
        need("there is no promtool (Debian: apt install prometheus)")
    server, end_s = asked

    def ask(kind, *words):
        result = subprocess.run(
            [program, "query", kind, *words], capture_output=True, text=True, timeout=180, check=False
        )
        return result.returncode, result.stdout + result.stderr

    return ask, f"{server.url}/prometheus", end_s


def test_promtool_instant(promtool):
    """The tool reads vectors, scalars and matrices."""
    ask, url, end_s = promtool

    assert ask("instant", f"--time={end_s}", url, "sum by (http_route) (increase(http_requests_total[1m]))") == (
        0,
        f'{{http_route="/a"}} => 60 @[{end_s}]\n{{http_route="/b"}} => 120 @[{end_s}]\n',
    )
    assert ask("instant", f"--time={end_s}", url, "1 + 1") == (0, f"scalar: 2 @[{end_s}]\n")
    _, printed = ask("instant", f"--time={end_s}", url, 'http_requests_total{http_route="/a"}[30s]')
    assert [line.split()[0] for line in printed.splitlines()[1:]] == ["585", "600"]


def test_promtool_range(promtool):
    """The tool reads a matrix."""
    ask, url, end_s = promtool

    code, printed = ask(
        "range", f"--start={end_s - 60}", f"--end={end_s}", "--step=30s", url, "sum(increase(http_requests_total[1m]))"
    )

    assert (code, [line.split() for line in printed.splitlines()[1:]]) == (
        0,
        [["180", f"@[{at}]"] for at in range(end_s - 60, end_s + 1, 30)],
    )


def test_promtool_series_and_labels(promtool):
    """The tool lists series and values of a label."""
    ask, url, end_s = promtool

    code, printed = ask("series", f"--start={end_s - 60}", f"--end={end_s}", "--match=http_requests_total", url)
    assert (code, printed.splitlines()) == (
        0,
        [
            '{__name__="http_requests_total", http_route="/a", instance="a", job="shop"}',
            '{__name__="http_requests_total", http_route="/b", instance="a", job="shop"}',
        ],
    )
    assert ask("labels", f"--start={end_s - 60}", f"--end={end_s}", url, "http_route") == (0, "/a\n/b\n")


def test_promtool_errors(promtool):
    """The tool shows what was wrong."""
    ask, url, _ = promtool

    code, printed = ask("instant", url, "sum(")

    assert code == 1
    assert "bad_data" in printed
    assert "1:5: parse error" in printed


def test_prometheus_api_client(asked):
    """The client for Python connects, lists metrics, and reads values and ranges."""
    server, end_s = asked
    client = PrometheusConnect(f"{server.url}/prometheus", disable_ssl=True)

    assert client.check_prometheus_connection()
    assert {"http_requests_total", "http_request_duration_seconds_bucket", "target_info"} <= set(client.all_metrics())
    assert client.get_label_values("http_route") == ["/a", "/b"]
    found = client.custom_query('http_requests_total{http_route="/a"}', params={"time": end_s})
    assert [(series["metric"]["job"], series["value"]) for series in found] == [("shop", [end_s, "600"])]
    (one,) = client.custom_query_range(
        "histogram_quantile(0.5, rate(http_request_duration_seconds_bucket[5m]))",
        *(time_of(end_s - 30), time_of(end_s), "15"),
    )
    assert [round(float(value), 4) for _, value in one["values"]] == [0.0667] * 3


def time_of(seconds):
    """Return a time as the client takes it."""
    from datetime import datetime  # noqa: PLC0415 - only here

    return datetime.fromtimestamp(seconds)  # noqa: DTZ006 - the client calls timestamp()


def ask(server, method, path, fields):
    """Ask as Grafana does: forms by POST, the rest by GET."""
    body = urlencode(fields, doseq=True)
    target = f"/prometheus/api/v1{path}"
    if method == "POST":
        answer = server.request("POST", target, body.encode(), FORM)
    else:
        answer = server.request("GET", f"{target}?{body}")
    assert answer.status == 200, answer.body
    return answer.json()["data"]


def test_grafana(asked):
    """Everything that Grafana's data source asks is answered: test, completion, panels, exemplars."""
    server, end_s = asked
    span = {"start": str(end_s - 600), "end": str(end_s)}

    assert ask(server, "POST", "/query", {"query": "1+1", "time": f"{end_s}.25"})["result"] == [end_s + 0.25, "2"]
    assert ask(server, "GET", "/status/buildinfo", {})["version"]
    groups = ask(server, "GET", "/rules", {"type": "alert"})["groups"]
    assert {rule["type"] for group in groups for rule in group["rules"]} == {"alerting"}
    assert ask(server, "GET", "/metadata", {"limit": "10000"})["http_requests_total"] == [
        {"type": "counter", "help": "Requests so far", "unit": ""}
    ]
    assert "http_route" in ask(server, "POST", "/labels", {**span, "match[]": ["http_requests_total"]})
    names = ask(server, "GET", "/label/__name__/values", {**span, "match[]": '{job="shop"}'})
    assert {"http_requests_total", "queue_wait"} <= set(names)
    assert len(ask(server, "POST", "/series", {**span, "match[]": ['{__name__=~"http_.+",http_route="/a"}']})) == 6
    (native,) = ask(server, "POST", "/query", {"query": "queue_wait", "time": str(end_s)})["result"]
    assert native["histogram"] == [
        end_s,
        {"count": "80", "sum": "3", "buckets": [[0, "1", "2", "40"], [0, "2", "4", "40"]]},
    ]
    panel = {"query": "sum(increase(http_requests_total[1m0s]))", **span, "step": "15"}
    (series,) = ask(server, "POST", "/query_range", panel)["result"]
    assert series["values"][-1] == [end_s, "180"]


def test_exemplars(asked):
    """Exemplars name their trace, with the series that an expression names."""
    server, end_s = asked
    query = "histogram_quantile(0.9, rate(http_request_duration_seconds_bucket[5m]))"

    found = ask(server, "POST", "/query_exemplars", {"query": query, "start": end_s - 20, "end": end_s})

    labels = {exemplar["labels"]["trace_id"] for series in found for exemplar in series["exemplars"]}
    assert labels == {TRACE_ID.hex()}
    assert {series["seriesLabels"]["http_route"] for series in found} == {"/a"}


def test_the_documented_examples(asked):
    """Every expression of docs/promql.md and docs/promql-series.md is evaluated."""
    server, end_s = asked
    documents = [(ROOT / "docs" / name).read_text() for name in ("promql.md", "promql-series.md")]
    blocks = [block for text in documents for block in re.findall(r"^```\n(.*?)^```", text, re.MULTILINE | re.DOTALL)]
    examples = [
        line
        for block in blocks
        for line in block.splitlines()
        if not line.startswith(("spanglass", "curl", "promtool"))
    ]

    assert len(examples) > 5
    for example in examples:
        assert ask(server, "POST", "/query", {"query": example, "time": str(end_s)})["resultType"] == "vector", example


def test_the_command_line(asked):
    """``spanglass query`` reads what the server answers."""
    server, end_s = asked
    words = ["query", "sum(increase(http_requests_total[1m]))", "--time", str(end_s), "--range", "1m", "--step", "30s"]

    result = subprocess.run(
        [sys.executable, "-m", "spanglass.cli.main", *words, "--format", "ndjson", "--url", server.url],
        capture_output=True,
        timeout=180,
        check=True,
    )

    assert [value for _, value in json.loads(result.stdout)["values"]] == ["180"] * 3


def test_tokens(new_server):
    """With a read token the API is closed to others, in Prometheus' shape."""
    server = new_server(read_token="s3cret")  # noqa: S106 - of this test
    server.start()
    target = "/prometheus/api/v1/query?query=1"

    refused = server.request("GET", target)
    allowed = server.request("GET", target, b"", {"Authorization": "Bearer s3cret"})

    assert (refused.status, refused.json()["errorType"]) == (401, "unauthorized")
    assert (allowed.status, allowed.json()["data"]["result"][1]) == (200, "1")
