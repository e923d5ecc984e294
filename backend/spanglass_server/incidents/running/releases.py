"""Releases of the services of incidents that go on, for their timelines: what began shortly before, or since."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from spanglass_server.incidents.lifecycle import LIVE
from spanglass_server.incidents.model import SERVER, Line, Turn
from spanglass_server.incidents.ports import IncidentFilter, IncidentNotFoundError
from spanglass_server.pace import REST_PAST
from spanglass_server.query.language.compiling.service_sql import SERVICE_NAME
from spanglass_server.query.language.compiling.sql import Sql
from spanglass_server.query.statements import one_of, rows, statement
from spanglass_server.query.window import clamp
from spanglass_server.service_names import SERVICE
from spanglass_server.signals import Signal, quote_identifier
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from spanglass_server.incidents.model import Held, Incident
    from spanglass_server.incidents.ports import IncidentStore
    from spanglass_server.pace import Pace
    from spanglass_server.store.ports import QuerySession

#: A release so long before an incident began may be what it comes from.
BEFORE_NS = 3600 * NS_PER_SECOND
#: What began so soon after the beginning of what is looked at may have been there before.
_NEW_AFTER_NS = 60 * NS_PER_SECOND
#: Services of one incident, and incidents, that are looked at; each of these so often at most.
_MOST_SERVICES, _MOST = 20, 100
_EVERY_NS = 30 * NS_PER_SECOND
_MOST_LINES = 1000
_RELEASE = "resource.service.version:str"
#: Without anything to look at, it is asked for incidents again after so long.
_IDLE_S = 10.0


def releases_of(session: QuerySession, services: Sequence[str], start_ns: int, end_ns: int) -> list[Line]:
    """Lines about releases of services that began from an hour before a time on; not the first of a new service."""
    window = clamp(start_ns - BEFORE_NS, end_ns)
    if _RELEASE not in session.columns(Signal.SPANS, window):
        return []
    seen = rows(
        session,
        statement(
            "incidents/releases",
            service=SERVICE_NAME,
            release=Sql(quote_identifier(_RELEASE)),
            relation=Sql(session.relation(Signal.SPANS, window, ["start_time_ns", SERVICE, _RELEASE])),
            names=one_of(services[:_MOST_SERVICES]),
        ),
    )
    firsts: dict[str, int] = {}
    for each in seen:
        firsts[each["service"]] = min(each["first_ns"], firsts.get(each["service"], each["first_ns"]))
    # what was there from the beginning is not new, of the window or of the service
    found = [
        Line(each["first_ns"], "release", SERVER, f"{each['service']} {each['release']}")
        for each in seen
        if each["release"] is not None
        and each["first_ns"] > max(window.start_ns + _NEW_AFTER_NS, firsts[each["service"]])
    ]
    return sorted(found, key=lambda line: line.time_ns)


class ReleaseWatch:
    """``step`` is called again and again by one thread; ``ask`` runs a query with a session.

    Each look at an incident is followed by a rest: of a storm there may be a hundred, of twenty services each.
    """

    def __init__(
        self,
        store: IncidentStore,
        ask: Callable[[Callable[[QuerySession], list[Line]]], list[Line]],
        clock_ns: Callable[[], int],
        pace: Pace,
    ) -> None:
        self._store = store
        self._ask = ask
        self._clock_ns = clock_ns
        self._pace = pace
        self._looked_ns: dict[str, int] = {}  # when each incident was looked at last, by id

    def is_due(self) -> bool:
        """Whether the rest is over."""
        return self._pace.is_due()

    def step(self) -> None:
        """Look at one of the incidents that are not over, if any was not looked at lately: the longest ago."""
        with self._pace.piece(REST_PAST) as piece:
            now_ns = self._clock_ns()
            live = self._store.incidents(IncidentFilter(statuses=tuple(LIVE)), limit=_MOST)
            self._looked_ns = {each.id: min(self._looked_ns.get(each.id, 0), now_ns) for each in live}
            next_one = min(live, key=lambda each: self._looked_ns[each.id], default=None)
            if next_one is None or now_ns - self._looked_ns[next_one.id] < _EVERY_NS:
                piece.least_s = _IDLE_S
                return
            self._looked_ns[next_one.id] = now_ns
            self._look(next_one)

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
