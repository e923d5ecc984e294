"""Keys of a filter that no record of the range has."""

from __future__ import annotations

import pytest

from spanglass_server.query.attributes.unknown_keys import unknown_keys
from spanglass_server.signals import Signal
from spanglass_server.store.ports import Window

WINDOW = Window(0, 100)


def unknown(session, text, signal=Signal.SPANS):
    """Return unknown keys with the nearest ones."""
    return [(each["key"], each["nearest"]) for each in unknown_keys(session, signal, WINDOW, text)["unknown"]]


def span(**values):
    """Make a stored span."""
    return {"start_time_ns": 5, "name": "GET /", **values}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("http.rout = /a", [("http.rout", ["http.route"])]),
        ("HTTP.Route = /a", [("HTTP.Route", ["http.route"])]),
        ("span.http.rout = /a", [("span.http.rout", ["span.http.route"])]),
        ("resource.http.route = /a", [("resource.http.route", [])]),
        ('"shop cat" = 1', [('"shop cat"', ['"shop cart"'])]),
        ("zzz = 1 or not (zzz in (1, 2) and name = x)", [("zzz", [])]),
        ("http.status_code = 500 and service = x and operation = y", []),
        ('"GET /" http.rout', []),
        ("", []),
    ],
)
def test_each_key_that_no_record_has(open_tables, text, found):
    """Each key once, with the nearest; old names, short names and free text are none of them."""
    session = open_tables(
        spans=[
            span(**{"span.http.route:str": "/a", "span.shop cart:int": 1, "span.http.response.status_code:int": 500})
        ]
    )
    assert unknown(session, text) == found


def test_keys_in_maps_and_past_the_limit_are_known(open_tables):
    """Where only the values tell whether a key is there, they are read."""
    session = open_tables(
        spans=[
            span(
                **{
                    "span.order:json": '{"id": 17}',
                    "overflow_name": ["span.rare:str"],
                    "overflow_value": ["x"],
                }
            )
        ],
        logs=[{"time_ns": 5, "body": '{"msg": "hello"}', "body_type": "json"}],
    )
    assert unknown(session, "order.id = 17 and order.idd = 17 and rare = x and rarer = x") == [
        ("order.idd", ["order.id", "order"]),
        ("rarer", []),
    ]
    assert unknown(session, "body.msg = hello and body.mesg = x", Signal.LOGS) == [("body.mesg", ["body.msg"])]
