"""Pages over tables written by hand, with the whole API between, asked without a socket."""

from __future__ import annotations

import asyncio
import html
import re

import httpx
from starlette.applications import Starlette

from spanglass_server.api.factory import ROUTES, create_api
from spanglass_server.api.prometheus.endpoint import Context
from spanglass_server.api.prometheus.routes import create_prometheus_api
from spanglass_server.api.prometheus.rules import Told
from spanglass_server.pages.routes import page_routes
from spanglass_server.process.in_process_api import InProcessApi
from spanglass_server.promql.stored.source import StoredSeries


class TableEngine:
    """Runs questions one after the other over one session."""

    def __init__(self, session):
        self.session = session
        self.lock = asyncio.Lock()

    async def run(self, query, *, deadline_s):
        """Run one question."""
        del deadline_s
        async with self.lock:
            return query(self.session)


def application(session, now_ns, more=()):
    """Return the pages and both APIs over a session, as one application; ``more`` are routes that need other things."""
    shared = {
        "engine": TableEngine(session),
        "clock_ns": lambda: now_ns,
        "authorize": lambda _: None,
        "deadline_s": 9.0,
    }
    api = [
        *create_api((*ROUTES, *more), **shared, version="1"),
        *create_prometheus_api(Context(series=StoredSeries, **shared), "1", Told(None, 0)),  # no page asks for rules
    ]
    about = {"clock_ns": shared["clock_ns"], "version": "1", "health": lambda: None, "first_time": lambda: 1}
    return Starlette(routes=[*api, *page_routes(InProcessApi(Starlette(routes=api)), **about)])


def read(session, path, now_ns, more=()):
    """Ask for a page as a browser would; its status, its text without markup, and its HTML."""

    async def ask():
        transport = httpx.ASGITransport(application(session, now_ns, more))
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            return await client.get(path, headers={"accept": "text/html"})

    answer = asyncio.run(ask())
    main = answer.text.partition("<main")[2].partition("</main>")[0]
    return answer.status_code, " ".join(html.unescape(re.sub(r"<[^>]*>", " ", f"<{main}")).split()), answer.text
