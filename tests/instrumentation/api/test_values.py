"""Any Python value as the value of an attribute."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import json
import pathlib
import uuid
from decimal import Decimal
from fractions import Fraction
from http import HTTPStatus
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.common._internal import _encode_attributes

from spanglass.values import MAX_ITEMS, MAX_TEXT, attribute_value, attributes_of, text_of


class Color(enum.Enum):
    """Members with a text, and with something else."""

    RED = "red"
    BOTH = ("red", "blue")


class Size(enum.StrEnum):
    """Members that are texts."""

    SMALL = "small"


@dataclasses.dataclass
class Order:
    """A structure."""

    id: int
    items: list[str]


class Point(NamedTuple):
    """A tuple with names."""

    x: int
    y: int


class Plain:
    """Says nothing of itself."""


class Printed:
    """Has a text."""

    def __str__(self):
        return "printed"


class Broken:
    """Has a text that raises."""

    def __str__(self):
        raise RuntimeError("no text")


class BrokenList(list):
    """Raises when it is read."""

    def __iter__(self):
        raise RuntimeError("no items")


UTC_NOON = dt.datetime(2025, 11, 21, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("text", "text"),
        (True, True),
        (3, 3),
        (2.5, 2.5),
        (None, None),
        (b"raw", b"raw"),
        (bytearray(b"raw"), b"raw"),
        (2**63, "9223372036854775808"),
        (-(2**63), -(2**63)),
        (Decimal("3.50"), 3.5),
        (Fraction(1, 4), 0.25),
        (UTC_NOON, "2025-11-21T12:00:00+00:00"),
        (UTC_NOON.date(), "2025-11-21"),
        (dt.timedelta(minutes=1.5), 90.0),
        (uuid.UUID(int=5), "00000000-0000-0000-0000-000000000005"),
        (pathlib.PurePosixPath("/a/b"), "/a/b"),
        (Color.RED, "red"),
        (Color.BOTH, "BOTH"),
        (Size.SMALL, "small"),
        (HTTPStatus.NOT_FOUND, 404),
        (ValueError("bad"), "ValueError: bad"),
        (Order, "test_values.Order"),
        (["a", "b"], ["a", "b"]),
        ((1, 2), [1, 2]),
        ([1, 2.5], [1.0, 2.5]),
        ({"b", "a"}, ["a", "b"]),
        (range(3), [0, 1, 2]),
        ([], []),
        ([uuid.UUID(int=5)], ["00000000-0000-0000-0000-000000000005"]),
        ([1, "a", None], '[1,"a",null]'),
        ({"a": 1, 2: [UTC_NOON]}, '{"a":1,"2":["2025-11-21T12:00:00+00:00"]}'),
        (Order(1, ["x"]), '{"id":1,"items":["x"]}'),
        (Point(1, 2), '{"x":1,"y":2}'),
        ([{"ok": float("nan"), "raw": b"\xff"}], '[{"ok":"nan","raw":"\\\\xff"}]'),
        ({"ü": "é"}, '{"ü":"é"}'),
        (Printed(), "printed"),
        (Broken(), "<Broken: RuntimeError in its __str__>"),
        (BrokenList([1]), "<BrokenList: RuntimeError while it was read>"),
        ("\ud800", "\\ud800"),
        (["\ud800"], ["\\ud800"]),
    ],
)
def test_each_value_has_one_form(value, expected):
    """Simple values stay, known types have their usual text or number, structures are JSON text."""
    found = attribute_value(value)

    expected = expected.replace("test_values.", f"{__name__}.") if isinstance(expected, str) else expected
    assert (found, type(found)) == (expected, type(expected))


def test_an_object_is_shown_without_its_address():
    """An object without a text of its own has the same text each time."""
    assert attribute_value(Plain()) == f"<{__name__}.Plain>"


def test_a_structure_that_holds_itself_ends():
    """Nesting is cut after eight levels."""
    loop = []
    loop.append(loop)

    assert attribute_value(loop) == "[[[[[[[[" + '"…"' + "]]]]]]]]"


def test_size_is_bounded():
    """Text, lists and structures are cut; what is JSON stays JSON."""
    text = attribute_value("x" * (MAX_TEXT + 1))
    structure = attribute_value(dict.fromkeys(range(10_000), "y" * 1000))

    assert (len(text), text[-1]) == (MAX_TEXT, "…")
    assert len(attribute_value(list(range(10 * MAX_ITEMS)))) == MAX_ITEMS
    assert len(attribute_value(b"z" * (MAX_TEXT + 1))) == MAX_TEXT
    assert len(structure) < 2 * MAX_TEXT
    assert len(json.loads(structure)) == 66


def test_text_may_have_a_limit_of_its_own():
    """The caller's limit is in characters, the mark that something is missing among them."""
    assert (text_of("abcdef", 4), text_of("abcd", 4), text_of(12345, 4)) == ("abc…", "abcd", "123…")


def test_two_mappings_become_one():
    """Keywords win over the mapping; None is left out; nothing is None."""
    assert attributes_of({"a": 1, "b": None}, {"a": 2, "c": None}) == {"a": 2}
    assert attributes_of({1: "x", "": "y"}, {}) == {"1": "x"}
    assert attributes_of(None, {}) is None


def test_a_broken_mapping_is_left_out(failures):
    """A mapping that raises when it is read gives no attributes, and is counted."""

    class BrokenMapping(dict):
        def items(self):
            raise RuntimeError("no items")

    assert attributes_of(BrokenMapping(a=1), {}) is None
    assert failures == {"read attributes": 1}


json_like = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters())
    | st.binary()
    | st.decimals()
    | st.datetimes(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.text(st.characters()), inner)
        | st.sets(st.integers())
        | st.tuples(inner, inner)
    ),
    max_leaves=10,
)


@settings(deadline=None)
@given(json_like)
def test_whatever_it_is_can_be_encoded(value):
    """No value makes the exporter fail, which would lose the whole batch."""
    made = attribute_value(value)

    if made is not None:
        (encoded,) = _encode_attributes({"key": made})
        encoded.SerializeToString()
