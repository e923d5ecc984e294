"""What happened to the keys of a rule, as alerts and lines of their history."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from spanglass_core.alerting.fingerprints import alert_id
from spanglass_core.alerting.fingerprints import fingerprint as fingerprint_of_key
from spanglass_core.alerting.lifecycle import OPEN, Status
from spanglass_core.alerting.states import Kind, Phase
from spanglass_server.alerting.model import Alert, Entry, KeyState
from spanglass_server.alerting.running.keys import Again
from spanglass_server.alerting.running.texts import Told
from spanglass_server.alerting.store.merging import weighed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from spanglass_core.alerting.rule import Rule
    from spanglass_core.alerting.severity import Severity
    from spanglass_core.alerting.states import Transition
    from spanglass_server.alerting.running.keys import KeyChange
    from spanglass_server.alerting.running.texts import Texts

#: Who an entry is by that no person made.
RULE = "rule"
SERVER = "server"
#: Of transitions that only an open alert tells of.
_TOLD = {Kind.NO_DATA, Kind.DATA_AGAIN, Kind.FAILED, Kind.WORKS_AGAIN}


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose keys they are: the rule, the unit of its value, and the source of its alerts."""

    rule: Rule
    unit: str = ""
    source: str = RULE


@dataclass(slots=True)
class Written:
    """What became of a key: its state (None: forgotten), its alert, and what is to be committed."""

    known: KeyState | None = None
    alert: Alert | None = None
    opened: list[tuple[Alert, tuple[Entry, ...]]] = field(default_factory=list)
    changed: list[tuple[Alert, tuple[Entry, ...]]] = field(default_factory=list)


class Scribe:
    """Writes alerts. ``exists`` tells whether there is an alert of that id already."""

    def __init__(self, texts: Texts, exists: Callable[[str], bool]) -> None:
        self._texts = texts
        self._exists = exists

    def write(self, subject: Subject, change: KeyChange, alert: Alert | None, linked_id: str) -> Written:
        """Take what happened to one key; ``alert`` is the one its state has, with what people did to it.

        ``linked_id`` is the id in the state: the alert may have been deleted.
        """
        return _Writing(self, subject, change, alert, linked_id).run()

    def texts_of(self, told: Told) -> tuple[str, str]:
        """Title and description."""
        return self._texts.title(told), self._texts.description(told)

    def labels_of(self, told: Told) -> Mapping[str, str]:
        """The labels of a new alert."""
        return self._texts.labels(told)

    def unused_id(self, fingerprint: str, fired_ns: int) -> str:
        """The id of a new alert: another one only where a clock that was set back gives the same time once more."""
        found, again = alert_id(fingerprint, fired_ns), 0
        while self._exists(found):
            again += 1
            found = alert_id(f"{fingerprint}/{again}", fired_ns)
        return found


class _Writing:
    """One key on its way into alerts."""

    def __init__(
        self, scribe: Scribe, subject: Subject, change: KeyChange, alert: Alert | None, linked_id: str
    ) -> None:
        self._scribe = scribe
        self._subject = subject
        self._change = change
        self._alert = alert
        self._linked_id = linked_id
        self._before = alert
        self._is_new = False
        self._entries: list[Entry] = []
        self._written = Written()

    def run(self) -> Written:
        for move in self._change.moves:
            if isinstance(move, Again):
                self._again(move)
            else:
                self._move(move)
        self._follow()
        self._put()
        state = self._change.after
        if state.evaluated_ns:
            linked_id = self._alert.id if self._alert is not None else self._linked_id
            is_firing = state.phase in (Phase.FIRING, Phase.KEEP_FIRING)
            rule, key = self._subject.rule, self._change.key
            self._written.known = KeyState(rule.uid, key, state, linked_id if is_firing else "")
            self._written.alert = self._alert if is_firing else None
        return self._written

    def _move(self, move: Transition) -> None:
        if move.kind is Kind.FIRED:
            self._fired(move)
        elif self._alert is None:
            return
        elif move.kind is Kind.RESOLVED:
            self._resolved(move)
        elif self._alert.status not in OPEN:
            return
        elif move.kind in (Kind.RAISED, Kind.LOWERED):
            told = self._told(move.severity, move.value, move.reason, move.time_ns)
            title, description = self._scribe.texts_of(told)
            self._change_alert(severity=told.severity, title=title, description=description)
            self._change_alert(value=self._known(move.value), updated_ns=move.time_ns)
            self._tell(move.time_ns, move.kind, move.reason, move.severity, move.value)
        elif move.kind in _TOLD:
            self._change_alert(updated_ns=move.time_ns)
            self._tell(move.time_ns, move.kind, move.reason, move.severity, move.value)

    def _fired(self, move: Transition) -> None:
        if self._alert is not None and self._alert.status in OPEN:
            self._again(move)
            return
        self._put()
        self._alert = self._before = self._new(move)
        self._is_new = True
        self._tell(move.time_ns, move.kind, move.reason, move.severity, move.value)

    def _again(self, move: Transition | Again) -> None:
        """An alert that is there fires once more."""
        if self._alert is None or self._alert.status not in OPEN:
            return
        self._change_alert(count=self._alert.count + 1, updated_ns=move.time_ns, firing=True)
        self._change_alert(value=self._known(move.value))
        self._tell(move.time_ns, Kind.FIRED, "again", move.severity, move.value)

    def _resolved(self, move: Transition) -> None:
        alert = self._alert
        if alert is None:
            return
        if alert.status in OPEN:
            over = {"status": Status.RESOLVED, "resolved_ns": move.time_ns, "resolved_by": RULE}
            self._change_alert(**over, firing=False, value=move.value, updated_ns=move.time_ns)
            self._tell(move.time_ns, move.kind, move.reason, move.severity, move.value)
        else:
            self._change_alert(firing=False)
        self._put()
        self._alert = self._before = None
        self._linked_id = ""

    def _follow(self) -> None:
        """Let an alert that is there know the latest value."""
        state = self._change.after
        if self._alert is None or state.phase not in (Phase.FIRING, Phase.KEEP_FIRING):
            return
        self._change_alert(firing=state.phase is Phase.FIRING)
        if self._alert.status in OPEN and self._change.value is not None:
            self._change_alert(value=self._change.value)

    def _known(self, value: float | None) -> float | None:
        """A value, or without data the last one that there was."""
        return value if value is not None or self._alert is None else self._alert.value

    def _change_alert(self, **fields: Any) -> None:
        if self._alert is not None:
            self._alert = replace(self._alert, **fields)

    def _tell(self, time_ns: int, kind: Kind, text: str, severity: Severity | None, value: float | None) -> None:
        self._entries.append(Entry(time_ns, kind, RULE, text, severity or "", value))

    def _put(self) -> None:
        """Have what was changed of the present alert committed."""
        if self._alert is None or (self._alert == self._before and not self._is_new):
            return
        if self._entries:
            self._alert = weighed(self._alert)
        target = self._written.opened if self._is_new else self._written.changed
        target.append((self._alert, tuple(self._entries)))
        self._before, self._is_new, self._entries = self._alert, False, []

    def _told(self, severity: Severity | None, value: float | None, reason: str, time_ns: int) -> Told:
        rule, key = self._subject.rule, self._change.key
        return Told(
            rule=rule,
            key=key,
            severity=severity or rule.severity,
            value=value,
            unit=self._subject.unit,
            reason=reason,
            time_ns=time_ns,
        )

    def _new(self, move: Transition) -> Alert:
        rule, key = self._subject.rule, self._change.key
        told = self._told(move.severity, move.value, move.reason, move.time_ns)
        title, description = self._scribe.texts_of(told)
        is_rule = self._subject.source == RULE
        fingerprint = fingerprint_of_key(rule.uid, key)
        return Alert(
            id=self._scribe.unused_id(fingerprint, move.time_ns),
            rule_uid=rule.uid if is_rule else "",
            rule_name=rule.name,
            fingerprint=fingerprint,
            key=key,
            title=title,
            description=description,
            severity=told.severity,
            status=Status.ACTIVE,
            source=self._subject.source,
            labels=self._scribe.labels_of(told),
            value=move.value,
            unit=self._subject.unit,
            created_ns=move.time_ns,
            updated_ns=move.time_ns,
            firing=True,
            runbook=rule.runbook,
            owner=rule.owner,
            channels=rule.channels,
        )
