"""Past incidents like one, and how they ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass_server.incidents.lifecycle import LIVE, Status
from spanglass_server.incidents.ports import IncidentFilter
from spanglass_server.incidents.words import listed

if TYPE_CHECKING:
    from collections.abc import Collection

    from spanglass_server.incidents.model import Incident
    from spanglass_server.incidents.ports import IncidentStore

#: Past incidents that are compared, the newest; of a few a week these are years.
_COMPARED = 1000
_OVER = tuple(status for status in Status if status not in LIVE)
#: What rules, services, hosts and title say of likeness; they add up to 1.
_RULES, _SERVICES, _HOSTS, _TITLE = 0.5, 0.25, 0.1, 0.15
_LEAST = 0.2


@dataclass(frozen=True, slots=True)
class Similar:
    """A past incident with how alike it is, 0 to 1, and why in words."""

    incident: Incident
    likeness: float
    why: str


def similar(store: IncidentStore, incident: Incident, limit: int = 5) -> list[Similar]:
    """Incidents that were over before one was opened, the most alike first; those merged into others are left out."""
    wanted = IncidentFilter(statuses=_OVER, end_ns=incident.opened_ns + 1)
    found = [
        _compared(incident, other)
        for other in store.incidents(wanted, limit=_COMPARED)
        if other.id != incident.id and not other.merged_into
    ]
    alike = [each for each in found if each.likeness >= _LEAST]
    return sorted(alike, key=lambda each: (-each.likeness, -each.incident.opened_ns))[:limit]


def _compared(incident: Incident, other: Incident) -> Similar:
    services = {*incident.services, *incident.named}, {*other.services, *other.named}
    parts = (
        (_RULES, incident.rules, other.rules),
        (_SERVICES, *services),
        (_HOSTS, incident.hosts, other.hosts),
        (_TITLE, incident.title.casefold().split(), other.title.casefold().split()),
    )
    likeness = sum(weight * _shared(own, others) for weight, own, others in parts)
    rules, common = set(incident.rules) & set(other.rules), services[0] & services[1]
    why = [
        f"the {'same rule' if len(rules) == 1 else 'same rules'} {listed(tuple(sorted(rules)))}" if rules else "",
        f"about {listed(tuple(sorted(common)))} too" if common else "",
    ]
    return Similar(other, round(likeness, 2), ", ".join(filter(None, why)) or "a title like it")


def _shared(own: Collection[str], others: Collection[str]) -> float:
    """The share of values that both have among all of them."""
    union = {*own, *others}
    return len({*own} & {*others}) / len(union) if union else 0.0
