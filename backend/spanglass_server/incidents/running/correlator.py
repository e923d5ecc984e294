"""Takes what happens to alerts into incidents: they join one, open one, and make it recover.

The alert store's entries are read in the order in which they were committed, each once: what a look leads to is kept in
one transaction with how far it has read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_core.alerting.lifecycle import OPEN
from spanglass_server.alerting.ports import AlertFilter
from spanglass_server.incidents.lifecycle import LIVE
from spanglass_server.incidents.model import Held
from spanglass_server.incidents.ports import IncidentFilter
from spanglass_server.incidents.running.looking import MOST_LOOSE, Look

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass_server.alerting.model import Alert
    from spanglass_server.incidents.config.model import IncidentSettings
    from spanglass_server.incidents.running.looking import Around

#: Entries that are taken at once.
_BATCH = 500
#: Incidents that are not over and may take alerts, the newest.
_MOST_LIVE = 500


class Correlator:
    """``step`` is called again and again by one thread."""

    def __init__(self, around: Around) -> None:
        self._around = around
        self._loose: dict[str, Alert] | None = None  # open alerts without an incident, by id; None: not read yet
        self._live: tuple[int, list[Held]] = (-1, [])  # by the version of the store
        self._sorted: tuple[IncidentSettings | None, int] = (None, 0)  # with what, and when, alerts were sorted last
        self._has_moved = False  # whether incidents have more alerts since, which others may belong to
        self._version = -1  # of the store after the last look: with another one, people have changed something
        self._alerts_version = -1  # of the alerts before the last look

    def has_news(self) -> bool:
        """Whether ``step`` may find anything: something has happened, or time alone may change an alert or incident."""
        around = self._around
        return (
            bool(self._loose or self._live[1])
            or self._has_moved
            or self._version != around.store.version()
            or self._alerts_version != around.alerts.version()
        )

    def step(self) -> None:
        """Take all that has happened."""
        while self._look():
            pass

    def _look(self) -> bool:
        """Take some of it; whether there may be more at once."""
        around, store = self._around, self._around.store
        alerts_version = around.alerts.version()
        settings, version, before = around.settings(), store.version(), store.cursor()
        entries = around.alerts.entries_after(before, _BATCH)
        cursor = entries[-1].cursor if entries else before
        if not settings.enabled:
            self._loose = None
            if entries:
                store.take(cursor, [], version)
            return len(entries) == _BATCH
        has_moved = self._has_moved or version != self._version
        if version != self._version:
            self._loose = None
        look = Look(around, settings, self._read_live(version))
        loose = look.follow(entries, self._those_loose())
        now_ns = around.clock_ns()
        is_due = self._is_due(loose, settings, now_ns)
        if entries or is_due or has_moved:  # only what has changed may open one, unless it is time that has
            loose = look.sort(loose, loose if is_due else {each.alert_id for each in entries})
            self._sorted = (settings, now_ns)
        turns = look.turns()
        if (entries or turns) and not store.take(cursor, turns, version):  # somebody has changed an incident meanwhile
            self._sorted = (None, 0)
            return True
        self._loose, self._version, self._has_moved = loose, version + bool(turns), look.has_moved
        self._alerts_version = alerts_version
        return len(entries) == _BATCH or look.has_moved

    def _those_loose(self) -> Mapping[str, Alert]:
        """Open alerts that are in no incident, and were not taken out of one."""
        if self._loose is None:
            store = self._around.store
            found = self._around.alerts.alerts(AlertFilter(statuses=tuple(OPEN)), limit=MOST_LOOSE)
            taken = {*store.held([alert.id for alert in found]), *store.left()}
            self._loose = {alert.id: alert for alert in reversed(found) if alert.id not in taken}
        return self._loose

    def _read_live(self, version: int) -> list[Held]:
        if self._live[0] != version:
            store = self._around.store
            found = store.incidents(IncidentFilter(statuses=tuple(LIVE)), limit=_MOST_LIVE)
            self._live = (version, [Held(each, tuple(store.members(each.id))) for each in found])
        return self._live[1]

    def _is_due(self, loose: Mapping[str, Alert], settings: IncidentSettings, now_ns: int) -> bool:
        """Whether other rules hold, or an alert has become old enough for one, since alerts were sorted last."""
        before, last_ns = self._sorted
        if settings is not before:
            return bool(loose)
        waits = {rule.after_ns for rule in settings.rules if rule.after_ns}
        return any(last_ns < alert.created_ns + wait <= now_ns for alert in loose.values() for wait in waits)
