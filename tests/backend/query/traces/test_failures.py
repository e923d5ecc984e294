"""Where the failure of a trace began, and who did not answer."""

from __future__ import annotations

import pytest

from spanglass_server.query.one_trace.failures import Place, where_it_began
from spanglass_server.query.one_trace.peers import Peer, peer_of
from spanglass_server.query.one_trace.view import show_trace

SECOND = 1_000_000_000
T = 1_795_911_134 * SECOND
TRACE_ID = b"\x01" * 16


def span(key, parent, depth, offset_ns, status="error", raised_ns=None, message="why", **more):
    """Return what is read of a span; ``raised_ns`` is when it raised, from its start on."""
    events = [] if raised_ns is None else [{"name": "exception", "offset_ns": raised_ns, "attributes": {}, **more}]
    return {"key": key, "parent_key": parent, "depth": depth, "offset_ns": offset_ns, "status": status,
            "status_message": message, "events": events, "attributes": {}}  # fmt: skip


def where(spans):
    """Return the key of the span where the failure of some spans began."""
    places = [
        Place(one["key"], one["parent_key"], one["depth"], one["offset_ns"], "internal", one["status"]) for one in spans
    ]
    place = where_it_began(places, spans.__getitem__)
    told: set[str | None] = set()  # of the spans that failed and of those below them: no others matter
    for one in spans:
        if one["status"] == "error" or one["parent_key"] in told:
            told.add(one["key"])
    rows = [row for row, one in enumerate(spans) if one["key"] in told]
    among = where_it_began([places[row] for row in rows], lambda at: spans[rows[at]])
    assert place == (None if among is None else rows[among])
    return None if place is None else spans[place]["key"]


HANDLED = {"spanglass.exception.handled": True}


@pytest.mark.parametrize(
    ("spans", "began"),
    [
        ([span("a", None, 0, 0, "ok")], None),
        ([span("a", None, 0, 0, raised_ns=50), span("b", "a", 1, 60)], "a"),  # b sends the 500
        ([span("a", None, 0, 0, raised_ns=50), span("c", "a", 1, 20), span("b", "a", 1, 60)], "c"),
        # one exception on four spans, from the inside out
        (
            [
                span("a", None, 0, 0, raised_ns=99),
                span("b", "a", 1, 10, raised_ns=80),
                span("c", "b", 2, 20, raised_ns=60),
                span("d", "c", 3, 30, raised_ns=40),
            ],
            "d",
        ),
        ([span("a", None, 0, 0, raised_ns=50), span("b", "a", 1, 55, "unset"), span("c", "b", 2, 60)], "a"),
        ([span("a", None, 0, 0), span("b", "a", 1, 20), span("c", "a", 1, 10)], "c"),  # the earliest of equals
        # Go: a panic is recorded, the status is not set
        ([span("a", None, 0, 0, message=""), span("b", "a", 1, 10, "unset", raised_ns=5)], "b"),
        ([span("a", None, 0, 0, message=""), span("b", "a", 1, 10, "ok", raised_ns=5)], "a"),
        ([span("a", None, 0, 0, message=""), span("b", "a", 1, 10, "unset", raised_ns=5, attributes=HANDLED)], "a"),
        ([span("a", None, 0, 0), span("b", "a", 1, 10, "unset", raised_ns=5)], "a"),  # it says why by itself
        ([span("r", None, 0, 0, "unset"), span("a", "r", 1, 0, message=""), span("b", "r", 1, 9, "unset", 5)], "a"),
        ([span("a", None, 0, 0, "unset", raised_ns=5)], None),  # a recorded exception alone is no failure
    ],
)
def test_where_a_failure_began(spans, began):
    """It began in the deepest span that failed before anything above it had raised."""
    assert where(spans) == began


@pytest.mark.parametrize(
    ("kind", "status", "attributes", "began"),
    [
        ("server", "unset", {}, "b"),
        ("server", "unset", {"http.response.status_code": 200}, "a"),  # it answered: what it recorded was handled
        ("server", "unset", {"rpc.grpc.status_code": 0}, "a"),
        ("server", "ok", {}, "a"),
        ("internal", "unset", {}, "a"),
    ],
)
def test_a_call_that_was_never_answered_failed_in_its_callee(kind, status, attributes, began):
    """Go's client says EOF when the handler panicked: the callee recorded the panic, sent no answer, set no status."""
    called = {**span("b", "a", 1, 10, status, raised_ns=5), "attributes": attributes}
    spans = [span("a", None, 0, 0, message="EOF"), called, span("c", "a", 1, 30, "unset", raised_ns=5)]
    places = [Place("a", None, 0, 0, "client", "error"), Place("b", "a", 1, 10, kind, status)]
    assert (
        spans[where_it_began([*places, Place("c", "a", 1, 30, "producer", "unset")], spans.__getitem__)]["key"] == began
    )


def test_a_panic_without_a_status_is_the_reason(open_tables):
    """The trace says what was panicked with, though the span that recorded it is not marked as failed."""
    panic = {"event_name": ["exception"], "event_time_ns": [T + 2], "event.exception.message:str": ["no prices"]}
    session = open_tables(
        spans=[
            stored(1, 7, None, "web", 0, kind=3, status_code=2, status_message="EOF"),
            stored(1, 8, 7, "shop", 1, kind=2, **panic),
        ]
    )

    failure = show_trace(session, TRACE_ID, T)["failure"]
    assert (failure["service"], failure["reason"]) == ("shop", "no prices")


def test_a_chain_of_20_000_failing_spans():
    """The way up is not walked once a span."""
    spans = [span(str(i), str(i - 1) if i else None, i, i, raised_ns=40_000 - 2 * i) for i in range(20_000)]

    assert where(spans) == "19999"


@pytest.mark.parametrize(
    ("attributes", "peer"),
    [
        ({"server.address": "127.0.0.1", "server.port": 8083}, Peer("127.0.0.1", 8083, None)),
        ({"net.peer.name": "pay", "net.peer.port": "8083"}, Peer("pay", 8083, None)),
        ({"url.full": "https://pay.example/charges?x=1"}, Peer("pay.example", 443, None)),
        ({"http.url": "http://[::1]:8083/"}, Peer("::1", 8083, None)),
        ({"http.host": "pay:80"}, Peer("pay", 80, None)),
        ({"peer.address": "[::1]:99"}, Peer("::1", 99, None)),
        ({"peer.service": "payment"}, Peer(None, None, "payment")),
        ({"server.address": "pay", "service.peer.name": "payment"}, Peer("pay", None, "payment")),
        ({"server.address": "/run/a socket"}, None),
        ({"server.address": "pay", "server.port": "²"}, Peer("pay", None, None)),
        ({"server.address": "pay", "server.port": "9" * 5000}, Peer("pay", None, None)),
        ({"server.address": 7, "server.port": {"a": 1}}, Peer("7", None, None)),
        ({"url.full": "http://a:999999/"}, None),
        ({}, None),
    ],
)
def test_whom_a_span_called(attributes, peer):
    """The address is read from today's conventions and those before, whatever type it was sent as."""
    assert peer_of({"kind": "client", "attributes": attributes}) == peer
    assert peer_of({"kind": "server", "attributes": attributes}) is None


def stored(trace, number, parent, service, start, **more):
    """Make a stored span."""
    return {
        "trace_id": bytes([trace]) * 16,
        "span_id": bytes([number]) * 8,
        "parent_span_id": bytes([parent]) * 8 if parent else None,
        "resource.service.name:str": service,
        "name": "POST",
        "start_time_ns": T + start,
        "duration_ns": 10,
        **more,
    }


ADDRESS = {"span.server.address:str": "127.0.0.1", "span.server.port:int": 8083, "kind": 3}


def calls(start, service):
    """Make a call of ``ADDRESS`` that a service answered."""
    return [
        stored(2, 1, None, "checkout", start, **ADDRESS),
        stored(2, 2, 1, service, start, kind=2),
    ]


@pytest.mark.parametrize(
    ("answered", "named"),
    [
        ([*calls(-3600 * SECOND, "payment")], "payment"),
        ([*calls(-3600 * SECOND, "payment"), stored(4, 1, None, "checkout", -SECOND, **ADDRESS)], "payment"),
        ([*calls(-7 * 3600 * SECOND, "payment")], None),
    ],
    ids=["an hour before", "unseen in the last minute", "too long before"],
)
def test_who_answered_is_looked_for_further_back(open_tables, answered, named):
    """When the last minute does not tell who answers at an address, the hours before it do."""
    failed = stored(1, 8, None, "checkout", 1, status_code=2, status_message="refused", **ADDRESS)

    assert show_trace(open_tables(spans=[*answered, failed]), TRACE_ID, T)["failure"]["peer"]["service"] == named


def test_nobody_is_looked_for_behind_a_database(open_tables):
    """A database makes no spans: a failed call of one has its address, and no query is made for who answers there."""
    failed = stored(
        1,
        8,
        None,
        "checkout",
        1,
        status_code=2,
        status_message="refused",
        **ADDRESS,
        **{"span.db.system.name:str": "x"},
    )
    session = open_tables(spans=[*calls(-SECOND, "payment"), failed])

    assert show_trace(session, TRACE_ID, T)["failure"]["peer"] == {"host": "127.0.0.1", "port": 8083, "service": None}


def test_a_service_that_is_down_is_named(open_tables):
    """The failure names whom it called: the service that had answered at that address before."""
    session = open_tables(
        spans=[
            stored(2, 1, None, "checkout", -60 * SECOND, **ADDRESS),
            stored(2, 2, 1, "payment", -60 * SECOND, kind=2),
            stored(3, 1, None, "checkout", -50 * SECOND, **{**ADDRESS, "span.server.port:int": 8081}),
            stored(3, 2, 1, "catalog", -50 * SECOND, kind=2),
            stored(1, 7, None, "web", 0, kind=2, status_code=2),
            stored(1, 8, 7, "checkout", 1, status_code=2, status_message="refused", **ADDRESS),
        ]
    )

    trace = show_trace(session, TRACE_ID, T)

    assert trace["failure"] == {
        "key": "08" * 8,
        "service": "checkout",
        "name": "POST",
        "reason": "refused",
        "peer": {"host": "127.0.0.1", "port": 8083, "service": "payment"},
    }
    assert [found["reason"] for found in trace["spans"]] == ["", "refused"]


def test_a_failure_without_words_takes_those_of_the_log(open_tables):
    """When the span says nothing but a code, the last error that was logged in it is the reason."""
    ids = {"trace_id": TRACE_ID, "span_id": b"\x07" * 8}
    session = open_tables(
        spans=[stored(1, 7, None, "web", 0, kind=2, status_code=2, **{"span.http.response.status_code:int": 500})],
        logs=[
            {**ids, "time_ns": T + 1, "severity_number": 17, "body": "first", "body_type": "str"},
            {**ids, "time_ns": T + 2, "severity_number": 17, "body": "cannot reach the bank\nat f", "body_type": "str"},
            {**ids, "time_ns": T + 3, "severity_number": 9, "body": "request took 5 ms", "body_type": "str"},
        ],
    )

    assert show_trace(session, TRACE_ID, T)["failure"]["reason"] == "cannot reach the bank"


def test_nothing_failed(open_tables):
    """A trace without a failing span has no failure, and its spans no reasons."""
    trace = show_trace(open_tables(spans=[stored(1, 7, None, "web", 0, status_message="all is well")]), TRACE_ID, T)

    assert (trace["failure"], [found["reason"] for found in trace["spans"]]) == (None, [None])
