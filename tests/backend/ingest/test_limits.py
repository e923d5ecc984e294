"""Past a limit nothing is dropped in silence: attributes overflow, values are cut with a mark, and both are counted."""

from __future__ import annotations

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spanglass_server.ingest.attributes.limits import ColumnBudget, ShredCounts, ShredLimits
from spanglass_server.ingest.decoding.decode import DecodeLimits, Decoder
from spanglass_server.ingest.protobuf.wire import encode_varint
from spanglass_server.ingest.shred import shred
from spanglass_server.signals import Signal

NOW_NS = 1_800_000_000_000_000_000


def shredded(signal, request, limits, budget=None):
    """The rows that a request becomes, without null columns, and the counts."""
    (result,) = Decoder(DecodeLimits()).decode(signal, [request.SerializeToString()], [NOW_NS])
    table, counts = shred(result[0], budget or ColumnBudget(limits.max_columns), limits)
    return [{k: v for k, v in row.items() if v is not None} for row in table.to_pylist()], counts


def one_span():
    """A request with one span, and the span."""
    request = ExportTraceServiceRequest()
    span = request.resource_spans.add().scope_spans.add().spans.add(trace_id=b"t" * 16, span_id=b"s" * 8)
    return request, span


def overflow(row):
    """A row's overflow, name to value."""
    return dict(zip(row["overflow_name"], row["overflow_value"], strict=True))


def test_long_values_are_cut_with_a_mark():
    """Texts, lists, maps and bytes past the limit end in a mark with their length; each is counted once."""
    request, span = one_span()
    span.attributes.add(key="short").value.string_value = "12345678"
    span.attributes.add(key="text").value.string_value = "123456789"
    span.attributes.add(key="wide").value.string_value = "é" * 8
    span.attributes.add(key="bytes").value.bytes_value = b"123456789"
    span.attributes.add(key="list").value.array_value.values.add(string_value="123456789")
    span.name = "a long name"
    (row,), counts = shredded(Signal.SPANS, request, ShredLimits(max_value_bytes=8))

    assert {name: value for name, value in row.items() if name.startswith("span.")} == {
        "span.short:str": "12345678",
        "span.text:str": "12345678… [cut, 9 bytes]",
        "span.wide:str": "éééé… [cut, 16 bytes]",
        "span.bytes:bytes": "12345678… [cut, 9 bytes]".encode(),
        "span.list:json": '["123456… [cut, 13 bytes]',
    }
    assert row["name"] == "a long n… [cut, 11 bytes]"
    assert counts == ShredCounts(cut=5)


def test_values_are_cut_in_the_overflow_and_in_bodies():
    """An overflowed value and a log record's body of any type are cut like a column's value, and counted once."""
    request = ExportLogsServiceRequest()
    scope = request.resource_logs.add().scope_logs.add()
    scope.log_records.add().body.string_value = "123456789"
    scope.log_records.add().body.bytes_value = b"123456789"
    record = scope.log_records.add()
    for key in "ab":
        record.attributes.add(key=key).value.string_value = "123456789"
    rows, counts = shredded(Signal.LOGS, request, ShredLimits(max_attributes=1, max_value_bytes=8))

    assert [row.get("body") for row in rows[:2]] == [
        "12345678… [cut, 9 bytes]",
        "12345678… [cut, 9 bytes]".encode().hex(),
    ]
    assert rows[2]["log.a:str"] == "12345678… [cut, 9 bytes]"
    assert overflow(rows[2]) == {"log.b:str": "12345678… [cut, 9 bytes]"}
    assert counts == ShredCounts(overflowed=1, cut=4)


def test_attributes_past_the_limit_of_a_record_overflow():
    """The first attributes of each record become columns, the others wait in the overflow in every type."""
    request, span = one_span()
    span.attributes.add(key="first").value.int_value = 1
    for name, value in {"string": "x", "int": -5, "double": 0.5, "bool": True, "bytes": b"\0\xff"}.items():
        setattr(span.attributes.add(key=name).value, f"{name}_value", value)
    span.attributes.add(key="empty")
    (row,), counts = shredded(Signal.SPANS, request, ShredLimits(max_attributes=1))

    assert row["span.first:int"] == 1
    assert overflow(row) == {
        "span.string:str": "x",
        "span.int:int": "-5",
        "span.double:double": "0.5",
        "span.bool:bool": "true",
        "span.bytes:bytes": "00ff",
        "span.empty:json": "null",
    }
    assert counts == ShredCounts(overflowed=6)


def test_the_most_frequent_attributes_become_columns():
    """Columns go to the keys that most records have; a key that is a column already needs no more room."""
    request, span = one_span()
    spans = request.resource_spans[0].scope_spans[0].spans
    spans.add(trace_id=b"t" * 16, span_id=b"r" * 8).attributes.add(key="often").value.int_value = 2
    span.attributes.add(key="rare").value.int_value = 1
    span.attributes.add(key="often").value.int_value = 1
    limits, budget = ShredLimits(max_columns=1), ColumnBudget(1)
    first, _ = shredded(Signal.SPANS, request, limits, budget)
    again, _ = shredded(Signal.SPANS, request, limits, budget)

    assert [row["span.often:int"] for row in first] == [1, 2]
    assert overflow(first[0]) == {"span.rare:int": "1"}
    assert again == first


def test_a_resource_overflows_to_each_of_its_records():
    """An overflowed attribute of a resource can be found at every record below it, and at no other."""
    request, span = one_span()
    request.resource_spans[0].resource.attributes.add(key="k").value.string_value = "v"
    spans = request.resource_spans[0].scope_spans[0].spans
    spans.add().CopyFrom(span)
    request.resource_spans.add().scope_spans.add().spans.add().CopyFrom(span)
    rows, counts = shredded(Signal.SPANS, request, ShredLimits(max_columns=0))

    assert [row.get("overflow_name") for row in rows] == [["resource.k:str"], ["resource.k:str"], None]
    assert counts == ShredCounts(overflowed=2)


def test_of_two_equal_keys_the_last_stays():
    """Duplicate keys, which the protocol leaves undefined, keep the last value and are counted."""
    request, span = one_span()
    for value in ("first", "last"):
        span.attributes.add(key="k").value.string_value = value
    (row,), counts = shredded(Signal.SPANS, request, ShredLimits())

    assert row["span.k:str"] == "last"
    assert counts == ShredCounts(duplicate_keys=1)


def test_many_keys_with_lists_are_decoded_once():
    """Ten thousand keys with a list each, a hundred of them columns, take no time worth noticing and are all kept."""
    request, span = one_span()
    for number in range(10_000):
        span.attributes.add(key=f"k{number}").value.array_value.values.add(int_value=number)
    (row,), counts = shredded(Signal.SPANS, request, ShredLimits(max_columns=100, max_attributes=10_000))

    assert sum(name.startswith("span.") for name in row) == 100
    assert len(overflow(row)) == counts.overflowed == 9_900


def field(number, message):
    """One length-delimited field."""
    return encode_varint(number << 3 | 2) + encode_varint(len(message)) + message


def test_nesting_that_protobuf_refuses_is_kept_as_it_came():
    """A value 200 levels deep, in a span or in a metric's metadata, is stored undecoded and harms no other."""
    value = b""
    for _ in range(200):
        value = field(5, field(1, value))  # AnyValue.array_value, ArrayValue.values
    pair = field(1, b"k") + field(2, value)
    span = field(1, b"t" * 16) + field(2, b"s" * 8) + field(9, pair)
    gauge = field(1, b"\x19" + NOW_NS.to_bytes(8, "little") + b"\x31" + bytes(8))
    metric = field(5, gauge) + field(12, pair)
    decoder = Decoder(DecodeLimits())
    found = {}
    for signal, record in ((Signal.SPANS, span), (Signal.METRICS, metric)):
        (result,) = decoder.decode(signal, [field(1, field(2, field(2, record)))], [NOW_NS])
        found[signal] = shred(result[0], ColumnBudget(10), ShredLimits())[0].to_pylist()

    assert found[Signal.SPANS][0]["span.k:json"].startswith('{"$undecoded":"')
    assert found[Signal.METRICS][0]["metric_metadata"].startswith('{"k":{"$undecoded":"')
