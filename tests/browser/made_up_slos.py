"""Made-up objectives behind the real routes, over a store in a folder of its own and a check that was down twice."""

from __future__ import annotations

import atexit
import itertools
import shutil
import tempfile
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace

import httpx
import numpy as np
from made_up import HOSTILE, NOW_NS
from starlette.applications import Starlette

from spanglass_server.api.factory import create_api
from spanglass_server.api.slo.routes import slo_routes
from spanglass_server.pages.ports import ApiError
from spanglass_server.slo.book import Book
from spanglass_server.slo.counting.ledger import Ledger
from spanglass_server.slo.counting.minutes import Minutes
from spanglass_server.slo.desk import SloDesk
from spanglass_server.slo.form.spec import OBJECTIVES
from spanglass_server.slo.store.store import SloStore
from spanglass_server.store.disk import DISK

NOW = NOW_NS // (60 * 10**9)


class InPlace:
    """Runs questions where they are asked; no span is stored."""

    async def run(self, query, *, deadline_s):
        """Run one question."""
        del deadline_s
        return query(SimpleNamespace(parts=lambda *_: []))


class Checks:
    """A check that was down for some minutes, an hour ago and four hours ago."""

    @staticmethod
    def minutes(uid, first, last):
        """See ``CheckTimes``."""
        del uid
        found = Minutes(first, np.ones(last - first), np.zeros(last - first))
        found.add(Minutes(NOW - 70, np.zeros(9), np.ones(9)))
        found.add(Minutes(NOW - 240, np.zeros(3), np.ones(3)))
        return found


class MadeUpSlos:
    """Two objectives; those of ``hostile`` have hostile names. No service has one."""

    def __init__(self, scenario):
        self.scenario = scenario

    @cached_property
    def app(self):
        """The routes over a store, which is made when the first page asks: most tests look at other things."""
        folder = Path(tempfile.mkdtemp())
        atexit.register(shutil.rmtree, folder)
        store = SloStore(folder / "slo.sqlite")
        atexit.register(store.close)
        ticks = itertools.count(NOW_NS)
        book = Book(None, None, folder / "kept", DISK, lambda: next(ticks))
        desk = SloDesk(book, Ledger(store, Checks(), lambda: NOW_NS), store, lambda: NOW_NS)
        name = HOSTILE[:150] if self.scenario == "hostile" else "The shop is up"
        for slo in ({"uid": "up", "name": name, "check": "shop", "description": name},
                    {"name": f"{name} fast", "uid": "fast", "spans": "kind:server", "latency": "300ms"}):  # fmt: skip
            desk.put(OBJECTIVES.read_json({"target": "99%", **slo}).found[0][0], "", "Ines")
        served = create_api(
            slo_routes(desk), engine=InPlace(), clock_ns=lambda: NOW_NS, authorize=lambda _: None, deadline_s=9.0,
            version="1",
        )  # fmt: skip
        return Starlette(routes=served)

    async def __call__(self, method, path, params, body=None):
        """Answer as the API does."""
        if params.get("service"):
            return {"slos": [], "problems": []}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=self.app), base_url="http://here") as client:
            answer = await client.request(method, path, params=params, json=body)
        if answer.is_error:
            raise ApiError(answer.status_code, answer.json()["error"])
        return answer.json()
