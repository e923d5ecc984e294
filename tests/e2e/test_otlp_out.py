"""What went in as OTLP comes out of the API as OTLP/JSON, page by page, equal in every field."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path

import duckdb
import pytest
from official_json import official_json, records
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from otlp_bodies import post

from spanglass.cli.main import main

EXAMPLES = Path(__file__).parents[1] / "data" / "otlp-proto-examples"
EVER = {"start": "1970-01-01T00:00:00Z", "end": "2199-01-01T00:00:00Z", "format": "otlp"}
ROUTES = {"traces": "/spans", "logs": "/logs", "metrics": "/metrics/points"}
TRACE, SPAN = bytes(range(16)), bytes(range(1, 9))
NOW_NS = time.time_ns()


def common(resource, scope):
    """Fill what all signals have: attributes of every type, versions, schemas and dropped counts."""
    attributes = resource.resource.attributes
    attributes.add(key="service.name").value.string_value = "shop"
    attributes.add(key="Tenant").value.int_value = 2**62
    attributes.add(key="ratio").value.double_value = math.nan
    attributes.add(key="blob").value.bytes_value = b"\x00\xff"
    attributes.add(key="on").value.bool_value = False
    attributes.add(key="nothing").value.SetInParent()
    nested = attributes.add(key="nested").value.kvlist_value.values.add(key="list").value
    nested.array_value.values.add().int_value = 1
    resource.resource.dropped_attributes_count = 3
    resource.schema_url, scope.schema_url = "https://resource.example", "https://scope.example"
    scope.scope.name, scope.scope.version, scope.scope.dropped_attributes_count = "lib", "1.2", 1
    scope.scope.attributes.add(key="kind").value.string_value = "auto"


def traces():
    """Make three spans with events, links, flags, trace state, status and dropped counts; one is sent twice."""
    request = ExportTraceServiceRequest()
    scope = (resource := request.resource_spans.add()).scope_spans.add()
    common(resource, scope)
    for number in (1, 2, 2, 3):
        span = scope.spans.add(trace_id=TRACE, span_id=bytes([number]) * 8, parent_span_id=SPAN, name="GET /", kind=2)
        span.start_time_unix_nano, span.end_time_unix_nano = NOW_NS, NOW_NS + number - 2  # the first ends too early
        span.trace_state, span.flags, span.status.code, span.status.message = "a=b", 257, 2, "no"
        span.dropped_attributes_count, span.dropped_events_count, span.dropped_links_count = 1, 2, 3
        span.attributes.add(key="http.route").value.string_value = "/"
        event = span.events.add(time_unix_nano=NOW_NS, name="exception", dropped_attributes_count=4)
        event.attributes.add(key="exception.type").value.string_value = "Timeout"
        link = span.links.add(trace_id=TRACE, span_id=SPAN, trace_state="c=d", flags=1, dropped_attributes_count=5)
        link.attributes.add(key="weight").value.double_value = 0.5
    return request


def logs():
    """Make records with bodies of every type, some equal in everything, with and without a span and a time."""
    request = ExportLogsServiceRequest()
    scope = (resource := request.resource_logs.add()).scope_logs.add()
    common(resource, scope)
    for set_body in (
        lambda body: setattr(body, "string_value", "5"),
        lambda body: setattr(body, "string_value", "5"),
        lambda body: setattr(body, "int_value", 5),
        lambda body: setattr(body, "bytes_value", b"\x05"),
        lambda body: body.kvlist_value.values.add(key="a").value.array_value.values.add().SetInParent(),
        lambda body: body.SetInParent(),
    ):
        record = scope.log_records.add(time_unix_nano=NOW_NS, observed_time_unix_nano=NOW_NS + 1)
        record.severity_number, record.severity_text, record.event_name = 17, "ERROR", "order.failed"
        record.trace_id, record.span_id, record.flags, record.dropped_attributes_count = TRACE, SPAN, 1, 2
        record.attributes.add(key="order").value.int_value = 7
        set_body(record.body)
    scope.log_records.add(observed_time_unix_nano=NOW_NS + 2)
    return request


def metrics():
    """Make points of every type, with temporality, start times, flags and exemplars, and a gap."""
    request = ExportMetricsServiceRequest()
    scope = (resource := request.resource_metrics.add()).scope_metrics.add()
    common(resource, scope)
    times = {"start_time_unix_nano": NOW_NS - 5, "time_unix_nano": NOW_NS}
    named = {"unit": "s", "description": "How long."}
    scope.metrics.add(name="gauge", **named).gauge.data_points.add(time_unix_nano=NOW_NS, as_double=math.inf)
    total = scope.metrics.add(name="sum", **named)
    total.metadata.add(key="source").value.string_value = "poll"
    total.sum.aggregation_temporality, total.sum.is_monotonic = 2, True
    for number in range(3):
        point = total.sum.data_points.add(**times, as_int=number)
        point.attributes.add(key="pool").value.int_value = number
        exemplar = point.exemplars.add(time_unix_nano=NOW_NS, as_double=0.25, trace_id=TRACE, span_id=SPAN)
        exemplar.filtered_attributes.add(key="user").value.string_value = "a"
    total.sum.data_points.add(**times, flags=1)
    histogram = scope.metrics.add(name="histogram", **named).histogram
    histogram.aggregation_temporality = 1
    histogram.data_points.add(
        **times, count=3, sum=0.0, min=0.0, max=2.0, bucket_counts=[1, 2, 0], explicit_bounds=[0.5, 5.0]
    )
    exponential = scope.metrics.add(name="exponential", **named).exponential_histogram
    exponential.aggregation_temporality = 1
    point = exponential.data_points.add(**times, count=4, sum=1.5, scale=-2, zero_count=1, zero_threshold=0.1)
    point.positive.offset, point.negative.offset = -3, 4
    point.positive.bucket_counts.extend([1, 0, 1])
    point.negative.bucket_counts.append(1)
    summary = scope.metrics.add(name="summary", **named).summary.data_points.add(**times, count=9, sum=4.5)
    summary.quantile_values.add(quantile=0.99, value=2.5)
    return request


def read_back(server, kind, **parameters):
    """Turn all pages of a route; every record with all that it inherits, in the order of the pages."""
    found, cursor, turns = [], "", 0
    while cursor is not None and turns < 50:
        page = server.get(ROUTES[kind], **EVER, **parameters, cursor=cursor)
        cursor, turns = page.pop("next_cursor"), turns + 1
        page.pop("newest_cursor", None)
        found += records(page)
    return found


@pytest.fixture(scope="module")
def filled(shared_server):
    """Send the request of each signal to one server; a signal's route finds none of another."""
    for make in (traces, logs, metrics):
        answer = post(shared_server, make().SerializeToString(), kind=make.__name__)
        assert (answer.status, answer.body) == (200, b"")
    return shared_server


@pytest.mark.parametrize("order", ["desc", "asc"])
@pytest.mark.parametrize("make", [traces, logs, metrics], ids=lambda make: make.__name__)
def test_every_field_comes_back(filled, make, order):
    """Records with every field of the protocol read back equal, whatever the size of a page and its order."""
    expected = records(official_json(make()))
    assert sorted(read_back(filled, make.__name__, order=order, limit=1)) == expected
    assert sorted(read_back(filled, make.__name__, order=order, limit=100)) == expected


def comparable(record):
    """Read a record of the examples, where ids are in capitals, and 5 is written for 5.0."""
    return json.loads(record.lower(), parse_int=float)


def test_an_answer_can_be_sent_on(new_server):
    """The protocol's own examples read back equal; sent as they are to another server, they read back equal there."""
    first, other = new_server("first"), new_server("other")
    first.start()
    other.start()
    json_type = {"Content-Type": "application/json"}
    for kind, file in (("traces", "trace.json"), ("logs", "logs.json"), ("metrics", "metrics.json")):
        sent = (EXAMPLES / file).read_bytes()
        assert post(first, sent, json_type, kind).status == 200
        answer = first.get(ROUTES[kind], **EVER)
        assert post(other, json.dumps(answer).encode(), json_type, kind).status == 200

        expected = sorted((comparable(record) for record in records(json.loads(sent))), key=str)
        assert sorted(map(comparable, read_back(first, kind)), key=str) == expected
        assert sorted(map(comparable, read_back(other, kind)), key=str) == expected


def test_an_export_is_imported(filled, new_server, tmp_path, monkeypatch):
    """All that one server has, exported as one database and imported into another, reads back equal there."""
    monkeypatch.setenv("SPANGLASS_URL", filled.url)
    database = tmp_path / "all.duckdb"
    assert main(["export", "--last", "1h", "--format", "duckdb", "-o", str(database)]) == 0
    with duckdb.connect(str(database), read_only=True) as made:
        spans = made.execute("SELECT service_name, status, duration_ns FROM spans ORDER BY ALL").fetchall()
        assert spans == [("shop", "error", 0), ("shop", "error", 0), ("shop", "error", 0), ("shop", "error", 1)]
        assert made.execute("SELECT count(*) FROM logs").fetchall() == [(7,)]
        assert {"issues", "alerts", "metrics"} <= {name for (name,) in made.execute("SHOW TABLES").fetchall()}
    other = new_server("other")
    other.start()
    monkeypatch.setenv("SPANGLASS_URL", other.url)
    assert main(["import", str(database)]) == 0
    for kind in ROUTES:
        assert sorted(read_back(other, kind)) == sorted(read_back(filled, kind))


def test_points_are_chosen_by_name_and_filter(filled):
    """Only points of the metric that is named, and that the filter matches, are in the answer."""
    found = [json.loads(record) for record in read_back(filled, "metrics", name="sum", filter="pool > 0")]

    assert sorted(point["record"]["asInt"] for point in found) == ["1", "2"]
    assert {point["metric"]["name"] for point in found} == {"sum"}
