"""Requests that are only checked: judged as those that are decoded, and never one that can't be decoded later."""

from __future__ import annotations

import random

import pytest
from nodes import NOW_NS, spans
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spanglass_server.ingest.decoding.checked import Checked, decoded_together
from spanglass_server.ingest.decoding.decode import DecodeLimits, Decoder
from spanglass_server.ingest.ports import IngestError, Refusal
from spanglass_server.signals import Signal

DECODER = Decoder(DecodeLimits())
FUTURE_NS = NOW_NS + 9 * 24 * 3600 * 10**9
#: What is put into a body: groups, unknown fields, numbers and lengths that do not end or are too large.
ODD = (
    b"\x0b\x0c",
    b"\x1b\x08\x01\x1c",
    b"\xf8\x01\x05",
    b"\x80",
    b"\x0a\x00",
    b"\xff" * 9 + b"\x01",
    b"\xfa\xff\xff\xff\x0f\x00",
)


def values(attributes):
    """Attributes of all types."""
    attributes.add(key="text").value.string_value = "caf\u00e9"
    attributes.add(key="whole").value.int_value = -5
    attributes.add(key="real").value.double_value = 1.5
    attributes.add(key="bytes").value.bytes_value = b"\xff"
    attributes.add(key="list").value.array_value.values.add().kvlist_value.values.add(key="k").value.bool_value = True


def trace():
    """A request of spans with everything that is checked, one of them in the future."""
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add(schema_url="url")
    values(resource.resource.attributes)
    scope = resource.scope_spans.add()
    for time_ns in (NOW_NS, FUTURE_NS):
        span = scope.spans.add(
            trace_id=b"t" * 16,
            span_id=b"s" * 8,
            name="n\u00e9",
            kind=2,
            start_time_unix_nano=time_ns,
            trace_state="a=b",
        )
        span.events.add(name="e", time_unix_nano=4)
        values(span.links.add(trace_id=b"t" * 16, span_id=b"s" * 8).attributes)
        span.status.code = 2
    return request


def log():
    """A request of log records, one of them in the future."""
    request = ExportLogsServiceRequest()
    scope = request.resource_logs.add().scope_logs.add()
    for time_ns in (NOW_NS, FUTURE_NS):
        record = scope.log_records.add(time_unix_nano=time_ns, severity_text="INFO", severity_number=9)
        record.body.string_value = "body"
        values(record.attributes)
    return request


def metric():
    """A request of points of all types; some are rejected for want of a temporality, a value, or a bucket."""
    request = ExportMetricsServiceRequest()
    metrics = request.resource_metrics.add().scope_metrics.add().metrics
    gauge = metrics.add(name="g", unit="\u00e9").gauge.data_points
    gauge.add(time_unix_nano=4, as_int=3).exemplars.add(as_double=3, time_unix_nano=1)
    gauge.add(time_unix_nano=4)
    metrics.add(name="s").sum.data_points.add(time_unix_nano=4, as_double=3)
    histogram = metrics.add(name="h").histogram
    histogram.aggregation_temporality = 2
    histogram.data_points.add(time_unix_nano=4, sum=1, bucket_counts=[1, 2], explicit_bounds=[1.0])
    histogram.data_points.add(time_unix_nano=4, bucket_counts=[1, 2], explicit_bounds=[1.0, 2.0])
    exponential = metrics.add(name="x").exponential_histogram
    exponential.aggregation_temporality = 1
    exponential.data_points.add(time_unix_nano=4).positive.bucket_counts.extend([1, 2])
    metrics.add(name="q").summary.data_points.add(time_unix_nano=FUTURE_NS).quantile_values.add(quantile=0.5)
    return request


BODIES = {
    Signal.SPANS: trace().SerializeToString(),
    Signal.LOGS: log().SerializeToString(),
    Signal.METRICS: metric().SerializeToString(),
}


def damaged(body, chance):
    """A body with one to three changes."""
    changed = bytearray(body)
    for _ in range(chance.choice((1, 1, 2, 3))):
        at = chance.randrange(len(changed))
        kind = chance.randrange(5)
        if kind == 0:
            changed[at] = chance.randrange(256)
        elif kind == 1:
            changed[at] ^= 1 << chance.randrange(8)
        elif kind == 2:
            del changed[at : at + chance.randrange(1, 4)]
        elif kind == 3:
            changed[at] = changed[at] & ~7 | chance.randrange(8)
        else:
            changed[at:at] = chance.choice(ODD)
    return bytes(changed)


def verdict(result):
    """What a sender is told."""
    if isinstance(result, IngestError):
        return result.refusal, str(result)
    return result[1].accepted, result[1].rejected, result[1].reasons


@pytest.mark.parametrize("signal", list(BODIES))
def test_a_body_that_was_only_checked_is_judged_alike_and_can_be_decoded(signal):
    """Whatever was done to it: the same counts and reasons as of one decoded at once, and no record is lost later."""
    chance = random.Random(str(signal))  # noqa: S311 - the same in every run
    bodies = [BODIES[signal], *(damaged(BODIES[signal], chance) for _ in range(200))]
    found = 0
    for body in bodies:
        (checked,) = DECODER.check(signal, [body], [NOW_NS])
        (decoded,) = DECODER.decode(signal, [body], [NOW_NS])
        assert verdict(checked) == verdict(decoded), body.hex()
        if not isinstance(checked, IngestError) and checked[0] and isinstance(checked[0][0], Checked):
            parts, whole = decoded_together(checked[0])
            assert (whole, sum(part.row_count for part in parts)) == (True, checked[0][0].row_count), body.hex()
            found += 1
    assert found > 20


def test_where_the_decoder_itself_fails_the_sender_is_told_and_others_are_not():
    """A length past 64 bits, at which it panics, is a malformed body like any other; the next ones are decoded."""
    good, bad = spans("a"), b"\x0a" + b"\xff" * 9 + b"\x01"
    for call in (DECODER.check, DECODER.decode):
        first, second, third = call(Signal.SPANS, [good, bad, good], [NOW_NS] * 3)
        assert second.refusal is Refusal.MALFORMED
        assert [result[1].accepted for result in (first, third)] == [1, 1]


def test_many_or_large_bodies_are_decoded_at_once():
    """Checking them first would cost more than it saves; a body of which nothing is kept is not kept itself."""
    few = DECODER.check(Signal.SPANS, [spans("a"), b"", spans("b", "c")], [NOW_NS] * 3)
    many = DECODER.check(Signal.SPANS, [spans(*map(str, range(4000)))], [NOW_NS])

    assert [verdict(result)[0] for result in few] == [1, 0, 2]
    assert [part.kept for result in few for part in result[0]] == [(1, 2)]
    assert not isinstance(many[0][0][0], Checked)


@pytest.mark.parametrize(("spans_each", "is_only_checked"), [(100, True), (200, False)])
def test_many_small_bodies_are_only_checked(spans_each, is_only_checked):
    """More of them than of large ones: what decoding a few dozen at once costs, their senders would wait for."""
    bodies = [spans(*(f"{number}-{place}" for place in range(spans_each))) for number in range(40)]
    assert sum(map(len, bodies)) > 128 << 10
    assert (len(bodies[0]) <= 8 << 10) == is_only_checked

    results = DECODER.check(Signal.SPANS, bodies, [NOW_NS] * len(bodies))

    assert [verdict(result)[0] for result in results] == [spans_each] * len(bodies)
    assert {isinstance(part, Checked) for result in results for part in result[0]} == {is_only_checked}
