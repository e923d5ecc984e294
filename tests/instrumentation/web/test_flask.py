"""Flask: one span a request to the end of its body, failures and what is none, whatever stands around it."""

from __future__ import annotations

import gc
import logging
import os
import weakref
from wsgiref.simple_server import make_server
from wsgiref.util import FileWrapper

import pytest
from flask import Flask, abort, request, send_file, stream_with_context
from opentelemetry.instrumentation import wsgi as upstream
from opentelemetry.instrumentation._semconv import _StabilityMode
from opentelemetry.trace import get_current_span
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.test import create_environ, run_wsgi_app

from spanglass.instrumentors.web import correct_wsgi

logger = logging.getLogger("shop")


@pytest.fixture
def told(instrument):
    """Flask instrumented."""
    return instrument("flask")


@pytest.fixture
def app(told):
    """An application of all kinds of answers."""
    made = Flask("shop")

    def parts(*, failing=False):
        with told.tracer.start_as_current_span("whole"):
            for number in range(3):
                with told.tracer.start_as_current_span(f"part {number}"):
                    logger.warning("part %d", number)
                yield f"{number}\n"
            if failing:
                raise ValueError("broken")

    made.add_url_rule("/stream", "stream", lambda: (parts(), {"x-kind": "stream"}))
    made.add_url_rule(
        "/stream-with-context",
        "stream-with-context",
        lambda: stream_with_context(part + request.path for part in parts()),
    )
    made.add_url_rule("/stream-fails", "stream-fails", lambda: parts(failing=True))
    made.add_url_rule("/users/<uid>", "users-uid", lambda uid: uid)
    made.add_url_rule("/missing", "missing", lambda: abort(404))
    made.add_url_rule("/file", "file", lambda: send_file(__file__))

    @made.get("/fail")
    def fail():
        raise ValueError("broken")

    @made.get("/handled")
    def handled():
        raise KeyError("handled")

    @made.errorhandler(KeyError)
    def handler(error):
        del error
        return "sorry", 409

    return made


def serve(app, path, **options):
    """Serve a request as a WSGI server does: the whole body, then its close."""
    body, status, headers = run_wsgi_app(app, create_environ(path, **options))
    try:
        return b"".join(body), status, headers
    finally:
        body.close()


@pytest.mark.parametrize("path", ["/stream", "/stream-with-context"])
def test_a_stream_is_part_of_its_request(told, app, path):
    """The span lasts to the end of the body, whose spans and log records are its children."""
    body, status, headers = serve(app, path)

    server, whole = told.server, next(span for span in told.spans if span.name == "whole")
    parts = [span for span in told.spans if span.name.startswith("part")]
    assert (body.count(b"\n"), status) == (3, "200 OK")
    assert headers.get("x-kind", "stream") == "stream"
    assert told.outcome == (f"GET {path}", "UNSET", 200)
    assert whole.parent.span_id == server.context.span_id
    assert [span.parent.span_id for span in parts] == [whole.context.span_id] * 3
    assert server.end_time >= whole.end_time
    assert {log.trace_id for log in told.logs if log.body.startswith("part")} == {server.context.trace_id}
    (point,) = told.metric("http.server.request.duration")
    assert point.sum >= 0.9 * (whole.end_time - server.start_time) / 1e9  # by another clock
    assert not get_current_span().get_span_context().is_valid


def test_a_stream_that_fails(told, app):
    """An exception in the body is an error of the request, and reaches the server."""
    with pytest.raises(ValueError, match="broken"):
        serve(app, "/stream-fails")

    assert told.outcome == ("GET /stream-fails", "ERROR", 200)
    assert (told.events, told.errors) == (["ValueError"], [("ERROR", "ValueError", True)])


def test_a_client_that_leaves_a_stream_is_no_error(told, app):
    """A server closes the body: the generator ends within the request, and nothing has failed."""
    body, _, _ = run_wsgi_app(app, create_environ("/stream"))
    next(iter(body))
    body.close()

    assert told.outcome == ("GET /stream", "UNSET", 200)
    assert [span.status.status_code.name for span in told.spans] == ["UNSET"] * 3
    assert told.errors == []


@pytest.mark.parametrize(
    ("path", "outcome"),
    [
        ("/users/7", ("GET /users/<uid>", "UNSET", 200)),
        ("/missing", ("GET /missing", "UNSET", 404)),
        ("/handled", ("GET /handled", "UNSET", 409)),
        ("/none", ("GET", "UNSET", 404)),
    ],
)
def test_answers(told, app, path, outcome):
    """What the application answers is no failure; the span has ended when a test client has the response."""
    response = app.test_client().get(path)

    assert (told.outcome, told.events) == (outcome, [])
    assert response.status_code == outcome[2]


def test_a_stream_that_a_test_client_has_read(told, app):
    """The request has ended when its body was read, though nobody has closed the response."""
    response = app.test_client().get("/stream")

    assert response.data.count(b"\n") == 3
    assert told.outcome == ("GET /stream", "UNSET", 200)


@pytest.mark.parametrize("testing", [False, True])
def test_failures(told, app, testing):
    """An exception is an error, told by one record: Flask's own log line, or ours where Flask raises it."""
    app.testing = testing
    if testing:
        with pytest.raises(ValueError, match="broken"):
            app.test_client().get("/fail")
    else:
        app.test_client().get("/fail")

    assert told.outcome == ("GET /fail", "ERROR", None if testing else 500)
    assert (told.events, told.errors) == (["ValueError"], [("ERROR", "ValueError", True)])


def test_mounted_applications(told, app):
    """Applications below others are one server span with the whole route."""
    other = Flask("other")
    other.get("/x/<n>")(lambda n: n)
    whole = DispatcherMiddleware(app, {"/other": other})
    app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/inner": other})

    for path in ("/other/x/1", "/inner/x/1", "/users/7"):
        serve(whole, path)

    assert [span.name for span in told.spans] == ["GET /other/x/<n>", "GET /inner/x/<n>", "GET /users/<uid>"]


def test_a_call_within_the_process_is_no_mount(told, app):
    """A view that asks its own application has a request inside of its own."""
    app.add_url_rule("/batch", "batch", lambda: app.test_client().get("/users/7").text)
    app.test_client().get("/batch")

    inner, outer = told.spans
    assert (inner.name, outer.name) == ("GET /users/<uid>", "GET /batch")
    assert inner.parent.span_id == outer.context.span_id


def test_bodies_of_middlewares(told, app):
    """A generator around Flask runs within the request as well."""

    def around(environ, start_response):
        def parts():
            yield from body
            with told.tracer.start_as_current_span("after"):
                yield b"!"

        body = inner(environ, start_response)
        return parts()

    inner, app.wsgi_app = app.wsgi_app, around
    assert serve(app, "/users/7")[0] == b"7!"

    after, server = told.spans
    assert after.parent.span_id == server.context.span_id


def test_requests_leave_no_cycles(told, app):
    """What belongs to a request is freed with it, without the collector."""
    environ = create_environ("/users/7")
    app(environ, lambda *_: None)
    seen = weakref.ref(environ["spanglass.request"])
    gc.disable()
    try:
        del environ
        assert seen() is None
    finally:
        gc.enable()
    assert told.server.name == "GET /users/<uid>"


def test_bodies_that_a_server_sends_itself_stay_as_they_are(told, app):
    """A file goes to the server in its own wrapper; a list keeps its length."""
    environ = {**create_environ("/file"), "wsgi.file_wrapper": FileWrapper}
    body = app(environ, lambda *_: None)
    assert type(body) is FileWrapper
    body.close()
    app.wsgi_app = lambda _environ, start: (start("200 OK", []), [b"x"])[1]

    assert app(create_environ("/"), lambda *_: None) == [b"x"]
    assert [span.name for span in told.spans] == ["GET /file", "GET"]


def test_wsgiref(told, app):
    """A server of the standard library: path and query are there, the address has no port in it."""
    with make_server("127.0.0.1", 0, app) as server:
        port = server.server_port
        environ = {**os.environ, **server.base_environ, **create_environ("/users/é?a=b", f"http://shop:{port}")}
        environ.pop("RAW_URI", None)
        environ.pop("REQUEST_URI", None)
        b"".join(app({**environ, "REMOTE_ADDR": "10.0.0.9", "HTTP_USER_AGENT": "curl/8"}, lambda *_: None))

    assert dict(told.server.attributes) == {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "http.route": "/users/<uid>",
        "url.scheme": "http",
        "url.path": "/users/é",
        "url.query": "a=b",
        "server.address": "shop",
        "server.port": port,
        "client.address": "10.0.0.9",
        "user_agent.original": "curl/8",
        "network.protocol.version": "1.1",
    }


def test_other_frameworks_under_wsgiref():
    """What OpenTelemetry's instrumentations of other frameworks read of an environ has the path, and no port."""
    environ = {**create_environ("/users/7?a=b", "http://shop:8000")}
    environ.pop("RAW_URI", None)
    environ.pop("REQUEST_URI", None)
    undo = correct_wsgi(upstream)
    found = upstream.collect_request_attributes(environ, _StabilityMode.HTTP)
    undo()

    assert (found["url.path"], found["url.query"]) == ("/users/7", "a=b")
    assert (found["server.address"], found["server.port"]) == ("shop", 8000)
    assert "url.path" not in upstream.collect_request_attributes(environ, _StabilityMode.HTTP)


def test_behind_a_proxy(told, app):
    """What ProxyFix takes from a proxy's headers is on the span."""
    app.wsgi_app = ProxyFix(app.wsgi_app, x_host=1)
    headers = {"X-Forwarded-For": "10.1.1.1", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "shop.example"}

    serve(app, "/users/7", headers=headers)

    found = told.server.attributes
    assert (found["client.address"], found["url.scheme"]) == ("10.1.1.1", "https")
    assert (found["server.address"], found["server.port"]) == ("shop.example", 443)


def test_taken_back(instrument):
    """Afterwards the class is as it was."""
    before = [Flask.__call__, Flask.full_dispatch_request, Flask.handle_exception]
    instrument("flask").undo()

    assert [Flask.__call__, Flask.full_dispatch_request, Flask.handle_exception] == before
