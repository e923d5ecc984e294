"""Alerts, a clock and a graph of services for tests of incidents."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from made_alerts import made

from spanglass_core.alerting.lifecycle import Status
from spanglass_core.alerting.severity import Severity
from spanglass_server.alerting.desk import Desk as AlertDesk
from spanglass_server.alerting.model import Entry
from spanglass_server.alerting.ports import Tick
from spanglass_server.alerting.store.in_memory import MemoryAlertStore
from spanglass_server.incidents.config.model import IncidentSettings
from spanglass_server.incidents.desk import IncidentDesk
from spanglass_server.incidents.running.announcing import Announcer
from spanglass_server.incidents.running.correlator import Correlator
from spanglass_server.incidents.running.looking import Around

MINUTE = 60 * 10**9
START = 1_000_000 * MINUTE


@dataclass
class Book:
    """Settings that a test changes."""

    now: IncidentSettings = field(default_factory=IncidentSettings)

    def settings(self):
        """Return them."""
        return self.now

    def problems(self):
        """Return nothing: there is no file."""
        return ()


class World:
    """Alerts and incidents of a server whose time a test sets; shop, cart and db work together."""

    def __init__(self, store, **settings):
        self.now_ns = START
        self.store = store
        self.alerts = MemoryAlertStore()
        self.book = Book(IncidentSettings(**settings))
        alerting = AlertDesk(None, self.alerts, None, None, self.clock, lambda: "made")
        self.desk = IncidentDesk(store, self.book, alerting, self.clock)
        self.asked = []
        around = Around(self.alerts, store, self.book.settings, self.companions, self.clock)
        self.correlator = Correlator(around)
        self.told = []
        self.announcer = Announcer(store, self.book.settings, self.told.append)
        self.alerting = alerting

    def clock(self):
        """Return the time."""
        return self.now_ns

    def companions(self, service, before_ns):
        """Return the services that one works with."""
        self.asked.append((service, before_ns))
        together = frozenset({"shop", "cart", "db"})
        return together if service in together else frozenset()

    def fire(self, service="shop", rule="errors", severity=Severity.CRITICAL, **fields):
        """Raise an alert now, and return it."""
        given = {"severity": severity, "title": f"{rule} of {service}", **fields}
        alert = made(service, self.now_ns, rule, **given)
        return self.alerts.create(alert, Entry(self.now_ns, "fired", "rule", "", alert.severity, 0.2))

    def end(self, alert):
        """Have an alert resolved by its rule now."""
        over = replace(
            self.alerts.alert(alert.id), status=Status.RESOLVED, firing=False, resolved_ns=self.now_ns,
            resolved_by="rule",
        )  # fmt: skip
        entry = Entry(self.now_ns, "resolved", "rule")
        self.alerts.commit(Tick(self.now_ns, (alert.rule_uid,), changed=((over, (entry,)),)))

    def after(self, minutes, step=True):  # noqa: FBT002 - reads as a sentence
        """Let time pass, and the correlator look."""
        self.now_ns += round(minutes * MINUTE)
        if step:
            self.look()

    def look(self):
        """Have the correlator look, then the announcer; one that says that this is not needed changes nothing."""
        for part in (self.correlator, self.announcer):
            needed, before = part.has_news(), (self.store.cursor(), self.store.version(), len(self.told))
            part.step()
            assert needed or (self.store.cursor(), self.store.version(), len(self.told)) == before

    def kinds(self, incident_id, alerts=False):  # noqa: FBT002
        """Return the kinds of the lines of an incident's timeline."""
        lines = self.store.timeline(incident_id, limit=1000)
        return [line.kind for line in lines if alerts or not line.kind.startswith("alert.")]
