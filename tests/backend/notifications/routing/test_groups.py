"""Groups over time where we mean more than Alertmanager does: acknowledged, worse, moved and forgotten alerts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spanglass_core.alerting.severity import Severity
from spanglass_server.notifications.model import Matcher, Reason, Silence, Subject
from spanglass_server.notifications.ports import Configuration
from spanglass_server.notifications.routing.flushing import Telling, flush, news, untold
from spanglass_server.notifications.routing.groups import LINGER_NS, Group, Told
from spanglass_server.notifications.routing.muting import Muting
from spanglass_server.notifications.routing.placing import place, take_out
from spanglass_server.notifications.routing.resolving import WrittenRoute, resolved
from spanglass_server.notifications.routing.tree import by_key, matching, standing_in

S = 10**9
TREE = WrittenRoute(
    channels=("slack",),
    group_by=("alertname",),
    group_wait_ns=30 * S,
    group_interval_ns=300 * S,
    repeat_interval_ns=3600 * S,
    routes=(WrittenRoute(match=(Matcher("severity", "=", "critical"),), channels=("pager",), group_wait_ns=0),),
)


class World:
    """Alerts, groups and a clock in seconds; told is what channels were told: time, channel, reason, alerts."""

    def __init__(self) -> None:
        self.root = resolved(TREE)
        self.alerts: dict[str, Subject] = {}
        self.groups: dict[str, Group] = {}
        self.silences: list[Silence] = []
        self.told: list[tuple[int, str, str, str]] = []
        self.parts: set[str] = set()
        self.now = 0

    def alert(self, name: str, severity: Severity = Severity.WARNING, **changes: Any) -> None:
        """Raise an alert, or change it."""
        before = self.alerts.get(name)
        labels = {"alertname": "Lag", "severity": str(severity)}
        made = before or Subject(
            alert_id=name, fingerprint=name[0], labels=labels, severity=severity, title="", starts_ns=self.now * S
        )
        self.alerts[name] = replace(made, labels=labels, severity=severity, **changes)
        if name not in self.parts:
            self._keep(place(self.groups, [self.alerts[name]], self.root, self.now * S))

    def end(self, name: str) -> None:
        """Resolve an alert."""
        self.alert(name, self.alerts[name].severity, ends_ns=self.now * S)

    def reload(self) -> None:
        """Put all open alerts into the groups of the tree as it is now."""
        self._keep(
            place(self.groups, [each for each in self.alerts.values() if not each.ends_ns], self.root, self.now * S)
        )

    def until(self, second: int) -> list[tuple[int, str, str, str]]:
        """Let time pass; what was told in it."""
        self.told = []
        while due := [group for group in self.groups.values() if group.due_ns <= second * S]:
            group = min(due, key=lambda each: each.due_ns)
            self.now = max(self.now, group.due_ns // S)
            self._flush(group)
        self.now = second
        return self.told

    def _flush(self, group: Group) -> None:
        route = by_key(self.root).get(group.route) or standing_in(self.root, group.route)
        muting = Muting(Configuration({}, self.root), self.silences, list(self.alerts.values()), self.now * S)
        flushed = flush(group, route, self.alerts.get, muting, lambda channel: channel != "quiet", self.now * S)
        self.told += [_short(self.now, telling) for telling in flushed.tellings]
        self._keep({group.key: flushed.group})

    def _keep(self, groups: Any) -> None:
        for key, group in groups.items():
            if group is None:
                del self.groups[key]
            else:
                self.groups[key] = Group.of(orjson.loads(orjson.dumps(group.row())))
                assert self.groups[key] == group


def _short(now: int, telling: Telling) -> tuple[int, str, str, str]:
    names = " ".join(f"{each.alert_id}{'-' if each.ends_ns else '+'}" for each in telling.alerts)
    return now, telling.channel, str(telling.reason), names


def test_an_alert_that_becomes_worse_is_told_of_where_it_now_belongs_and_its_end_everywhere() -> None:
    """A raised severity is news within its group and moves to other routes; a lowered one is none; ends reach all."""
    world = World()
    world.alert("a1")
    assert world.until(40) == [(30, "slack", "firing", "a1+")]
    world.alert("a1", Severity.ERROR)
    assert world.until(400) == [(330, "slack", "firing", "a1+")]
    world.alert("a1", Severity.CRITICAL)
    assert world.until(400) == [(400, "pager", "firing", "a1+")]
    world.alert("a1", Severity.WARNING)
    assert [each[1:3] for each in world.until(4500)] == [("slack", "repeat")]
    world.end("a1")
    assert sorted(world.until(4900)) == [(4530, "slack", "resolved", "a1-"), (4600, "pager", "resolved", "a1-")]
    world.until(6000)
    assert world.groups == {}


def test_acknowledged_alerts_are_not_repeated_and_their_end_is_told() -> None:
    """While all that fires is acknowledged nobody is told again; a new alert, and the end, are told."""
    world = World()
    world.alert("a1")
    world.until(40)
    world.alert("a1", acknowledged=True)
    assert world.until(10_000) == []
    world.alert("b1")
    assert [each[1:] for each in world.until(10_400)] == [("slack", "firing", "a1+ b1+")]
    world.end("a1")
    world.end("b1")
    assert [each[1:] for each in world.until(10_800)] == [("slack", "resolved", "a1- b1-")]


def test_an_alert_that_ended_unseen_is_news_when_it_comes_again() -> None:
    """What ended under a silence is told to nobody; the next one of the same kind is told after the silence."""
    world = World()
    world.alert("a1")
    world.until(40)
    world.silences = [
        Silence(
            id="s",
            matchers=(Matcher("alertname", "=", "Lag"),),
            starts_ns=40 * S,
            ends_ns=900 * S,
            created_by="ann",
            comment="",
            updated_ns=0,
        )
    ]
    world.end("a1")
    assert world.until(1000) == []
    world.alert("a2")
    assert [each[1:] for each in world.until(1400)] == [("slack", "firing", "a2+")]


def test_channels_of_a_route_come_and_go() -> None:
    """A channel that is added is told, and the others not again; one that is taken away hears of the end alone."""
    world = World()
    world.alert("a1")
    world.until(40)
    world.root = resolved(replace(TREE, channels=("slack", "mail")))
    world.reload()
    assert world.until(340) == [(40, "mail", "firing", "a1+")]
    world.root = resolved(replace(TREE, channels=("mail",)))
    world.reload()
    world.alert("b1")
    assert world.until(640) == [(340, "mail", "firing", "a1+ b1+")]
    world.end("a1")
    world.end("b1")
    assert sorted(world.until(1000)) == [
        (940, "mail", "resolved", "a1- b1-"),
        (940, "slack", "resolved", "a1-"),
    ]
    assert [set(group.told) for group in world.groups.values()] == [{"mail"}]


def test_groups_of_a_tree_that_is_gone_tell_of_ends_and_nothing_else() -> None:
    """With another tree open alerts go to its groups at once; who was told before is told of the end, not again."""
    world = World()
    world.alert("a1")
    world.until(40)
    world.alert("b1")
    world.root = resolved(replace(TREE, channels=("mail",), group_by=("severity",)))
    world.reload()
    assert world.until(4000) == [(40, "mail", "firing", "a1+ b1+"), (3640, "mail", "repeat", "a1+ b1+")]
    world.end("a1")
    world.end("b1")
    assert {each[1:] for each in world.until(4400)} == {
        ("mail", "resolved", "a1- b1-"),
        ("slack", "resolved", "a1-"),
    }


def test_parts_of_other_alerts_leave_and_undelivered_messages_are_told_again() -> None:
    """An alert that became a part before it was told is told of to nobody; what failed for good is told anew."""
    world = World()
    world.alert("a1")
    world.alert("b1")
    world.groups.update(take_out(world.groups, ["b"], S))
    assert world.until(40) == [(30, "slack", "firing", "a1+")]
    (group,) = world.groups.values()
    world.groups[group.key] = untold(group, "slack")
    assert world.until(400) == [(330, "slack", "firing", "a1+")]


def test_a_group_that_emptied_lets_the_next_alert_wait_for_a_while_and_is_then_begun_anew() -> None:
    """Within half a minute of the last end the interval counts, later the wait of a new group."""
    world = World()
    world.alert("a1")
    world.until(40)
    world.end("a1")
    world.until(330)
    world.now = 331
    world.alert("a2")
    assert world.until(630) == [(630, "slack", "firing", "a2+")]
    world.end("a2")
    world.until(930)
    world.now = 930 + LINGER_NS // S
    world.alert("a3")
    assert world.until(999) == [(990, "slack", "firing", "a3+")]


@pytest.mark.parametrize(
    ("told", "firing", "resolved_ones", "sends_resolved", "expected"),
    [
        (None, "", "a", True, None),
        (None, "a", "", True, Reason.FIRING),
        ("a/", "ab", "", True, Reason.FIRING),
        ("ab/", "a", "", True, None),
        ("ab/", "a", "b", True, Reason.RESOLVED),
        ("ab/", "a", "b", False, None),
        ("a/b", "a", "b", True, None),
        ("a/", "", "a", True, Reason.RESOLVED),
        ("a/", "", "a", False, Reason.RESOLVED),
        ("/a", "", "b", True, None),
        ("a/ late", "a", "", True, Reason.REPEAT),
        ("a/ late", "", "", True, Reason.RESOLVED),
    ],
)
def test_what_is_news(
    told: str | None, firing: str, resolved_ones: str, *, sends_resolved: bool, expected: Any
) -> None:
    """The rule by which a channel is told something, over what it was told last."""
    before = None
    if told is not None:
        fired, ended = told.removesuffix(" late").split("/")
        time_ns = 0 if told.endswith("late") else 1
        before = Told(time_ns=time_ns, firing=dict.fromkeys(fired, 2), resolved=frozenset(ended))
    ranks = dict.fromkeys(firing, 2)
    assert news(before, ranks, frozenset(resolved_ones), 100, sends_resolved=sends_resolved, now_ns=100) is expected


TREES = (
    TREE,
    replace(TREE, channels=("slack", "mail")),
    replace(TREE, group_by=(), channels=("mail",), routes=()),
    replace(TREE, routes=(replace(TREE.routes[0], continue_=True), WrittenRoute(match=(), group_by=("...",)))),
)
CHANGES = st.one_of(
    st.tuples(st.just("alert"), st.sampled_from("abc"), st.sampled_from(list(Severity))),
    st.tuples(st.just("end"), st.sampled_from("abc"), st.none()),
    st.tuples(st.just("acknowledge"), st.sampled_from("abc"), st.none()),
    st.tuples(st.just("part"), st.sampled_from("abc"), st.none()),
    st.tuples(st.just("tree"), st.none(), st.sampled_from(TREES)),
)
WAITS = st.sampled_from((0, 31, 400, 4000))


@settings(max_examples=100, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(CHANGES, WAITS), min_size=3, max_size=12))
def test_whoever_is_told_of_an_alert_is_told_of_its_end_and_none_that_stays_is_forgotten(changes: Any) -> None:
    """Whatever happens to alerts and routes: open alerts are told of in time, every end is told, and groups go.

    One that comes back before its end was told is the same to those who are told.
    """
    world, told = World(), []
    for (what, name, value), wait in changes:
        _happen(world, what, name, value)
        told += world.until(world.now + wait)
    told += world.until(world.now + 331)
    for name, subject in world.alerts.items():
        wanted = {channel for route in matching(world.root, subject.labels) for channel in route.channels}
        if not subject.ends_ns and name not in world.parts:
            assert wanted <= {channel for _, channel, _, alerts in told if f"{name[0]}+" in _kinds(alerts)}
        if not subject.ends_ns:
            world.end(name)
    told += world.until(world.now + 2000)
    last = {(channel, alert[0]): alert[-1] for _, channel, _, alerts in told for alert in _kinds(alerts)}
    assert set(last.values()) <= {"-"}
    assert world.groups == {}


def _kinds(alerts: str) -> list[str]:
    return [alert[0] + alert[-1] for alert in alerts.split()]


def _happen(world: World, what: str, name: Any, value: Any) -> None:
    current = next((each for each in world.alerts if each[0] == name and not world.alerts[each].ends_ns), None)
    if what == "alert" and current not in world.parts:
        world.alert(current or f"{name}{len(world.alerts)}", value)
    elif what == "tree":
        world.root = resolved(value)
        world.reload()
    elif current is not None and what == "end":
        world.end(current)
    elif current is not None and what == "acknowledge":
        world.alert(current, world.alerts[current].severity, acknowledged=True)
    elif current is not None and what == "part":
        world.parts.add(current)
        world.groups |= take_out(world.groups, [current[0]], world.now * S)
