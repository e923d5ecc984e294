"""Made-up performance findings behind the real routes, over a store in a folder of its own."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace

import httpx
from made_up import HOSTILE, MS, NOW_NS
from starlette.applications import Starlette

from spanglass_server.api.factory import create_api
from spanglass_server.api.findings.routes import finding_routes
from spanglass_server.findings.desk import FindingDesk
from spanglass_server.findings.leak import SUBJECT, Grown, Leak
from spanglass_server.findings.model import Dismissal, Evidence, Kind, Place, Sighting, State
from spanglass_server.findings.store.store import FindingStore, Look
from spanglass_server.pages.ports import ApiError

MINUTE_NS = 60_000 * MS
TRACE_ID = bytes.fromhex("4f1c2b77d06e4b9c8a53f0e1b2c6a90e")
SUBJECTS = {
    Kind.N_PLUS_ONE: ("inventory", "GET /stock", "SELECT * FROM stock WHERE product_id = ? AND warehouse_id = ?"),
    Kind.SLOW_QUERY: ("catalog", "GET /products", "SELECT * FROM reviews WHERE text LIKE ? ORDER BY created_at DESC"),
    Kind.RETRIES: ("payments", "POST /charges", "POST api.bank.example/v2/charges/{}"),
    Kind.CONSECUTIVE_CALLS: ("storefront", "GET /", "cart:8080/cart/{}, catalog:8080/top, recommend:8080/for/{}"),
    Kind.GAP: ("mailer", "process mails", "process mails"),
    Kind.REGRESSION: ("checkout", "POST /checkout", "release 2.13.0, since 2.14.0"),
}


def leak_of_three(name="web-1"):
    """Two of three processes grow, since an hour and since half of one."""
    grown = [
        Grown(name, f"{name}.host", "6400", "2.14.0", NOW_NS - 70 * MINUTE_NS, NOW_NS - 60 * MINUTE_NS, 90 << 20,
              310 << 20, 220 << 20),
        Grown(f"{name}-b", "", "", "", 0, NOW_NS - 30 * MINUTE_NS, 90 << 20, 150 << 20, 120 << 20),
    ]  # fmt: skip
    return Leak(NOW_NS, 3, grown)


class InPlace:
    """Runs questions where they are asked; the trace has nothing of its own that could be found."""

    async def run(self, query, *, deadline_s):
        """Run one question."""
        del deadline_s
        return query(SimpleNamespace(service_slot=lambda name: len(name) % 10))


class MadeUpFindings:
    """Seven findings of the shop, one of them dismissed; none in other scenarios but ``hostile`` and ``many``."""

    def __init__(self, scenario):
        self.scenario = scenario
        self.of_trace = {TRACE_ID.hex(): [self._in_trace()]} if scenario == "shop" else {}

    @cached_property
    def app(self):
        """The routes over a store, which is made when the first page asks: most tests look at other things."""
        folder = tempfile.mkdtemp()
        atexit.register(shutil.rmtree, folder)
        self.store = FindingStore(Path(folder) / "findings.sqlite")
        atexit.register(self.store.close)
        self.desk = FindingDesk(self.store, lambda: NOW_NS)
        self.store.keep(Look((NOW_NS // MINUTE_NS - 600,), 1.0, ()), NOW_NS)
        {"shop": self._shop, "hostile": self._hostile, "many": self._many}.get(self.scenario, lambda: None)()
        routes = finding_routes(self.desk)
        served = create_api(
            routes, engine=InPlace(), clock_ns=lambda: NOW_NS, authorize=lambda _: None, deadline_s=9.0, version="1"
        )
        return Starlette(routes=served)

    def _see(self, *place, **more):
        self.store.see(list(self._sightings(*place, **more)))

    @staticmethod
    def _sightings(kind, service, operation, subject, detail="", number=1):
        for ago in range(3):
            at_ns = NOW_NS - ago * 90 * MINUTE_NS - number * MINUTE_NS
            evidence = [
                Evidence(TRACE_ID[:15] + bytes([place]), b"\x0b" * 8, at_ns - place, (900 + place) * MS, 24, 700 * MS)
                for place in range(1, 4)
            ]
            where, hits, waste_ns = Place(kind, service, operation, subject), 120 // number, 9000 * MS // number
            yield Sighting(where, 400, hits, 2400, waste_ns, at_ns, at_ns, detail, evidence)

    def _shop(self):
        for number, (kind, place) in enumerate(SUBJECTS.items(), 1):
            self._see(kind, *place, "95th percentile 480 ms, was 310 ms" if kind is Kind.REGRESSION else "", number)
        self._see(Kind.MEMORY_LEAK, "storefront", "", SUBJECT, leak_of_three().text())
        gap = next(one for one in self.desk.known() if one.place.kind is Kind.GAP)
        self.desk.change(gap.id, Dismissal(State.DISMISSED, "mails may take their time", "Ines"))

    def _hostile(self):
        for kind in Kind:
            detail = leak_of_three(HOSTILE).text() if kind is Kind.MEMORY_LEAK else HOSTILE
            self._see(kind, HOSTILE, HOSTILE * 3, HOSTILE * 9, detail)

    def _many(self):
        places = [(Kind.SLOW_QUERY, "catalog", f"GET /products/{number}", f"UPDATE a{number}") for number in range(31)]
        self.store.see([one for i, place in enumerate(places[1:], 1) for one in self._sightings(*place, number=i)])

    @staticmethod
    def memory(params):
        """The memory of three processes, two of which grow from the middle on."""
        start, end, step = (int(params[name]) for name in ("start", "end", "step"))
        times = range(start, end + 1, step)

        def of(instance, grows):
            used = [(90 << 20) + max(0, place - len(times) // 2) * grows for place in range(len(times))]
            values = [[time, str(value)] for time, value in zip(times, used, strict=True)]
            return {"metric": {"instance": instance, "service_name": "storefront"}, "values": values}

        return {"data": {"result": [of("web-1", 2 << 20), of("web-1-b", 1 << 19), of("web-2", 0)]}}

    @staticmethod
    def _in_trace():
        return {
            "id": 1, "kind": "n_plus_one", "title": "N+1 queries", "service": "inventory", "operation": "GET /stock",
            "subject": SUBJECTS[Kind.N_PLUS_ONE][2], "advice": "Ask for all of them at once.", "span_id": "0b" * 8,
            "calls": 24, "cost_ns": 700 * MS, "state": "open",
        }  # fmt: skip

    async def __call__(self, method, path, params, body=None):
        """Answer as the API does; what is in a trace is made up."""
        if path.startswith("/api/v1/traces/"):
            return {"findings": self.of_trace.get(path.split("/")[4], [])}
        transport = httpx.ASGITransport(app=self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            answer = await client.request(method, path, params=params, json=body)
        if answer.is_error:
            raise ApiError(answer.status_code, answer.json()["error"])
        return answer.json()
