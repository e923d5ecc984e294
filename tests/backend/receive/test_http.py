from __future__ import annotations

import gzip
import socket
import threading
import zlib
from typing import TYPE_CHECKING, Any

import orjson
import pytest
import zstandard
from google.rpc.error_details_pb2 import BadRequest, RetryInfo
from google.rpc.status_pb2 import Status
from official_json import official_json
from otlp_samples import PATHS, REQUESTS, RESPONSES, span_request
from receivers import ONE_TOKEN, request, serving_http, until

from spanglass_server.ingest.budget import ByteBudget
from spanglass_server.ingest.ports import Accepted, IngestError, Refusal
from spanglass_server.receive.intake import Intake
from spanglass_server.receive.ports import ReceiveLimits
from spanglass_server.signals import SENT, Signal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from receivers import Answer

PROTOBUF = "application/x-protobuf"
JSON = "application/json"
SPANS = span_request(3)
WIRE = SPANS.SerializeToString()
JSON_WIRE = orjson.dumps(official_json(SPANS))
LIMITS = ReceiveLimits(max_body_bytes=100_000, max_json_values=5_000, body_timeout_s=20)


@pytest.fixture
def port(ingest, counters) -> Iterator[int]:
    with serving_http(Intake(ingest, LIMITS, counters=counters)) as port:
        yield port


def status_of(answer: Answer) -> Status:
    assert answer.headers["content-type"] == PROTOBUF
    return Status.FromString(answer.body)


def send(port: int, body: Any = WIRE, **headers: str) -> Answer:
    return request(port, "/v1/traces", body, **{"Content-Type": PROTOBUF, **headers})


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("signal", list(SENT))
def test_each_signal_has_its_path(port, ingest, signal, slash):
    """A request is handed on under its path's signal; an empty body is an empty request, and a success of 0 bytes."""
    answer = request(port, PATHS[signal] + slash, b"", content_type=PROTOBUF)
    assert (answer.status, answer.headers["content-type"], answer.body) == (200, PROTOBUF, b"")
    assert ingest.requests == [(signal, REQUESTS[signal]())]


@pytest.mark.parametrize("content_type", [JSON, "APPLICATION/JSON", "application/json; charset=utf-8"])
def test_json_is_answered_with_json(port, ingest, content_type):
    """Only the media type counts, without case and parameters; JSON reaches ingest as the same protobuf."""
    answer = send(port, JSON_WIRE, **{"Content-Type": content_type})
    assert (answer.status, answer.headers["content-type"], answer.body) == (200, JSON, b"{}")
    assert ingest.requests == [(Signal.SPANS, SPANS)]


@pytest.mark.parametrize(
    ("encoding", "compress"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("zstd", zstandard.compress),
        ("identity", bytes),
    ],
)
@pytest.mark.parametrize("chunked", [False, True])
def test_compressed_and_chunked_bodies_are_taken(port, ingest, counters, encoding, compress, chunked):
    """Every encoding, with a Content-Length and without; the bytes counted are those of the wire."""
    wire = compress(WIRE)
    body = iter([wire[:10], wire[10:]]) if chunked else wire
    assert send(port, body, content_encoding=encoding).status == 200
    assert ingest.requests == [(Signal.SPANS, SPANS)]
    assert counters.events == [("received", Signal.SPANS, "http", "protobuf", len(wire))]


@pytest.mark.parametrize("signal", list(SENT))
def test_partial_success_is_told_in_the_requests_encoding(port, ingest, signal):
    """Rejected records are counted under the signal's own name; in JSON, 64-bit numbers are strings."""
    ingest.answer = Accepted(accepted=5, rejected=2, message="2 without time")
    protobuf = request(port, PATHS[signal], b"", content_type=PROTOBUF)
    partial = RESPONSES[signal].FromString(protobuf.body).partial_success
    field = {
        Signal.SPANS: "rejected_spans",
        Signal.LOGS: "rejected_log_records",
        Signal.METRICS: "rejected_data_points",
    }
    assert (getattr(partial, field[signal]), partial.error_message) == (2, "2 without time")
    json = request(port, PATHS[signal], b"{}", content_type=JSON)
    camel = {Signal.SPANS: "rejectedSpans", Signal.LOGS: "rejectedLogRecords", Signal.METRICS: "rejectedDataPoints"}
    assert orjson.loads(json.body) == {"partialSuccess": {camel[signal]: "2", "errorMessage": "2 without time"}}


def test_a_warning_is_a_partial_success_that_rejects_nothing(port, ingest):
    """A message without rejected records is a warning, as the specification has it."""
    ingest.answer = Accepted(accepted=5, message="clock is 2 h ahead")
    assert orjson.loads(send(port, b"{}", **{"Content-Type": JSON}).body) == {
        "partialSuccess": {"errorMessage": "clock is 2 h ahead"}
    }


@pytest.mark.parametrize(
    ("refusal", "http_status", "code", "retry_after"),
    [
        (Refusal.MALFORMED, 400, 3, None),
        (Refusal.TOO_LARGE, 413, 8, None),
        (Refusal.OVERLOADED, 429, 14, "2"),
        (Refusal.UNAVAILABLE, 503, 14, "2"),
    ],
)
def test_refusals_of_ingest_become_status(port, ingest, counters, refusal, http_status, code, retry_after):
    """Each refusal has its HTTP status and code; only those worth a second try say when."""
    ingest.failure = IngestError(refusal, "because of a reason")
    answer = send(port)
    assert (answer.status, answer.headers.get("retry-after")) == (http_status, retry_after)
    status = status_of(answer)
    assert (status.code, status.message) == (code, "because of a reason")
    retry, bad = RetryInfo(), BadRequest()
    assert any(detail.Unpack(retry) for detail in status.details) == refusal.retryable
    assert retry.retry_delay.seconds == (2 if refusal.retryable else 0)
    assert any(detail.Unpack(bad) for detail in status.details) == (refusal is Refusal.MALFORMED)
    assert counters.events == [("refused", Signal.SPANS, "http", refusal.value)]


def test_an_error_of_ours_is_retryable(port, ingest, counters, caplog):
    """An exception in ingest is logged and answered 503: with 500 clients would drop their data."""
    ingest.failure = ZeroDivisionError("secret detail")
    answer = send(port)
    assert (answer.status, answer.headers["retry-after"], status_of(answer).code) == (503, "2", 14)
    assert b"secret detail" not in answer.body
    assert [record.message for record in caplog.records] == [
        f"ingest failed on a request of {len(WIRE)} bytes of spans"
    ]
    assert counters.events == [("refused", Signal.SPANS, "http", "internal")]


def test_malformed_json_names_the_value(port):
    """The Status is JSON, and BadRequest has the path of the wrong value."""
    answer = send(port, b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"zz"}]}]}]}', **{"Content-Type": JSON})
    path = "resourceSpans[0].scopeSpans[0].spans[0].traceId"
    message = f'{path}: expected an id in hex, got "zz"'
    assert answer.status == 400
    assert orjson.loads(answer.body) == {
        "code": 3,
        "message": message,
        "details": [
            {
                "@type": "type.googleapis.com/google.rpc.BadRequest",
                "fieldViolations": [{"field": path, "description": message}],
            }
        ],
    }


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_other_methods_are_405(port, method):
    """Only POST sends telemetry; OPTIONS is for CORS, which is off."""
    answer = request(port, "/v1/traces", method=method)
    assert (answer.status, answer.headers["allow"]) == (405, "POST")
    assert orjson.loads(answer.body)["code"] == 12


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-protobuf-x", "json"])
def test_other_content_types_are_415(port, counters, content_type):
    """A missing or unknown Content-Type: the answer is JSON and lists what is taken."""
    headers = {} if content_type is None else {"content_type": content_type}
    answer = request(port, "/v1/traces", WIRE, **headers)
    assert (answer.status, answer.headers["content-type"]) == (415, JSON)
    assert "send application/x-protobuf or application/json" in orjson.loads(answer.body)["message"]
    assert counters.events == [("refused", Signal.SPANS, "http", "unsupported")]


def test_an_unknown_content_encoding_is_415(port):
    """The header Accept-Encoding lists what is taken (RFC 9110)."""
    answer = send(port, content_encoding="br")
    assert (answer.status, answer.headers["accept-encoding"]) == (415, "gzip, deflate, zstd, identity")
    assert status_of(answer).code == 3


def test_profiles_are_refused_politely(port):
    """The path of profiles exists to say that they are not taken: 404 and UNIMPLEMENTED."""
    answer = request(port, "/v1development/profiles", b"", content_type=PROTOBUF)
    assert (answer.status, status_of(answer).code) == (404, 12)


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_the_size_limit_is_exact_and_after_decompression(port, ingest, encoding, chunked):
    """A body of exactly the limit reaches ingest, one byte more is 413, with or without Content-Length."""
    compress = gzip.compress if encoding == "gzip" else bytes

    def sized(size: int) -> Any:
        padding = size - len(WIRE) - 4  # an unknown field 15 of that many bytes: tag, 3 bytes of length, content
        wire = compress(
            WIRE + b"\x7a" + bytes((padding & 127 | 128, padding >> 7 & 127 | 128, padding >> 14)) + b"x" * padding
        )
        return iter([wire[:50], wire[50:]]) if chunked else wire

    assert send(port, sized(100_000), content_encoding=encoding).status == 200
    assert len(ingest.requests) == 1
    answer = send(port, sized(100_001), content_encoding=encoding)
    assert (answer.status, status_of(answer).code) == (413, 8)
    assert "100000 bytes" in status_of(answer).message
    assert len(ingest.requests) == 1


def test_json_of_too_many_values_is_413(port):
    """Parsed JSON is many times its text: the number of values has a limit of its own."""
    answer = send(port, b'{"resourceSpans":[' + b"{}," * 5000 + b"{}]}", **{"Content-Type": JSON})
    assert (answer.status, orjson.loads(answer.body)["code"]) == (413, 8)


def test_without_the_token_nothing_is_read(ingest):
    """401 comes before the body: the client has announced 50 000 bytes and sent none."""
    intake = Intake(ingest, LIMITS, authorize=ONE_TOKEN)
    with serving_http(intake) as port, socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(
            b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 50000\r\n\r\n"
        )
        head = client.recv(4096)
        assert head.startswith(b"HTTP/1.1 401 ")
        assert b"www-authenticate: Bearer\r\n" in head
        assert ingest.admitted == []


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        ("Bearer s3cret", 200),
        ("bearer s3cret", 200),
        ("Bearer s3cre", 401),
        ("Bearer s3cret2", 401),
        ("Basic s3cret", 401),
        ("s3cret", 401),
        ("Bearer ", 401),
        ("Bearer \xff", 401),
    ],
)
def test_the_token_must_match(ingest, authorization, status):
    """The scheme's case does not matter, everything else does."""
    with serving_http(Intake(ingest, LIMITS, authorize=ONE_TOKEN)) as port:
        assert send(port, authorization=authorization).status == status


def test_while_ingest_is_unwell_requests_are_503(port, ingest):
    """Health has a reason: it is told to the client, who comes back in 2 s."""
    ingest.health = "the disk is full"
    answer = send(port)
    assert (answer.status, answer.headers["retry-after"]) == (503, "2")
    assert status_of(answer).message == "the disk is full"
    assert ingest.requests == []


def test_back_pressure_comes_before_the_body(port, ingest):
    """Ingest is asked with the announced size, and its refusal is 429."""
    ingest.full = "64 MiB are waiting"
    answer = send(port)
    assert (answer.status, answer.headers["retry-after"]) == (429, "2")
    assert ingest.admitted == [len(WIRE)]
    assert ingest.requests == []


@pytest.mark.parametrize("chunked", [False, True])
def test_bodies_under_way_are_bounded_together(port, ingest, chunked):
    """While one request of 90 kB waits for ingest, a second one is past 150 kB and told to come back; then it fits."""
    ingest.budget = ByteBudget(150_000)
    ingest.hold = threading.Event()
    large = REQUESTS[Signal.SPANS](resource_spans=[{"schema_url": "x" * 90_000}]).SerializeToString()
    first = threading.Thread(target=send, args=(port, large))
    first.start()
    until(lambda: ingest.admitted)
    answer = send(port, iter([large[:50_000], large[50_000:]]) if chunked else large)
    ingest.hold.set()
    first.join()
    assert (answer.status, status_of(answer).code) == (429, 14)
    assert "of 150000 bytes" in status_of(answer).message
    assert send(port, large).status == 200
    assert len(ingest.requests) == 2


def test_a_body_that_never_ends_is_cut_off(ingest, counters):
    """Slow senders get 503 and the connection is closed; the data may come again."""
    limits = ReceiveLimits(max_body_bytes=1000, body_timeout_s=0.1)
    with (
        serving_http(Intake(ingest, limits, counters=counters)) as port,
        socket.create_connection(("127.0.0.1", port), timeout=10) as client,
    ):
        client.sendall(
            b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{"
        )
        received = b""
        while piece := client.recv(4096):
            received += piece
    assert received.startswith(b"HTTP/1.1 503 ")
    assert b"did not arrive within 0.1 s" in received
    assert counters.events == [("refused", Signal.SPANS, "http", "slow")]


def test_a_client_that_leaves_costs_nothing(port, ingest, counters):
    """A connection closed within its body is counted, its bytes are given back, and the server goes on."""
    ingest.budget = ByteBudget(150_000)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(
            b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 90000\r\n\r\n{"
        )
        until(lambda: ingest.admitted)
    large = REQUESTS[Signal.SPANS](resource_spans=[{"schema_url": "x" * 90_000}]).SerializeToString()
    until(lambda: counters.events)
    assert counters.events == [("refused", Signal.SPANS, "http", "disconnected")]
    assert send(port, large).status == 200


def test_an_early_refusal_lets_the_client_finish(port):
    """The body of 5 MB is read and dropped, so that the client sees the answer and not a reset connection."""
    assert send(port, b"x" * 5_000_000).status == 413


def test_the_connection_stays_open_after_a_malformed_body(port):
    """A refusal after the whole body keeps the connection for the next request."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        for _ in range(2):
            client.sendall(
                b"POST /v1/logs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1\r\n\r\n{"
            )
            assert client.recv(4096).startswith(b"HTTP/1.1 400 ")
