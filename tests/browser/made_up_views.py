"""Saved views behind the real routes, over a store in a folder of its own."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cached_property
from pathlib import Path

import httpx
from made_up import HOSTILE, NOW_NS
from made_up_findings import InPlace
from starlette.applications import Starlette

from spanglass_server.api.factory import create_api
from spanglass_server.api.saved.pins import pin_routes
from spanglass_server.api.saved.views import view_routes
from spanglass_server.pages.ports import ApiError
from spanglass_server.saved.answers import pinned_notes, seen_views
from spanglass_server.saved.model import Pin, View
from spanglass_server.saved.store.store import SavedStore


class MadeUpViews:
    """None but in ``hostile``; the file is made when the first is saved or asked for by the API."""

    def __init__(self, scenario):
        self.scenario = scenario

    @cached_property
    def store(self):
        """The store."""
        folder = tempfile.mkdtemp()
        atexit.register(shutil.rmtree, folder)
        store = SavedStore(Path(folder) / "saved.sqlite")
        atexit.register(store.close)
        if self.scenario == "hostile":
            name = HOSTILE.replace("\n", " ")[:80]
            store.views.save(View(name, "/traces?filter=%3Cb%3E", name, shared=True, pinned=True), NOW_NS)
            told = (HOSTILE * 9)[:2000]
            store.pins.pin(Pin(b"\x0a" * 16, told, HOSTILE, NOW_NS, HOSTILE, told, NOW_NS, 10**10, 3, 1, 900), 1000)
        return store

    def seen(self, owner):
        """Return what pages show in their navigation."""
        return seen_views(self.store.views)(owner) if "store" in self.__dict__ or self.scenario == "hostile" else []

    def pinned(self, trace_id):
        """Return what pages tell of a pinned trace."""
        return pinned_notes(self.store.pins)(trace_id) if "store" in self.__dict__ else None

    def pin(self, method, path, body):
        """Pin a trace, or unpin it; what it was is made up."""
        trace_id = bytes.fromhex(path.split("/")[4])
        if method == "DELETE":
            self.store.pins.unpin(trace_id)
        elif trace_id in self.store.pins.by_id():
            self.store.pins.note(trace_id, body["note"], body["actor"])
        else:
            figures = (NOW_NS - 1_940_000_000, 1_940_000_000, 38, 5, 48_000)
            pin = Pin(trace_id, body["note"], body["actor"], NOW_NS, "storefront", "POST /checkout", *figures)
            self.store.pins.pin(pin, 1 << 28)
        return {}

    async def __call__(self, method, path, params, body=None):
        """Answer as the API does; no trace is read for pinning it."""
        if method in {"PUT", "DELETE"} and path.startswith("/api/v1/pins/"):
            return self.pin(method, path, body)
        served = create_api(
            (*view_routes(self.store.views), *pin_routes(self.store.pins, 1 << 28)), engine=InPlace(),
            clock_ns=lambda: NOW_NS, authorize=lambda _: None, deadline_s=9.0, version="1",
        )  # fmt: skip
        transport = httpx.ASGITransport(app=Starlette(routes=served))
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            answer = await client.request(method, path, params=params, json=body)
        if answer.is_error:
            raise ApiError(answer.status_code, answer.json()["error"])
        return answer.json()
