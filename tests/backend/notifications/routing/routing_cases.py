"""The table of cases: one configuration of Alertmanager out of all, what happens when, and how we answer."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from spanglass_core.alerting.severity import Severity
from spanglass_core.units import parse_duration_ns
from spanglass_server.notifications.model import Matcher, Silence, Subject
from spanglass_server.notifications.routing.flushing import flush
from spanglass_server.notifications.routing.muting import Muting
from spanglass_server.notifications.routing.parsing import parse_matchers
from spanglass_server.notifications.routing.placing import place
from spanglass_server.notifications.routing.tree import by_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from spanglass_server.notifications.ports import Configuration
    from spanglass_server.notifications.routing.groups import Group

CASES: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parents[3] / "data/notifications/routing_cases.yaml").read_text(encoding="utf-8")
)
END_S = 3.7
_TIMES = frozenset({"group_wait", "group_interval", "repeat_interval"})
_S = 10**9


@dataclass(frozen=True, slots=True)
class Event:
    """An alert begins or ends, in seconds from the beginning."""

    at: float
    labels: Mapping[str, str]
    begun: float
    is_end: bool


@dataclass(frozen=True, slots=True)
class Told:
    """What a receiver was told: the time, and the alerts by their labels."""

    at: float
    firing: frozenset[str]
    resolved: frozenset[str]


#: By the path of the sink and the labels of the group.
Answers = dict[tuple[str, str], list[Told]]


def events(scale: int) -> list[Event]:
    """What happens in all cases, so many times slower than it is written."""
    found = []
    for number, case in enumerate(CASES):
        begun: dict[str, float] = {}
        for text in case["alerts"]:
            at, name, *words = shlex.split(text)
            labels = {"case": str(number), "alertname": name}
            labels |= dict(word.split("=", 1) for word in words if "=" in word and not word.startswith("ago="))
            ago = next((float(word.removeprefix("ago=")) for word in words if word.startswith("ago=")), 0.0) * scale
            second = float(at) * scale
            is_end, key = "end" in words, str(labels)
            begun[key] = begun.get(key, second) if is_end else second - ago
            found.append(Event(second, labels, begun[key], is_end))
    return sorted(found, key=lambda event: event.at)


def silences(begin_s: float, scale: int) -> list[Silence]:
    """The silences of all cases, each for its own."""
    return [
        Silence(
            id=f"{number}",
            matchers=(
                *(matcher for text in given["matchers"] for matcher in parse_matchers(text)),
                Matcher("case", "=", str(number)),
            ),
            starts_ns=int((begin_s + given.get("at", 0) * scale) * _S),
            ends_ns=int((begin_s + given.get("until", 3600) * scale) * _S),
            created_by="test",
            comment="test",
            updated_ns=0,
        )
        for number, case in enumerate(CASES)
        for given in case.get("silences", ())
    ]


def configuration(sink: str, now: datetime, scale: int) -> dict[str, Any]:
    """All cases as one configuration of Alertmanager, so many times slower than they are written."""
    receivers: dict[str, Any] = {"nobody": {"name": "nobody"}}
    routes, rules = [], []
    for number, case in enumerate(CASES):
        own = f'case="{number}"'
        route = {
            "group_wait": "200ms",
            "group_interval": "1s",
            "repeat_interval": "1h",
            **case.get("route", {}),
            "receiver": "top",
            "matchers": [own],
            "routes": case.get("routes", []),
        }
        routes.append(_slower(_renamed(route, number, sink, receivers), scale))
        rules += [_restricted(rule, number, own) for rule in case.get("inhibit", ())]
    return {
        "route": {"receiver": "nobody", "routes": routes},
        "receivers": list(receivers.values()),
        "inhibit_rules": rules,
        "time_intervals": [{"name": name, "time_intervals": each} for name, each in _intervals(now).items()],
    }


def _renamed(route: dict[str, Any], number: int, sink: str, receivers: dict[str, Any]) -> dict[str, Any]:
    renamed = dict(route)
    if "receiver" in route:
        name = renamed["receiver"] = f"{number}-{route['receiver']}"
        hooks = [{"url": f"{sink}/{name}", "send_resolved": route["receiver"] != "quiet"}]
        if route["receiver"] == "both":
            hooks.append({"url": f"{sink}/{name}-quiet", "send_resolved": False})
        receivers[name] = {"name": name, "webhook_configs": hooks}
    renamed["routes"] = [_renamed(child, number, sink, receivers) for child in route.get("routes", ())]
    return renamed


def _slower(route: dict[str, Any], scale: int) -> dict[str, Any]:
    times = {key: value for key, value in route.items() if key in _TIMES}
    slower = {key: f"{parse_duration_ns(value) * scale // 10**6}ms" for key, value in times.items()}
    return {**route, **slower, "routes": [_slower(child, scale) for child in route["routes"]]}


def _restricted(rule: dict[str, Any], number: int, own: str) -> dict[str, Any]:
    if "source_match" in rule:
        return {**rule, "source_match": {**rule["source_match"], "case": str(number)}, "target_matchers": [own]}
    return {**rule, **{key: [*rule[key], own] for key in ("source_matchers", "target_matchers")}}


def _intervals(now: datetime) -> dict[str, list[dict[str, Any]]]:
    days = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]
    months = [f"{datetime(2000, month, 1, tzinfo=UTC):%B}".lower() for month in range(1, 13)]
    today = days[now.isoweekday() % 7]
    length = (now.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    hours = hours_around(now)
    other_month = months[(now.month + 5) % 12]
    return {
        "always": [{"years": ["2000:2999"]}],
        "never": [{"years": ["2000:2010"]}],
        "this-weekday": [{"weekdays": [today]}],
        "other-weekdays": [{"weekdays": [day]} for day in days if day != today],
        "this-day": [{"days_of_month": [f"{now.day}:{now.day}"]}],
        "this-day-from-end": [{"days_of_month": [str(now.day - length.day - 1)]}],
        "other-days": [{"days_of_month": ["1" if now.day > 1 else "2:31"]}],
        "this-month": [{"months": [months[now.month - 1]]}],
        "other-months": [{"months": [other_month]}],
        "these-years": [{"years": [f"{now.year - 1}:{now.year + 1}"]}],
        "these-hours": [{"times": hours}],
        "these-hours-elsewhere": [{"times": hours_around(now + timedelta(hours=9)), "location": "Asia/Tokyo"}],
        "wrong-month-right-hours": [{"months": [other_month], "times": hours}],
    }


def hours_around(now: datetime) -> list[dict[str, str]]:
    """Return now and an hour before and after it; as two ranges over midnight, none of them empty."""
    start, end = f"{now - timedelta(hours=1):%H:%M}", f"{now + timedelta(hours=1):%H:%M}"
    ranges = [(start, end)] if start < end else [(start, "24:00"), ("00:00", end)]
    return [{"start_time": first, "end_time": last} for first, last in ranges if first < last]


def text_of(labels: Mapping[str, str]) -> str:
    """Labels without that of the case, and without empty ones."""
    return " ".join(f"{name}={value}" for name, value in sorted(labels.items()) if name != "case" and value)


def ours(configured: Configuration, begin_s: float, path_of: Callable[[str], str], scale: int) -> Answers:
    """What we tell whom, with a clock of its own."""
    simulation = _Simulation(configured, silences(begin_s, scale), int(begin_s * _S), path_of)
    return simulation.answers(events(scale), END_S * scale)


class _Simulation:
    def __init__(
        self, configured: Configuration, known: Sequence[Silence], begin_ns: int, path_of: Callable[[str], str]
    ) -> None:
        self._configured = configured
        self._routes = by_key(configured.route)
        self._silences = known
        self._begin_ns = begin_ns
        self._path_of = path_of
        self._alerts: dict[str, Subject] = {}
        self._groups: dict[str, Group] = {}
        self._told: Answers = {}

    def answers(self, happening: Iterable[Event], end_s: float) -> Answers:
        for number, event in enumerate(happening):
            now_ns = self._ns(event.at)
            self._until(now_ns)
            subject = self._subject(event, f"{number}")
            self._alerts[subject.fingerprint] = subject
            self._groups |= place(self._groups, [subject], self._configured.route, now_ns)
        self._until(self._ns(end_s))
        return self._told

    def _subject(self, event: Event, alert_id: str) -> Subject:
        before = self._alerts.get(text_of(event.labels) + event.labels["case"])
        if event.is_end and before is not None:
            return replace(before, ends_ns=self._ns(event.at))
        return Subject(
            alert_id=alert_id,
            fingerprint=text_of(event.labels) + event.labels["case"],
            labels=event.labels,
            severity=Severity.WARNING,
            title="",
            starts_ns=self._ns(event.begun),
            ends_ns=self._ns(event.at) if event.is_end else 0,
        )

    def _until(self, end_ns: int) -> None:
        while due := [group for group in self._groups.values() if group.due_ns <= end_ns]:
            group = min(due, key=lambda each: each.due_ns)
            now_ns = group.due_ns
            muting = Muting(self._configured, self._silences, list(self._alerts.values()), now_ns)
            by_id = {subject.alert_id: subject for subject in self._alerts.values()}
            flushed = flush(
                group,
                self._routes[group.route],
                by_id.get,
                muting,
                self._sends_resolved,
                now_ns,
            )
            for telling in flushed.tellings:
                sides: tuple[set[str], set[str]] = (set(), set())
                for subject in telling.alerts:
                    sides[subject.ends_ns > 0].add(text_of(subject.labels))
                key = (self._path_of(telling.channel), text_of(group.labels))
                at = (now_ns - self._begin_ns) / _S
                self._told.setdefault(key, []).append(Told(at, frozenset(sides[0]), frozenset(sides[1])))
            if flushed.group is None:
                del self._groups[group.key]
            else:
                self._groups[group.key] = flushed.group

    def _sends_resolved(self, channel: str) -> bool:
        return self._configured.channels[channel].send_resolved

    def _ns(self, at: float) -> int:
        return self._begin_ns + int(at * _S)


def theirs(got: Iterable[tuple[float, str, dict[str, Any]]], begin_s: float) -> Answers:
    """What Alertmanager told a sink."""
    answers: Answers = {}
    for at, path, body in got:
        sides: dict[str, set[str]] = {"firing": set(), "resolved": set()}
        for alert in body["alerts"]:
            sides[alert["status"]].add(text_of(alert["labels"]))
        key = (path, text_of(body["groupLabels"]))
        told = Told(at - begin_s, frozenset(sides["firing"]), frozenset(sides["resolved"]))
        answers.setdefault(key, []).append(told)
    return {key: sorted(each, key=lambda told: told.at) for key, each in answers.items()}


def differences(ours_: Answers, theirs_: Answers, tolerance_s: float) -> list[str]:
    """Where the answers differ, case by case, in words."""
    found = []
    for key in sorted({*ours_, *theirs_}):
        pair = ours_.get(key, []), theirs_.get(key, [])
        if [_content(told) for told in pair[0]] == [_content(told) for told in pair[1]] and all(
            abs(one.at - other.at) <= tolerance_s for one, other in zip(*pair, strict=True)
        ):
            continue
        name = CASES[int(key[0].partition("-")[0])]["name"]
        found.append(f"{name}: {key}\n   ours   {_shown(pair[0])}\n   theirs {_shown(pair[1])}")
    return found


def _content(told: Told) -> tuple[list[str], list[str]]:
    return sorted(told.firing), sorted(told.resolved)


def _shown(told: Sequence[Told]) -> list[tuple[float, list[str], list[str]]]:
    return [(round(each.at, 2), *_content(each)) for each in told]
