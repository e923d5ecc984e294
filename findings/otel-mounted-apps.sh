#!/usr/bin/env bash
# Mounted applications: every request below the mount is one operation, GET /api, for OpenTelemetry.
#
# Guess:    the server span's http.route is the whole template, /api/users/{id}, however the routes are put together.
# Instead:  below Starlette's Mount and FastAPI's mount() it is the mount's path, for unknown paths (404) too. Where
#           FastAPI's sub-application is instrumented too, as opentelemetry-instrument does it, it makes a span of its own
#           below: kind INTERNAL, with the attributes of a server's, and a route that lacks the /api before it.
#           Only FastAPI's include_router gives what one guesses.
# Versions: opentelemetry-instrumentation-fastapi and -starlette 0.66b1, FastAPI 0.165.0, Starlette 1.10.0.
# Matters:  one operation holds all endpoints of an API, so that its percentiles and error rate mean nothing; who counts
#           spans with http.route instead of server spans has each request of the sub-application twice.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check opentelemetry-sdk==1.45.1 fastapi==0.165.0 starlette==1.10.0 \
    opentelemetry-instrumentation-fastapi==0.66b1 opentelemetry-instrumentation-starlette==0.66b1 httpx==0.28.1

cat > try.py <<'EOF'
import asyncio

import httpx
from fastapi import APIRouter, FastAPI
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.instrumentation.starlette import StarletteInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

exporter, provider = InMemorySpanExporter(), TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))


async def found(request):
    return PlainTextResponse("found")


def user(id: int):
    return id


def with_router():
    app, part = FastAPI(), APIRouter()
    part.get("/users/{id}")(user)
    app.include_router(part, prefix="/api")
    FastAPIInstrumentor.instrument_app(app, tracer_provider=provider)
    return app


def with_mount(*, both):
    app, part = FastAPI(), FastAPI()
    part.get("/users/{id}")(user)
    app.mount("/api", part)
    for each in (app, part) if both else (app,):
        FastAPIInstrumentor.instrument_app(each, tracer_provider=provider)
    return app


def starlette():
    app = Starlette(routes=[Mount("/api", routes=[Route("/users/{id}", found), Route("/orders/{id}", found)])])
    StarletteInstrumentor.instrument_app(app, tracer_provider=provider)
    return app


def routes(what, app, path):
    async def ask():
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test") as client:
            return (await client.get(path)).status_code

    exporter.clear()
    status = asyncio.run(ask())
    spans = [span for span in exporter.get_finished_spans() if "http.route" in span.attributes]
    seen = [(span.kind.name, span.attributes["http.route"]) for span in sorted(spans, key=lambda span: span.start_time)]
    print(f"{what:25} {path:14} {status}  {seen}")
    return seen


assert routes("FastAPI, include_router", with_router(), "/api/users/1") == [("SERVER", "/api/users/{id}")]
mount, inner = ("SERVER", "/api"), ("INTERNAL", "/users/{id}")
assert routes("FastAPI, mount", with_mount(both=False), "/api/users/1") == [mount], "a mount is seen otherwise now"
assert routes("FastAPI, mount, both seen", with_mount(both=True), "/api/users/1") == [mount, inner]
for path in ("/api/users/1", "/api/orders/2", "/api/unknown"):
    assert routes("Starlette, Mount", starlette(), path) == [mount], "routes are told apart now"
EOF
venv/bin/python try.py
echo "As described."
