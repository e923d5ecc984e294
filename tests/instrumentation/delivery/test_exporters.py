"""All three signals over both protocols into a real server, and servers that do not behave."""

from __future__ import annotations

import logging
import sys

import pytest
import requests
from opentelemetry.instrumentation.logging.handler import LoggingHandler
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext, TraceFlags

from spanglass.delivery.closing import Closing, shutdown_within
from spanglass.delivery.counts import DeliveryCounts, Failure
from spanglass.delivery.exporters import make_exporters
from spanglass.delivery.processors import LogBatcher
from spanglass.runtime_metrics.intervals import INTERVALS
from spanglass.settings.settings import SettingsError, load

AFTERWARDS = "they are tried again, and dropped after that. Is a server running there? `spanglass doctor` tells more"
PROTOCOLS = pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])


def address(server, protocol):
    """Return the address of a real server for a protocol."""
    return server.url if protocol == "http/protobuf" else f"http://127.0.0.1:{server.grpc_port}"


@PROTOCOLS
def test_all_signals_arrive_in_the_server_and_are_counted(new_server, new_delivery, protocol):
    """A span, a log record and a data point are found in the server; each is counted as sent, nothing else is.

    The answer to the data point says how often collectors are to measure.
    """
    server = new_server()
    server.start()
    requests.put(f"{server.url}/api/monitoring/collectors/host/", json={"interval": "60s"}, timeout=30)
    delivery = new_delivery(address(server, protocol), protocol=protocol)
    meters = MeterProvider(
        [PeriodicExportingMetricReader(delivery.exporters.metrics, 3_600_000)], shutdown_on_exit=False
    )
    loggers = LoggerProvider(shutdown_on_exit=False)
    loggers.add_log_record_processor(
        LogBatcher(
            delivery.exporters.logs, delivery.counts, delivery.closing, capacity=10, timeout_ns=delivery.timeout_ns
        )
    )
    logger = logging.getLogger(f"shop.{protocol}")
    logger.addHandler(LoggingHandler(logger_provider=loggers))

    trace_ids = delivery.end_spans("charge")
    logger.warning("card declined")
    meters.get_meter("shop").create_counter("orders").add(3)
    shutdown_within([delivery.provider, meters, loggers], delivery.timeout_ns, delivery.closing)

    assert [span["name"] for span in server.get(f"/traces/{trace_ids[0]}")["spans"]] == ["charge"]
    assert [record["body"] for record in server.get("/logs")["logs"]] == ["card declined"]
    assert [row["name"] for row in server.get("/metrics")["metrics"]] == ["orders"]
    counts = delivery.counts.snapshot()
    assert {name: (each.sent, each.lost, each.requests) for name, each in counts.items()} == {
        "traces": (1, 0, 1),
        "metrics": (1, 0, 1),
        "logs": (1, 0, 1),
    }
    assert {each.last_success_unix_ns for each in counts.values()} == {42}
    assert INTERVALS.of("host") == 60 * 10**9
    INTERVALS.told("")


def test_connections_are_kept_open(canned, new_delivery):
    """Ten requests one after the other take one connection."""
    delivery = new_delivery(canned.url)
    for number in range(10):
        delivery.end_spans(f"span {number}")
        assert delivery.flush()

    assert (len(canned.received), len(canned.connections)) == (10, 1)


def test_a_span_that_nobody_can_encode_is_counted_and_the_others_arrive(canned, new_delivery, monkeypatch):
    """An id has too many bits costs its span, by a cause of its own, and no other of the batch."""
    monkeypatch.delenv("SPANGLASS_STRICT")
    delivery = new_delivery(canned.url)
    wrong = SpanContext(5, 2**64, is_remote=True, trace_flags=TraceFlags(1))
    delivery.spans.on_end(ReadableSpan("bad", wrong, resource=Resource({})))
    delivery.end_spans("good")
    assert delivery.flush()

    assert canned.span_names() == ["good"]
    assert (delivery.traces.sent, delivery.traces.failed) == (1, {"not_encodable": 1})


def test_token_and_headers_are_sent_and_netrc_is_not_asked(canned, new_delivery, tmp_path, monkeypatch):
    """The token is the Authorization header, whatever ~/.netrc says; further headers are sent as they are set."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    delivery = new_delivery(canned.url, token="s3cret", headers={"x-tenant": "acme"})  # noqa: S106 - of the test
    delivery.end_spans("charge")
    assert delivery.flush()

    headers = canned.received[0][1]
    assert {name: headers[name] for name in ("authorization", "x-tenant", "content-type", "content-encoding")} == {
        "authorization": "Bearer s3cret",
        "x-tenant": "acme",
        "content-type": "application/x-protobuf",
        "content-encoding": "gzip",
    }


@pytest.mark.parametrize(
    ("status", "headers", "body", "kind", "reason"),
    [
        (400, {}, b"", "400", "400 Bad Request"),
        (401, {}, b"", "401", "401 Unauthorized; set `token` to the server's ingest token"),
        (404, {}, b"", "404", "404 Not Found; `endpoint` is the server's address without /v1/traces"),
        (500, {"Content-Type": "text/html"}, b"<h1>oh</h1>", "500", "500 Internal Server Error"),
        (
            400,
            {"Content-Type": "application/x-protobuf"},
            b"\x12\x08bad span",  # a google.rpc.Status with a message
            "400",
            "400 Bad Request: bad span",
        ),
        (
            302,
            {"Location": "https://login.example/"},
            b"",
            "302",
            "302 Found: it points to https://login.example/; set `endpoint` to that server",
        ),
        (
            200,
            {"Content-Type": "text/html; charset=utf-8"},
            b"<h1>It works</h1>",
            "html",
            "the answer is a web page, not OTLP; check `endpoint`",
        ),
    ],
)
def test_what_is_refused_is_not_sent_again(canned, new_delivery, status, headers, body, kind, reason):
    """An answer that OTLP calls final, a redirect and a web page lose the batch at once, with the reason."""
    canned.status, canned.headers, canned.body = status, headers, body
    delivery = new_delivery(canned.url)
    delivery.end_spans("a", "b")
    assert delivery.flush()

    counts = delivery.traces
    assert (dict(counts.failed), counts.requests, len(canned.received)) == ({kind: 2}, 1, 1)
    assert counts.last_failure == Failure(reason, kind, status, 42)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_what_may_be_taken_later_is_tried_six_times(canned, new_delivery, status):
    """Without a spool a batch that is put off is repeated five times and then counted as failed."""
    canned.status = status
    delivery = new_delivery(canned.url)
    delivery.end_spans("a", "b")
    assert delivery.flush()

    counts = delivery.traces
    assert (dict(counts.failed), counts.requests, counts.retries) == ({str(status): 2}, 6, 5)


def test_a_server_that_comes_back_between_attempts_gets_the_batch(canned, new_delivery):
    """The same bytes are sent again, and taken; nothing is lost."""
    canned.status = 503
    delivery = new_delivery(canned.url, send_timeout="30s")
    delivery.exporters.spans._courier._backoff = lambda _attempt: setattr(canned, "status", 200) or 1
    delivery.end_spans("a")
    assert delivery.flush()

    assert len({body for _path, _headers, body in canned.received}) == 1
    assert (delivery.traces.sent, delivery.traces.lost, canned.span_names()) == (1, 0, ["a"])


def test_records_that_the_server_leaves_out_are_counted(canned, new_delivery, caplog):
    """A partial success counts what was left out as failed, keeps the server's words and logs them once."""
    partial = ExportTracePartialSuccess(rejected_spans=1, error_message="no end time")
    canned.body = ExportTraceServiceResponse(partial_success=partial).SerializeToString()
    delivery = new_delivery(canned.url)
    for _ in range(2):
        delivery.end_spans("a", "b", "c")
        assert delivery.flush()

    counts = delivery.traces
    assert (counts.sent, dict(counts.failed), counts.last_message) == (4, {"rejected": 2}, "no end time")
    assert [record.getMessage() for record in caplog.records if record.name == "spanglass"] == [
        f"1 span left out by {canned.url}/v1/traces: no end time"
    ]


def test_an_unreadable_answer_to_what_was_taken_changes_nothing(canned, new_delivery):
    """A body that is no protobuf behind a 200 counts as sent."""
    canned.body = b"\xff\xff nonsense"
    delivery = new_delivery(canned.url)
    delivery.end_spans("a")
    assert delivery.flush()

    assert (delivery.traces.sent, delivery.traces.lost) == (1, 0)


def test_nobody_there_is_said_once(nobody, new_delivery, caplog):
    """Each batch is repeated and lost, and one warning names the address, the reason and what to do."""
    delivery = new_delivery(nobody)
    for name in "abc":
        delivery.end_spans(name)
        assert delivery.flush()

    counts = delivery.traces
    assert (dict(counts.failed), counts.requests) == ({"ConnectionRefusedError": 3}, 18)
    warnings = [record.getMessage() for record in caplog.records if record.name == "spanglass"]
    assert warnings == [f"spans can't be delivered to {nobody}/v1/traces: connection refused; " + AFTERWARDS]


def test_tls_to_a_plain_port_is_named(canned, new_delivery):
    """An https address of a server without TLS gives a reason that says so."""
    delivery = new_delivery(canned.url.replace("http:", "https:"))
    delivery.end_spans("a")
    assert delivery.flush()

    counts = delivery.traces
    assert (counts.failed.total(), counts.last_failure.status) == (1, None)
    assert counts.last_failure.reason.endswith("; does the server speak TLS?")


def test_grpc_to_nobody_is_tried_again(nobody, new_delivery):
    """UNAVAILABLE is repeated, and counted under its name."""
    delivery = new_delivery(nobody, protocol="grpc")
    delivery.end_spans("a")
    assert delivery.flush()

    assert (dict(delivery.traces.failed), delivery.traces.requests) == ({"UNAVAILABLE": 1}, 6)


def test_grpc_without_its_package_is_refused_by_name(monkeypatch):
    """A missing package is a wrong setting: the message names the option and the command that mends it."""
    monkeypatch.setitem(sys.modules, "grpc", None)
    monkeypatch.delitem(sys.modules, "spanglass.delivery.transport.grpc_sender", raising=False)
    settings = load({"protocol": "grpc"}, {})

    with pytest.raises(SettingsError) as refused:
        make_exporters(settings, DeliveryCounts(), Closing(), environ={})

    assert str(refused.value) == (
        "protocol: grpc needs the package 'grpc': pip install 'spanglass[grpc]', or set protocol to http/protobuf"
    )


def test_a_flush_of_metrics_gives_up_in_the_time_that_it_was_given(hanging, new_delivery):
    """Flushing metrics runs in the application's thread: with a server that hangs it returns all the same."""
    delivery = new_delivery(hanging.url, send_timeout="1h")
    reader = PeriodicExportingMetricReader(delivery.exporters.metrics, 3_600_000)
    meters = MeterProvider([reader], shutdown_on_exit=False)
    meters.get_meter("shop").create_counter("orders").add(1)
    meters.force_flush(50)
    assert not hanging.go.is_set()
    assert delivery.counts.snapshot()["metrics"].failed.total() == 1
    hanging.go.set()
    meters.shutdown()
