"""Serving a FastAPI app the way the shop does: instrumented, on its own port."""

from __future__ import annotations

import uvicorn
from fastapi import FastAPI
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor

from shop import layout

CALL_TIMEOUT_S = 10.0
"""How long a service waits for another one."""


def make_app(title: str, *, untraced: str = "") -> FastAPI:
    """Make an instrumented FastAPI app. `untraced` adds URL patterns that leave no traces to the health check."""
    app = FastAPI(title=title)
    # The spans of single ASGI messages triple the trace and say nothing about a shop.
    FastAPIInstrumentor.instrument_app(
        app, excluded_urls=",".join(filter(None, ["healthz", untraced])), exclude_spans=["receive", "send"]
    )
    app.add_api_route("/healthz", healthz)
    return app


async def healthz() -> dict[str, bool]:
    """Answer the supervisor."""
    return {"ok": True}


def serve(app: FastAPI, name: str) -> None:
    """Serve `app` on the port of service `name` until SIGTERM. Logging stays as telemetry.set_up() made it."""
    uvicorn.run(app, host="127.0.0.1", port=layout.port(name), log_config=None)
