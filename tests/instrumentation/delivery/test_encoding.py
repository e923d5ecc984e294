"""Values as protobuf's bytes, read back by protobuf's own classes; what OpenTelemetry's encoder has no bytes for."""

from __future__ import annotations

import struct
from collections import UserDict, UserList
from enum import IntEnum, StrEnum

import pytest
from hypothesis import example, given, settings
from opentelemetry.exporter.otlp.proto.common._internal import _encode_value
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from sdk_items import VALUES

from spanglass.delivery.encoding.caches import MAX_BYTES, MAX_ENTRIES, Caches, Texts
from spanglass.delivery.encoding.values import (
    MAX_DEPTH,
    any_value,
    block,
    counter,
    key_value,
    moment,
    tag,
    text,
    varint,
)


class _Colour(StrEnum):
    RED = "red"


class _Code(IntEnum):
    TEAPOT = 418


class _Thing:
    def __str__(self):
        return "a thing"


def _read(value, **more):
    return AnyValue.FromString(any_value(value, **more))


@settings(max_examples=200, deadline=None)
@given(VALUES)
@example(-(2**63))
@example(float("nan"))
@example(float("-inf"))
def test_values_are_those_of_the_other_encoder(value):
    """Any value that OpenTelemetry can encode, with lists and maps in one another, is the same message."""
    assert _read(value).SerializeToString(deterministic=True) == _encode_value(value).SerializeToString(
        deterministic=True
    )


@pytest.mark.parametrize(
    "value",
    [_Colour.RED, _Code.TEAPOT, range(3), bytearray(b"ab"), UserList(["x"]), UserDict({"x": 1}), {1: 2}],
)
def test_subclasses_are_what_they_derive_from(value):
    """Members of enumerations, and anything that is a sequence or a mapping, as OpenTelemetry takes them."""
    assert _read(value) == _encode_value(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("caf\udce9 \ud800", AnyValue(string_value=r"caf\udce9 \ud800")),
        (2**63, AnyValue(string_value="9223372036854775808")),
        (-(2**63) - 1, AnyValue(string_value="-9223372036854775809")),
        pytest.param(1 << 20_000, AnyValue(string_value=hex(1 << 20_000)), id="20 000 bits"),
        (_Thing(), AnyValue(string_value="a thing")),
        (1 + 2j, AnyValue(string_value="(1+2j)")),
    ],
)
def test_what_the_other_encoder_refuses_becomes_text(value, expected):
    """A lone surrogate, a number of more than 64 bits, and any object have text, at the top and inside a list."""
    assert _read(value) == expected
    assert list(_read([value]).array_value.values) == [expected]


def test_keys_are_text_whatever_they_are():
    """A lone surrogate is spelled out, other objects are their str."""
    assert KeyValue.FromString(key_value("\ud800", 1)[1:]).key == r"\ud800"
    assert KeyValue.FromString(key_value(7, 1)[1:]).key == "7"


def test_structures_that_are_too_deep_are_cut():
    """A list that holds itself, and maps in maps, end in an ellipsis where a parser would refuse the whole body."""
    endless = []
    endless.append(endless)
    inner = _read(endless)
    for _ in range(MAX_DEPTH):
        inner = inner.array_value.values[0]
    assert inner == AnyValue(string_value="…")

    maps = {"x": 1}
    for _ in range(100):
        maps = {"x": maps}
    assert _read(maps).ByteSize() == len(any_value(maps))
    assert _read({"x": {"x": 1}}, depth=1).kvlist_value.values[0].value == AnyValue(string_value="…")


def test_numbers_of_the_wire():
    """Varints on both sides of each length, of the table's end and of 64 bits; tags, lengths and counts."""
    assert [varint(number) for number in (0, 127, 128, 2047, 2048, 2**64 - 1)] == [
        b"\x00",
        b"\x7f",
        b"\x80\x01",
        b"\xff\x0f",
        b"\x80\x10",
        b"\xff" * 9 + b"\x01",
    ]
    assert (tag(16, 5), block(b"abc"), text(None), text("é")) == (b"\x85\x01", b"\x03abc", b"", b"\xc3\xa9")
    assert [counter(b"t", number) for number in (0, -1, 1, 2**40)] == [b"", b"", b"t\x01", b"t\xff\xff\xff\xff\x0f"]
    assert [moment(ns) for ns in (None, -1, 1.9, 2**70)] == [0, 0, 1, 2**64 - 1]
    struct.pack("<Q", moment(2**70))  # fits


def test_equal_values_of_several_types_are_kept_apart():
    """True, 1 and 1.0 under one key, alone and in tuples, are what they are, in any order and the second time too."""
    caches = Caches()
    for _ in range(2):
        for value in (1, True, 1.0, 0.0, -0.0, (1,), (True,), (1.0,), "1", b"1"):
            body = caches.attributes(tag(1, 2), {"k": value})
            (found,) = Resource.FromString(body).attributes
            assert found.value.SerializeToString() == _encode_value(value).SerializeToString()


def test_caches_are_bounded():
    """However many texts come, no more than the bound is held; long ones, and other types, are never."""
    texts = Texts()
    for number in range(3 * MAX_ENTRIES):
        assert texts[str(number)] == block(str(number).encode())
        assert len(texts) <= MAX_ENTRIES
    held = len(texts)
    assert texts["x" * MAX_BYTES] == block(b"x" * MAX_BYTES)
    assert texts[None] == b"\x00"
    assert texts[_Colour.RED] == b"\x03red"
    assert len(texts) == held
    assert texts["x" * (MAX_BYTES - 2)] is texts["x" * (MAX_BYTES - 2)]
