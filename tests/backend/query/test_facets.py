"""Facets, and completion of keys and values."""

from __future__ import annotations

import pytest

from spanglass_server.query.attributes.facets import complete_values, count_facets
from spanglass_server.query.attributes.keys import complete_keys
from spanglass_server.query.errors import BadQuestionError
from spanglass_server.signals import Signal
from spanglass_server.store.ports import Window

WINDOW = Window(0, 100)


def span(time_ns=5, **values):
    """Make a stored span."""
    return {"start_time_ns": time_ns, "name": "GET /", "resource.service.name:str": "web"} | values


def test_facets_count_values_of_matching_records(open_tables):
    """Each key has its most frequent values, how many there are, and how many records lack it; types are kept."""
    session = open_tables(
        spans=[
            span(**{"span.n:int": 1, "span.route:str": "/a"}),
            span(**{"span.n:int": 2, "span.route:str": "/a"}),
            span(**{"span.n:int": 3}),
            span(name="other", **{"span.n:int": 9}),
            span(time_ns=100, **{"span.n:int": 9}),
        ]
    )
    counted = count_facets(session, Signal.SPANS, WINDOW, filter_text='name = "GET /"', keys=["n", "route"], limit=2)
    assert counted == {
        "facets": [
            {
                "key": "n",
                "values": [{"value": 1, "count": 1}, {"value": 2, "count": 1}],
                "distinct": 3,
                "missing": 0,
            },
            {"key": "route", "values": [{"value": "/a", "count": 2}], "distinct": 1, "missing": 1},
        ],
        "total": 3,
    }


def test_usual_facets_leave_out_what_nobody_sends(open_tables):
    """Without keys the usual ones are counted, under old and new names; attributes without data are left out."""
    session = open_tables(
        spans=[span(kind=2, **{"span.http.method:str": "GET"})],
        logs=[{"time_ns": 5, "severity_number": 17}, {"time_ns": 5, "severity_number": 9}],
    )
    spans = count_facets(session, Signal.SPANS, WINDOW)["facets"]
    assert [facet["key"] for facet in spans] == ["service.name", "name", "kind", "status", "http.request.method"]
    assert spans[4]["values"] == [{"value": "GET", "count": 1}]
    logs = count_facets(session, Signal.LOGS, WINDOW)["facets"]
    assert {"value": "error", "count": 1} in next(facet for facet in logs if facet["key"] == "severity")["values"]


def test_facets_of_nothing(open_tables):
    """A filter that nothing matches has empty facets."""
    assert count_facets(open_tables(), Signal.SPANS, WINDOW, keys=["name"]) == {
        "facets": [{"key": "name", "values": [], "distinct": 0, "missing": 0}],
        "total": 0,
    }


def test_facets_read_the_records_once(open_tables):
    """However many keys, one statement counts them."""
    session = open_tables(spans=[span()])
    count_facets(session, Signal.SPANS, WINDOW, keys=["name", "kind", "status", "service.name"])
    assert len(session.statements) == 1


@pytest.mark.parametrize("keys", [["="], [f"k{number}" for number in range(21)]])
def test_wrong_keys_are_named(open_tables, keys):
    """A text that is no key, or too many keys, is an error of the parameter keys."""
    with pytest.raises(BadQuestionError) as wrong:
        count_facets(open_tables(), Signal.SPANS, WINDOW, keys=keys)
    assert wrong.value.field == "keys"


def test_values_are_completed_by_prefix(open_tables):
    """Values that begin with what is typed, in any case, the most frequent first; old names' values too."""
    session = open_tables(
        spans=[
            *(span(**{"span.http.route:str": route}) for route in ("/cart", "/Cart/x", "/Cart/x", "/pay", "/%")),
            span(time_ns=100, **{"span.http.route:str": "/cart/late"}),
        ]
    )

    def completed(prefix, **options):
        found = complete_values(session, Signal.SPANS, WINDOW, "http.route", prefix=prefix, **options)
        return [(entry["value"], entry["count"]) for entry in found["values"]]

    assert completed("/ca") == [("/Cart/x", 2), ("/cart", 1)]
    assert completed("/%") == [("/%", 1)]
    assert completed("", limit=1) == [("/Cart/x", 2)]


def test_fixed_lists_of_values_are_offered_whole(open_tables):
    """A field with a list of values offers those not seen too, last and with no count."""
    found = complete_values(open_tables(spans=[span(status_code=2)]), Signal.SPANS, WINDOW, "status")
    assert found["values"] == [
        {"value": "error", "count": 1},
        {"value": "unset", "count": 0},
        {"value": "ok", "count": 0},
    ]


def test_keys_are_completed(open_tables):
    """Keys that begin with what is typed come first, then those that hold it; types of one key are together."""
    session = open_tables(
        spans=[
            span(
                **{
                    "span.http.route:str": "/",
                    "span.code:int": 1,
                    "span.code:str": "x",
                    "event.code:int": [1],
                    "resource.zip.code:str": "x",
                }
            )
        ]
    )
    found = complete_keys(session, Signal.SPANS, WINDOW, prefix="code")["keys"]
    assert [entry for entry in found if entry["position"] != "intrinsic"] == [
        {"key": "code", "position": "event", "types": ["int"], "count": 1},
        {"key": "code", "position": "span", "types": ["int", "str"], "count": 1},
        {"key": "zip.code", "position": "resource", "types": ["str"], "count": 1},
    ]
    with_position = complete_keys(session, Signal.SPANS, WINDOW, prefix="span.c")["keys"]
    assert [(entry["position"], entry["key"]) for entry in with_position] == [("span", "code")]
    assert complete_keys(session, Signal.SPANS, WINDOW, prefix="dur")["keys"][0] == {
        "key": "duration",
        "position": "intrinsic",
        "types": [],
        "count": 1,
    }
    assert len(complete_keys(session, Signal.SPANS, WINDOW, limit=3)["keys"]) == 3


def test_keys_within_maps_are_offered(open_tables):
    """Of attributes, events and bodies, with the types that a sample has; escapes and cut texts are no keys."""
    session = open_tables(
        spans=[{"start_time_ns": 5, "event.args:json": [None, '{"n":1}']}],
        logs=[
            {"time_ns": 5, "log.order:json": '{"id":17,"$$x":1,"customer":{"name":"Ann","raw":{"$bytes":"AA=="}}}'},
            {"time_ns": 5, "log.order:json": '{"id":"a","lines":[{"sku":"x"}]}', "log.order.id:int": 3},
            {"time_ns": 5, "log.order:json": "[1]", "log.cut:json": '{"gone":1'},
            {"time_ns": 5, "body": '{"msg":"x"}', "body_type": "json"},
            {"time_ns": 5, "body": '{"user": {"id": 7}, "not bare": 1, "$$s": {"$bytes": 1}}'},
            {"time_ns": 5, "body": '{"$$d":1,"nan":{"$double":"NaN"},"none":{}}', "body_type": "json"},
            {"time_ns": 5, "body": "{'gone': 1}"},
        ],
    )
    offered = {
        (entry["position"], entry["key"]): entry["types"]
        for entry in complete_keys(session, Signal.LOGS, WINDOW, limit=1000)["keys"]
        if "." in entry["key"] and entry["key"].split(".")[0] in ("order", "body", "cut")
    }
    assert offered == {
        ("log", "order.id"): ["int", "str"],
        ("log", "order.$x"): ["int"],
        ("log", "order.customer.name"): ["str"],
        ("log", "order.customer.raw"): ["json"],
        ("log", "order.lines"): ["json"],
        ("intrinsic", "body.msg"): ["str"],
        ("intrinsic", "body.user.id"): ["int"],
        ("intrinsic", "body.$$s.$bytes"): ["int"],
        ("intrinsic", "body.$d"): ["int"],
        ("intrinsic", "body.nan"): ["json"],
        ("intrinsic", "body.none"): ["json"],
    }
    (entry,) = complete_keys(session, Signal.SPANS, WINDOW, prefix="args.")["keys"]
    assert (entry["position"], entry["key"], entry["types"]) == ("event", "args.n", ["int"])


@pytest.mark.parametrize("chosen", ["service:web", "service.name in (web, cart)", "resource.service.name = web"])
def test_alternatives_are_counted_without_their_own_condition(open_tables, chosen):
    """A key whose values the filter chooses shows what else there is; other keys, and the total, do not."""
    session = open_tables(
        spans=[
            span(kind=2),
            span(kind=3, **{"resource.service.name:str": "shop"}),
            span(kind=3, **{"resource.service.name:str": "shop", "status_code": 2}),
        ]
    )
    text = f"status = unset and {chosen}"
    found = count_facets(
        session, Signal.SPANS, WINDOW, filter_text=text, keys=["service.name", "kind"], alternatives=True
    )
    names, kinds = ([(each["value"], each["count"]) for each in facet["values"]] for facet in found["facets"])
    assert (names, kinds, found["total"]) == ([("shop", 1), ("web", 1)], [("server", 1)], 1)
    assert len(session.statements) == 2
    count_facets(session, Signal.SPANS, WINDOW, filter_text="status = unset", keys=["kind"], alternatives=True)
    assert len(session.statements) == 3  # nothing chosen: one statement, as without alternatives
