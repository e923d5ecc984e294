"""Releases of the services of incidents that go on, for their timelines: what began shortly before, or since."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from spanglass_server.incidents.lifecycle import LIVE
from spanglass_server.incidents.model import SERVER, Line, Turn
from spanglass_server.incidents.ports import IncidentFilter, IncidentNotFoundError
from spanglass_server.query.comparing.changes import presences
from spanglass_server.query.language.parsing.text import quote
from spanglass_server.query.records import match_records
from spanglass_server.query.window import clamp
from spanglass_server.signals import Signal
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from spanglass_server.incidents.model import Held, Incident
    from spanglass_server.incidents.ports import IncidentStore
    from spanglass_server.store.ports import QuerySession

#: A release so long before an incident began may be what it comes from.
BEFORE_NS = 3600 * NS_PER_SECOND
#: What began so soon after the beginning of what is looked at may have been there before.
_NEW_AFTER_NS = 60 * NS_PER_SECOND
#: Services of one incident, and incidents, that are looked at.
_MOST_SERVICES, _MOST = 20, 100
_MOST_LINES = 1000


def releases_of(session: QuerySession, services: Sequence[str], start_ns: int, end_ns: int) -> list[Line]:
    """Lines about releases of services that began from an hour before a time on; not the first of a new service."""
    window = clamp(start_ns - BEFORE_NS, end_ns)
    found: list[Line] = []
    for service in services[:_MOST_SERVICES]:
        records = match_records(session, Signal.SPANS, window, f"service.name = {quote(service)}")
        seen = presences(session, records)
        whole = next((each for each in seen if each.kind == "service"), None)
        if whole is None:
            continue
        # what was there from the beginning is not new, of the window or of the service
        newest_ns = max(window.start_ns + _NEW_AFTER_NS, whole.first_ns)
        releases = [each for each in seen if each.kind == "release" and each.first_ns > newest_ns]
        found += [Line(each.first_ns, "release", SERVER, f"{service} {each.value}") for each in releases]
    return sorted(found, key=lambda line: line.time_ns)


class ReleaseWatch:
    """``step`` is called now and then by one thread; ``ask`` runs a query with a session."""

    def __init__(
        self,
        store: IncidentStore,
        ask: Callable[[Callable[[QuerySession], list[Line]]], list[Line]],
        clock_ns: Callable[[], int],
    ) -> None:
        self._store = store
        self._ask = ask
        self._clock_ns = clock_ns

    def step(self) -> None:
        """Look at all incidents that are not over."""
        for incident in self._store.incidents(IncidentFilter(statuses=tuple(LIVE)), limit=_MOST):
            self._look(incident)

    def _look(self, incident: Incident) -> None:
        services = tuple(dict.fromkeys((*incident.services, *incident.named)))
        if not services:
            return
        now_ns = self._clock_ns()
        found = self._ask(lambda session: releases_of(session, services, incident.started_ns, now_ns))
        timeline = self._store.timeline(incident.id, limit=_MOST_LINES)
        known = {line.text for line in timeline if line.kind == "release"}
        new = tuple(line for line in found if line.text not in known)
        if not new:
            return

        def told(held: Sequence[Held]) -> list[Turn]:
            return [Turn(replace(held[0].incident, updated_ns=now_ns), lines=new)]

        try:
            self._store.change([incident.id], told)
        except IncidentNotFoundError:
            return  # deleted meanwhile
