"""The page of the service map over stored spans: what it says, and where it leads."""

from __future__ import annotations

import json
import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

from in_process import read

from spanglass_server.query.service_map.service_map import MapQuestion, service_map
from spanglass_server.store.ports import Window

SECOND = 1_000_000_000
NOW = 1_795_000_000
NOW_NS = NOW * SECOND
WINDOW = Window(NOW_NS - 3_600 * SECOND, NOW_NS)
NUMBERS = iter(range(1, 1000))


def span(kind, service, parent=None, *, start=NOW - 100, ms=10, **more):
    """Make a stored span; more are columns."""
    number = next(NUMBERS)
    return {
        "trace_id": parent["trace_id"] if parent else number.to_bytes(16),
        "span_id": number.to_bytes(8),
        "parent_span_id": parent and parent["span_id"],
        "resource.service.name:str": service,
        "name": "x",
        "kind": kind,
        "start_time_ns": start * SECOND,
        "duration_ns": ms * 1_000_000,
        **more,
    }


def call(caller, callee, **more):
    """Make a client's span and the server's below it."""
    client = span(3, caller, **more)
    return [client, {**span(2, callee, client), "start_time_ns": client["start_time_ns"]}]


def filters(source):
    """The filters of the table's links."""
    links = re.findall(r'href="(/traces\?[^"]*)" aria-label', source)
    return [parse_qs(urlsplit(unescape(link)).query)["filter"][0] for link in links]


def test_calls_are_listed_and_lead_to_their_traces(open_tables):
    """Each call has figures and a filter that finds its spans, whatever was called."""
    database = {"span.db.system.name:str": "postgresql", "span.db.namespace:str": "shop"}
    session = open_tables(
        spans=[
            *call("web", "stock", status_code=2),
            span(3, "stock", **database),
            span(5, "mail", **{"span.messaging.destination.name:str": "orders"}),
            span(3, "web", **{"span.server.address:str": "api.example", "span.server.port:int": 8443}),
        ]
    )
    status, text, source = read(session, "/map?last=1h", NOW_NS)
    assert status == 200
    assert "3 services 1 database 1 queue 1 external service" in text
    found = filters(source)
    assert sorted(found) == [
        'kind = consumer and service.name = "mail" and messaging.destination.name = "orders"',
        (
            'service.name = "stock" and db.system.name = "postgresql" '
            'and (db.namespace = "shop" or server.address = "shop")'
        ),
        'service.name = "web" and child(service.name = "stock")',
        'service.name = "web" and server.address = "api.example" and server.port = 8443',
    ]
    for filter_text in found:
        assert len(service_map(session, MapQuestion(WINDOW, filter_text))["edges"]) == 1, filter_text


def test_what_a_node_is_stands_beside_its_name_once(open_tables):
    """A database that is only known by its system is told as a database, others by their system."""
    named = {"span.db.system.name:str": "postgresql", "span.db.namespace:str": "shop"}
    spans = [span(3, "stock", **named), span(3, "stock", **{"span.db.system.name:str": "sqlite"})]
    source = read(open_tables(spans=spans), "/map?last=1h", NOW_NS)[2]
    drawn = json.loads(unescape(re.search(r'data-map="([^"]*)"', source)[1]))
    assert {node["name"]: node["what"] for node in drawn["nodes"]} == {
        "stock": "",
        "shop": "postgresql",
        "sqlite": "database",
    }
    assert re.findall(r'ext">(\w+)</span> <span class="dim">(\w+)<', source) == [
        ("shop", "postgresql"),
        ("sqlite", "database"),
    ]


def test_beside_an_earlier_time(open_tables):
    """What is new and what is gone is marked, in the table and for the script that draws."""
    session = open_tables(spans=[*call("web", "new"), *call("web", "old", start=NOW - 3_700)])
    status, _, source = read(session, "/map?last=1h&earlier=1h", NOW_NS)
    assert status == 200
    drawn = json.loads(unescape(re.search(r'data-map="([^"]*)"', source)[1]))
    looks = {node["name"]: node["look"] for node in drawn["nodes"]}
    assert looks == {"web": "", "new": "new", "old": "gone"}
    assert re.findall(r'<span class="badge">(\w+)</span>', source) == ["new", "gone"]


def test_rates_are_of_the_time_that_has_data(open_tables):
    """As those of the page of services: of a server that was started in the range, its rates are not of all of it."""
    calls = [one for _ in range(12) for one in call("web", "stock", start=NOW - 60)]
    assert "stock 0.2 /s 0 %" in read(open_tables(spans=calls), "/map?last=1h", NOW_NS)[1]
    before = call("web", "stock", start=NOW - 7200)
    assert "stock 0.2 /min 0 %" in read(open_tables(spans=[*before, *calls]), "/map?last=1h", NOW_NS)[1]


def test_what_cannot_be_shown(open_tables):
    """A broken filter is told at its field, a service that is not there by its name; an empty range says so."""
    session = open_tables(spans=call("web", "stock"))
    status, text, _ = read(session, "/map?filter=child(", NOW_NS)
    assert (status, "the end of the filter" in text) == (400, True)
    status, text, _ = read(session, "/map?focus=nobody", NOW_NS)
    assert (status, "No spans of service 'nobody'" in text) == (404, True)
    status, text, _ = read(session, "/map?filter=name:nothing", NOW_NS)
    assert (status, "Nothing matches" in text) == (200, True)
    status, text, _ = read(session, "/map?start=2026-01-01T00:00:00Z&end=2026-01-01T01:00:00Z", NOW_NS)
    assert (status, "No spans in this time range" in text) == (200, True)


def test_a_service_leads_to_the_map_around_it(open_tables):
    """The page of a service has a link to the map around it, in the same range."""
    source = read(open_tables(spans=call("web", "stock")), "/services/stock?last=1h", NOW_NS)[2]
    assert 'href="/map?last=1h&amp;focus=stock"' in source
