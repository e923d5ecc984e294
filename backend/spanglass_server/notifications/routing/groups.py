"""Groups: alerts that one message tells of, and what each channel was last told of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from spanglass_server.notifications.routing.matchers import labels_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass_server.notifications.model import Route

#: How long a group that is empty is remembered: what comes until then waits for its interval, as in Alertmanager.
LINGER_NS = 30 * 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a channel was last told, and when: severities (ranks) of alerts that fired, and alerts that were over.

    Alerts are named by their fingerprints.
    """

    time_ns: int
    firing: Mapping[str, int] = field(default_factory=dict)
    resolved: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Alerts of one route with the same labels that it groups by, and the same channels where they name them.

    ``members`` are ids of alerts by fingerprint. ``left`` are those of them that now belong elsewhere: whoever was
    told of them is told of their end. ``due_ns`` is when it is looked at next; ``emptied_ns`` since when it is empty;
    ``begun_ns`` when its alerts were first told of, after nobody knew of any: whoever decides sets it.
    """

    key: str
    route: str
    channels: tuple[str, ...]
    labels: Mapping[str, str]
    due_ns: int
    has_flushed: bool = False
    members: Mapping[str, str] = field(default_factory=dict)
    left: frozenset[str] = frozenset()
    told: Mapping[str, Told] = field(default_factory=dict)
    emptied_ns: int = 0
    begun_ns: int = 0

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Group:
        """Read a row."""
        told = {
            channel: Told(**{**each, "resolved": frozenset(each["resolved"])}) for channel, each in row["told"].items()
        }
        return cls(**{**row, "channels": tuple(row["channels"]), "left": frozenset(row["left"]), "told": told})

    def row(self) -> dict[str, Any]:
        """Write a row: what JSON can hold."""
        return {
            "key": self.key,
            "route": self.route,
            "channels": list(self.channels),
            "labels": dict(self.labels),
            "due_ns": self.due_ns,
            "has_flushed": self.has_flushed,
            "members": dict(self.members),
            "left": sorted(self.left),
            "told": {
                channel: {"time_ns": each.time_ns, "firing": dict(each.firing), "resolved": sorted(each.resolved)}
                for channel, each in self.told.items()
            },
            "emptied_ns": self.emptied_ns,
            "begun_ns": self.begun_ns,
        }

    def has_told(self, fingerprint: str) -> bool:
        """Whether a channel was told that an alert fires."""
        return any(fingerprint in told.firing for told in self.told.values())

    def is_forgotten(self, now_ns: int) -> bool:
        """Whether it has been empty for so long that it is gone."""
        return not self.members and self.has_flushed and now_ns - self.emptied_ns >= LINGER_NS


def grouping_labels(route: Route, labels: Mapping[str, str]) -> dict[str, str]:
    """The labels of an alert that a route groups by; those it does not have are left out."""
    names = labels if route.group_by is None else [name for name in route.group_by if labels.get(name)]
    return {name: labels[name] for name in sorted(names) if labels[name]}


def group_key(route: Route, labels: Mapping[str, str], channels: tuple[str, ...]) -> str:
    """The key of a group: ``{}/{team="db"}:{alertname="Lag"}``; with the channels where alerts name them.

    Channels of the route are no part of it: one that is added is told, and the others go on as they were.
    """
    named = "" if route.channels else f":{','.join(channels)}"
    return f"{route.key}:{labels_text(labels)}{named}"
