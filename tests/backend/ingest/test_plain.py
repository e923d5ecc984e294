"""Requests in which nothing is wrong are told at a glance, and no other."""

from __future__ import annotations

import pytest
from nodes import NOW_NS
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spanglass_server.ingest.records.plain import PLAIN
from spanglass_server.signals import Signal

LATEST_NS = NOW_NS + 10


def trace(*scopes, **changed):
    """A request of spans, so many in each scope; the last one is changed."""
    request = ExportTraceServiceRequest()
    for count in scopes:
        scope = request.resource_spans.add().scope_spans.add()
        for number in range(count):
            fields = {
                "trace_id": bytes(15) + b"t",
                "span_id": b"s" * 8,
                "parent_span_id": b"p" * 8 if number % 2 else b"",
                "start_time_unix_nano": LATEST_NS,
                "end_time_unix_nano": 5,
            }
            scope.spans.add(**fields)
    for name, value in changed.items():
        if name == "event_ns":
            scope.spans[-1].events.add(time_unix_nano=value)
        else:
            setattr(scope.spans[-1], name, value)
    return request.SerializeToString()


def counts(signal, *bodies):
    """What is said of some requests at once."""
    return PLAIN[signal].counts(bodies, LATEST_NS)


def test_records_are_counted_for_each_request():
    """However many scopes they stand in, also where a request has none of them, or none has any."""
    good = trace(2, 0, 3, parent_span_id=b"", event_ns=7)
    assert counts(Signal.SPANS, good) == [5]
    assert counts(Signal.SPANS, b"", good, trace(0), trace(1), trace(9)) == [0, 5, 0, 1, 9]
    assert counts(Signal.SPANS, b"") == [0]
    assert counts(Signal.SPANS, b"", trace(0)) == [0, 0]
    assert counts(Signal.SPANS, trace(5000)) is None  # they are counted otherwise


@pytest.mark.parametrize(
    "flaw",
    [
        {"trace_id": b"t" * 15},
        {"trace_id": b"t" * 17},
        {"trace_id": bytes(16)},
        {"trace_id": b""},
        {"span_id": bytes(8)},
        {"span_id": b"s" * 7},
        {"parent_span_id": b"p"},
        {"parent_span_id": b"p" * 9},
        {"parent_span_id": b"p" * 16},
        {"start_time_unix_nano": LATEST_NS + 1},
        {"end_time_unix_nano": (1 << 64) - 1},
        {"event_ns": 1 << 63},
    ],
    ids=str,
)
def test_one_span_that_may_be_wrong_leaves_all_to_be_judged(flaw):
    """It stands last in one of three requests; a length that another span makes up for is seen too."""
    assert counts(Signal.SPANS, trace(2), trace(1, 3, **flaw), trace(4)) is None


def test_a_field_that_another_span_lacks_makes_up_for_nothing():
    """Where one has an id twice and another has none, or all of it stands in two pieces, each span counts by itself."""
    ids = {"trace_id": b"t" * 16, "span_id": b"s" * 8}
    twice, none, good = (
        ExportTraceServiceRequest.FromString(trace(1)),
        ExportTraceServiceRequest.FromString(trace(1, **dict.fromkeys(ids, b""))),
        ExportTraceServiceRequest.FromString(trace(1)),
    )
    span = twice.resource_spans[0].scope_spans[0].spans[0]
    doubled = span.SerializeToString() * 2  # of two values the last one counts
    assert len(doubled) < 128
    pieces = [bytes([0x12, len(doubled)]) + doubled]
    for other in (none, good):
        content = other.resource_spans[0].scope_spans[0].spans[0].SerializeToString()
        pieces.append(bytes([0x12, len(content)]) + content)

    def request(*spans):
        scope = b"".join(spans)
        resource = bytes([0x12, len(scope)]) + scope
        return bytes([0x0A, len(resource)]) + resource

    assert counts(Signal.SPANS, request(pieces[0])) == [1]
    assert counts(Signal.SPANS, request(pieces[2]) + request(pieces[0])) == [2]
    assert counts(Signal.SPANS, request(pieces[0]) + request(pieces[1])) is None


def test_log_records_are_told_by_their_times():
    """Both times are looked at; a record without any is as good."""

    def log(**times):
        request = ExportLogsServiceRequest()
        records = request.resource_logs.add().scope_logs.add().log_records
        records.add()
        records.add(**times)
        return request.SerializeToString()

    assert counts(Signal.LOGS, log(), log(time_unix_nano=LATEST_NS)) == [2, 2]
    assert counts(Signal.LOGS, log(time_unix_nano=LATEST_NS + 1)) is None
    assert counts(Signal.LOGS, log(), log(observed_time_unix_nano=LATEST_NS + 1)) is None
