"""Pages over tables written by hand, with the whole API between, asked without a socket."""

from __future__ import annotations

import asyncio
import html
import re

import httpx
from starlette.applications import Starlette

from spanglass_server.api.factory import ROUTES, create_api
from spanglass_server.pages.routes import page_routes
from spanglass_server.process.in_process_api import InProcessApi


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


def read(session, path, now_ns, routes=()):
    """Ask for a page as a browser would; its status, its text without markup, and its HTML."""

    async def ask():
        engine = TableEngine(session)
        api = create_api(
            (*ROUTES, *routes),
            engine=engine,
            clock_ns=lambda: now_ns,
            authorize=lambda _: None,
            deadline_s=9.0,
            version="1",
        )
        in_process = InProcessApi(Starlette(routes=api))
        pages = page_routes(in_process, clock_ns=lambda: now_ns, version="1", health=lambda: None, first_time=lambda: 1)
        transport = httpx.ASGITransport(Starlette(routes=[*api, *pages]))
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            return await client.get(path, headers={"accept": "text/html"})

    answer = asyncio.run(ask())
    main = answer.text.partition("<main")[2].partition("</main>")[0]
    return answer.status_code, " ".join(html.unescape(re.sub(r"<[^>]*>", " ", f"<{main}")).split()), answer.text
