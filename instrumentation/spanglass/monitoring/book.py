"""The alerts of one process: those that are open, those that wait to be processed, and a history."""

from __future__ import annotations

import uuid
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

from spanglass.errors import AlertError
from spanglass.monitoring.alerts import Alert, AlertEntry
from spanglass_core.alerting.lifecycle import IllegalChangeError, Status, change
from spanglass_core.alerting.priority import priority

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanglass_core.alerting.severity import Severity

__all__ = ["MAX_ALERTS", "MAX_ENTRIES", "AlertBook"]

#: Alerts that are over and rows of history that are kept, the newest.
MAX_ALERTS = 1_000
MAX_ENTRIES = 10_000
_PAST = {Status.ACKNOWLEDGED: "acknowledged", Status.RESOLVED: "resolved", Status.DISMISSED: "dismissed"}


class AlertBook:
    """Keeps alerts by id and by fingerprint. Not locked: whoever shares it between threads holds a lock."""

    def __init__(self, unix_ns: Callable[[], int]) -> None:
        self._unix_ns = unix_ns
        self._alerts: dict[str, Alert] = {}
        self._open: dict[str, str] = {}
        self._waiting: dict[str, None] = {}
        self.entries: deque[AlertEntry] = deque(maxlen=MAX_ENTRIES)

    def open_one(self, fingerprint: str) -> Alert | None:
        """The open alert of a fingerprint."""
        found = self._open.get(fingerprint)
        return None if found is None else self._alerts[found]

    def alert(self, alert_id: str) -> Alert:
        """One alert; ``AlertError`` for an id that there is not."""
        if alert_id not in self._alerts:
            raise AlertError(f"there is no alert {alert_id!r}, or it was over long ago")
        return self._alerts[alert_id]

    def is_kept(self, alert_id: str) -> bool:
        """Whether there is an alert of this id."""
        return alert_id in self._alerts

    def alerts(self) -> list[Alert]:
        """All that are kept, the newest first."""
        return list(reversed(self._alerts.values()))

    def add(self, alert: Alert, text: str) -> Alert:
        """Take a new alert, to be processed."""
        now_ns = self._unix_ns()
        made = replace(alert, id=alert.id or str(uuid.uuid4()), created_ns=now_ns, updated_ns=now_ns)
        made = self._keep(made)
        self._open[made.fingerprint] = made.id
        self._waiting[made.id] = None
        self._write(made, "fired", text=text)
        self._forget_oldest()
        return made

    def count(self, alert: Alert, text: str) -> Alert:
        """An open alert was raised once more: counted, and processed no second time."""
        made = self._keep(replace(alert, count=alert.count + 1, updated_ns=self._unix_ns()))
        self._write(made, "counted", text=text)
        return made

    def change_severity(self, alert: Alert, severity: Severity, value: float | None) -> Alert:
        """Raise or lower the severity; one that is raised is processed again."""
        is_raised = severity.rank > alert.severity.rank
        made = self._keep(replace(alert, severity=severity, value=value, updated_ns=self._unix_ns()))
        if is_raised:
            self._waiting[made.id] = None
        self._write(made, "raised" if is_raised else "lowered", text=f"{alert.severity} to {severity}")
        return made

    def change_status(self, alert: Alert, status: Status, by: str, reason: str) -> Alert:
        """Change the status; ``AlertError`` says which can be. An alert that is over is processed once more."""
        try:
            change(alert.status, status)
        except IllegalChangeError as error:
            raise AlertError(f"alert {alert.title!r}: {error}") from None
        now_ns = self._unix_ns()
        made = replace(alert, status=status, updated_ns=now_ns)
        if not made.is_open:
            made = replace(made, resolved_ns=now_ns, resolved_by=by)
            self._open.pop(alert.fingerprint, None)
            self._waiting[alert.id] = None
        self._write(made, _PAST.get(status, "reopened"), by=by, text=reason)
        return self._keep(made)

    def update(self, alert: Alert, value: float | None) -> None:
        """Keep the newest value."""
        self._alerts[alert.id] = replace(alert, value=value)

    def adopt(self, alert: Alert) -> Alert:
        """Give an alert as it is kept; one that was made elsewhere is taken, or counts one more of the open one."""
        if alert.id in self._alerts:
            return self._alerts[alert.id]
        found = self.open_one(alert.fingerprint)
        return self.add(alert, alert.title) if found is None else self.count(found, alert.title)

    def known_to_server(self, alert_id: str, server_id: str) -> None:
        """Remember the id that the server gave."""
        if alert_id in self._alerts:
            self._alerts[alert_id] = replace(self._alerts[alert_id], server_id=server_id)

    def waiting(self) -> list[Alert]:
        """Those that wait to be processed: those that fire before those that are over, the most urgent first."""
        found = [self._alerts[alert_id] for alert_id in self._waiting]
        return sorted(found, key=lambda each: (not each.is_open, -each.priority, each.created_ns))

    def take(self, alert_id: str) -> bool:
        """Take one from those that wait; whether it did."""
        return self._waiting.pop(alert_id, self) is None

    def write(self, alert_id: str, kind: str, text: str) -> None:
        """Add a row of history."""
        self.entries.append(AlertEntry(self._unix_ns(), alert_id, kind, "", text))

    def _write(self, alert: Alert, kind: str, *, by: str = "", text: str = "") -> None:
        self.entries.append(AlertEntry(self._unix_ns(), alert.id, kind, by, text))

    def _keep(self, alert: Alert) -> Alert:
        duration_ns = alert.updated_ns - alert.created_ns
        known = alert.status is Status.ACKNOWLEDGED
        urgent = priority(alert.severity, alert.count, duration_ns, is_acknowledged=known)
        self._alerts[alert.id] = made = replace(alert, priority=urgent)
        return made

    def _forget_oldest(self) -> None:
        if len(self._alerts) > MAX_ALERTS:
            oldest = next((each.id for each in self._alerts.values() if not each.is_open), next(iter(self._alerts)))
            gone = self._alerts.pop(oldest)
            self._waiting.pop(oldest, None)
            if self._open.get(gone.fingerprint) == oldest:
                del self._open[gone.fingerprint]
