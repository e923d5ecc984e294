"""Restarts, crashes, missed ticks and clocks that jump: nothing is lost, nothing is told twice."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from worlds import DELAY_S, START_S, STEP_S, Crash, FailingStore, S, World, key, rule

from spanglass_core.alerting.lifecycle import OPEN, Status
from spanglass_core.alerting.states import Phase
from spanglass_server.alerting.store.sqlite import SqliteAlertStore

few = settings(deadline=None, derandomize=True, max_examples=20, suppress_health_check=[HealthCheck.too_slow])

VALUES = st.sampled_from([None, 1.0, 1.0, 9.8, 12.0, 12.0, 19.5, 25.0])
#: One value a tick of each of two services.
COURSES = st.lists(st.tuples(VALUES, VALUES), min_size=4, max_size=24)
RULES = st.builds(
    lambda for_s, keep_s, no_data: rule(for_ns=for_s * S, keep_firing_for_ns=keep_s * S, no_data=no_data),
    st.sampled_from([0, 0, 30]),
    st.sampled_from([0, 0, 30]),
    st.sampled_from(["keep", "ok", "alert"]),
)


def world_of(rule_, course, store=None):
    """Return a world with the values of a course."""
    world = World(rule_, store=store)
    for place, values in enumerate(course):
        for service, value in zip(("shop", "cart"), values, strict=True):
            if value is not None:
                world.samples.put(place * STEP_S, value, service)
    return world


def states(world):
    """Return the states of rules that are kept."""
    return [known for known in world.store.states() if known.rule_uid == "errors"]


@few
@given(RULES, COURSES, st.lists(st.sampled_from(["", "", "before", "after"]), max_size=12))
def test_a_crash_anywhere_changes_nothing(rule_, course, fails):
    """A process that dies before or after any commit, and starts anew, ends up with the same alerts and histories."""
    end = len(course) * STEP_S
    whole, broken = world_of(rule_, course), world_of(rule_, course, FailingStore(["", *fails]))
    whole.run(end)
    broken.run(end)
    broken.store.fails.clear()
    broken.run(end + STEP_S)
    whole.run(end + STEP_S)

    assert broken.told() == whole.told()
    assert broken.alerts() == whole.alerts()
    assert states(broken) == states(whole)


@few
@given(RULES, COURSES, st.lists(st.integers(1, 7), min_size=1, max_size=8))
def test_ticks_one_by_one_are_those_made_up_at_once(rule_, course, pauses):
    """Live, tick by tick, or many at once after pauses: the same alerts, histories and states."""
    live, late = world_of(rule_, course), world_of(rule_, course)
    end = 0
    for pause in pauses:
        end += pause * STEP_S
        late.step(end + DELAY_S + 1)
    for second in range(pauses[0] * STEP_S, end + 1, STEP_S):
        live.step(second + DELAY_S + 1)

    assert late.told() == live.told()
    assert late.alerts() == live.alerts()
    assert states(late) == states(live)


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(
            ["tick", "tick", "tick", "late", "restart", "crash", "edit", "tune", "off", "on", "jump", "back"]
        ),
        VALUES,
        VALUES,
    ),
    min_size=5,
    max_size=30,
)


class Story:
    """A world to which anything happens."""

    def __init__(self, rule_):
        self.world = World(rule_, store=FailingStore())

    def happen(self, event, first, second):
        """Let one thing happen, then a tick."""
        world, at = self.world, self.world.second
        for service, value in (("shop", first), ("cart", second)):
            if value is not None:
                world.samples.put(at - 30 if event == "late" else at, value, service)
        match event:
            case "restart":
                world.start()
            case "crash":
                world.store.fails = ["after"]
            case "edit":
                world.book.edit("errors", condition=f"errors > 10 + {at}")
            case "tune":
                world.book.edit("errors", warning=11.0 if world.book.found["errors"].rule.warning == 10.0 else 10.0)
            case "off" | "on":
                world.book.edit("errors", enabled=event == "on")
        step = {"jump": 600, "back": -40, "tick": STEP_S}.get(event, STEP_S)
        world.second = max(at + step, 0)
        try:
            world.step()
        except Crash:
            world.start()
            world.step()


@few
@given(RULES, EVENTS)
def test_what_always_holds(rule_, events):
    """Whatever happens: resolved only after firing, one open alert a key, and histories that tell what happened."""
    story = Story(rule_)
    for event in events:
        story.happen(*event)
        alerts = story.world.alerts()
        is_open = [alert.fingerprint for alert in alerts if alert.status in OPEN]
        assert len(is_open) == len(set(is_open))
        kept = {known.key: known for known in states(story.world)}
        for alert in alerts:
            follows_its_history(story.world, alert)
            if alert.status in OPEN:
                assert kept[alert.key].state.phase in (Phase.FIRING, Phase.KEEP_FIRING)
                assert kept[alert.key].alert_id == alert.id
        firing = {key for key, known in kept.items() if known.state.phase in (Phase.FIRING, Phase.KEEP_FIRING)}
        assert firing == {alert.key for alert in alerts if alert.status in OPEN}


def follows_its_history(world, alert):
    """Check one alert against its history."""
    history = world.store.history(alert.id)
    kinds = [entry.kind for entry in history]
    assert kinds[0] == "fired"
    assert kinds.count("fired") == alert.count
    assert kinds.count("resolved") == (alert.status is Status.RESOLVED)
    assert "resolved" not in kinds[:-1]
    levels = [entry for entry in history if entry.kind in ("fired", "raised", "lowered") and entry.text != "again"]
    assert levels[-1].severity == alert.severity


def test_a_long_gap_is_said():
    """Ticks missed for longer than the setting are left out: status, history, a figure and an alert of the server."""
    world = World(catch_up_s=60)
    for second in range(0, 2000, 15):
        world.samples.put(second, 12.0)
    world.run(60)
    world.start()
    world.step(600 + DELAY_S)
    assert [steps for _, start, steps in world.samples.asked if start > 60] == [5]
    (gap,) = world.alerter.status().gaps
    assert (gap.start_ns, gap.end_ns) == ((START_S + 75) * S, (START_S + 525) * S)
    assert (gap.ticks, gap.rules, world.alerter.status().missed_ticks) == (31, 1, 31)
    (alert,) = world.alerts()
    last = world.store.history(alert.id)[-1]
    assert (last.kind, last.by) == ("gap", "server")
    assert (
        last.text == "the rule was not evaluated from 2027-01-15T08:01:15Z to 2027-01-15T08:08:45Z: the server was down"
    )
    assert [own.title for own in world.alerts(source="server")] == ["Alert rules were not evaluated"]
    world.run(1500)

    assert [own.status for own in world.alerts(source="server")] == [Status.RESOLVED]
    assert [own.status for own in world.alerts()] == [Status.ACTIVE]


def test_a_clock_that_is_set_back():
    """A few minutes are waited for, which health says; after more it goes on at once, without the same id twice."""
    world = World()
    for second in range(0, 4000, 15):
        world.samples.put(second, 12.0 if 3000 <= second < 3060 else 1.0)
    world.run(3090)
    asked = len(world.samples.asked)
    world.step(2800)
    assert len(world.samples.asked) == asked
    assert world.alerter.problems() == [
        "the clock was set back: alert rules are evaluated again when it has caught up, in 290s"
    ]
    world.step(2000)
    assert world.samples.asked[-1] == (("errors",), 1995, 1)
    assert world.alerter.problems() == []
    world.run(3100)

    alerts = world.alerts()
    assert [alert.created_ns for alert in alerts] == [(START_S + 3000) * S] * 2
    assert len({alert.id for alert in alerts}) == 2


def test_a_store_that_is_full(caplog):
    """A commit that fails is tried again with the same outcome, and what is remembered is what is stored."""
    store = FailingStore(["before"] * 3, OSError("disk full"))
    world = World(store=store)
    for second in range(0, 100, 15):
        world.samples.put(second, 12.0)
    for second in (0, 15, 30):
        with pytest.raises(OSError, match="disk full"):
            world.step(second + DELAY_S)
    world.run(90)

    assert world.told() == [("errors", "shop", "active", (0, "fired", ""))]
    assert not caplog.text


def test_states_over_a_real_file(tmp_path):
    """The file holds all that is needed to go on: pending goes on being pending, firing is not told twice."""
    store = SqliteAlertStore(tmp_path / "alerts.sqlite")
    world = World(rule(for_ns=60 * S), store=store)
    for second in range(0, 200, 15):
        world.samples.put(second, 12.0)
    for second in range(0, 120, 30):
        world.run(second + 15)
        store.close()
        store = world.store = SqliteAlertStore(tmp_path / "alerts.sqlite")
        world.start()

    assert world.told() == [("errors", "shop", "active", (75, "fired", ""))]
    assert [known.key for known in states(world)] == [key("shop")]
    assert world.alerts()[0] == replace(world.alerts()[0], value=12.0, firing=True)
    store.close()


class DyingConnection:
    """The writing connection of a store, whose process dies at one of its statements."""

    def __init__(self, real, dies_at):
        self._real = real
        self.left = dies_at

    def __getattr__(self, name):
        return getattr(self._real, name)

    def execute(self, *given):
        """Run a statement, or die."""
        self._count(given[0])
        return self._real.execute(*given)

    def executemany(self, *given):
        """Run a statement many times, or die."""
        self._count(given[0])
        return self._real.executemany(*given)

    def _count(self, sql):
        if sql != "ROLLBACK":
            self.left -= 1
            if self.left == 0:
                raise Crash


def test_a_crash_between_any_two_statements(tmp_path):
    """Each tick is one transaction of the file: one that dies at any statement comes again, whole."""

    def history(name, dies_at):
        store = SqliteAlertStore(tmp_path / name)
        world = world_of(rule(), [(1.0, 12.0), (1.0, 12.0), (12.0, 25.0), (1.0, 1.0)], store)
        world.run(15)
        connection = store._file._writer = DyingConnection(store._file._writer, dies_at)
        world.run(60)
        told, left = world.told(), connection.left
        store.close()
        return told, left

    whole, left = history("whole", 10**6)
    statements = 10**6 - left
    assert [alert[:3] for alert in whole] == [("errors", "cart", "resolved"), ("errors", "shop", "resolved")]
    assert statements > 40
    for dies_at in range(1, statements + 1, 3):
        told, left = history(f"dies-{dies_at}", dies_at)
        assert left <= 0, "it died"
        assert told == whole
