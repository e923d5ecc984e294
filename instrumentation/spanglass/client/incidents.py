"""The calls about incidents as methods of the two clients."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, TypeVar

from spanglass.client import incident_calls as calls

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass.client.answers import Json
    from spanglass.client.calls import Call
    from spanglass.client.incident_answers import Incident, IncidentList

_T = TypeVar("_T")


class IncidentCalls:
    """Of the client that waits."""

    _by: str

    @abstractmethod
    def _run(self, call: Call[_T]) -> _T: ...

    def get_incidents(self, filters: Mapping[str, Any] | None = None) -> IncidentList:
        """Incidents that match: ``status`` (``live``, ``over``, or one or several), ``severity``, ``service`` ...

        The filters are the parameters of ``GET /api/monitoring/incidents/``.
        """
        return self._run(calls.get_incidents(filters or {}))

    def get_incident(self, incident_id: str) -> Incident:
        """One incident with alerts, steps, timeline and past ones like it; ``NotFoundError``."""
        return self._run(calls.get_incident(incident_id))

    def open_incident(self, title: str, *, by: str = "", **fields: Any) -> Incident:
        """Open an incident by hand; one attempt is made.

        ``fields``: ``summary``, ``severity``, ``services``, ``alerts`` (ids), ``lead``, ``responders``, ``runbook``,
        ``steps``, ``channels``, ``started_at``.
        """
        return self._run(calls.open_incident(title, by or self._by, fields))

    def acknowledge_incident(self, incident_id: str, *, reason: str = "", by: str = "") -> Incident:
        """Say that somebody sees to it, and to its alerts; ``ConflictError`` for one that is over."""
        return self._run(calls.change_incident(incident_id, "acknowledged", by or self._by, reason, {}))

    def resolve_incident(
        self, incident_id: str, *, reason: str = "", cause: str | None = None, by: str = ""
    ) -> Incident:
        """Say that it is over, and its open alerts with it; ``reason`` says how it ended."""
        return self._run(calls.change_incident(incident_id, "resolved", by or self._by, reason, {"cause": cause}))

    def change_incident(self, incident_id: str, *, reason: str = "", by: str = "", **fields: Any) -> Incident:
        """Write it anew: ``title``, ``summary``, ``severity``, ``services``, ``lead``, ``responders``, ``cause`` ..."""
        return self._run(calls.change_incident(incident_id, None, by or self._by, reason, fields))

    def note_incident(self, incident_id: str, text: str, *, by: str = "") -> Incident:
        """Write a note; one attempt is made."""
        return self._run(calls.note_incident(incident_id, text, by or self._by))

    def get_postmortem(self, incident_id: str) -> str:
        """The postmortem in Markdown: as somebody wrote it, else a draft of what is known."""
        return self._run(calls.get_postmortem(incident_id))

    def get_incident_report(self, params: Mapping[str, Any] | None = None) -> Json:
        """MTTA, MTTR, recovery, and the share that was over in time; ``params``: ``last``, or ``start`` and ``end``."""
        return self._run(calls.get_incident_report(params or {}))


class AsyncIncidentCalls:
    """Of the client that is awaited."""

    _by: str

    @abstractmethod
    async def _run(self, call: Call[_T]) -> _T: ...

    async def get_incidents(self, filters: Mapping[str, Any] | None = None) -> IncidentList:
        """See ``MonitoringClient``."""
        return await self._run(calls.get_incidents(filters or {}))

    async def get_incident(self, incident_id: str) -> Incident:
        """See ``MonitoringClient``."""
        return await self._run(calls.get_incident(incident_id))

    async def open_incident(self, title: str, *, by: str = "", **fields: Any) -> Incident:
        """See ``MonitoringClient``."""
        return await self._run(calls.open_incident(title, by or self._by, fields))

    async def acknowledge_incident(self, incident_id: str, *, reason: str = "", by: str = "") -> Incident:
        """See ``MonitoringClient``."""
        return await self._run(calls.change_incident(incident_id, "acknowledged", by or self._by, reason, {}))

    async def resolve_incident(
        self, incident_id: str, *, reason: str = "", cause: str | None = None, by: str = ""
    ) -> Incident:
        """See ``MonitoringClient``."""
        return await self._run(calls.change_incident(incident_id, "resolved", by or self._by, reason, {"cause": cause}))

    async def change_incident(self, incident_id: str, *, reason: str = "", by: str = "", **fields: Any) -> Incident:
        """See ``MonitoringClient``."""
        return await self._run(calls.change_incident(incident_id, None, by or self._by, reason, fields))

    async def note_incident(self, incident_id: str, text: str, *, by: str = "") -> Incident:
        """See ``MonitoringClient``."""
        return await self._run(calls.note_incident(incident_id, text, by or self._by))

    async def get_postmortem(self, incident_id: str) -> str:
        """See ``MonitoringClient``."""
        return await self._run(calls.get_postmortem(incident_id))

    async def get_incident_report(self, params: Mapping[str, Any] | None = None) -> Json:
        """See ``MonitoringClient``."""
        return await self._run(calls.get_incident_report(params or {}))
