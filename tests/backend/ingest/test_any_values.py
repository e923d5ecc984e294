"""Values of attributes are read as protobuf reads them, whatever bytes they come in."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList

from spanglass_server.ingest.protobuf.any_values import EMPTY, MEMBERS, AnyValues, type_codes
from spanglass_server.ingest.protobuf.otlp_schema import ANY_VALUE

_INTS = st.integers(-(2**63), 2**63 - 1) | st.sampled_from([0, 127, 128, 2**56 - 1, 2**56, 2**63 - 1, -1])
_TEXTS = st.text(max_size=5) | st.sampled_from(["", "x" * 127, "x" * 128, "é" * 100, "x" * 16_383, "x" * 16_384])
_MEMBERS = st.one_of(
    st.builds(AnyValue, string_value=_TEXTS),
    st.builds(AnyValue, int_value=_INTS),
    st.builds(AnyValue, double_value=st.floats()),
    st.builds(AnyValue, bool_value=st.booleans()),
    st.builds(AnyValue, bytes_value=st.binary(max_size=3) | st.just(b"\xff" * 200)),
    st.builds(AnyValue, array_value=st.just(ArrayValue(values=[AnyValue(int_value=1), AnyValue()]))),
    st.builds(AnyValue, kvlist_value=st.just(KeyValueList(values=[KeyValue(key="k", value=AnyValue(int_value=-1))]))),
    st.just(AnyValue()),
).map(AnyValue.SerializeToString)
#: Several members, a longer form of a number, fields that nobody knows: what protobuf takes, and nobody sends.
_ODD = st.sampled_from(
    [
        b"\x18\x81\x00",
        b"\x10\x81\x00",
        b"\x10\x02",
        b"\x0a\x81\x00x",
        b"\x18\x01\x0a\x01x",
        b"\x48\x01\x0a\x01x",
        b"\x48\x01",
    ]
)


def _members(rows: pa.RecordBatch | AnyValues) -> list[list[object]]:
    if isinstance(rows, AnyValues):
        return [rows.member(code).to_pylist() for code in range(EMPTY)]
    return [rows.column(member).to_pylist() for member, _ in MEMBERS]


@settings(max_examples=60)
@given(st.lists(_MEMBERS | _ODD, max_size=8), st.integers(0, 3))
@example([b"\x18" + b"\xff" * 9 + b"\x01", b"\x18" + b"\x80" * 8 + b"\x01"], 0)
def test_values_are_what_protobuf_says(bodies, skipped):
    """Types and values of any encoded values are those that decoding them as messages gives, also of a slice."""
    encoded = pa.array([b"\x0a\x03abc"] * skipped + bodies, pa.binary()).slice(skipped)
    expected = ANY_VALUE.list_to_record_batch(bodies)

    values = AnyValues(encoded)
    values.check_texts()

    assert values.codes.tolist() == type_codes(expected.to_struct_array()).tolist()
    assert repr(_members(values)) == repr(_members(expected))
    if not values.unusual:
        assert repr(_members(AnyValues(encoded, are_usual=True))) == repr(_members(expected))


@settings(max_examples=60)
@given(st.lists(_MEMBERS, max_size=3), st.binary(min_size=1, max_size=12), st.lists(_MEMBERS, max_size=3))
@example([], b"\x0a\x02\xc3(", [])
@example([b"\x18\x01"], b"\x0a\x05abc", [b"\x0a\x01x"])
@example([], b"\x18" + b"\xff" * 9 + b"\x02", [])
@example([], b"\x18", [b"\x18\x01"])
@example([], b"\x0a\x04abc\xff", [b""])
@example([b"\x18\x01"], b"\x0a\x02a\xc3", [b"", b""])
def test_what_is_no_value_is_refused(before, body, after):
    """Any bytes are taken or refused as decoding them as a message does, whatever stands beside them."""
    try:
        ANY_VALUE.list_to_record_batch([body])
    except ValueError:
        with pytest.raises(ValueError, match=r"."):
            AnyValues(pa.array([*before, body, *after], pa.binary())).check_texts()
    else:
        AnyValues(pa.array([*before, body, *after], pa.binary())).check_texts()
