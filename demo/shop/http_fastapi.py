"""Serving a FastAPI app the way the shop does, on its own port. Spanglass instruments it without being asked here."""

from __future__ import annotations

import uvicorn
from fastapi import FastAPI

from shop import layout

CALL_TIMEOUT_S = 10.0
"""How long a service waits for another one."""
KEEP_ALIVE_S = 75
"""How long an idle connection stays. At uvicorn's 5 s, which is between two orders now and then, a client of requests
could send into a connection that was just being closed, and a healthy shop would show an error."""


def make_app(title: str) -> FastAPI:
    """Make a FastAPI app with a health check."""
    app = FastAPI(title=title)
    app.add_api_route("/healthz", healthz)
    return app


async def healthz() -> dict[str, bool]:
    """Answer the supervisor."""
    return {"ok": True}


def serve(app: FastAPI, name: str) -> None:
    """Serve `app` on the port of service `name` until SIGTERM. Logging stays as telemetry.set_up() made it."""
    uvicorn.run(app, host="127.0.0.1", port=layout.port(name), log_config=None, timeout_keep_alive=KEEP_ALIVE_S)
