"""Django: one span a request to the end of its body, by WSGI, ASGI and the test client; 4xx are no errors."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
from pathlib import Path
from types import ModuleType

import django
import pytest
from asgi_calls import ask, scope_of
from django.conf import settings
from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.base import BaseHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import FileResponse, Http404, HttpResponse, StreamingHttpResponse
from django.test import Client
from django.urls import include, path, re_path
from starlette.applications import Starlette
from starlette.routing import Mount
from werkzeug.test import create_environ

logger = logging.getLogger("shop")

REFUSALS = (Http404, PermissionDenied, SuspiciousOperation, BadRequest)


def parts(request, *, failing=False):
    """Stream three parts, each with a span and a log record."""
    tracer = request.tracer

    def body():
        with tracer.start_as_current_span("whole"):
            for number in range(3):
                with tracer.start_as_current_span(f"part {number}"):
                    logger.warning("part %d", number)
                yield b"x"
            if failing:
                raise ValueError("broken")

    return StreamingHttpResponse(body())


def async_parts(request, *, failing=False):
    """The same by an asynchronous iterator."""
    content = parts(request, failing=failing).streaming_content

    async def body():
        for part in content:
            await asyncio.sleep(0)
            yield part

    return StreamingHttpResponse(body())


async def async_fail(request):
    """Raise in an asynchronous view."""
    return fail(request)


def fail(_):
    """Raise."""
    raise ValueError("broken")


def refuse(_, number):
    """Raise what Django makes an answer below 500 of."""
    raise REFUSALS[number]("no")


def with_tracer(get_response):
    """Give views the test's tracer."""
    if asyncio.iscoroutinefunction(get_response):

        async def middleware(request):
            request.tracer = TRACERS[-1]
            return await get_response(request)

        return middleware

    def sync_middleware(request):
        request.tracer = TRACERS[-1]
        return get_response(request)

    return sync_middleware


with_tracer.async_capable = True

TRACERS = []
URLS = [
    path("", lambda _: HttpResponse("index")),
    re_path("^$", lambda _: HttpResponse("index")),
    path("users/<int:uid>/", lambda _, uid: HttpResponse(str(uid))),
    path(
        "api/",
        include(
            [
                path("", lambda _: HttpResponse("api")),
                re_path(r"^x/(?P<n>\d+)$", lambda _, n: HttpResponse(n)),
            ]
        ),
    ),
    path("stream", parts),
    path("async-stream", async_parts),
    path("stream-fails", lambda request: parts(request, failing=True)),
    path("async-stream-fails", lambda request: async_parts(request, failing=True)),
    path("fail", fail),
    path("async-fail", async_fail),
    path("refuse/<int:number>", refuse),
    path("file", lambda _: FileResponse(Path(__file__).open("rb"))),  # noqa: SIM115 - the response closes it
]


@pytest.fixture(scope="module", autouse=True)
def shop():
    """Settings and URLs of a small site."""
    module = ModuleType("shop_urls")
    module.urlpatterns = URLS
    module.with_tracer = with_tracer
    sys.modules["shop_urls"] = module
    if not settings.configured:
        settings.configure(
            SECRET_KEY="x",  # noqa: S106 - a test
            ALLOWED_HOSTS=["*"],
            ROOT_URLCONF="shop_urls",
            MIDDLEWARE=["shop_urls.with_tracer"],
            LOGGING_CONFIG=None,
        )
        django.setup()


@pytest.fixture
def told(instrument):
    """Django instrumented, and a tracer for views."""
    made = instrument("django")
    TRACERS.append(made.tracer)
    return made


def by_wsgi(path):
    """Serve a request as a WSGI server does."""
    answer = []
    response = WSGIHandler()(create_environ(path, "http://shop:8000"), lambda status, _: answer.append(status))
    try:
        body = b"".join(response)
    finally:
        response.close()
    return answer[0], body


def by_asgi(path, *, leaves_after=None):
    """Serve a request as an ASGI server does; the client may leave after so many messages."""

    async def serve():
        sent, gone = [], asyncio.Event()
        asked = []

        async def receive():
            asked.append(True)
            if len(asked) == 1:
                return {"type": "http.request", "body": b"", "more_body": False}
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message):
            sent.append(message)
            if len(sent) == leaves_after:
                gone.set()
                await asyncio.sleep(3600)

        await asyncio.wait_for(ASGIHandler()(scope_of(path), receive, send), 30)
        return sent[0]["status"], b"".join(message.get("body", b"") for message in sent)

    return asyncio.run(serve())


SERVERS = pytest.mark.parametrize("serve", [by_wsgi, by_asgi])


@SERVERS
@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume")
@pytest.mark.parametrize("path", ["/stream", "/async-stream"])
def test_a_stream_is_part_of_its_request(told, serve, path):
    """The span lasts to the end of the body, whose spans and log records are its children."""
    _, body = serve(path)

    server, whole = told.server, next(span for span in told.spans if span.name == "whole")
    found = [span for span in told.spans if span.name.startswith("part")]
    assert body == b"xxx"
    assert told.outcome == (f"GET {path[1:]}", "UNSET", 200)
    assert whole.parent.span_id == server.context.span_id
    assert [span.parent.span_id for span in found] == [whole.context.span_id] * 3
    assert server.end_time >= whole.end_time
    assert {log.trace_id for log in told.logs if log.body.startswith("part")} == {server.context.trace_id}
    (point,) = told.metric("http.server.request.duration")
    assert point.sum >= 0.9 * (whole.end_time - server.start_time) / 1e9  # by another clock


@SERVERS
@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume", "ignore:Unclosed file")
@pytest.mark.parametrize("path", ["/stream-fails", "/async-stream-fails"])
def test_a_stream_that_fails(told, serve, path):
    """An exception in the body is an error of the request, and reaches the server."""
    with pytest.raises(ValueError, match="broken"):
        serve(path)
    gc.collect()  # Django's ASGI handler leaves the request's body open then

    assert told.outcome == (f"GET {path[1:]}", "ERROR", 200)
    assert (told.events, told.errors) == (["ValueError"], [("ERROR", "ValueError", True)])


def test_a_wsgi_client_that_leaves_a_stream(told):
    """It is no error: the generator is closed within the request."""
    response = WSGIHandler()(create_environ("/stream"), lambda *_: None)
    next(iter(response))
    response.close()

    assert told.outcome == ("GET stream", "UNSET", 200)
    assert (told.errors, {span.context.trace_id for span in told.spans}) == ([], {told.server.context.trace_id})


@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume")
def test_an_asgi_client_that_leaves_a_stream(told):
    """It is no error either."""
    by_asgi("/async-stream", leaves_after=2)

    assert told.outcome == ("GET async-stream", "UNSET", 200)
    assert told.errors == []


@SERVERS
@pytest.mark.parametrize("number", range(len(REFUSALS)))
def test_refusals_are_no_errors(told, serve, number):
    """What Django makes an answer below 500 of is not told as an exception."""
    status, _ = serve(f"/refuse/{number}")

    assert told.outcome == ("GET refuse/<int:number>", "UNSET", int(str(status)[:3]))
    assert (told.outcome[2] < 500, told.events) == (True, [])


@SERVERS
@pytest.mark.parametrize("path", ["/none", "/refuse/0", "/refuse/1"])
def test_what_django_logs_of_an_answer_has_its_trace(told, serve, path):
    """The line about a page that is not found, or forbidden, is logged within the request."""
    serve(path)

    (record,) = told.logs
    assert record.body.startswith(("Not Found: ", "Forbidden "))
    assert record.trace_id == told.server.context.trace_id


@SERVERS
@pytest.mark.parametrize("path", ["/fail", "/async-fail"])
def test_failures(told, serve, path):
    """An exception is an error, and told by one record: Django's own log line."""
    serve(path)

    assert told.outcome == (f"GET {path[1:]}", "ERROR", 500)
    assert (told.events, told.errors) == (["ValueError"], [("ERROR", "ValueError", True)])


@SERVERS
@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/", "/"),
        ("/users/7/", "users/<int:uid>/"),
        ("/api/", "api/"),
        ("/api/x/7", r"api/x/(?P<n>\d+)$"),
        ("/none", None),
    ],
)
def test_routes(told, serve, path, route):
    """The index page is the route "/"; others are named as Django has them; an unknown path has none."""
    serve(path)

    assert told.server.name == (f"GET {route}" if route else "GET")
    assert told.server.attributes.get("http.route") == route
    (point,) = told.metric("http.server.request.duration")
    assert point.attributes.get("http.route") == route


@SERVERS
def test_attributes(told, serve):
    """The path is there, and the address has no port in it."""
    serve("/users/7/")

    found = told.server.attributes
    assert (found["url.path"], found["server.address"], found["server.port"]) == ("/users/7/", "shop", 8000)


@SERVERS
@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume")
def test_files(told, serve):
    """A file is a request until it is closed; what the server sends it with is left alone."""
    serve("/file")

    assert told.outcome == ("GET file", "UNSET", 200)


@pytest.mark.parametrize(("path", "status"), [("/users/7/", 200), ("/fail", 500), ("/refuse/0", 404)])
def test_inside_of_an_asgi_application(instrument, path, status):
    """Mounted in another application it is one server span, with the whole route and the exception."""
    told = instrument("django", "starlette")
    TRACERS.append(told.tracer)
    ask(Starlette(routes=[Mount("/site/{tenant}", ASGIHandler())]), f"/site/acme{path}")

    route = {"/users/7/": "users/<int:uid>/", "/fail": "fail", "/refuse/0": "refuse/<int:number>"}[path]
    assert told.outcome == (f"GET /site/{{tenant}}/{route}", "ERROR" if status == 500 else "UNSET", status)
    assert told.events == (["ValueError"] if status == 500 else [])


def test_the_test_client(told):
    """A request of Django's own test client is a span, which has ended when the response is there."""
    Client().get("/users/7/")
    response = Client().get("/stream")

    assert [span.name for span in told.spans] == ["GET users/<int:uid>/"]
    assert b"".join(response.streaming_content) == b"xxx"
    assert told.spans[-1].name == "GET stream"


def test_attributes_of_the_request(monkeypatch, instrument):
    """OpenTelemetry's variable puts attributes of Django's request on the span."""
    monkeypatch.setenv("OTEL_PYTHON_DJANGO_TRACED_REQUEST_ATTRS", "path_info,content_type")
    told = instrument("django")
    TRACERS.append(told.tracer)
    by_wsgi("/users/7/")

    assert told.server.attributes["path_info"] == "/users/7/"


def test_taken_back(instrument):
    """Afterwards the class is as it was."""
    before = [BaseHandler.get_response, BaseHandler.get_response_async, BaseHandler.resolve_request]
    instrument("django").undo()

    assert [BaseHandler.get_response, BaseHandler.get_response_async, BaseHandler.resolve_request] == before
