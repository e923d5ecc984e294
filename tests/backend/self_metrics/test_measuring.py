"""Counting of HTTP responses and queries, through a small app on Starlette's router."""

from __future__ import annotations

import asyncio
import sys
import threading
import time

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from spanglass_server.self_metrics import registry as own
from spanglass_server.self_metrics.exposition import status_counters
from spanglass_server.self_metrics.measuring import CountRequests, thread_cpu_seconds
from spanglass_server.self_metrics.registry import Telemetry


async def fine(_request):
    return PlainTextResponse("fine")


async def slow(_request):
    return PlainTextResponse("too slow", 504)


async def silent(_scope, _receive, _send):
    """Answer nothing, as when the client has left."""


ROUTES = [
    Route("/api/v1/traces/{trace_id}", fine),
    Route("/api/v1/sql", slow, methods=["POST"]),
    Route("/v1/traces", fine, methods=["POST"]),
    Route("/quiet", type("Quiet", (), {"__call__": lambda _self, *arguments: silent(*arguments)})()),
]


@pytest.fixture
def counted():
    """Send requests (method and path) through the counting app and return what was counted."""

    def call(*requests):
        telemetry = Telemetry()
        app = CountRequests(Starlette(routes=ROUTES), telemetry)

        async def receive():
            return {"type": "http.request"}

        async def send(_message):
            """Take the answer."""

        async def run():
            for method, path in requests:
                scope = {"type": "http", "method": method, "path": path, "headers": [], "query_string": b""}
                await app(scope, receive, send)

        asyncio.run(run())
        counters = status_counters(telemetry.snapshot())
        return {
            metric: {
                tuple(one["labels"].values()): one.get("value", one.get("count")) for one in counters[metric]["series"]
            }
            for metric in (own.HTTP_RESPONSES.name, own.QUERY_SECONDS.name, own.QUERY_FAILURES.name)
        }

    return call


def test_routes_are_counted_by_their_template(counted):
    """Two traces are one route: labels do not grow with ids. Failures are counted by status."""
    result = counted(("GET", "/api/v1/traces/a"), ("GET", "/api/v1/traces/b"), ("POST", "/api/v1/sql"))

    assert result == {
        "http_responses": {("GET", "200"): 2, ("POST", "504"): 1},
        "query_seconds": {("/api/v1/traces/{trace_id}",): 2, ("/api/v1/sql",): 1},
        "query_failures": {("/api/v1/sql", "504"): 1},
    }


def test_what_is_no_query(counted):
    """Sending telemetry, unknown paths and invented methods are responses, not queries."""
    result = counted(("POST", "/v1/traces"), ("GET", "/nowhere"), ("BREW", "/nowhere"))

    assert result == {
        "http_responses": {("POST", "200"): 1, ("GET", "404"): 1, ("other", "404"): 1},
        "query_seconds": {},
        "query_failures": {},
    }


def test_a_client_that_left(counted):
    """A request that got no answer is a failure without a status."""
    assert counted(("GET", "/quiet")) == {
        "http_responses": {("GET", "none"): 1},
        "query_seconds": {("/quiet",): 1},
        "query_failures": {("/quiet", "none"): 1},
    }


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone has a clock for each thread")
def test_processor_time_of_threads():
    """Each thread that runs is told by its name, those of a pool as one, and an ended one's is among the others'."""
    spent, end = threading.Barrier(4), threading.Event()

    def work():
        while time.thread_time() < 0.02:
            sum(range(1000))
        spent.wait()
        end.wait()

    names = ("counting sheep", "pool_0", "pool_1")
    threads = [threading.Thread(target=work, name=name) for name in names]
    for thread in threads:
        thread.start()
    spent.wait()
    told = thread_cpu_seconds()
    end.set()
    for thread in threads:
        thread.join()
    assert 0.02 <= told["counting sheep",] <= told["counting sheep",] + told["pool",] <= time.process_time()
    assert told["pool",] >= 0.04
    later = thread_cpu_seconds()
    assert ("pool",) not in later
    assert later["other",] >= 0.06
