"""What can't be stored is rejected record by record, counted and explained; the rest of its request is kept."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from otlp_requests import requests

from spanglass_server.ingest.attributes.limits import ColumnBudget, ShredLimits
from spanglass_server.ingest.decoding.decode import DecodeLimits, Decoder
from spanglass_server.ingest.ports import Accepted, IngestError, Refusal
from spanglass_server.ingest.records.checks import LATEST_NS
from spanglass_server.ingest.shred import shred
from spanglass_server.signals import SENT, Signal

NOW_NS = 1_800_000_000_000_000_000
HOUR_NS = 3600 * 10**9
LIMITS = DecodeLimits(max_records=10_000, max_future_ns=HOUR_NS)
FUTURE = " is further in the future than the setting ingest.max_future allows: check the sender's clock"


def spans(*changes: dict[str, Any]) -> bytes:
    """One request with a good span for each dictionary, changed by it."""
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    for number, change in enumerate(changes, 1):
        good = {"trace_id": number.to_bytes(16, "big"), "span_id": number.to_bytes(8, "big"), "name": f"span {number}"}
        scope.spans.add(**(good | {"start_time_unix_nano": NOW_NS, "end_time_unix_nano": NOW_NS + 1} | change))
    return request.SerializeToString()


def logs(*records: dict[str, Any]) -> bytes:
    """One request with these log records."""
    request = ExportLogsServiceRequest()
    scope = request.resource_logs.add().scope_logs.add()
    for record in records:
        scope.log_records.add(**record)
    return request.SerializeToString()


def metric(kind: str, point: dict[str, Any], **data: Any) -> bytes:
    """One request with one point of one metric."""
    request = ExportMetricsServiceRequest()
    held = getattr(request.resource_metrics.add().scope_metrics.add().metrics.add(name="m"), kind)
    for name, value in data.items():
        setattr(held, name, value)
    held.data_points.add(**({"time_unix_nano": NOW_NS} | point))
    return request.SerializeToString()


def decode(signal: Signal, *bodies: bytes, received_ns: int = NOW_NS):
    """Decode bodies in one call, with small limits."""
    return Decoder(LIMITS).decode(signal, bodies, [received_ns] * len(bodies))


def stored(results, column: str) -> list[Any]:
    """One column of everything that the results of a call keep."""
    parts = [part for result in results if not isinstance(result, IngestError) for part in result[0]]
    return shred(parts, ColumnBudget(100), ShredLimits())[0][column].to_pylist() if parts else []


def answers(results) -> list[Accepted | Refusal]:
    """What each body's sender is told."""
    return [result.refusal if isinstance(result, IngestError) else result[1].result() for result in results]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"trace_id": b""}, "trace_id must have 16 bytes"),
        ({"trace_id": b"\1" * 15}, "trace_id must have 16 bytes"),
        ({"trace_id": b"\1" * 17}, "trace_id must have 16 bytes"),
        ({"trace_id": bytes(16)}, "trace_id must not be all zeros"),
        ({"span_id": b""}, "span_id must have 8 bytes"),
        ({"span_id": b"\1" * 16}, "span_id must have 8 bytes"),
        ({"span_id": bytes(8)}, "span_id must not be all zeros"),
        ({"parent_span_id": b"\1"}, "parent_span_id must have 8 bytes or none"),
        ({"start_time_unix_nano": LATEST_NS}, "start_time_unix_nano is past the year 2199"),
        ({"start_time_unix_nano": 2**64 - 1}, "start_time_unix_nano is past the year 2199"),
        ({"end_time_unix_nano": LATEST_NS}, "end_time_unix_nano is past the year 2199"),
        ({"start_time_unix_nano": NOW_NS + HOUR_NS + 1}, "start_time_unix_nano" + FUTURE),
        ({"events": [{"time_unix_nano": LATEST_NS}]}, "events.time_unix_nano is past the year 2199"),
    ],
)
def test_a_bad_span_is_rejected_alone(change, reason):
    """Of three spans the bad one in the middle is left out, counted once, with the reason; the others are stored."""
    results = decode(Signal.SPANS, spans({}, change, {}))

    assert answers(results) == [Accepted(2, 1, f"1 rejected: {reason}")]
    assert stored(results, "name") == ["span 1", "span 3"]


@pytest.mark.parametrize("parent", [b"", bytes(8), bytes(16), bytes(1)])
def test_zeros_are_no_parent(parent):
    """A parent id without bytes, or of zeros however many, is none; ids beside it stay."""
    results = decode(Signal.SPANS, spans({"parent_span_id": b"\1" * 8}, {"parent_span_id": parent}, {}))

    assert answers(results) == [Accepted(3)]
    assert stored(results, "parent_span_id") == [b"\1" * 8, None, None]


@pytest.mark.parametrize(
    "change",
    [
        {"start_time_unix_nano": 0, "end_time_unix_nano": 0},
        {"start_time_unix_nano": NOW_NS + HOUR_NS},
        {"start_time_unix_nano": LATEST_NS - 1},
        {"end_time_unix_nano": 0},
        {"parent_span_id": bytes(8)},
        {"links": [{"trace_id": b"short"}]},
        {"name": ""},
    ],
)
def test_an_odd_span_is_stored(change):
    """What the protocol discourages but storage can hold is not rejected: the edges of the checks are exact."""
    received_ns = LATEST_NS if change.get("start_time_unix_nano") == LATEST_NS - 1 else NOW_NS

    assert answers(decode(Signal.SPANS, spans(change), received_ns=received_ns)) == [Accepted(1)]


@pytest.mark.parametrize(
    ("record", "answer"),
    [
        ({}, Accepted(1)),
        ({"trace_id": b"short", "span_id": bytes(8)}, Accepted(1)),
        ({"time_unix_nano": NOW_NS + HOUR_NS}, Accepted(1)),
        ({"time_unix_nano": NOW_NS + HOUR_NS + 1}, Accepted(0, 1, "1 rejected: time_unix_nano" + FUTURE)),
        ({"time_unix_nano": LATEST_NS}, Accepted(0, 1, "1 rejected: time_unix_nano is past the year 2199")),
        (
            {"observed_time_unix_nano": LATEST_NS},
            Accepted(0, 1, "1 rejected: observed_time_unix_nano is past the year 2199"),
        ),
    ],
)
def test_log_records_need_no_more_than_a_possible_time(record, answer):
    """A log record may lack everything; invalid ids count as absent; only an impossible time rejects it."""
    results = decode(Signal.LOGS, logs(record))

    assert answers(results) == [answer]
    assert stored(results, "time_ns") == ([record.get("time_unix_nano", NOW_NS)] if answer.accepted else [])


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (metric("gauge", {"as_int": 1, "time_unix_nano": 0}), "time_unix_nano must be set"),
        (metric("gauge", {"as_int": 1, "time_unix_nano": LATEST_NS}), "time_unix_nano is past the year 2199"),
        (metric("gauge", {"as_int": 1, "time_unix_nano": NOW_NS + 2 * HOUR_NS}), "time_unix_nano" + FUTURE),
        (
            metric("gauge", {"as_int": 1, "start_time_unix_nano": LATEST_NS}),
            "start_time_unix_nano is past the year 2199",
        ),
        (metric("gauge", {}), "a number data point must have a value"),
        (metric("sum", {"as_int": 1}), "aggregation_temporality must be delta or cumulative"),
        (metric("histogram", {"count": 1}), "aggregation_temporality must be delta or cumulative"),
        (metric("exponential_histogram", {"count": 1}), "aggregation_temporality must be delta or cumulative"),
        *(
            (
                metric("histogram", {"bucket_counts": counts, "explicit_bounds": bounds}, aggregation_temporality=2),
                "bucket_counts must have one more element than explicit_bounds",
            )
            for counts, bounds in ([[1], [1.0]], [[], [1.0]], [[1, 2, 3], [1.0]])
        ),
    ],
)
def test_a_bad_data_point_is_rejected(body, reason):
    """Each rule of the data model has its own reason."""
    assert answers(decode(Signal.METRICS, body)) == [Accepted(0, 1, f"1 rejected: {reason}")]


@pytest.mark.parametrize(
    "body",
    [
        metric("gauge", {"flags": 1}),
        metric("sum", {"as_double": 0.0}, aggregation_temporality=1),
        metric("histogram", {}, aggregation_temporality=2),
        metric("histogram", {"bucket_counts": [3], "explicit_bounds": []}, aggregation_temporality=2),
        metric("exponential_histogram", {}, aggregation_temporality=1),
        metric("summary", {}),
    ],
)
def test_a_bare_data_point_is_stored(body):
    """A gap without a value, zeros, and distributions without buckets are valid."""
    assert answers(decode(Signal.METRICS, body)) == [Accepted(1)]


@pytest.mark.parametrize("kind", ["gauge", "sum", "histogram", "exponential_histogram", "summary"])
@pytest.mark.parametrize("start_ns", [LATEST_NS, 2**63 - 1, 2**64 - 1])
def test_a_marker_is_stored_whatever_its_start(kind, start_ns):
    """A marker covers no time: with a start that cannot be it is a gap of unknown start, not rejected."""
    temporality = {} if kind in ("gauge", "summary") else {"aggregation_temporality": 2}
    results = decode(Signal.METRICS, metric(kind, {"flags": 1, "start_time_unix_nano": start_ns}, **temporality))
    assert answers(results) == [Accepted(1)]
    ((parts, _),) = results
    row = shred(parts, ColumnBudget(100), ShredLimits())[0].to_pylist()[0]
    assert (row.get("start_time_ns"), row["flags"]) == (None, 1)


def test_bodies_of_one_call_are_answered_each_for_itself():
    """Good, partly bad, wholly bad and empty bodies decoded together: own counts, and every good record is kept."""
    bodies = [spans({"span_id": b""}), spans({}), spans({}, {"trace_id": b""}, {"trace_id": b"", "span_id": b""}), b""]
    results = decode(Signal.SPANS, *bodies)

    assert answers(results) == [
        Accepted(0, 1, "1 rejected: span_id must have 8 bytes"),
        Accepted(1),
        Accepted(1, 2, "2 rejected: trace_id must have 16 bytes"),
        Accepted(0),
    ]
    assert stored(results, "name") == ["span 1", "span 1"]


def test_records_come_with_a_body_that_is_stored():
    """Records of one call come with a body that has some: the records of one that has none are never journaled."""
    results = decode(Signal.SPANS, spans({"span_id": b""}), spans({}), spans({}))

    assert [sum(part.row_count for part in parts) for parts, _ in results] == [0, 2, 0]


def test_a_malformed_body_fails_alone():
    """Broken bytes among good bodies are refused; the others are kept as if it had not been there."""
    results = decode(Signal.SPANS, spans({}), b"\xff\xff", spans({}, {}))

    assert answers(results) == [Accepted(1), Refusal.MALFORMED, Accepted(2)]
    assert "not an OTLP export request for spans" in str(results[1])
    assert stored(results, "name") == ["span 1", "span 1", "span 2"]


def test_each_body_has_its_own_clock():
    """A time is judged, and a missing one replaced, by the moment its own body came: replay decodes many at once."""
    bodies = [logs({"time_unix_nano": NOW_NS + HOUR_NS + 5}, {})] * 2
    results = Decoder(LIMITS).decode(Signal.LOGS, bodies, [NOW_NS, NOW_NS + 5])

    assert answers(results) == [Accepted(1, 1, "1 rejected: time_unix_nano" + FUTURE), Accepted(2)]
    assert stored(results, "time_ns") == [NOW_NS, NOW_NS + HOUR_NS + 5, NOW_NS + 5]


@pytest.mark.parametrize("signal", list(SENT))
def test_truncated_bodies_never_crash(signal):
    """Any beginning of a valid body is stored or refused as malformed, and what it keeps can become columns."""

    @settings(max_examples=30, deadline=None)
    @given(requests(signal), st.floats(0, 1))
    def truncate(request, share):
        body = request.SerializeToString()
        results = decode(signal, body[: int(len(body) * share)], received_ns=LATEST_NS - 1)
        stored(results, "time_ns" if signal is not Signal.SPANS else "start_time_ns")

        assert answers(results) == [Refusal.MALFORMED] or not isinstance(results[0], IngestError)

    truncate()
