"""How a route is served: parameters in, JSON out, failures in one shape, queries stopped when nobody waits."""

from __future__ import annotations

import asyncio
import gzip
import http.client
import json
import logging
import threading

import pytest

from spanglass_server.api.errors import ApiError
from spanglass_server.api.params import RANGE, Param
from spanglass_server.api.routing import Route
from spanglass_server.api.schema import ANYTHING
from spanglass_server.query.errors import BadQuestionError, FilterError
from spanglass_server.store.ports import QueryError, QueryMemoryError, QueryTimeoutError


class PlainEngine:
    """Runs questions at once, without a session."""

    deadline_s = 0.0

    async def run(self, query, *, deadline_s):
        """Keep the deadline and run the query."""
        self.deadline_s = deadline_s
        return query(None)


LATER = "try again when the server has less to do, or raise the setting that it names"


def route(**more):
    """Make a route that answers with its parameters."""
    return Route(
        **{"path": "/echo", "summary": "Echo.", "response": ANYTHING, "query": lambda _, params: params, **more}
    )


def raises(error, **more):
    """Make a route whose question fails."""

    def fail(_session, _params):
        raise error

    return route(query=fail, **more)


def test_parameters_reach_the_handler(serve_api):
    """A handler gets typed values, defaults, path parameters with slashes, and the engine the deadline."""
    engine = PlainEngine()
    parameters = (Param("name", "text"), Param("limit", "integer", 20), Param("by", "keys"), Param("slow", "duration"))
    client = serve_api(engine, routes=[route(path="/echo/{name:path}/x", parameters=parameters)])

    answer = client.get("/api/v1/echo/a%2Fb%20c/x", params={"by": "k, l,k", "slow": "1.5ms", "limit": ""})

    assert answer.json() == {"name": "a/b c", "limit": 20, "by": ["k", "l"], "slow": 1_500_000, "now_ns": 2 * 10**12}
    assert engine.deadline_s == 7.5
    assert answer.headers["cache-control"] == "no-store"


def test_a_path_of_white_space_names_nothing(serve_api):
    """A handler is never given None for what stands in the path."""
    client = serve_api(PlainEngine(), routes=[route(path="/echo/{name}", parameters=(Param("name", "text"),))])

    answer = client.get("/api/v1/echo/%0A")

    assert (answer.status_code, answer.json()["error"]["field"]) == (400, "name")


def test_range_becomes_a_window(serve_api):
    """A route with a range gets a window in place of the three parameters."""
    client = serve_api(PlainEngine(), routes=[route(parameters=RANGE)])

    answer = client.get("/api/v1/echo?last=10s").json()

    assert answer == {
        "now_ns": 2 * 10**12,
        "window": {"start_ns": 1_990_000_000_000, "end_ns": 2_000_000_000_000, "arrived_ns": 0},
    }


def test_reply_needs_no_session(serve_api):
    """A route that asks nothing of storage is answered without the engine."""
    client = serve_api(None, routes=[route(query=None, reply=lambda params: {"seen": sorted(params)})])

    assert client.get("/api/v1/echo").json() == {"seen": ["now_ns"]}


def test_body(serve_api):
    """A route with a body gets its JSON."""
    client = serve_api(PlainEngine(), routes=[route(method="POST", body=ANYTHING)])

    for media_type in ("application/json", "Application/JSON; charset=utf-8"):
        answer = client.post("/api/v1/echo", content=b'{"a": [1]}', headers={"Content-Type": media_type})
        assert answer.json() == {"now_ns": 2 * 10**12, "body": {"a": [1]}}


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "", "application/json-ish"])
def test_a_body_of_another_type_is_refused(serve_api, media_type):
    """A page of another site may send these types without asking; JSON it may not."""
    client = serve_api(PlainEngine(), routes=[route(method="POST", body=ANYTHING)])

    answer = client.post("/api/v1/echo", content=b"{}", headers={"Content-Type": media_type})

    assert (answer.status_code, answer.json()["error"]["field"]) == (415, "Content-Type")
    assert "application/json" in answer.json()["error"]["hint"]


@pytest.mark.parametrize("content", [b"{", b"", b'"' + b"x" * (1 << 20) + b'"'])
def test_bad_body(serve_api, content):
    """A body that is no JSON, or too long, is refused by name."""
    client = serve_api(PlainEngine(), routes=[route(method="POST", body=ANYTHING)])

    answer = client.post("/api/v1/echo", content=content, headers={"Content-Type": "application/json"})

    assert (answer.status_code, answer.json()["error"]["field"]) == (400, "body")


@pytest.mark.parametrize(
    ("error", "status", "expected"),
    [
        (
            FilterError("unknown operator", 3, ("=", "!="), "write ="),
            400,
            {
                "code": "bad_filter",
                "message": "unknown operator",
                "field": "filter",
                "column": 3,
                "expected": ["=", "!="],
                "hint": "write =",
            },
        ),
        (BadQuestionError("no", field="by"), 400, {"code": "bad_request", "message": "no", "field": "by"}),
        (ApiError("not_found", "gone", hint="look"), 404, {"code": "not_found", "message": "gone", "hint": "look"}),
        (QueryTimeoutError("slow"), 504, {"code": "timeout", "message": "slow", "hint": LATER}),
        (QueryMemoryError("big"), 507, {"code": "out_of_memory", "message": "big", "hint": LATER}),
        (QueryError("disk"), 503, {"code": "unavailable", "message": "disk", "hint": "try again in a moment"}),
    ],
)
def test_failures(serve_api, error, status, expected):
    """Every foreseen failure of a question has its status, its code and what to do."""
    answer = serve_api(PlainEngine(), routes=[raises(error)]).get("/api/v1/echo")

    assert (answer.status_code, answer.json()) == (status, {"error": expected})


@pytest.mark.parametrize("error", [QueryTimeoutError("slow"), QueryMemoryError("big")])
def test_what_is_too_much_is_told_how_to_ask_for_less(serve_api, error):
    """Only where a range can be made shorter is that the advice."""
    answer = serve_api(PlainEngine(), routes=[raises(error, parameters=RANGE)]).get("/api/v1/echo")

    assert answer.json()["error"]["hint"] == "choose a shorter time range or a narrower filter"


def test_unforeseen_failure(serve_api, caplog):
    """A mistake of ours is a 500 that tells nothing of it, and the log has the trace."""
    with caplog.at_level(logging.ERROR):
        answer = serve_api(PlainEngine(), routes=[raises(KeyError("secret"))]).get("/api/v1/echo")

    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "internal"
    assert "secret" not in answer.text
    assert "KeyError: 'secret'" in caplog.text


@pytest.mark.parametrize(
    ("encoding", "size", "packed"),
    [
        ("gzip", 9000, True),
        ("gzip", 100, False),
        ("identity", 9000, False),
        ("gzip;q=0, br", 9000, False),
        ("*", 9000, True),
    ],
)
def test_gzip(serve_api, encoding, size, packed):
    """Long answers are packed for clients that take it, and only for them."""
    client = serve_api(PlainEngine(), routes=[route(query=lambda _, __: {"text": "x" * size})])

    with client.stream("GET", "/api/v1/echo", headers={"accept-encoding": encoding}) as answer:
        raw = b"".join(answer.iter_raw())

    assert ("content-encoding" in answer.headers) == packed
    assert json.loads(gzip.decompress(raw) if packed else raw) == {"text": "x" * size}


def test_a_client_that_leaves_stops_its_query(serve_api):
    """Closing the connection cancels the query, while the server goes on answering others."""
    started, cancelled = threading.Event(), threading.Event()

    class EndlessEngine:
        async def run(self, _ask, **_):
            started.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.set()
                raise

    client = serve_api(EndlessEngine(), routes=[route(), route(path="/now", query=None, reply=lambda _: {})])
    leaving = http.client.HTTPConnection("127.0.0.1", client.base_url.port, timeout=30)
    leaving.request("GET", "/api/v1/echo")
    assert started.wait(30)

    leaving.close()

    assert cancelled.wait(30)
    assert client.get("/api/v1/now").status_code == 200


def test_deadline_of_the_engine_reaches_the_client(serve_api):
    """A query that the engine stops is answered as a timeout."""

    class LateEngine:
        async def run(self, _ask, *, deadline_s):
            raise QueryTimeoutError(f"stopped after {deadline_s} s")

    answer = serve_api(LateEngine(), routes=[route()]).get("/api/v1/echo")

    assert (answer.status_code, answer.json()["error"]["message"]) == (504, "stopped after 7.5 s")
