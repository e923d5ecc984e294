"""A real server of the pages over made-up data, one for each scenario, and a real Chromium."""

from __future__ import annotations

import socket
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

sys.path.insert(0, str(Path(__file__).parent))

from chromium import launched
from fake_api import PRICES, FakeApi
from made_up import NOW_NS
from windows import Windows

from spanglass_server.pages.ports import ApiError
from spanglass_server.pages.routes import not_found_page, page_routes


class Served:
    """A running server: its address and the API behind its pages."""

    def __init__(self, scenario, api=None, first=()):
        self.api = api or FakeApi(scenario)

        async def api(request):
            try:
                if request.method == "GET":
                    return JSONResponse(await self.api(request.url.path, dict(request.query_params)))
                body = dict(request.query_params) | (await request.json() if await request.body() else {})
                return JSONResponse(await self.api.write(request.method, request.url.path, body))
            except ApiError as error:
                return JSONResponse({"error": error.error}, status_code=error.status)

        options = {"clock_ns": lambda: NOW_NS, "version": "0.1.0", "health": lambda: self.api.health,
                   "first_time": lambda: self.api.first_ns, "firing": self.api.alerts.count_open,
                   "prices": PRICES, "views": self.api.views.seen, "pinned": self.api.views.pinned}  # fmt: skip
        routes = [
            *first,
            Route("/api/v1/{path:path}", api, methods=["GET", "POST", "PATCH", "PUT", "DELETE"]),
            Route("/api/monitoring/{path:path}", api, methods=["GET", "POST", "PUT", "DELETE"]),
            *page_routes(self.api, **options),
        ]
        app = Starlette(routes=routes, exception_handlers={404: as_handler(not_found_page(self.api, **options))})
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        config = uvicorn.Config(app, log_level="warning", lifespan="off", ws="none")
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self.socket]}, daemon=True)

    def start(self):
        """Serve, and return when connections are taken."""
        self.thread.start()
        while not self.server.started and self.thread.is_alive():
            time.sleep(0.01)
        return self

    def fetch(self, path, **options):
        """GET a path without a browser; only a failure waits so long, and httpx would give up after 5 s."""
        return httpx.get(self.url + path, trust_env=False, timeout=60, **options)

    def stop(self):
        """Serve no more."""
        self.server.should_exit = True
        self.thread.join(120)
        self.socket.close()


def as_handler(endpoint):
    """Return an endpoint as Starlette's handler of an exception."""

    async def handler(request, _error):
        return await endpoint(request)

    return handler


@pytest.fixture(scope="module")  # no longer: which files a worker has is chance, and what their tests change stays
def serve():
    """Start the server of a scenario once, on a free port of the loopback."""
    running = {}

    def start(scenario):
        if scenario not in running:
            running[scenario] = Served(scenario).start()
        return running[scenario]

    yield start
    for served in running.values():
        served.stop()


@pytest.fixture(scope="module")  # no longer: while the driver lives, asyncio.run() fails for every other test here
def browser():
    """Return a Chromium without a window."""
    with launched() as chromium:
        yield chromium


@pytest.fixture(scope="module")
def windows(browser):
    """Return what opens windows of the module's browser, and uses them again."""
    return Windows(browser)


@pytest.fixture
def open_page(windows, serve):
    """Open a path of a scenario in a window that is as a new one and watches it: nothing may go wrong unseen.

    A test that looks at one page after the other closes each, ``open_page.close(page)``: pages that are open go on.
    """
    opened = []

    def open_(scenario, path, **how):
        page = windows.open(serve(scenario) if isinstance(scenario, str) else scenario, path, **how)
        opened.append(page)
        return page

    def close(page):
        opened.remove(page)
        windows.close(page)

    open_.close = close
    yield open_
    for page in opened:
        windows.close(page)
