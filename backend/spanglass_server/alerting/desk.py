"""What pages and API ask of alerting: its rules, its alerts, how it stands, and what people do to alerts."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

from spanglass_core.alerting.fingerprints import fingerprint_of_labels
from spanglass_core.alerting.lifecycle import OPEN, Status
from spanglass_core.alerting.severity import Severity
from spanglass_server.alerting.model import Alert, Entry
from spanglass_server.alerting.ports import Tick
from spanglass_server.alerting.store.merging import weighed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from spanglass_server.alerting.ports import AlertStore, Evaluator, RecordingStatus, RuleBook
    from spanglass_server.alerting.watching.status import AlerterStatus

_KINDS = {
    Status.ACTIVE: "reopened",
    Status.ACKNOWLEDGED: "acknowledged",
    Status.RESOLVED: "resolved",
    Status.DISMISSED: "dismissed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAlert:
    """An alert that a person or an application makes. Equal ``fingerprint``s are the same alert.

    Without a fingerprint those with one title, source and labels are.
    """

    title: str
    description: str = ""
    severity: Severity = Severity.WARNING
    source: str = "api"  # or "application"
    labels: Mapping[str, str] = field(default_factory=dict)
    value: float | None = None
    unit: str = ""
    fingerprint: str = ""
    runbook: str = ""
    owner: str = ""
    channels: tuple[str, ...] = ()
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertEdit:
    """What is to be written anew of an alert; None leaves it."""

    title: str | None = None
    description: str | None = None
    severity: Severity | None = None
    labels: Mapping[str, str] | None = None
    owner: str | None = None
    runbook: str | None = None


class Desk:
    """The facade; safe for any thread. Methods that change an alert raise ``AlertNotFoundError`` and ``OSError``."""

    def __init__(
        self,
        book: RuleBook,
        store: AlertStore,
        evaluator: Evaluator,
        status: Callable[[], AlerterStatus],
        clock_ns: Callable[[], int],
        new_id: Callable[[], str],
        recordings: Callable[[], Sequence[RecordingStatus]] = tuple,
    ) -> None:
        self.book = book
        self.recordings = recordings
        self.store = store
        self.evaluator = evaluator
        self.status = status
        self._clock_ns = clock_ns
        self._new_id = new_id

    def acknowledge(self, alert_id: str, by: str, reason: str = "") -> Alert:
        """Say that somebody takes care of it; it is resolved by itself when its condition ends."""
        return self._change(alert_id, Status.ACKNOWLEDGED, by, reason)

    def reopen(self, alert_id: str, by: str, reason: str = "") -> Alert:
        """Take an acknowledgement back."""
        return self._change(alert_id, Status.ACTIVE, by, reason)

    def resolve(self, alert_id: str, by: str, reason: str = "") -> Alert:
        """Say that it is over. Its key raises no new alert until its condition has ended once."""
        return self._change(alert_id, Status.RESOLVED, by, reason)

    def dismiss(self, alert_id: str, by: str, reason: str = "") -> Alert:
        """Say that it was none. Its key raises no new alert until its condition has ended once."""
        return self._change(alert_id, Status.DISMISSED, by, reason)

    def _change(self, alert_id: str, status: Status, by: str, reason: str) -> Alert:
        """Change the status; ``IllegalChangeError``."""
        return self.store.change_status(alert_id, status, self._entry(_KINDS[status], by, reason))

    def create(self, new: NewAlert, by: str) -> Alert:
        """Make an alert, or count one more of the open one with its fingerprint."""
        return self.store.create(*self._made(new, by))

    def create_all(self, new: Sequence[NewAlert], by: str) -> Sequence[Alert]:
        """Make alerts, or count one more of those that are open, in one transaction; them in the same order."""
        made = [self._made(each, by) for each in new]
        opened = tuple((alert, (entry,)) for alert, entry in made)
        self.store.commit(Tick(self._clock_ns(), (), opened=opened))
        found = self.store.found([alert.id for alert, _ in made])
        return [found.get(alert.id) or self.store.open_alert(alert.fingerprint) or alert for alert, _ in made]

    def resolve_all(self, alert_ids: Sequence[str], by: str, reason: str) -> None:
        """Say that alerts are over, in one transaction; those that are, or are no longer there, stay as they are."""
        now_ns = self._clock_ns()
        ended = {"status": Status.RESOLVED, "updated_ns": now_ns, "resolved_ns": now_ns, "resolved_by": by}
        entry = self._entry(_KINDS[Status.RESOLVED], by, reason)
        found = [alert for alert in self.store.found(alert_ids).values() if alert.status in OPEN]
        changed = tuple((weighed(replace(alert, **ended)), (entry,)) for alert in found)  # type: ignore[arg-type]
        if changed:
            self.store.commit(Tick(now_ns, (), changed=changed))

    def _made(self, new: NewAlert, by: str) -> tuple[Alert, Entry]:
        now_ns = self._clock_ns()
        alert = Alert(
            id=self._new_id(),
            rule_uid="",
            rule_name="",
            fingerprint=new.fingerprint or fingerprint_of_labels(new.source, new.title, new.labels),
            key=(),
            title=new.title,
            description=new.description,
            severity=new.severity,
            status=Status.ACTIVE,
            source=new.source,
            labels=new.labels,
            value=new.value,
            unit=new.unit,
            created_ns=now_ns,
            updated_ns=now_ns,
            firing=False,
            runbook=new.runbook,
            owner=new.owner,
            channels=new.channels,
            evidence=new.evidence,
        )
        return weighed(alert), Entry(now_ns, "fired", by, severity=new.severity, value=new.value)

    def edit(self, alert_id: str, edit: AlertEdit, by: str, reason: str = "") -> Alert:
        """Write an alert anew."""
        wanted = {field.name: getattr(edit, field.name) for field in fields(edit)}
        written = {name: value for name, value in wanted.items() if value is not None}
        text = reason or f"changed: {', '.join(written)}"
        return self.store.edit(alert_id, written, self._entry("edited", by, text))

    def note(self, alert_id: str, by: str, text: str) -> None:
        """Add a note."""
        self.store.note(alert_id, self._entry("note", by, text))

    def delete(self, alert_id: str) -> None:
        """Delete an alert with its history. Its key raises no new alert until its condition has ended once."""
        self.store.delete(alert_id)

    def _entry(self, kind: str, by: str, text: str) -> Entry:
        return Entry(self._clock_ns(), kind, by, text)
