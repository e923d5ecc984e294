"""Made-up policies of retention behind the real routes, over a store in a folder of its own; no span is stored."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace

import httpx
from made_up import HOSTILE, NOW_NS
from starlette.applications import Starlette

from spanglass_server.api.factory import create_api
from spanglass_server.api.retention.routes import retention_routes
from spanglass_server.pages.ports import ApiError
from spanglass_server.retention.book import PolicyBook
from spanglass_server.retention.desk import RetentionDesk
from spanglass_server.retention.form import read_json
from spanglass_server.retention.keeper import PolicyKeeper
from spanglass_server.retention.model import Version
from spanglass_server.retention.store import RetentionStore
from spanglass_server.signals import Signal


class InPlace:
    """Runs questions where they are asked; no span is stored."""

    async def run(self, query, *, deadline_s):
        """Run one question."""
        del deadline_s
        return query(SimpleNamespace(parts=lambda *_: []))


class MadeUpRetention:
    """Policies in force, but for ``empty``; those of ``hostile`` have hostile names."""

    def __init__(self, scenario):
        self.scenario = scenario

    @cached_property
    def app(self):
        """The routes over a store, which is made when the first page asks: most tests look at other things."""
        folder = Path(tempfile.mkdtemp())
        atexit.register(shutil.rmtree, folder)
        store = RetentionStore(folder / "retention.sqlite")
        atexit.register(store.close)
        book, ages = PolicyBook(store, None), dict.fromkeys(Signal, 30 * 86400 * 10**9)
        if self.scenario != "empty":
            name = HOSTILE[:150] if self.scenario == "hostile" else "failed"
            policies = [{"name": name, "keep": "errors", "services": ["shop"], "age": "90d"}]
            kept = read_json({"policies": policies, "ordinary": {"after": "7d", "keep_one_in": 10}})
            book.replace(kept, Version(0, NOW_NS, name, name, ""), 0)
        keeper = PolicyKeeper(book, store, ages, lambda: NOW_NS)
        nothing = SimpleNamespace(segments={signal: [] for signal in Signal})
        desk = RetentionDesk(book, keeper, lambda: nothing, frozenset, store.bounds_of, ages, 0)
        served = create_api(
            retention_routes(desk, 9.0), engine=InPlace(), clock_ns=lambda: NOW_NS, authorize=lambda _: None,
            deadline_s=9.0, version="1",
        )  # fmt: skip
        return Starlette(routes=served)

    async def __call__(self, method, path, params, body=None):
        """Answer as the API does."""
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=self.app), base_url="http://here") as client:
            answer = await client.request(method, path, params=params, json=body)
        if answer.is_error:
            raise ApiError(answer.status_code, answer.json()["error"])
        return answer.json()
