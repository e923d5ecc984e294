"""Made-up incidents behind the real API, over a store in memory."""

from __future__ import annotations

from dataclasses import replace

import httpx
from made_up import HOSTILE, NOW_NS
from starlette.applications import Starlette

from spanglass_core.alerting.lifecycle import Status as AlertStatus
from spanglass_core.alerting.severity import Severity
from spanglass_server.alerting.desk import Desk as AlertDesk
from spanglass_server.alerting.desk import NewAlert
from spanglass_server.alerting.sql_views import sql_views
from spanglass_server.alerting.store.in_memory import MemoryAlertStore
from spanglass_server.api.factory import create_api
from spanglass_server.api.incidents.routes import all_incident_routes
from spanglass_server.incidents.config.book import IncidentBook
from spanglass_server.incidents.desk import IncidentDesk, NewIncident
from spanglass_server.incidents.lifecycle import Status
from spanglass_server.incidents.store.in_memory import MemoryIncidentStore
from spanglass_server.pages.ports import ApiError

MINUTE_NS = 60 * 1_000_000_000


class InPlace:
    """Runs questions where they are asked."""

    async def run(self, query, *, deadline_s):
        """Run one question."""
        del deadline_s
        return query(None)


class MadeUpIncidents:
    """Two incidents of the shop, one of them over; none in other scenarios but ``hostile`` and ``many``."""

    def __init__(self, scenario):
        self.now_ns = NOW_NS
        numbers = iter(range(1, 100_000))
        self.alerting = AlertDesk(
            None, MemoryAlertStore(), None, None, lambda: self.now_ns, lambda: f"alert-{next(numbers)}"
        )
        self.desk = IncidentDesk(MemoryIncidentStore(), IncidentBook(None), self.alerting, lambda: self.now_ns)
        {"shop": self._shop, "hostile": self._hostile, "many": self._many}.get(scenario, lambda: None)()
        self.now_ns = NOW_NS
        routes = all_incident_routes(self.desk, sql_views(None, self.alerting.store)["monitoring_alerts"].rows)
        served = create_api(
            routes, engine=InPlace(), clock_ns=lambda: NOW_NS, authorize=lambda _: None, deadline_s=9.0, version="1"
        )
        self.app = Starlette(routes=served)

    def _raised(self, title, service, severity="error", **fields):
        new = NewAlert(title=title, severity=Severity(severity), labels={"service_name": service}, **fields)
        return self.alerting.create(new, "rule").id

    def _open(self, title, alerts, **fields):
        found = self.desk.open(NewIncident(title=title, alert_ids=tuple(alerts), **fields), "Ines")
        return found.id

    def _shop(self):
        self.now_ns = NOW_NS - 3000 * MINUTE_NS
        old = self._open("Payments fail", [self._raised("Error rate of payments is 31 %", "payments", "critical")])
        self.now_ns += 12 * MINUTE_NS
        self.desk.give(old, Status.RESOLVED, "Kim", "switched to the second provider")
        self.now_ns = NOW_NS - 26 * MINUTE_NS
        first = self._raised("Error rate of payments is 38 %, above 5 %", "payments", "critical", owner="Dan")
        self.now_ns += MINUTE_NS
        slow = self._raised("p95 of checkout is 4.2 s, above 800 ms", "checkout", "warning")
        here = self._open("Payments fail again", [first, slow], steps=("Look at the bank's page", "Switch over"))
        self.now_ns += 3 * MINUTE_NS
        self.desk.give(here, Status.ACKNOWLEDGED, "Ines")
        self.desk.do_step(here, 1, "Ines")
        self.desk.note(here, "Ines", "The bank's gateway answers 503.")

    def _hostile(self):
        self._open(HOSTILE * 3, [self._raised(HOSTILE, HOSTILE, owner=HOSTILE)], lead=HOSTILE, steps=(HOSTILE,))

    def _many(self):
        ids = [self._raised(f"Alert {number} of checkout", "checkout") for number in range(600)]
        store = self.alerting.store
        for alert_id in ids[:400]:  # a storm, most of it over
            alert = store.alert(alert_id)
            store.delete(alert_id)
            store.create(
                replace(alert, status=AlertStatus.RESOLVED, resolved_ns=NOW_NS),
                self.alerting._entry("fired", "rule", ""),
            )
        self._open("A storm of alerts", ids)
        for number in range(60):
            self._open(f"Incident {number}", [])

    async def __call__(self, method, path, params, body=None):
        """Answer as the API does."""
        transport = httpx.ASGITransport(app=self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            answer = await client.request(method, path, params=params, json=body)
        if answer.is_error:
            raise ApiError(answer.status_code, answer.json()["error"])
        return answer.json()
