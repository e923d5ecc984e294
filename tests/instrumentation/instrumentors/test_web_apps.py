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


@pytest.mark.parametrize("order", ["{0}import_,app", "import_,{0}app", "import_,app,{0}"])
@pytest.mark.parametrize(("import_", "app", "call", "span"), FRAMEWORKS)
def test_orders(script, order, import_, app, call, span):
    """Installed before the import, between import and application, or after both: a request is one span."""
    steps = {"import_": import_, "app": app}
    parts = order.format("install(),").strip(",").split(",")
    code = "\n".join(steps.get(part, part) for part in parts)

    assert script(f"{code}\n{call}\n{call}\ngive(taken())") == [span, span]


@pytest.mark.parametrize(("import_", "app", "call", "span"), FRAMEWORKS)
def test_taken_back(script, import_, app, call, span):
    """After taking back, neither that application nor a new one makes spans."""
    code = f"undo = install()\n{import_}\n{app}\n{call}\nfirst = taken()\nundo()\n{call}\n{app}\n{call}"

    assert script(f"{code}\ngive([first, taken()])") == [[span], []]


@pytest.mark.parametrize(("import_", "app", "call", "span"), FRAMEWORKS)
def test_classes_stay_what_they_are(script, import_, app, call, span):
    """The class that applications are instances of is not replaced, so isinstance() holds whenever it was imported."""
    del call, span
    owner = import_.split()[3]
    code = f"{import_}\nbefore = {owner}\ninstall()\n{import_}\n{app}\ngive([before is {owner}, type(app) is before])"

    assert script(code) == [True, True]


@pytest.mark.parametrize(("import_", "app", "call", "span"), FRAMEWORKS[:2])
def test_framework_spans(script, import_, app, call, span):
    """The setting framework_spans keeps the spans of ASGI's messages."""
    result = script(f"install(framework_spans=True)\n{import_}\n{app}\n{call}\ngive(taken())")

    sent = [span[0], f"{span[1]} http send", "internal"]
    assert result == [sent, sent, span]


def test_flask_that_has_served_is_left_alone(script):
    """Flask takes no hooks after its first request: such an application goes on as it is, without an error."""
    import_, app = FLASK
    code = f"{import_}\n{app}\n{WSGI_CALL}\ninstall()\ngive([{WSGI_CALL}.status_code, taken()])"

    assert script(code) == [200, []]


def test_disabled(script):
    """With FastAPI's switched off, Starlette's does not take its applications."""
    import_, app = FASTAPI
    code = f"install(disabled_instrumentations=['fastapi'])\n{import_}\n{app}\n{ASGI_CALL}\ngive(taken())"

    assert script(code) == []


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


@pytest.mark.parametrize("first", [True, False])
def test_django(script, distribution, first):
    """With Django's own order in wsgi.py, the settings module named after the import, a request is one span."""
    distribution("shop-settings", code=SETTINGS)
    before, after = ("install()", "") if first else ("", "install()")

    result = script(f"""
    {before}
    {DJANGO}
    {after}
    application = get_wsgi_application()
    {DJANGO_CALL}
    give([body.decode(), taken(), states()["django"].state])
    """)

    assert result == ["hello", [["django", "GET x/<int:n>", "server"]], "active"]


def test_django_too_late(script, distribution):
    """A handler that exists has its middleware: that is said, and the next handler is instrumented."""
    distribution("shop-settings", code=SETTINGS)

    result = script(f"""
    {DJANGO}
    application = get_wsgi_application()
    install()
    {DJANGO_CALL}
    first = taken()
    application = get_wsgi_application()
    {DJANGO_CALL}
    give([first, taken(), states()["django"].state, states()["django"].reason])
    """)

    assert result == [
        [],
        [["django", "GET x/<int:n>", "server"]],
        "late",
        "its handlers were set up before the instrumentation was, and stay without it",
    ]


@pytest.mark.parametrize(("module", "spans"), [("shop", [["click", "shop", "internal"]]), ("rq.cli", [])])
def test_commands(script, module, spans):
    """A command of the application is a span; one that runs on and on, such as a worker, is none."""
    result = script(f"""
        install()
        import click
        def pay(): pass
        pay.__module__ = "{module}"
        click.command("pay")(pay).main([], prog_name="shop", standalone_mode=False)
        give(taken())
    """)

    assert result == spans
