"""Litestar and Falcon's ASGI applications, for which OpenTelemetry has no instrumentation."""

from __future__ import annotations

import sys

import falcon.asgi
import pytest
from asgi_calls import ask
from falcon import HTTPNotFound
from litestar import Litestar, Router, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath  # noqa: TC002 - Litestar reads annotations
from litestar.plugins.opentelemetry import OpenTelemetryConfig, OpenTelemetryPlugin
from litestar.response import Stream
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
from opentelemetry.trace import SpanKind

from spanglass.instrumentors import discovery
from spanglass.instrumentors.status import State
from spanglass.instrumentors.web.others import route_of
from spanglass.settings.table import Settings


class Resource:
    """Falcon's way to write handlers."""

    def __init__(self, tracer):
        self.tracer = tracer

    async def on_get(self, req, resp, number):
        """Answer by the number."""
        del req
        with self.tracer.start_as_current_span("work"):
            if number == 404:
                raise HTTPNotFound
            if number == 500:
                raise ValueError("broken")
        resp.media = {"number": number}


class Stream3:
    """Answers in three parts."""

    def __init__(self, tracer):
        self.tracer = tracer

    async def on_get(self, req, resp):
        """Answer."""
        del req
        resp.stream = parts(self.tracer)


async def parts(tracer):
    """Give a body in three parts, each with a span."""
    for number in range(3):
        with tracer.start_as_current_span(f"part {number}"):
            yield b"x"


def falcon_app(tracer):
    """Make Falcon's application."""
    app = falcon.asgi.App()
    app.add_route("/orders/{number:int}", Resource(tracer))
    app.add_route("/stream", Stream3(tracer))
    return app


def litestar_app(tracer, **options):
    """Make Litestar's application; it has the routes below a router's path."""

    @get("/{number:int}", sync_to_thread=False)
    def order(number: FromPath[int]) -> dict[str, int]:
        with tracer.start_as_current_span("work"):
            if number == 404:
                raise NotFoundException
            if number == 500:
                raise ValueError("broken")
        return {"number": number}

    @get("/stream", sync_to_thread=False)
    def stream() -> Stream:
        return Stream(parts(tracer))

    return Litestar([Router("/orders", route_handlers=[order]), stream], **options)


@pytest.fixture(params=[("falcon_asgi", falcon_app), ("litestar", litestar_app)], ids=lambda each: each[0])
def served(request, instrument):
    """Give what is told of the requests of an application, and the application."""
    name, make = request.param
    told = instrument(name)
    return told, make(told.tracer)


@pytest.mark.parametrize(
    ("path", "outcome", "events"),
    [
        ("/orders/7", ("GET /orders/{number}", "UNSET", 200), []),
        ("/orders/404", ("GET /orders/{number}", "UNSET", 404), []),
        ("/orders/500", ("GET /orders/{number}", "ERROR", 500), ["ValueError"]),
        ("/nothing", ("GET", "UNSET", 404), []),
    ],
)
def test_one_server_span(served, path, outcome, events):
    """Its name has the route without converters; what a framework answers by 404 is no error, an exception is one."""
    told, app = served
    assert ask(app, path).status_code == outcome[2]

    assert (told.outcome, told.events) == (outcome, events)
    assert told.server.attributes.get("http.route") == (outcome[0].partition(" ")[2] or None)
    (point,) = told.metric("http.server.request.duration")
    assert point.attributes["http.response.status_code"] == outcome[2]
    inner = [span.parent.span_id for span in told.spans if span.name == "work"]
    assert inner == [told.server.context.span_id] * len(inner)


def test_a_stream(served):
    """The span lasts to the end of the body, which runs in it."""
    told, app = served
    assert ask(app, "/stream").text == "xxx"

    assert [span.name for span in told.spans] == ["part 0", "part 1", "part 2", "GET /stream"]
    assert {span.context.trace_id for span in told.spans} == {told.server.context.trace_id}


def test_an_application_that_brings_opentelemetry_itself(instrument):
    """Litestar's plugin and a middleware around the application are left to their work: no second span of ours."""
    told = instrument("litestar", "falcon_asgi")
    tracers = told.tracers
    config = OpenTelemetryConfig(tracer_provider=tracers)
    ask(litestar_app(told.tracer, plugins=[OpenTelemetryPlugin(config)]), "/orders/7")
    ask(OpenTelemetryMiddleware(falcon_app(told.tracer), tracer_provider=tracers), "/orders/7")

    scopes = {span.instrumentation_scope.name for span in told.spans if span.kind is SpanKind.SERVER}
    assert scopes == {"opentelemetry.instrumentation.asgi"}
    assert not [span for span in told.spans if span.instrumentation_scope.name.endswith(("litestar", "falcon_asgi"))]


def test_taken_back(instrument):
    """Applications are as they were, also those that exist already."""
    told = instrument("litestar", "falcon_asgi")
    apps = [litestar_app(told.tracer), falcon_app(told.tracer)]
    told.undo()
    assert [ask(app, "/orders/7").status_code for app in apps] == [200, 200]

    assert [span.name for span in told.spans] == ["work", "work"]


@pytest.mark.parametrize(
    ("template", "route"),
    [
        ("/a/{b:int}/{c:str}", "/a/{b}/{c}"),
        ("/a/{b}", "/a/{b}"),
        ("/a/{b:int(2, min=1)}.txt", "/a/{b}.txt"),
        ("/", "/"),
    ],
)
def test_routes(template, route):
    """A route has the names of its parameters, not how they are converted."""
    assert route_of(template) == route


def test_discovery_has_them(monkeypatch):
    """They are among the instrumentations where their library is installed, by names that a setting can turn off."""
    found = {each.name: each for each in discovery.inspect(Settings())}
    off = {each.name: each for each in discovery.inspect(Settings(disabled_instrumentations=("litestar",)))}

    assert [(found[name].state, found[name].library) for name in ("falcon_asgi", "litestar")] == [
        (State.READY, "falcon"),
        (State.READY, "litestar"),
    ]
    assert found["litestar"].library_version
    assert off["litestar"].state is State.DISABLED
    monkeypatch.setattr(discovery, "_version", lambda _name: "")
    assert "litestar" not in {each.name for each in discovery.inspect(Settings())}
    assert "litestar" in sys.modules  # by this test: finding them out imports nothing
