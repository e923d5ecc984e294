"""Web applications are instrumented whenever they were made, however their class was imported, and once."""

from __future__ import annotations

import pytest

FASTAPI = ("from fastapi import FastAPI", "app = FastAPI()\n@app.get('/x/{n}')\ndef x(n: int): return n")
STARLETTE = (
    "from starlette.applications import Starlette\nfrom starlette import responses, routing",
    "async def x(request): return responses.Response('x')\napp = Starlette(routes=[routing.Route('/x/{n}', x)])",
)
FLASK = ("from flask import Flask", "app = Flask('shop')\n@app.get('/x/<n>')\ndef x(n): return n")

ASGI_CALL = """
import asyncio
async def call(app):
    async def receive(): return {"type": "http.request", "body": b"", "more_body": False}
    async def send(message): pass
    scope = {"type": "http", "method": "GET", "path": "/x/3", "query_string": b"", "headers": [], "scheme": "http",
             "http_version": "1.1", "server": ("shop", 80), "client": ("c", 1), "root_path": "", "asgi": {}}
    await app(scope, receive, send)
asyncio.run(call(app))
"""
WSGI_CALL = "app.test_client().get('/x/3')"

FRAMEWORKS = [
    pytest.param(*FASTAPI, ASGI_CALL, ["fastapi", "GET /x/{n}", "server"], id="fastapi"),
    pytest.param(*STARLETTE, ASGI_CALL, ["starlette", "GET /x/{n}", "server"], id="starlette"),
    pytest.param(*FLASK, WSGI_CALL, ["flask", "GET /x/<n>", "server"], id="flask"),
]


@pytest.mark.parametrize(("import_", "app", "call", "span"), FRAMEWORKS)
def test_from_the_beginning(script, import_, app, call, span):
    """Installed before the import, the class stays what it is, a request is one span, and none after taking back.

    The instrumentation of OpenTelemetry is not imported for it.
    """
    owner = import_.split()[3]
    code = f"""
undo = install()
{import_}
{app}
{call}
{call}
first = taken()
undo()
{call}
{app}
{call}
give([first, taken(), [type(app) is {owner}, "opentelemetry.instrumentation.{span[0]}" in sys.modules]])
"""
    assert script(code) == [[span, span], [], [True, False]]


@pytest.mark.parametrize(("import_", "app", "call", "span"), FRAMEWORKS)
def test_afterwards(script, import_, app, call, span):
    """Installed when an application is there, and has served already, its requests are spans from then on."""
    assert script(f"{import_}\n{app}\n{call}\ninstall()\n{call}\ngive(taken())") == [span]


def test_disabled(script):
    """With FastAPI's switched off, Starlette's does not take its applications."""
    import_, app = FASTAPI
    code = f"install(disabled_instrumentations=['fastapi'])\n{import_}\n{app}\n{ASGI_CALL}\ngive(taken())"

    assert script(code) == []


@pytest.mark.parametrize(
    ("instrumented", "import_", "app", "call", "span"),
    [
        ("fastapi.FastAPIInstrumentor.instrument_app(app", *FASTAPI, ASGI_CALL, "GET /x/{n}"),
        ("flask.FlaskInstrumentor().instrument_app(app", *FLASK, WSGI_CALL, "GET /x/<n>"),
    ],
)
def test_those_that_the_application_instruments_itself(script, instrumented, import_, app, call, span):
    """An application that is handed to OpenTelemetry's instrumentation has that one's spans and hooks, not ours too."""
    module = instrumented.partition(".")[0]
    hook = "server_request_hook" if module == "fastapi" else "request_hook"
    result = script(f"""
install()
{import_}
{app}
import opentelemetry.instrumentation.{module}
opentelemetry.instrumentation.{instrumented}, {hook}=lambda span, _: span.set_attribute("hooked", True))
{call}
give([[each.name, each.attributes.get("hooked")] for each in _spans.get_finished_spans() if each.kind.name == "SERVER"])
""")

    assert result == [[span, True]]


DJANGO = """
    from django.core.wsgi import get_wsgi_application
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop_settings")
"""
DJANGO_CALL = """
    import io
    def get(application):
        environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/x/3", "SERVER_NAME": "shop", "SERVER_PORT": "80",
                   "wsgi.input": io.BytesIO(), "wsgi.url_scheme": "http"}
        return b"".join(application(environ, lambda *given: None))
    body = get(application)
"""
SETTINGS = """
from django.http import HttpResponse
from django.urls import path
SECRET_KEY = "x"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "shop_settings"
urlpatterns = [path("x/<int:n>", lambda request, n: HttpResponse("hello"))]
"""


@pytest.mark.parametrize("order", ["before", "after", "handler"])
def test_django(script, distribution, order):
    """With Django's own order in wsgi.py, the settings module named after the import, a request is one span.

    So it is when there is a handler already, and the settings are as they were.
    """
    distribution("shop-settings", code=SETTINGS)
    steps = {each: "install()" if each == order else "" for each in ("before", "after", "handler")}

    result = script(f"""
    {steps["before"]}
    {DJANGO}
    {steps["after"]}
    application = get_wsgi_application()
    {steps["handler"]}
    {DJANGO_CALL}
    from django.conf import settings
    give([body.decode(), taken(), states()["django"].state, settings.MIDDLEWARE])
    """)

    assert result == ["hello", [["django", "GET x/<int:n>", "server"]], "active", []]


def test_django_that_the_application_instruments_itself(script, distribution):
    """OpenTelemetry's instrumentation, turned on by the application, is left alone, and there is one span."""
    distribution("shop-settings", code=SETTINGS)

    result = script(f"""
    install()
    {DJANGO}
    from opentelemetry.instrumentation.django import DjangoInstrumentor
    DjangoInstrumentor().instrument()
    application = get_wsgi_application()
    {DJANGO_CALL}
    give(taken())
    """)

    assert result == [["django", "GET x/<int:n>", "server"]]
