"""Requests from our encoder beside those of OpenTelemetry's, message for message; batches with broken items in them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry._logs import LogRecord
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode
from sdk_items import SPANS, log_records

from spanglass import guard
from spanglass.delivery.encoding.logs import log_encoder
from spanglass.delivery.encoding.spans import span_encoder

CONTEXT = SpanContext(5, 6, is_remote=False)
RESOURCE = Resource({"service.name": "shop"})


def _same(ours, theirs):
    """Compare messages by their bytes: NaN is not equal to itself."""
    assert ours.SerializeToString(deterministic=True) == theirs.SerializeToString(deterministic=True)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(SPANS, max_size=5), min_size=1, max_size=2))
def test_spans_are_those_of_the_other_encoder(batches):
    """Any batches, one after the other through one encoder and its caches."""
    encoder = span_encoder()
    for spans in [*batches, *batches]:
        body, encoded = encoder.encode(spans)
        _same(ExportTraceServiceRequest.FromString(body), encode_spans(spans))
        assert encoded == len(spans)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(log_records(), max_size=5), min_size=1, max_size=2))
def test_log_records_are_those_of_the_other_encoder(batches):
    """Any batches, one after the other through one encoder and its caches."""
    encoder = log_encoder()
    for records in [*batches, *batches]:
        body, encoded = encoder.encode(records)
        _same(ExportLogsServiceRequest.FromString(body), encode_logs(records))
        assert encoded == len(records)


def test_a_span_of_the_sdk_with_everything():
    """Spans that a tracer made, over all limits, with a remote parent, an exception and a description."""
    done = InMemorySpanExporter()
    limits = SpanLimits(max_span_attributes=2, max_events=1, max_links=1, max_event_attributes=1, max_link_attributes=1)
    provider = TracerProvider(resource=RESOURCE, span_limits=limits, shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(done))
    tracer = provider.get_tracer("shop", "1.0", "https://example.org", {"a": 1})
    links = [Link(CONTEXT, {"a": 1, "b": 2})] * 2
    with tracer.start_as_current_span("outer", links=links, kind=SpanKind.SERVER, attributes={"a": 1, "b": 2}) as outer:
        outer.set_attributes({"c": 3, "d": {"e": [1, "x"]}})
        for number in range(2):
            outer.add_event("event", {"a": number, "b": number})
        tracer.start_span("inner").end()
        outer.record_exception(ValueError("declined"))
        outer.set_status(Status(StatusCode.ERROR, "declined"))
    spans = done.get_finished_spans()

    found = ExportTraceServiceRequest.FromString(span_encoder().encode(spans)[0])
    assert found == encode_spans(spans)
    inner, outer = found.resource_spans[0].scope_spans[0].spans
    assert (outer.dropped_attributes_count, outer.dropped_events_count, outer.dropped_links_count) == (2, 2, 1)
    assert (inner.parent_span_id, inner.status.code, outer.status.code) == (outer.span_id, 0, 2)


def test_names_and_times_that_the_other_encoder_refuses():
    """A name that is no text, or not valid, and times as floats: mistakes of an application cost none of its spans."""
    spans = [
        ReadableSpan("\ud800", CONTEXT, resource=RESOURCE, start_time=1, end_time=2),
        ReadableSpan(7, CONTEXT, resource=RESOURCE, start_time=1.5, end_time=-1),
    ]
    found = ExportTraceServiceRequest.FromString(span_encoder().encode(spans)[0]).resource_spans[0].scope_spans[0].spans
    assert [(span.name, span.start_time_unix_nano, span.end_time_unix_nano) for span in found] == [
        (r"\ud800", 1, 2),
        ("7", 1, 0),
    ]


class _Status:
    """No status of OpenTelemetry's, but one that its encoder can read."""

    description = None

    class status_code:  # noqa: N801 - as the attribute is named
        value = 2


def test_an_item_that_ours_has_no_bytes_for_goes_through_the_other_encoder(monkeypatch):
    """One odd span costs itself and the others nothing, and is counted once as a failure of ours."""
    monkeypatch.delenv("SPANGLASS_STRICT")
    monkeypatch.setattr(guard, "failures", type(guard.failures)())
    spans = [ReadableSpan(name, CONTEXT, resource=RESOURCE, status=Status()) for name in ("a", "b", "c")]
    spans[1]._status = _Status()

    body, encoded = span_encoder().encode(spans)
    found = [
        (span.name, span.status.code)
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]
    assert (found, encoded) == ([("a", 0), ("b", 2), ("c", 0)], 3)
    assert guard.failures == {"encode spans": 1}


def test_an_item_that_nobody_can_encode_is_lost_alone(monkeypatch):
    """Its batch is encoded without it, and says so by its number."""
    monkeypatch.delenv("SPANGLASS_STRICT")
    records = [ReadableLogRecord(LogRecord(body=body), RESOURCE) for body in ("a", "b", "c")]
    records[1].log_record.trace_id = 2**200

    body, encoded = log_encoder().encode(records)
    found = [
        record.body.string_value
        for resource in ExportLogsServiceRequest.FromString(body).resource_logs
        for scope in resource.scope_logs
        for record in scope.log_records
    ]
    assert (found, encoded) == (["a", "c"], 2)


def test_failures_of_ours_are_loud_in_tests():
    """With SPANGLASS_STRICT an item that ours has no bytes for is an error, so that no test passes by the other."""
    span = ReadableSpan("a", SpanContext(2**200, 6, is_remote=False), resource=RESOURCE)
    with pytest.raises(OverflowError):
        span_encoder().encode([span])
