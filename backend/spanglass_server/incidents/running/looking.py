"""One look at what happened to alerts: which incidents they belong to, join, or open."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING

from spanglass_core.alerting.lifecycle import OPEN
from spanglass_server.alerting.ports import AlertNotFoundError
from spanglass_server.incidents.following import lines_of
from spanglass_server.incidents.model import Held
from spanglass_server.incidents.running.drafts import Draft
from spanglass_server.incidents.running.matching import Loose, best
from spanglass_server.incidents.running.opening import is_meant, opened
from spanglass_server.incidents.steps import Runbooks

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from spanglass_server.alerting.model import Alert, Entry, Recorded
    from spanglass_server.alerting.ports import AlertStore
    from spanglass_server.incidents.config.model import IncidentSettings, OpeningRule
    from spanglass_server.incidents.model import Turn
    from spanglass_server.incidents.ports import IncidentStore
    from spanglass_server.incidents.running.matching import Companions

#: Open alerts without an incident that are looked at, the newest.
MOST_LOOSE = 1000


@dataclass(frozen=True, slots=True)
class Around:
    """What is looked at; ``companions`` gives the services that one works with, before a time in nanoseconds.

    ``on_call`` gives the person that the name of a rota stands for at a time, "" for nobody, and other names as they
    are.
    """

    alerts: AlertStore
    store: IncidentStore
    settings: Callable[[], IncidentSettings]
    companions: Companions
    clock_ns: Callable[[], int]
    on_call: Callable[[str, int], str] = lambda name, _: name

    def alert(self, alert_id: str) -> Alert | None:
        """An alert as it is now, None where it is deleted."""
        try:
            return self.alerts.alert(alert_id)
        except AlertNotFoundError:
            return None

    def history(self, alert_id: str) -> Sequence[Entry]:
        """What became of an alert, nothing where it is deleted."""
        try:
            return self.alerts.history(alert_id)
        except AlertNotFoundError:
            return ()


class Look:
    """Collects what one look leads to; ``live`` are the incidents that are not over."""

    def __init__(self, around: Around, settings: IncidentSettings, live: Sequence[Held]) -> None:
        self._around = around
        self._settings = settings
        self._now_ns = around.clock_ns()
        self._text_of = Runbooks(settings.runbooks).text
        self._drafts = {held.incident.id: self._draft(held) for held in live}
        self._opened: list[Turn] = []
        self.has_moved = False  # whether an alert has joined an incident or opened one: others may belong to it now

    def _draft(self, held: Held) -> Draft:
        return Draft(held, self._now_ns, self._text_of)

    def follow(self, entries: Sequence[Recorded], loose: Mapping[str, Alert]) -> dict[str, Alert]:
        """Take entries into the incidents of their alerts; gives the open alerts that are in none."""
        store, rest = self._around.store, dict(loose)
        left = store.left() if entries else frozenset()
        places = store.held(list({each.alert_id for each in entries}))
        for alert_id, recorded in _by_alert(entries):
            alert = self._around.alert(alert_id)
            rest.pop(alert_id, None)
            if alert is None:
                continue
            if alert_id in places:
                self._of_incident(places[alert_id]).follow(alert, recorded)
            elif alert.status in OPEN and alert_id not in left:
                rest[alert_id] = alert
        return dict(list(rest.items())[-MOST_LOOSE:])

    def _of_incident(self, incident_id: str) -> Draft:
        if incident_id not in self._drafts:
            store = self._around.store
            held = Held(store.incident(incident_id), tuple(store.members(incident_id)))
            self._drafts[incident_id] = self._draft(held)
        return self._drafts[incident_id]

    def sort(self, alerts: Mapping[str, Alert], changed: Collection[str]) -> dict[str, Alert]:
        """Have open alerts join incidents, and those that have changed open them; gives those that are left."""
        ordered = sorted(alerts.values(), key=lambda alert: (alert.created_ns, alert.id))
        loose = Loose(alert for alert in ordered if not self._joins(alert))
        for alert in ordered:
            if alert.id in changed and alert.id in loose:
                for taken in self._opens(alert, loose):
                    loose.take(taken)
        return loose.rest()

    def _joins(self, alert: Alert) -> bool:
        places = [draft.place for draft in self._drafts.values() if draft.incident.is_live]
        found = best(alert, places, self._settings.within_ns, self._around.companions)
        if found is None:
            return False
        place, why = found
        current = self._around.alert(alert.id)
        self.has_moved = True
        if current is not None:
            self._drafts[place.incident.id].join(current, why, self._around.history(alert.id))
        return True

    def _opens(self, alert: Alert, loose: Loose) -> list[str]:
        """The ids of the alerts with which one opens an incident; none if it does not."""
        for rule in self._settings.rules:
            if len(loose) < rule.alerts or not is_meant(rule, alert, self._now_ns):
                continue
            related = loose.together(alert, self._settings.within_ns, self._around.companions)
            if 1 + sum(is_meant(rule, other, self._now_ns) for other, _ in related) < rule.alerts:
                continue
            alerts = [(alert, "it opened the incident"), *related]
            turn = opened(self._staffed(rule), alerts, self._now_ns, self._text_of)
            told = [line for each, _ in alerts for line in lines_of(each.id, self._around.history(each.id))]
            self.has_moved = True
            self._opened.append(replace(turn, lines=(*told, *turn.lines)))
            return [each.id for each, _ in alerts]
        return []

    def _staffed(self, rule: OpeningRule) -> OpeningRule:
        """A rule with people in the place of the rotas that it names."""

        def person(name: str) -> str:
            return self._around.on_call(name, self._now_ns) if name else ""

        return replace(rule, lead=person(rule.lead), responders=tuple(map(person, rule.responders)))

    def turns(self) -> list[Turn]:
        """All that becomes of incidents."""
        found = [draft.turn(self._settings) for draft in self._drafts.values()]
        return [*(turn for turn in found if turn is not None), *self._opened]


def _by_alert(entries: Sequence[Recorded]) -> list[tuple[str, list[Entry]]]:
    """The entries of each alert, in their order; alerts in the order of their first."""
    order = {each.alert_id: place for place, each in reversed(list(enumerate(entries)))}
    ordered = sorted(entries, key=lambda each: (order[each.alert_id], each.cursor))
    return [(key, [each.entry for each in group]) for key, group in groupby(ordered, lambda each: each.alert_id)]
