"""The interface of the incident store, with its contract."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from spanglass_core.alerting.severity import Severity
    from spanglass_server.incidents.lifecycle import Status
    from spanglass_server.incidents.model import Held, Incident, Line, Member, Recorded, Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentFilter:
    """Which incidents are meant; empty fields mean all. Times are of opening, in nanoseconds."""

    statuses: tuple[Status, ...] = ()
    severities: tuple[Severity, ...] = ()
    service: str = ""
    rule_uid: str = ""
    alert_id: str = ""
    text: str = ""  # in id, title, summary, cause, resolution, services, in any case of letters
    start_ns: int = 0
    end_ns: int = 0


class IncidentNotFoundError(KeyError):
    """There is no incident of that id."""


class IncidentStoreError(Exception):
    """The incident store can't be used; the message says what to do."""


class IncidentStoreVersionError(IncidentStoreError):
    """The incident store was written by a newer version of the server."""


class IncidentStoreDamagedError(IncidentStoreError):
    """The incident store's file is not what this server or an older one wrote."""


class IncidentStore(Protocol):
    """Keeps incidents, their alerts and timelines. Every method is one transaction, durable when it returns.

    Any thread may call; changes are serialised. Raises ``OSError`` when the disk can't be used; then nothing changed.
    A line about an alert that an incident has already is not added again.
    """

    def cursor(self) -> int:
        """Up to which entry of the alert store all is taken in."""

    def announced(self) -> int:
        """Up to which of its own lines all is announced."""

    def take(self, cursor: int, turns: Sequence[Turn], version: int) -> bool:
        """Take what one look at the alerts led to: all of it, or nothing and False if the version is no longer so."""

    def told(self, cursor: int) -> None:
        """Note that lines up to this one are announced."""

    def open(self, turn: Turn) -> Incident:
        """Add an incident, and give it its id."""

    def change(self, ids: Sequence[str], work: Callable[[Sequence[Held]], Sequence[Turn]]) -> Sequence[Incident]:
        """Make of some incidents what ``work`` does, which must be pure; the incidents of its turns.

        ``IncidentNotFoundError``, and what ``work`` raises; then nothing changed.
        """

    def incident(self, incident_id: str) -> Incident:
        """One incident; ``IncidentNotFoundError``."""

    def incidents(self, wanted: IncidentFilter, *, limit: int, after: str = "") -> Sequence[Incident]:
        """Incidents, newest first; ``after`` is the id of the last one of the page before."""

    def counts(self, wanted: IncidentFilter) -> Mapping[tuple[Status, Severity], int]:
        """How many there are of each status and severity, whatever is wanted of these."""

    def members(self, incident_id: str) -> Sequence[Member]:
        """Alerts of an incident, the first that was raised first; ``IncidentNotFoundError``."""

    def held(self, alert_ids: Sequence[str]) -> Mapping[str, str]:
        """The incidents of alerts by the alert's id, for those that have one."""

    def left(self) -> frozenset[str]:
        """Ids of alerts that people took out of an incident."""

    def timeline(self, incident_id: str, *, limit: int) -> Sequence[Line]:
        """The lines of an incident, oldest first; of more than ``limit`` those with the newest times."""

    def lines_after(self, cursor: int, limit: int) -> Sequence[Recorded]:
        """Lines of all incidents in the order in which they were committed, after a cursor (0: from the first)."""

    def delete(self, incident_id: str) -> None:
        """Delete an incident with its timeline; its alerts stay."""

    def purge(self, before_ns: int) -> int:
        """Delete incidents that were over before then; how many there were."""

    def version(self) -> int:
        """A number that rises with every change; quick."""
