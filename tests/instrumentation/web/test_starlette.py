"""FastAPI and Starlette: one span a request, whole routes, bodies to their ends, failures and what is none."""

from __future__ import annotations

import asyncio
import logging
import warnings
from contextlib import suppress

import pytest
from asgi_calls import ask, scope_of
from fastapi import APIRouter, BackgroundTasks, FastAPI, HTTPException, WebSocket
from fastapi.responses import JSONResponse, StreamingResponse
from fastapi.staticfiles import StaticFiles
from flask import Flask
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse
from starlette.routing import Host, Mount, Route, WebSocketRoute
from starlette.websockets import WebSocketDisconnect

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # deprecated, and still what applications have
    from starlette.middleware.wsgi import WSGIMiddleware

logger = logging.getLogger("shop")


def fail():
    """Raise."""
    raise ValueError("broken")


@pytest.fixture
def told(instrument):
    """FastAPI, Starlette and Flask instrumented."""
    return instrument("fastapi", "starlette", "flask")


def plain(request):
    """Answer."""
    del request
    return PlainTextResponse("yes")


def chunks(tracer, *, failing=False):
    """Give a body of three parts, each with a span and a log record."""
    for number in range(3):
        with tracer.start_as_current_span(f"part {number}"):
            logger.warning("part %d", number)
        yield b"x"
    if failing:
        fail()


async def async_chunks(tracer, *, failing=False):
    """The same, asynchronous."""
    for chunk in chunks(tracer, failing=failing):
        await asyncio.sleep(0)
        yield chunk


def make_fastapi(tracer, body, *, middlewares=0, failing=False):
    """Make an application that streams, behind so many middlewares."""
    app = FastAPI()

    @app.get("/stream")
    async def stream():
        return StreamingResponse(body(tracer, failing=failing))

    for _ in range(middlewares):

        @app.middleware("http")
        async def passing(request, call_next):
            return await call_next(request)

    return app


@pytest.mark.parametrize("middlewares", [0, 1, 2])
@pytest.mark.parametrize("body", [chunks, async_chunks])
def test_a_stream_is_part_of_its_request(told, body, middlewares):
    """The span lasts to the end of the body, whose spans and log records are its children."""
    ask(make_fastapi(told.tracer, body, middlewares=middlewares), "/stream")

    server = told.server
    parts = [span for span in told.spans if span.name.startswith("part")]
    assert told.outcome == ("GET /stream", "UNSET", 200)
    assert [span.parent.span_id for span in parts] == [server.context.span_id] * 3
    assert server.end_time >= parts[-1].end_time
    assert {log.trace_id for log in told.logs if log.body.startswith("part")} == {server.context.trace_id}
    (point,) = told.metric("http.server.request.duration")
    assert point.sum >= 0.9 * (parts[-1].end_time - server.start_time) / 1e9  # by another clock


@pytest.mark.parametrize("middlewares", [0, 1, 2])
@pytest.mark.parametrize("body", [chunks, async_chunks])
def test_a_stream_that_fails(told, body, middlewares):
    """An exception in the body is an error of the request, on its span and as a record of its trace, once each."""
    ask(make_fastapi(told.tracer, body, middlewares=middlewares, failing=True), "/stream")

    assert told.outcome == ("GET /stream", "ERROR", 200)
    assert (told.events, told.errors) == (["ValueError"], [("ERROR", "ValueError", True)])
    (point,) = told.metric("http.server.request.duration")
    assert point.attributes["error.type"] == "ValueError"


@pytest.mark.parametrize("middlewares", [0, 1])
@pytest.mark.parametrize("spec", ["2.3", "2.4"])
def test_a_client_that_leaves_a_stream_is_no_error(told, middlewares, spec):
    """The body is closed, and the request ends as it stands."""
    closed = []

    async def forever(tracer, *, failing):
        del tracer, failing
        try:
            while True:
                yield b"x"
                await asyncio.sleep(0)
        finally:
            closed.append(True)

    app = make_fastapi(told.tracer, forever, middlewares=middlewares)

    async def serve():
        gone, sent, asked = asyncio.Event(), [], []

        async def receive():
            asked.append(True)
            if len(asked) == 1:
                return {"type": "http.request", "body": b"", "more_body": False}
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message):
            sent.append(message)
            if len(sent) > 3:
                gone.set()
                if spec == "2.4":
                    raise OSError("the client has left")

        asgi = {"version": "3.0", "spec_version": spec}
        with suppress(OSError, ClientDisconnect):
            await asyncio.wait_for(app(scope_of("/stream", asgi=asgi), receive, send), 30)

    asyncio.run(serve())

    assert told.outcome == ("GET /stream", "UNSET", 200)
    assert (told.events, told.errors, closed) == ([], [], [True])


def test_failures(told):
    """A route that raises is one error, told once; what a middleware makes an answer of is none."""
    app = FastAPI()
    app.get("/fail")(fail)

    @app.middleware("http")
    async def patient(request, call_next):
        try:
            return await call_next(request)
        except ValueError:
            if "patient" in str(request.url):
                return JSONResponse({}, 409)
            raise

    assert ask(app, "/fail?patient").status_code == 409
    assert (told.outcome, told.events, told.errors) == (("GET /fail", "UNSET", 409), [], [])


def test_a_middleware_that_answers_500(told):
    """The exception behind an answer from 500 is told, though a middleware has made the answer."""
    app = FastAPI()
    app.get("/fail")(fail)

    @app.middleware("http")
    async def polite(request, call_next):
        try:
            return await call_next(request)
        except ValueError:
            return JSONResponse({"sorry": True}, 503)

    assert ask(app, "/fail").status_code == 503
    assert (told.outcome, told.events) == (("GET /fail", "ERROR", 503), ["ValueError"])
    assert told.errors == [("ERROR", "ValueError", True)]


def test_a_middleware_that_fails(told):
    """Its exception is the request's, though the answer of 500 was sent before it came to light."""
    app = FastAPI()

    @app.middleware("http")
    async def broken(request, call_next):
        del request, call_next
        fail()

    assert ask(app, "/any").status_code == 500
    assert told.outcome == ("GET", "ERROR", 500)
    assert (told.events, told.errors) == (["ValueError"], [("ERROR", "ValueError", True)])


def test_answers_below_500_are_no_errors(told):
    """An exception that is an answer, or that a handler of the application takes, is not told."""
    app = FastAPI()

    @app.exception_handler(ValueError)
    async def handler(request, error):
        del request, error
        return JSONResponse({}, 418)

    app.get("/fail")(fail)

    @app.get("/missing")
    def missing():
        raise HTTPException(404)

    assert (ask(app, "/fail").status_code, ask(app, "/missing").status_code) == (418, 404)
    assert [span.status.status_code.name for span in told.spans] == ["UNSET"] * 2
    assert [event for span in told.spans for event in span.events] == []


def make_mounts():
    """Make an application with all kinds of mounted applications."""
    sub, deep, router, inner = FastAPI(), FastAPI(), APIRouter(), APIRouter()
    flask_app = Flask("flask")
    flask_app.get("/hello/<name>")(lambda name: name)
    flask_app.get("/fail")(fail)
    for each in (sub, deep):
        each.get("/users/{uid}")(lambda uid: uid)
        each.get("/fail")(fail)
        each.get("/")(lambda: "index")
    deep.get("/stream")(lambda: StreamingResponse(iter([b"x"])))
    inner.get("/orders/{oid}")(lambda oid: oid)
    router.include_router(inner, prefix="/inner")
    router.add_route("/plain/{n}", plain)
    sub.mount("/deep", deep)
    app = FastAPI()
    app.get("/")(lambda: "index")
    app.include_router(router, prefix="/v1")
    app.mount("/sub", sub)
    app.mount("/tenants/{tenant}", Starlette(routes=[Route("/things/{thing:int}", plain)]))
    app.mount("/static", StaticFiles(directory="."))
    app.mount("/wsgi", WSGIMiddleware(flask_app))
    app.router.routes.append(Mount("/api", routes=[Route("/x/{n}", plain), Mount("/y", routes=[Route("/", plain)])]))
    app.router.routes.append(Host("other", Starlette(routes=[Route("/z/{n}", plain)])))
    return app


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/", "/"),
        ("/sub/users/7", "/sub/users/{uid}"),
        ("/sub/", "/sub/"),
        ("/sub/deep/users/7", "/sub/deep/users/{uid}"),
        ("/sub/deep/stream", "/sub/deep/stream"),
        ("/sub/none", "/sub"),
        ("/tenants/acme/things/3", "/tenants/{tenant}/things/{thing:int}"),
        ("/static/README.md", "/static"),
        ("/wsgi/hello/joe", "/wsgi/hello/<name>"),
        ("/api/x/7", "/api/x/{n}"),
        ("/api/y/", "/api/y/"),
        ("/v1/inner/orders/5", "/v1/inner/orders/{oid}"),
        ("/v1/plain/5", "/v1/plain/{n}"),
        ("/none", None),
    ],
)
def test_whole_routes(told, path, route):
    """A request of a mounted application is one server span, whose route is whole."""
    ask(make_mounts(), path)

    (span,) = told.spans
    assert (span.name, span.attributes.get("http.route")) == (f"GET {route}" if route else "GET", route)
    (point,) = told.metric("http.server.request.duration")
    assert point.attributes.get("http.route") == route


@pytest.mark.parametrize("path", ["/sub/fail", "/sub/deep/fail", "/wsgi/fail"])
def test_failures_of_mounted_applications(told, path):
    """The exception stands on the one server span, and a record of its trace tells it."""
    ask(make_mounts(), path)

    assert told.outcome == (f"GET {path}", "ERROR", 500)
    assert (told.events, told.errors) == (["ValueError"], [("ERROR", "ValueError", True)])


def talk(app, path, messages):
    """Serve a websocket whose client sends these messages; gives what the application raised."""

    async def serve():
        waiting = iter(messages)

        async def receive():
            return next(waiting)

        async def send(message):
            del message

        try:
            await app(scope_of(path, "websocket"), receive, send)
        except (WebSocketDisconnect, ValueError) as error:
            return type(error).__name__
        return None

    return asyncio.run(serve())


CONNECT, LEAVE = {"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1006}


@pytest.mark.parametrize("kind", ["fastapi", "starlette"])
def test_a_websocket_client_that_leaves(told, kind):
    """It is no error, though the application does not catch it; the status is the handshake's."""

    async def echo(socket: WebSocket):
        await socket.accept()
        while True:
            await socket.send_text(await socket.receive_text())

    if kind == "fastapi":
        app = FastAPI()
        app.websocket("/ws/{room}")(echo)
    else:
        app = Starlette(routes=[WebSocketRoute("/ws/{room}", echo)])

    raised = talk(app, "/ws/blue", [CONNECT, {"type": "websocket.receive", "text": "hi"}, LEAVE])

    assert raised == "WebSocketDisconnect"
    assert told.outcome == ("/ws/{room}", "UNSET", 101)
    assert (told.events, told.errors) == ([], [])


def test_a_websocket_that_fails(told):
    """An exception is told once; a handshake that is refused is answered with 403."""
    app = FastAPI()

    @app.websocket("/ws")
    async def broken(socket: WebSocket):
        await socket.accept()
        fail()

    @app.websocket("/closed")
    async def closed(socket: WebSocket):
        await socket.close()

    talk(app, "/ws", [CONNECT])
    assert (told.outcome, told.events) == (("/ws", "ERROR", 101), ["ValueError"])
    assert told.errors == [("ERROR", "ValueError", True)]
    talk(app, "/closed", [CONNECT])
    assert told.spans[-1].attributes["http.response.status_code"] == 403


@pytest.mark.parametrize("middlewares", [0, 1])
def test_background_tasks(told, middlewares):
    """The request ends with its answer; a task is a span of its trace, and told if it fails."""
    app = FastAPI()

    def send_mail():
        with told.tracer.start_as_current_span("mail"):
            fail()

    @app.get("/order")
    async def order(tasks: BackgroundTasks):
        tasks.add_task(send_mail)
        return "ordered"

    for _ in range(middlewares):

        @app.middleware("http")
        async def passing(request, call_next):
            return await call_next(request)

    ask(app, "/order")

    server = told.server
    mail, task = (
        next(span for span in told.spans if span.name == name) for name in ("mail", "BackgroundTask send_mail")
    )
    assert told.outcome == ("GET /order", "UNSET", 200)
    assert server.end_time <= mail.start_time
    assert (task.parent.span_id, mail.parent.span_id) == (server.context.span_id, task.context.span_id)
    assert told.errors == [("ERROR", "ValueError", True)]


def test_starlettes_background_task(told):
    """The same for Starlette's response with a task."""
    ran = []
    app = Starlette(routes=[Route("/", lambda _: PlainTextResponse("x", background=BackgroundTask(ran.append, 1)))])

    ask(app)

    assert [span.name for span in told.spans] == ["GET /", "BackgroundTask append"]
    assert ran == [1]


def test_attributes(told):
    """The stable names: address without port, path, query, client; of the answer status and size."""
    app = FastAPI()
    app.get("/users/{uid}")(lambda uid: uid)

    ask(app, "/users/7?page=2", headers={"user-agent": "curl/8"})

    assert dict(told.server.attributes) == {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "http.route": "/users/{uid}",
        "url.scheme": "http",
        "url.path": "/users/7",
        "url.query": "page=2",
        "server.address": "shop",
        "server.port": 8000,
        "client.address": "127.0.0.1",
        "client.port": 123,
        "user_agent.original": "curl/8",
        "network.protocol.version": "1.1",
    }
    (duration,) = told.metric("http.server.request.duration")
    assert duration.attributes == {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "http.route": "/users/{uid}",
        "network.protocol.version": "1.1",
        "url.scheme": "http",
    }
    (size,) = told.metric("http.server.response.body.size")
    assert size.sum == 3


def test_open_requests_are_counted(told):
    """One that is served counts as active, and no longer when it has ended."""
    app = FastAPI()
    seen = []

    @app.get("/")
    def index():
        seen.extend(told.metric("http.server.active_requests"))

    ask(app)

    (before,), (after,) = seen, told.metric("http.server.active_requests")
    assert before.attributes == {"http.request.method": "GET", "url.scheme": "http"}
    assert (before.value, after.value) == (1, 0)


@pytest.mark.parametrize("semconv", ["", "http/dup"])
def test_old_names(monkeypatch, instrument, semconv):
    """The names before, alone or beside the new ones, for spans and metrics."""
    told = instrument()
    monkeypatch.setenv("OTEL_SEMCONV_STABILITY_OPT_IN", semconv)
    told = instrument("fastapi")
    app = FastAPI()
    app.get("/users/{uid}")(lambda uid: uid)

    ask(app, "/users/7?page=2")

    found = dict(told.server.attributes)
    old = {
        "http.method": "GET",
        "http.status_code": 200,
        "http.route": "/users/{uid}",
        "http.scheme": "http",
        "http.target": "/users/7?page=2",
        "http.url": "http://shop:8000/users/7?page=2",
        "http.host": "shop:8000",
        "http.flavor": "1.1",
        "net.host.name": "shop",
        "net.host.port": 8000,
        "net.peer.ip": "127.0.0.1",
        "net.peer.port": 123,
    }
    assert {key: found.get(key) for key in old} == old
    assert ("http.request.method" in found) is bool(semconv)
    (point,) = told.metric("http.server.duration")
    assert point.attributes["http.target"] == "/users/{uid}"
    assert len(told.metric("http.server.request.duration")) == bool(semconv)


def test_a_caller_goes_on(told):
    """The request is in its caller's trace, whatever the case of the header; baggage of several headers is joined."""
    app = FastAPI()
    app.get("/")(lambda: "x")
    headers = [("Traceparent", f"00-{'1' * 32}-{'2' * 16}-01"), ("baggage", "a=1"), ("baggage", "b=2")]

    ask(app, headers=headers)

    assert told.server.parent.span_id == int("2" * 16, 16)
    assert told.server.context.trace_id == int("1" * 32, 16)


def test_in_process_calls_are_requests_of_their_own(told):
    """An application that calls another one in its process does not become its mount."""
    inner = FastAPI()
    inner.get("/inner/{n}")(lambda n: n)
    outer = FastAPI()

    @outer.get("/outer")
    def call():
        with told.tracer.start_as_current_span("call"):
            return ask(inner, "/inner/3").json()

    ask(outer, "/outer")

    assert [span.name for span in told.spans] == ["GET /inner/{n}", "call", "GET /outer"]


def test_excluded_urls(monkeypatch, instrument):
    """OpenTelemetry's variable leaves requests out; headers that it names are attributes, secret ones are not."""
    monkeypatch.setenv("OTEL_PYTHON_FASTAPI_EXCLUDED_URLS", "health")
    monkeypatch.setenv("OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST", "x-.*")
    monkeypatch.setenv("OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_RESPONSE", "content-type")
    monkeypatch.setenv("OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SANITIZE_FIELDS", "x-secret")
    told = instrument("fastapi")
    app = FastAPI()
    app.get("/health")(lambda: "x")
    app.get("/")(lambda: "x")

    ask(app, "/health")
    ask(app, "/", headers={"x-tenant": "acme", "x-secret": "s"})

    attributes = told.server.attributes
    assert told.server.name == "GET /"
    assert attributes["http.request.header.x_tenant"] == ("acme",)
    assert attributes["http.request.header.x_secret"] == ("[REDACTED]",)
    assert attributes["http.response.header.content_type"] == ("application/json",)


def test_message_spans(instrument):
    """The messages of ASGI are spans if that is asked for."""
    told = instrument("fastapi", message_spans=True)
    app = FastAPI()
    app.get("/x/{n}")(lambda n: n)

    ask(app, "/x/3")

    assert [span.name for span in told.spans] == ["GET /x/{n} http send"] * 2 + ["GET /x/{n}"]


def test_root_path_is_part_of_the_route(told):
    """What the application is served below is, as the conventions have it."""
    app = FastAPI()
    app.get("/users/{uid}")(lambda uid: uid)

    ask(app, "/shop/users/7", root_path="/shop")

    assert told.server.name == "GET /shop/users/{uid}"


def test_taken_back(instrument):
    """Afterwards the classes are as they were, with one framework on while the other goes."""
    before = [FastAPI.__call__, Route.handle, Mount.handle, BackgroundTask.__call__]
    both, one = instrument("fastapi", "starlette"), instrument("starlette")
    both.undo()
    assert Route.handle is not before[1]
    one.undo()

    assert [FastAPI.__call__, Route.handle, Mount.handle, BackgroundTask.__call__] == before
