"""Keys that lead into maps: of attributes, of bodies, of events, and past the limit of columns."""

from __future__ import annotations

import json

import pytest

from spanglass_server.query.attributes.facets import count_facets
from spanglass_server.query.language import field_expression, numeric_expression
from spanglass_server.signals import Signal
from spanglass_server.store.ports import Window


def log_map(**entries):
    """A log record's column of a map ``order``."""
    return {"log.order:json": json.dumps(entries, separators=(",", ":"))}


ROWS = {
    "array": log_map(lines=[{"sku": "x", "n": 1}, {"sku": "y", "n": 20}], tags=["red", "blue"]),
    "body": {"body": '{"order":{"id":17},"msg":"paid by card"}', "body_type": "json"},
    "bool": log_map(paid=True, id=None),
    "bytes": log_map(raw={"$bytes": "AAE="}, odd={"$double": "NaN"}),
    "cut": {"log.order:json": '{"id":17,"text":"yy… [cut, 900 bytes]'},
    "deep": log_map(**{"a.b": {"c": 1}, "a": {"b.c": 2}, "$$x": 3, 'q"\\': 4}),
    "dotted": {"log.order.customer:json": '{"name":"Ann"}', "log.order:json": '{"customer":{"age":30}}'},
    "flat": {"log.order.id:int": 17},
    "odd keys": log_map(
        **{"": 6, "*": {"": {"*": 7}}, "x~/": {"*": 8}, "n\0l": 9, "list": [{"*": 10}, {"": {"n\0l": 11}}]}
    ),
    "odd body": {"body": '{"": 3, "a": {"": 7, "*": [{"": 8}]}, "x": {"y": {"z": 1}}, "*": 1, "n\\u0000l": 4}'},
    "none": {"log.order:json": "null"},
    "number": log_map(id=17, total=2.5, big=2**60 + 1),
    "outer": {"log.order:json": '[{"id":17},{"id":4}]'},
    "past": {
        "overflow_name": ["resource.k:str", "log.order:json"],
        "overflow_value": ["v", '{"id":17}'],
        "overflow_index": [None, None],
    },
    "resource": {"resource.order:json": '{"id":18}'},
    "string": log_map(id="17", total="2.5"),
    "text": {"body": ' {"order": {"id": 17, "lines": [{"sku": "y"}]}, "$x": 5, "\\u006dsg": "no card"}'},
    "text cut": {"body": '{"order":{"id":17},"msg":"a … [cut, 900 bytes]'},
    "text of another kind": {"body": "{'order': {'id': 17}}"},
}


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("order.id = 17", "flat number outer past string"),
        ("log.order.id = 17", "flat number outer past string"),
        ("resource.order.id = 18", "resource"),
        ("order.id > 17", "resource"),
        ("order.id >= 17", "flat number outer past resource string"),
        ("order.id in (4, 18)", "outer resource"),
        ("order.id:1*", "flat number outer past resource string"),
        ('order.id ~ "^17$"', "flat number outer past string"),
        ("order.id exists", "bool flat number outer past resource string"),
        ("order.id != 17 and order.total exists", ""),
        ("order.total = 2.5", "number string"),
        ("order.total < 3", "number string"),
        ("order.big = 1152921504606846977", "number"),
        ("order.big = 1152921504606846976", ""),
        ("order.paid = true", "bool"),
        ("order.paid = false", ""),
        ("order.raw = AAE=", "bytes"),
        ("order.odd = NaN", "bytes"),
        ("order.odd > 0", ""),
        ("order.customer.name = Ann", "dotted"),
        ("order.customer.age = 30", "dotted"),
        ("order.a.b.c = 1", "deep"),
        ("order.a.b.c = 2", "deep"),
        ("order.$x = 3", "deep"),
        (r'"order.q\"\\" = 4', "deep"),
        ("order.lines.sku = y", "array"),
        ("order.lines.n > 10", "array"),
        ("order.tags = red", "array"),
        ("order.nothing exists", ""),
        ("body.msg = 'paid by card'", "body"),
        ("body.order.id = 17", "body text"),
        ("body.order.id != 17 and body.order exists", ""),
        ("body.order.lines.sku = y", "text"),
        ("body.msg ~ card", "body text"),
        ("body.order exists", "body text"),
        ("order. = 6", "odd keys"),
        ("order.*..* = 7", "odd keys"),
        ("order.*.a exists", ""),
        ('"order.x~/.*" = 8', "odd keys"),
        ("order.n\0l = 9", "odd keys"),
        ("order.list.* = 10", "odd keys"),
        ("order.list..n\0l = 11", "odd keys"),
        ("a\0b.c = 1", ""),
        ("body.:3", "odd body"),
        ("body..:3", ""),
        ("body.a.:7", "odd body"),
        ("body.*:1", "odd body"),
        ("body.a.*. = 8", "odd body"),
        ("body.x.*:*", ""),
        ("body.n\0l:4", "odd body"),
        ("body.\0:1", ""),
        ("body.$x = 5", "text"),
        ("body.$x < 5", ""),
        ('"body.msg" exists', ""),
    ],
)
def test_paths_find_what_maps_hold(found, text, labels):
    """By the type it has there; a flat key and one in a map both match; of bodies also texts that are JSON objects."""
    assert found(text, ROWS, Signal.LOGS) == labels


def test_events_have_maps_too(found):
    """Any event of a span may match."""
    rows = {"a": {"event.args:json": [None, '{"n":1}', '{"n":7}']}, "b": {"event.args:json": ['{"n":2}', "cut{"]}}
    assert found("args.n = 7", rows) == "a"
    assert found("event.args.n < 9", rows) == "a b"
    assert found("args.m exists", rows) == ""


def test_old_and_new_names_lead_into_maps(found):
    """A map of the parts of a conventional key is found by both of its names."""
    rows = {
        "new": {"span.http:json": '{"response":{"status_code":500}}'},
        "old": {"span.http:json": '{"status_code":500}'},
    }
    for key in ("http.status_code", "http.response.status_code"):
        assert found(f"{key} = 500", rows) == "new old"


def test_values_of_maps_can_be_grouped(open_tables):
    """Facets and figures take the value as text and as a number, the flat key's first; nothing where there is none."""
    names = ("bool", "flat", "number", "resource", "string", "array", "cut")
    session = open_tables(logs=[{"time_ns": 5, **ROWS[name]} for name in names])
    (facet,) = count_facets(session, Signal.LOGS, Window(0, 9), keys=["order.id"])["facets"]
    assert (facet["values"], facet["missing"]) == ([{"value": "17", "count": 3}, {"value": "18", "count": 1}], 3)
    known = session.columns(Signal.LOGS)
    sql, columns = numeric_expression("order.total", Signal.LOGS, known)
    relation = session.relation(Signal.LOGS, Window(0, 9), columns)
    assert session.rows(f"SELECT sum({sql}) AS total FROM {relation}") == [{"total": 5.0}]  # noqa: S608
    rows = [{"time_ns": 5, **ROWS[name]} for name in ("body", "text", "text cut", "none")]
    (facet,) = count_facets(open_tables(logs=rows), Signal.LOGS, Window(0, 9), keys=["body.order.id"])["facets"]
    assert (facet["values"], facet["missing"]) == ([{"value": "17", "count": 2}], 2)
    assert field_expression("orders.id", Signal.LOGS, known) == ("CAST(NULL AS VARCHAR)", frozenset())
