"""Attributes of stored rows as JSON: made a column at a time, they are what they are one by one."""

from __future__ import annotations

import random

import pyarrow as pa
import pytest

from spanglass_server.query.rows import plain_attributes
from spanglass_server.query.rows.attributes import StoredAttributes, plain
from spanglass_server.query.rows.plain_attributes import PlainAttributes

VALUES = {
    "span.a:str": ["", "x", "é"],
    "span.a:int": [0, 7, 2**53, 2**53 + 1, -(2**63)],
    "span.n:int": [1, 2, 3],
    "span.b:double": [0.5, 1e300, float("nan"), float("-inf")],
    "span.d:double": [0.5, 2.0],
    "span.c:bool": [True, False],
    "span.^key:bytes": [b"", b"\x00\xff"],
    "span.z:json": ['{"n": 9007199254740993}', "[1, null]", "cut off {"],
    "resource.r:str": ["x", "y"],
    "resource.s:double": [0.5, float("nan"), float("inf")],
    "scope.t:int": [1, 2**60],
    "event.e:str": [[], ["x"], [None, "y"], ["a", None, "b"]],
    "event.f:int": [[1], [None, 2**60], [0, 1, 2]],
}
TYPES = {"str": pa.string(), "int": pa.int64(), "double": pa.float64(), "bool": pa.bool_(), "bytes": pa.binary(),
         "json": pa.string()}  # fmt: skip
OVERFLOW = [("span.a:str", "o", 0), ("span.o:int", "7", 0), ("resource.r:str", "o", 0), ("event.e:str", "o", 1)]


def make_table(draw, *, overflow):
    """Make a table of whole rows: any column may lack any value, in chunks of any size."""
    count = draw.randrange(7)
    columns = {}
    for name, values in VALUES.items():
        kind = TYPES[name.rpartition(":")[2]]
        kind = pa.list_(kind) if name.startswith("event") else kind
        found, cut = [draw.choice([None, *values]) for _ in range(count)], draw.randint(0, count)
        parts = [pa.array(found[:cut], kind), pa.array(found[cut:], kind)]
        if kind == pa.string() and draw.random() < 0.5:
            parts = [part.dictionary_encode() for part in parts]  # as rows in memory have them, not segments
        columns[name] = pa.chunked_array(parts)
    if overflow:
        rows = [draw.choice([None, draw.sample(OVERFLOW, draw.randrange(4))]) for _ in range(count)]
        kinds = {"overflow_name": pa.string(), "overflow_value": pa.string(), "overflow_index": pa.int32()}
        for place, (name, kind) in enumerate(kinds.items()):
            texts = [None if row is None else [entry[place] for entry in row] for row in rows]
            columns[name] = pa.array(texts, pa.list_(kind))
    return pa.table(columns)


@pytest.mark.parametrize("few", [0, 200])
@pytest.mark.parametrize("overflow", [False, True])
@pytest.mark.parametrize("seed", range(60))
def test_columns_say_what_rows_say(monkeypatch, seed, overflow, few):
    """Every record and every item has the attributes, in the order, that it has when they are put together singly.

    That holds for tables that are read value by value, and for those that are not.
    """
    monkeypatch.setattr(plain_attributes, "_FEW", few)
    table = make_table(random.Random(seed), overflow=overflow)  # noqa: S311 - made-up data
    stored, found = StoredAttributes(table), PlainAttributes(table)

    for row in range(table.num_rows):
        for position in ("span", "resource", "scope"):
            expected = plain(stored.of_record(position, row))
            assert repr(found.of_record(position, row)) == repr(expected)
        for index in range(3):
            assert repr(found.of_item("event", row, index)) == repr(plain(stored.of_item("event", row, index)))


def test_alike_resources_are_made_once():
    """Of a thousand rows with two resources, two are made: the rows share them."""
    names = pa.array(["web", "db"] * 500)
    found = PlainAttributes(pa.table({"resource.service.name:str": names}))

    made = {id(found.of_record("resource", row)): found.of_record("resource", row) for row in range(1000)}
    assert list(made.values()) == [{"service.name": "web"}, {"service.name": "db"}]


@pytest.mark.parametrize("times", [0, 8])
def test_sets_of_equal_rows_have_numbers_without_gaps(monkeypatch, times):
    """In the order of their values, each with its first row, whether numbers are sorted or marked."""
    monkeypatch.setattr(plain_attributes, "_GAPS", times)
    columns = [pa.chunked_array([texts]) for texts in (["b", "a", None, "a", "b"], ["x", "y", "x", "y", None])]

    firsts, numbers = plain_attributes._distinct(columns, 5)
    assert [firsts[number] for number in numbers] == [0, 1, 2, 1, 4]
    assert sorted(set(numbers.tolist())) == list(range(4))
