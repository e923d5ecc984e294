"""What pages and API ask of incidents, and what people do to them and, through them, to their alerts."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from spanglass_core.alerting.lifecycle import OPEN as OPEN_ALERTS
from spanglass_core.alerting.lifecycle import IllegalChangeError as IllegalAlertChangeError
from spanglass_core.alerting.lifecycle import Status as AlertStatus
from spanglass_core.alerting.severity import Severity
from spanglass_server.alerting.ports import AlertNotFoundError
from spanglass_server.incidents import changes
from spanglass_server.incidents.following import lines_of, member_of, settled
from spanglass_server.incidents.lifecycle import Status
from spanglass_server.incidents.model import Held, Incident, Line, Turn
from spanglass_server.incidents.running.opening import with_runbooks
from spanglass_server.incidents.steps import Runbooks, added, steps_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from spanglass_server.alerting.desk import Desk as AlertDesk
    from spanglass_server.alerting.ports import AlertStore
    from spanglass_server.incidents.config.book import IncidentBook
    from spanglass_server.incidents.model import Member
    from spanglass_server.incidents.ports import IncidentStore

#: What becomes of the open alerts of an incident whose status people change.
_ALERTS = {
    Status.ACKNOWLEDGED: AlertStatus.ACKNOWLEDGED,
    Status.RESOLVED: AlertStatus.RESOLVED,
    Status.DISMISSED: AlertStatus.DISMISSED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewIncident:
    """An incident that a person opens. ``started_ns`` 0: with the first of its alerts, without any now."""

    title: str
    summary: str = ""
    severity: Severity | None = None  # None: that of its worst alert, error without any
    services: tuple[str, ...] = ()
    alert_ids: tuple[str, ...] = ()
    lead: str = ""
    responders: tuple[str, ...] = ()
    runbook: str = ""
    steps: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    started_ns: int = 0


class HeldElsewhereError(ValueError):
    """An alert is in another incident; ``incident_id`` is that one's."""

    def __init__(self, alert_id: str, incident_id: str) -> None:
        super().__init__(f"the alert {alert_id} is in the incident {incident_id}")
        self.alert_id = alert_id
        self.incident_id = incident_id


class UnknownChannelError(ValueError):
    """A channel is not configured: nobody would hear over it. ``known`` are those that are."""

    def __init__(self, channel: str, known: Collection[str]) -> None:
        super().__init__(f"there is no channel {channel!r}")
        self.channel = channel
        self.known = tuple(sorted(known))


class IncidentDesk:
    """The facade; safe for any thread. Methods that change raise ``IncidentNotFoundError`` and ``OSError``.

    ``channels`` gives the names of all that are configured; without it none is checked.
    """

    def __init__(
        self,
        store: IncidentStore,
        book: IncidentBook,
        alerting: AlertDesk,
        clock_ns: Callable[[], int],
        channels: Callable[[], Collection[str]] | None = None,
    ) -> None:
        self.store = store
        self.book = book
        self._alerting = alerting
        self._clock_ns = clock_ns
        self._channels = channels

    @property
    def alerts(self) -> AlertStore:
        """The store of the alerts that incidents are made of."""
        return self._alerting.store

    def open(self, new: NewIncident, by: str) -> Incident:
        """Open an incident; ``UnknownChannelError``, ``AlertNotFoundError``, ``HeldElsewhereError`` for its alerts."""
        self._check(new.channels)
        now_ns = self._clock_ns()
        members, lines = self._members(new.alert_ids, f"{by} opened the incident with it", now_ns)
        begun = Incident(
            title=new.title,
            summary=new.summary,
            severity=new.severity or Severity.ERROR,
            severity_by=by if new.severity else "",
            source="person",
            opened_by=by,
            opened_ns=now_ns,
            updated_ns=now_ns,
            started_ns=new.started_ns or now_ns,
            started_by=by if new.started_ns else "",
            lead=new.lead,
            responders=tuple(dict.fromkeys(filter(None, (new.lead, *new.responders)))),
            channels=new.channels,
            named=new.services,
        )
        if not new.severity and members:
            begun = replace(begun, severity=max((each.severity for each in members), key=lambda each: each.rank))
        text_of = self._text_of
        own = [step for text in new.steps for step in steps_of(f"- {text}", by)]
        begun = replace(begun, steps=added((), [*own, *steps_of(text_of(new.runbook), "runbook")]))
        incident, said = settled(Held(with_runbooks(begun, members, text_of), members), now_ns)
        opened = Line(now_ns, "opened", by, new.summary or new.title, incident.severity)
        joined = [Line(now_ns, "joined", by, each.because, each.severity, each.alert_id) for each in members]
        return self.store.open(Turn(incident, members, (*lines, opened, *joined, *said)))

    def _check(self, channels: Sequence[str]) -> None:
        known = self._channels() if channels and self._channels is not None else channels
        for name in channels:
            if name not in known:
                raise UnknownChannelError(name, known)

    def _text_of(self, runbook: str) -> str:
        return Runbooks(self.book.settings().runbooks).text(runbook)

    def _members(
        self, alert_ids: Sequence[str], because: str, now_ns: int, incident_id: str = ""
    ) -> tuple[tuple[Member, ...], tuple[Line, ...]]:
        """Alerts as parts of an incident, with their histories."""
        elsewhere = {alert: place for alert, place in self.store.held(alert_ids).items() if place != incident_id}
        if elsewhere:
            raise HeldElsewhereError(*next(iter(elsewhere.items())))
        alerts = [self.alerts.alert(each) for each in dict.fromkeys(alert_ids)]
        lines = [line for each in alerts for line in lines_of(each.id, self.alerts.history(each.id))]
        return tuple(member_of(each, because, now_ns) for each in alerts), tuple(lines)

    def give(self, incident_id: str, status: Status, by: str, reason: str = "") -> Incident:
        """Change the status; ``IllegalChangeError``. Acknowledged, resolved, dismissed are its alerts too."""
        incident = self._change(incident_id, lambda held, now: changes.with_status(held, status, by, reason, now))
        if status in _ALERTS:
            self._give_alerts(
                incident_id, _ALERTS[status], by, f"with {incident_id}" + (f": {reason}" if reason else "")
            )
        return incident

    def _give_alerts(self, incident_id: str, status: AlertStatus, by: str, reason: str) -> None:
        desk = self._alerting
        change = {
            AlertStatus.ACKNOWLEDGED: desk.acknowledge,
            AlertStatus.RESOLVED: desk.resolve,
            AlertStatus.DISMISSED: desk.dismiss,
        }[status]
        for member in self.store.members(incident_id):
            if not member.left and member.status in OPEN_ALERTS and member.status is not status:
                # it may have been changed, or deleted, since it was last seen
                with suppress(IllegalAlertChangeError, AlertNotFoundError):
                    change(member.alert_id, by, reason)

    def edit(self, incident_id: str, edit: changes.Edit, by: str, reason: str = "") -> Incident:
        """Write an incident anew; ``UnknownChannelError`` for a channel that it did not have before."""
        if edit.channels:
            before = self.store.incident(incident_id).channels
            self._check([name for name in edit.channels if name not in before])
        return self._change(incident_id, lambda held, now: changes.edited(held, edit, by, reason, now))

    def note(self, incident_id: str, by: str, text: str) -> Incident:
        """Add a note."""
        return self._change(incident_id, lambda held, now: changes.noted(held, by, text, now))

    def respond(self, incident_id: str, responders: Sequence[str], by: str) -> Incident:
        """Say who sees to it."""
        return self._change(incident_id, lambda held, now: changes.with_responders(held, responders, by, now))

    def add_step(self, incident_id: str, text: str, by: str) -> Incident:
        """Add a response step."""
        return self._change(incident_id, lambda held, now: changes.with_step(held, text, by, now))

    def do_step(self, incident_id: str, number: int, by: str, *, done: bool = True) -> Incident:
        """Say that a response step, counted from 1, is done or not; ``StepNotFoundError``."""
        return self._change(incident_id, lambda held, now: changes.step_done(held, number, by, now, done=done))

    def take_in(self, incident_id: str, alert_ids: Sequence[str], by: str, reason: str = "") -> Incident:
        """Add alerts; ``AlertNotFoundError``, ``HeldElsewhereError``."""
        members, lines = self._members(alert_ids, reason or f"added by {by}", self._clock_ns(), incident_id)

        def work(held: Held, now_ns: int) -> Turn:
            turn = changes.with_members(held, members, lines, by, now_ns)
            return replace(turn, incident=with_runbooks(turn.incident, turn.members, self._text_of))

        return self._change(incident_id, work)

    def take_out(self, incident_id: str, alert_id: str, by: str, reason: str = "") -> Incident:
        """Remove an alert, which is not taken in again by itself; ``KeyError`` where it is not in it."""
        return self._change(incident_id, lambda held, now: changes.without_member(held, alert_id, by, reason, now))

    def merge(self, incident_id: str, into: str, by: str, reason: str = "") -> Incident:
        """Move all alerts to another incident, and dismiss this one; gives the other one. ``ValueError`` for itself."""
        if incident_id == into:
            raise ValueError(f"{incident_id} can't be merged into itself")
        now_ns = self._clock_ns()
        found = self.store.change(
            [incident_id, into], lambda held: changes.merged(held[0], held[1], by, reason, now_ns)
        )
        return found[1]

    def write_postmortem(self, incident_id: str, text: str, by: str) -> Incident:
        """Keep a postmortem; "" goes back to the draft."""
        return self._change(incident_id, lambda held, now: changes.with_postmortem(held, text, by, now))

    def delete(self, incident_id: str) -> None:
        """Delete an incident with its timeline. Its alerts stay, and open no other one."""
        self.store.delete(incident_id)

    def _change(self, incident_id: str, work: Callable[[Held, int], Turn]) -> Incident:
        now_ns = self._clock_ns()
        return self.store.change([incident_id], lambda held: [work(held[0], now_ns)])[0]
