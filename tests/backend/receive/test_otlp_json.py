from __future__ import annotations

import base64
import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from official_json import official_json
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from otlp_samples import REQUESTS, messages

from spanglass_server.receive.otlp_json.reading import OtlpJsonError, otlp_json_to_protobuf
from spanglass_server.signals import SENT, Signal


def read(signal: Signal, document: Any) -> Any:
    return REQUESTS[signal].FromString(otlp_json_to_protobuf(signal, json.dumps(document).encode()))


def read_span(**fields: Any) -> Span:
    document = {"resourceSpans": [{"scopeSpans": [{"spans": [fields]}]}]}
    return read(Signal.SPANS, document).resource_spans[0].scope_spans[0].spans[0]


def read_value(value: Any) -> AnyValue:
    return read_span(attributes=[{"key": "k", "value": value}]).attributes[0].value


def error_of_span(**fields: Any) -> tuple[str, str]:
    with pytest.raises(OtlpJsonError) as caught:
        read_span(**fields)
    prefix = "resourceSpans[0].scopeSpans[0].spans[0]."
    assert str(caught.value) == f"{caught.value.path}: {caught.value.reason}"
    return caught.value.path.removeprefix(prefix), caught.value.reason


@pytest.mark.parametrize("signal", list(SENT))
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_request_survives_the_detour_over_json(signal, data):
    """Any message, written as OTLP/JSON and read back, is equal to what it was."""
    request = data.draw(messages(REQUESTS[signal]))
    assert read(signal, official_json(request)) == request


@pytest.mark.parametrize(
    ("json_value", "expected"),
    [
        ({"intValue": "-9223372036854775808"}, AnyValue(int_value=-(2**63))),
        ({"intValue": 9223372036854775807}, AnyValue(int_value=2**63 - 1)),
        ({"intValue": 5.0}, AnyValue(int_value=5)),
        ({"intValue": "1e3"}, AnyValue(int_value=1000)),
        ({"intValue": 0}, AnyValue(int_value=0)),
        ({"intValue": 18446744073709552000}, AnyValue(double_value=2.0**64)),
        ({"intValue": "-9223372036854775809"}, AnyValue(double_value=-(2.0**63))),
        ({"intValue": 1.7976931348623157e308}, AnyValue(double_value=1.7976931348623157e308)),
        ({"intValue": "1e400"}, AnyValue(double_value=math.inf)),
        ({"doubleValue": "Infinity"}, AnyValue(double_value=math.inf)),
        ({"doubleValue": "-Infinity"}, AnyValue(double_value=-math.inf)),
        ({"doubleValue": "1.5e2"}, AnyValue(double_value=150.0)),
        ({"doubleValue": 7}, AnyValue(double_value=7.0)),
        ({"boolValue": False}, AnyValue(bool_value=False)),
        ({"stringValue": ""}, AnyValue(string_value="")),
        ({"string_value": "snake"}, AnyValue(string_value="snake")),
        ({"bytesValue": "-_8"}, AnyValue(bytes_value=b"\xfb\xff")),
        ({"bytesValue": "+/8="}, AnyValue(bytes_value=b"\xfb\xff")),
        ({"stringValue": None}, AnyValue()),
        ({}, AnyValue()),
    ],
)
def test_attribute_values_are_read_leniently_where_the_meaning_is_clear(json_value, expected):
    """Numbers may be strings, strings numbers, base64 either alphabet; zero, false and "" stay set, null is unset."""
    assert read_value(json_value) == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"startTimeUnixNano": "18446744073709551616"}, Span(start_time_unix_nano=2**64 - 1)),
        ({"startTimeUnixNano": -1}, Span()),
        ({"droppedAttributesCount": 1 << 40}, Span(dropped_attributes_count=2**32 - 1)),
        ({"flags": -1}, Span()),
        ({"flags": 1 << 32}, Span()),
        ({"kind": 1 << 40}, Span(kind=2**31 - 1)),
    ],
)
def test_a_number_past_its_range_costs_no_batch(fields, expected):
    """It is read as the nearest end of the range, which ingest judges record by record; flags as no flag."""
    fields_of_zero = dict.fromkeys(fields, 0)
    assert read_span(**fields) == expected
    assert read_span(**fields_of_zero) == Span()


def test_a_point_past_64_bits_is_a_double():
    """Integers of data points and exemplars that no 64 bits hold become doubles, as those of attributes do."""
    point = {"asInt": "18446744073709552000", "exemplars": [{"asInt": 1e300}], "flags": 1 << 40}
    document = {"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"gauge": {"dataPoints": [point]}}]}]}]}
    read_point = read(Signal.METRICS, document).resource_metrics[0].scope_metrics[0].metrics[0].gauge.data_points[0]
    assert (read_point.as_double, read_point.exemplars[0].as_double, read_point.flags) == (2.0**64, 1e300, 0)


def test_a_literal_past_the_doubles_is_infinite():
    """1e400, which strict JSON parsers refuse, costs no batch either; half a surrogate pair stays an error."""
    span = b'{"attributes":[{"key":"k","value":{"%s":-1e400}}],"name":"%s"}'
    body = b'{"resourceSpans":[{"scopeSpans":[{"spans":[' + span + b"]}]}]}"
    for member in (b"doubleValue", b"intValue"):
        request = REQUESTS[Signal.SPANS].FromString(otlp_json_to_protobuf(Signal.SPANS, body % (member, b"n")))
        assert request.resource_spans[0].scope_spans[0].spans[0].attributes[0].value.double_value == -math.inf
    with pytest.raises(OtlpJsonError, match="name: expected Unicode text"):
        otlp_json_to_protobuf(Signal.SPANS, body % (b"doubleValue", b"\\ud800"))


@pytest.mark.parametrize(
    ("signal", "document", "path", "reason"),
    [
        (Signal.SPANS, {"resourceLogs": [{}]}, "", "resourceLogs is sent to /v1/logs, not to /v1/traces"),
        (Signal.LOGS, {"resource_metrics": [{}]}, "", "resource_metrics is sent to /v1/metrics, not to /v1/logs"),
        (
            Signal.METRICS,
            {"resourceMetrics": [{}], "resourceSpans": [{}]},
            "",
            "resourceSpans is sent to /v1/traces, not to /v1/metrics",
        ),
        (Signal.SPANS, {"data": [{"traceID": "1"}]}, "", "the body has no resourceSpans, only data"),
        (
            Signal.SPANS,
            {"resourceSpans": [{}, {"instrumentationLibrarySpans": []}]},
            "resourceSpans[1]",
            "instrumentationLibrarySpans is the shape before OTLP 1.0, now scopeSpans",
        ),
        (
            Signal.LOGS,
            {"resource_logs": [{"instrumentation_library_logs": []}]},
            "resourceLogs[0]",
            "instrumentation_library_logs is the shape before OTLP 1.0, now scopeLogs",
        ),
    ],
)
def test_other_paths_and_shapes_are_named(signal, document, path, reason):
    """What would be an empty success, with all records lost, is refused with what is wrong."""
    with pytest.raises(OtlpJsonError) as caught:
        read(signal, document)
    assert (caught.value.path, caught.value.reason.partition(";")[0].partition(": it is")[0]) == (path, reason)


@pytest.mark.parametrize(
    "document", [{}, {"resourceSpans": []}, {"resourceSpans": None}, {"new": 1}, {"resourceLogs": []}]
)
def test_nothing_is_an_empty_success(document):
    """An empty request, and one with unknown scalar members only, is a success without records."""
    assert read(Signal.SPANS, document) == REQUESTS[Signal.SPANS]()


def test_not_a_number_is_read():
    """The string NaN is a double (it equals nothing, itself included, so it has a test of its own)."""
    assert math.isnan(read_value({"doubleValue": "NaN"}).double_value)


def test_nested_values_keep_their_order_and_types():
    """Lists and maps in one another come out as they went in."""
    value = {"kvlistValue": {"values": [{"key": "a", "value": {"arrayValue": {"values": [{"intValue": 1}, {}]}}}]}}
    expected = AnyValue()
    inner = expected.kvlist_value.values.add(key="a").value.array_value.values
    inner.add(int_value=1)
    inner.add()
    assert read_value(value) == expected


def test_ids_are_hex_of_either_case_and_empty_is_absent():
    """Ids are hex, not base64; wrong lengths pass, because ingest rejects single records."""
    span = read_span(traceId="00112233445566778899AABBccddeeff", spanId="", parentSpanId="0a")
    assert span == Span(trace_id=bytes.fromhex("00112233445566778899aabbccddeeff"), parent_span_id=b"\x0a")


def test_enums_are_numbers_or_names():
    """The specification says numbers; names, which some clients send, mean the same."""
    assert read_span(kind=3) == read_span(kind="SPAN_KIND_CLIENT") == Span(kind=3)


def test_unknown_fields_and_nulls_are_ignored():
    """A newer client's fields must not make the request fail, and null is the same as leaving a field out."""
    assert read_span(name="n", newField={"deep": [1]}, attributes=None, status=None) == Span(name="n")


def test_snake_case_names_are_taken():
    """The .proto names stand for the JSON names at every level."""
    document = {"resource_spans": [{"scope_spans": [{"spans": [{"trace_id": "ab", "start_time_unix_nano": "1"}]}]}]}
    span = read(Signal.SPANS, document).resource_spans[0].scope_spans[0].spans[0]
    assert span == Span(trace_id=b"\xab", start_time_unix_nano=1)


@pytest.mark.parametrize(
    ("fields", "path", "reason"),
    [
        ({"traceId": "xy"}, "traceId", 'expected an id in hex, got "xy"'),
        ({"traceId": "ab cd "}, "traceId", 'expected an id in hex, got "ab cd "'),
        ({"spanId": 7}, "spanId", "expected an id in hex, got 7"),
        ({"startTimeUnixNano": 1.5}, "startTimeUnixNano", "expected a whole number, got 1.5"),
        ({"startTimeUnixNano": "1_0"}, "startTimeUnixNano", 'expected a whole number, got "1_0"'),
        ({"startTimeUnixNano": True}, "startTimeUnixNano", "expected a whole number, got true"),
        ({"name": 5}, "name", "expected a string, got 5"),
        ({"attributes": {}}, "attributes", "expected a list, got {}"),
        ({"events": [{}, {"name": False}]}, "events[1].name", "expected a string, got false"),
        ({"events": [{}, 5]}, "events[1]", "expected an object, got 5"),
        (
            {"attributes": [{"key": "k", "value": {"boolValue": "true"}}]},
            "attributes[0].value.boolValue",
            'expected true or false, got "true"',
        ),
        (
            {"attributes": [{"key": ["k"], "value": {"stringValue": ""}}]},
            "attributes[0].key",
            "expected a string, got a list",
        ),
        (
            {"attributes": [{"key": "k", "value": {"bytesValue": "?"}}]},
            "attributes[0].value.bytesValue",
            'expected bytes in base64, got "?"',
        ),
        (
            {"attributes": [{"key": "k", "value": {"doubleValue": "nan"}}]},
            "attributes[0].value.doubleValue",
            'expected a number, "NaN", "Infinity" or "-Infinity", got "nan"',
        ),
        ({"status": {"message": "x" * 100}, "kind": {}}, "kind", "expected a number or one of SPAN_KIND_UNSPECIFIED"),
    ],
)
def test_errors_name_the_value_and_what_was_expected(fields, path, reason):
    """Whoever wrote the exporter finds the wrong value without guessing."""
    found_path, found_reason = error_of_span(**fields)
    assert (found_path, found_reason[: len(reason)]) == (path, reason)


def test_packed_lists_name_the_index():
    """A wrong bucket count is named by its place in the list."""
    point = {"bucketCounts": ["1", "x"]}
    metric = {"name": "m", "histogram": {"dataPoints": [point]}}
    with pytest.raises(OtlpJsonError) as caught:
        read(Signal.METRICS, {"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}]})
    assert caught.value.path == "resourceMetrics[0].scopeMetrics[0].metrics[0].histogram.dataPoints[0].bucketCounts[1]"


def nested_lists(count: int) -> Any:
    value: Any = {"intValue": 1}
    for _ in range(count):
        value = {"arrayValue": {"values": [value]}}
    return value


def test_nesting_stops_where_protobuf_decoders_stop():
    """Request to value takes 5 messages, each list 2 more: protobuf reads 47 lists as we do, and 48 are refused."""
    assert read_value(nested_lists(47)).HasField("array_value")
    path, reason = error_of_span(attributes=[{"key": "k", "value": nested_lists(48)}])
    assert path.startswith("attributes[0].value.arrayValue.values[0].arrayValue")
    assert reason == "nested deeper than 100 messages; send flatter attribute values"


def test_the_same_key_and_text_under_another_type_is_another_value():
    """What is remembered of one attribute is not taken for another with equal text."""
    values = [{"stringValue": "1"}, {"intValue": "1"}, {"doubleValue": "1"}, {"stringValue": "1"}]
    span = read_span(attributes=[{"key": "k", "value": value} for value in values])
    assert [item.value.WhichOneof("value") for item in span.attributes] == [
        "string_value",
        "int_value",
        "double_value",
        "string_value",
    ]


def test_an_attribute_seen_before_may_not_nest_too_deep():
    """Remembering must not let the second of two equal attributes slip past the depth limit."""
    deep: Any = {"stringValue": "seen"}
    for _ in range(31):
        deep = {"kvlistValue": {"values": [{"key": "k", "value": deep}]}}
    assert read_value(deep).HasField("kvlist_value")
    deep = {"kvlistValue": {"values": [{"key": "k", "value": deep}]}}
    path, _reason = error_of_span(attributes=[{"key": "k", "value": deep}])
    assert path.count("kvlistValue") == 32


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"a": NaN}', b'"\\ud800"', b"[" * 100_000])
def test_a_body_that_is_not_json_is_refused(body):
    """Not JSON at all: the error says so and has no path."""
    with pytest.raises(OtlpJsonError, match=r"^the body is not JSON: ") as caught:
        otlp_json_to_protobuf(Signal.SPANS, body)
    assert caught.value.path == ""


@pytest.mark.parametrize("body", [b"null", b"[]", b"5", b'"x"'])
def test_json_that_is_no_object_is_refused(body):
    """A request is an object."""
    with pytest.raises(OtlpJsonError, match=r"^expected an object, got "):
        otlp_json_to_protobuf(Signal.LOGS, body)


@settings(max_examples=200, deadline=None)
@given(value=st.binary(max_size=40))
def test_bytes_survive_in_both_alphabets_without_padding(value):
    """Base64 is read from the standard and from the URL-safe alphabet, padded or not."""
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        text = encode(value).decode()
        assert (
            read_value({"bytesValue": text})
            == read_value({"bytesValue": text.rstrip("=")})
            == AnyValue(bytes_value=value)
        )
