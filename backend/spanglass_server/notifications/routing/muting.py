"""What keeps people from being told of an alert: inhibitions, silences, and the hours of a route."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from spanglass_server.notifications.routing.intervals import containing
from spanglass_server.notifications.routing.matchers import all_hold

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spanglass_server.notifications.model import Inhibition, Route, Silence, Subject
    from spanglass_server.notifications.ports import Configuration


@dataclass(frozen=True, slots=True, kw_only=True)
class Muted:
    """Why people are not told: the inhibition with the alert that fires, a silence, or an interval by its name."""

    by: Literal["inhibition", "silence", "mute_during", "active_during"]
    silence_id: str = ""
    alert_id: str = ""
    interval: str = ""


class _Sources:
    """The alerts that an inhibition is by, by the labels in which both have to agree; looked for when first asked."""

    def __init__(self, inhibition: Inhibition, firing: Sequence[Subject]) -> None:
        self._inhibition = inhibition
        self._firing = firing
        #: For each combination of values: an alert, and one that the inhibition would not mute itself.
        self._found: dict[tuple[str, ...], tuple[Subject, Subject | None]] | None = None

    def by(self, labels: Mapping[str, str]) -> Subject | None:
        """The alert that mutes one with these labels.

        One that is a source and a target of the same inhibition is muted only by those that are no targets: alerts
        don't mute themselves, nor each other.
        """
        if not all_hold(self._inhibition.target, labels):
            return None
        if self._found is None:
            self._found = self._find()
        found = self._found.get(self._values(labels))
        if found is None:
            return None
        return found[1] if all_hold(self._inhibition.source, labels) else found[0]

    def _find(self) -> dict[tuple[str, ...], tuple[Subject, Subject | None]]:
        sources: dict[tuple[str, ...], tuple[Subject, Subject | None]] = {}
        for subject in self._firing:
            if subject.ends_ns or not all_hold(self._inhibition.source, subject.labels):
                continue
            values = self._values(subject.labels)
            any_one, one_sided = sources.get(values, (subject, None))
            if one_sided is None and not all_hold(self._inhibition.target, subject.labels):
                one_sided = subject
            sources[values] = (any_one, one_sided)
        return sources

    def _values(self, labels: Mapping[str, str]) -> tuple[str, ...]:
        return tuple(labels.get(name, "") for name in self._inhibition.equal)


class Muting:
    """What mutes alerts at one moment.

    ``firing`` are all alerts that are open, whatever mutes them or whatever they are part of: a muted alert mutes
    others all the same.
    """

    def __init__(
        self, configured: Configuration, silences: Sequence[Silence], firing: Sequence[Subject], now_ns: int
    ) -> None:
        self._configured = configured
        self._silences = [silence for silence in silences if silence.starts_ns <= now_ns < silence.ends_ns]
        self.now_ns = now_ns
        self._sources = [_Sources(inhibition, firing) for inhibition in configured.inhibitions]
        self._known: dict[str, Muted | None] = {}

    def of(self, subject: Subject) -> Muted | None:
        """Why people are not told of an alert, None if they are."""
        if subject.alert_id not in self._known:
            self._known[subject.alert_id] = self._of(subject.labels)
        return self._known[subject.alert_id]

    def of_route(self, route: Route) -> Muted | None:
        """Why a route tells nobody now, None if it does."""
        intervals = self._configured.intervals
        muted = containing(route.mute_during, intervals, self.now_ns)
        if muted:
            return Muted(by="mute_during", interval=muted)
        if route.active_during and not containing(route.active_during, intervals, self.now_ns):
            return Muted(by="active_during", interval=", ".join(route.active_during))
        return None

    def silences(self, labels: Mapping[str, str]) -> list[Silence]:
        """The active silences that mean an alert with these labels."""
        return [silence for silence in self._silences if all_hold(silence.matchers, labels)]

    def _of(self, labels: Mapping[str, str]) -> Muted | None:
        for sources in self._sources:
            source = sources.by(labels)
            if source is not None:
                return Muted(by="inhibition", alert_id=source.alert_id)
        silences = self.silences(labels)
        return Muted(by="silence", silence_id=silences[0].id) if silences else None
