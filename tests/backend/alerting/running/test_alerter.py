"""How alerts come to be, tick by tick."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from worlds import DELAY_S, START_S, STEP_S, S, World, rule

from spanglass_core.alerting.lifecycle import Status
from spanglass_core.alerting.severity import Severity
from spanglass_core.alerting.states import Health
from spanglass_server.alerting.model import Entry
from spanglass_server.alerting.running import keys


def filled(world, *spans, until=600, service="shop", uid="errors"):
    """Store a value each 5 seconds: 1, and those of the spans (from, to, value)."""
    for second in range(0, until, 5):
        value = next((value for start, end, value in spans if start <= second < end), 1.0)
        world.samples.put(second, value, service, uid)


def test_a_life():
    """Fired at the tick after `for`, raised, lowered, resolved; title, value and times are those of its ticks."""
    world = World(rule(for_ns=30 * S, runbook="https://wiki", owner="ann", labels={"team": "web"}))
    filled(world, (60, 100, 12.0), (100, 130, 25.0), (130, 160, 15.0))
    world.run(110)
    (alert,) = world.alerts()
    assert (alert.title, alert.description) == ("errors: shop", "errors > 10 for 30s: 25")
    assert (alert.severity, alert.status, alert.firing) == (Severity.CRITICAL, Status.ACTIVE, True)
    assert (alert.value, alert.created_ns, alert.updated_ns) == (25.0, (START_S + 90) * S, (START_S + 105) * S)
    assert (alert.runbook, alert.owner, alert.labels) == (
        *("https://wiki", "ann", {"service_name": "shop", "team": "web"}),
    )
    status = world.alerter.status().rules["errors"]
    assert (status.firing, status.severity, status.value, status.keys) == (1, Severity.CRITICAL, 25.0, 1)
    world.run(300)

    assert world.told() == [
        (
            "errors",
            "shop",
            "resolved",
            (90, "fired", ""),
            (105, "raised", ""),
            (135, "lowered", ""),
            (165, "resolved", ""),
        )
    ]
    (alert,) = world.alerts()
    assert (alert.firing, alert.resolved_by, alert.resolved_ns, alert.value) == (
        False,
        "rule",
        (START_S + 165) * S,
        1.0,
    )
    assert list(world.store.states()) == []
    assert [uid for uid, _, _ in world.opened] == ["errors"]


@pytest.mark.parametrize(("for_s", "several"), [(0, 1), (15, 2), (30, 2), (50, 4), (600, 4)])
def test_ticks_that_wait_for_each_other_change_nothing(for_s, several):
    """What happens to alerts, and when it is told, is the same if the ticks of a quiet rule are evaluated together."""
    worlds = [World(rule(for_ns=for_s * S), together_s=together_s) for together_s in (0, 60)]
    chance = np.random.default_rng(for_s)
    values = np.repeat(np.where(chance.random(40) < 0.35, 25.0, np.where(chance.random(40) < 0.2, 12.0, 1.0)), 6)
    told = []
    for world in worlds:
        for place, value in enumerate(values[: 180 - for_s // 15].tolist()):  # then it holds, longer than any `for`
            world.samples.put(5 * place, value)
        for second in range(5 * (180 - for_s // 15), 1600, 5):
            world.samples.put(second, 25.0)
    for second in range(STEP_S, 1600, STEP_S):
        for world in worlds:
            world.run(second)
        told.append([world.told() for world in worlds])

    assert all(one == together for one, together in told)
    assert told[-1][0][-1][2] == "active"
    assert [max(size for _, _, size in world.samples.asked) for world in worlds] == [1, several]
    assert len(worlds[1].samples.asked) < len(worlds[0].samples.asked) or several == 1


def test_ticks_wait_only_while_nothing_is_pending():
    """A new rule is evaluated at once, then each second tick; while a key is pending or fires, at each."""
    world = World(rule(for_ns=15 * S), together_s=60)
    filled(world, (120, 135, 12.0), (195, 240, 12.0), until=400)
    world.run(330)

    assert [(first, number) for _, first, number in world.samples.asked] == [
        *((15, 1), (30, 1), (45, 2), (75, 2), (105, 2), (135, 1), (150, 1)),
        *((165, 2), (195, 2), (225, 1), (240, 1), (255, 2), (285, 2), (315, 2)),
    ]


def test_people_and_the_rule():
    """Acknowledged alerts resolve by themselves; after a dismissal nothing comes until the condition ended once."""
    world = World()
    filled(world, (30, 100, 12.0), (200, 260, 12.0), (300, 340, 12.0), until=500)
    world.run(60)
    (alert,) = world.alerts()
    world.store.change_status(alert.id, Status.ACKNOWLEDGED, entry(alert, "acknowledged"))
    world.run(120)
    assert world.alerts()[0].status is Status.RESOLVED
    world.run(210)
    second = world.alerts()[1]
    world.store.change_status(second.id, Status.DISMISSED, entry(second, "dismissed"))
    world.run(255)
    assert (len(world.alerts()), world.alerts()[1].firing) == (2, True)
    world.run(330)
    third = world.alerts()[2]
    world.store.delete(third.id)
    world.run(450)

    assert [(alert.status, alert.firing) for alert in world.alerts()] == [
        *((Status.RESOLVED, False), (Status.DISMISSED, False)),
    ]
    assert world.alerts()[1].resolved_by == "ann"


def entry(alert, kind):
    """Return an entry of a person."""
    return Entry(alert.updated_ns, kind, "ann")


def test_firing_again_counts():
    """A condition that holds again while its alert keeps firing is no new alert: it counts one more."""
    world = World(rule(keep_firing_for_ns=60 * S))
    filled(world, (30, 60, 12.0), (90, 120, 12.0))
    world.run(75)
    assert world.alerts()[0].firing is False
    world.run(300)

    assert world.told() == [
        ("errors", "shop", "resolved", (30, "fired", ""), (90, "fired", "again"), (180, "resolved", ""))
    ]
    assert world.alerts()[0].count == 2


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda book: book.found.clear(), "the rule was deleted"),
        (lambda book: book.edit("errors", enabled=False), "the rule was switched off"),
        (lambda book: book.edit("errors", condition="errors > 11"), "the rule was changed: condition"),
        (lambda book: book.edit("errors", name="New", by=("zone",)), "the rule was changed: name, keys"),
    ],
)
def test_rules_that_are_no_longer_what_they_were(change, reason):
    """Their open alerts are resolved with the reason, at once, also when it happened while the server was down."""
    for restart in (False, True):
        world = World()
        filled(world, (30, 900, 12.0), until=900)
        world.run(60)
        change(world.book)
        if restart:
            world.start()
        world.step(70)
        (alert,) = world.alerts()
        assert alert.status is Status.RESOLVED
        assert world.store.history(alert.id)[-1].text == reason
        world.run(120)
        still = "errors" in world.book.found and world.book.found["errors"].rule.enabled
        assert [alert.status for alert in world.alerts()][1:] == [Status.ACTIVE] * still


def test_other_thresholds_and_texts_are_no_other_rule():
    """The alert goes on: lowered or resolved where the new thresholds say so."""
    world = World()
    filled(world, (30, 900, 25.0), until=900)
    world.run(60)
    world.book.edit("errors", critical=30.0, runbook="x", for_ns=30 * S)
    world.run(90)
    world.book.edit("errors", warning=28.0)
    world.run(120)

    assert world.told() == [
        ("errors", "shop", "resolved", (30, "fired", ""), (75, "lowered", ""), (105, "resolved", ""))
    ]


def test_a_broken_file_at_the_start_deletes_no_rule():
    """While files can't be read, rules that were not seen since the start keep their alerts; then they are gone."""
    world = World()
    filled(world, (30, 900, 12.0), until=900)
    world.run(60)
    kept = dict(world.book.found)
    world.book.found.clear()
    world.book.wrong = ("rules.yaml:3: wrong",)
    world.start()
    world.run(90)
    assert world.alerts()[0].status is Status.ACTIVE
    assert world.alerter.status().problems == (), "the book tells of files, so that nothing is told twice"
    world.book.found.update(kept)
    world.run(120)
    assert [alert.status for alert in world.alerts()] == [Status.ACTIVE]
    world.book.found.clear()
    world.run(150)

    assert [alert.status for alert in world.alerts()] == [Status.RESOLVED]


def test_more_keys_than_allowed():
    """The rule says so, and the first keys count; one that fires goes on when others come before it."""
    world = World(max_keys=3)
    for number in range(5):
        filled(world, (30, 600, 12.0), service=f"s{number}")
    world.run(45)
    assert [alert.key[0][1] for alert in world.alerts()] == ["s0", "s1", "s2"]
    (warning,) = world.alerter.status().rules["errors"].warnings
    assert warning.startswith("5 keys are more than alerting.max_keys: only the first 3 count")
    world.samples.values["errors"] = dict(sorted(world.samples.values["errors"].items(), reverse=True))
    world.run(120)

    assert {alert.status for alert in world.alerts()} == {Status.ACTIVE}
    assert world.alerter.status().rules["errors"].firing == 3


@pytest.mark.parametrize(("fields", "most"), [({"no_data": "ok"}, 10), ({}, 20), ({"no_data": "alert"}, 20)])
def test_keys_that_come_and_go_are_forgotten(fields, most):
    """A label that changes all the time leaves no states behind, and never more alerts at once than keys may count."""
    world = World(rule(**fields), max_keys=20)
    for tick in range(80):
        for number in range(5):
            world.samples.put(STEP_S * tick, 12.0, f"pod-{tick}-{number}")
    world.run(80 * STEP_S)

    kept = [known for known in world.store.states() if known.rule_uid == "errors"]
    assert 5 <= len(kept) <= most
    assert len(world.alerts(statuses=(Status.ACTIVE,), source="rule")) <= most
    if fields.get("no_data") != "alert":
        world.samples.values["errors"] = {}
        world.samples.seconds.update(range(START_S, START_S + 3600, STEP_S))
        world.run(2400)
        assert not [known for known in world.store.states() if known.rule_uid == "errors"]


def test_thousands_of_quiet_keys_cost_nothing(monkeypatch):
    """Keys whose condition does not hold, and that have no state, never reach the state machine."""
    calls, advance = [], keys.advance
    monkeypatch.setattr(keys, "advance", lambda *given: (calls.append(given[1].time_ns), advance(*given))[1])
    world = World(max_keys=5000)
    for number in range(2000):
        world.samples.put(30, 1.0, f"s{number}")
    world.samples.put(30, 12.0, "s7")
    world.run(30)

    assert world.alerter.status().rules["errors"].keys == 2000
    assert sum(time_ns == (START_S + 30) * S for time_ns in calls) <= 1 + 5  # and those of the alerter's own watches


def test_failures_and_no_data():
    """An open alert tells of both, and of their end; a rule that fails three times is an alert of the server."""
    world = World()
    filled(world, (30, 1000, 12.0), until=1000)
    filled(world, until=1000, uid="others")
    world.run(45)
    world.samples.broken["errors"] = "no such metric"
    world.run(105)
    own = world.alerts(source="server")
    assert [(alert.title, alert.rule_uid, alert.status) for alert in own] == [
        ("An alert rule fails: errors", "", Status.ACTIVE)
    ]
    assert own[0].description == "The rule errors failed 3 times in a row: no such metric"
    status = world.alerter.status()
    assert (status.rules["errors"].health, status.rules["errors"].error) == (Health.ERROR, "no such metric")
    assert "the rule 'errors' fails: no such metric" in status.problems
    world.start()
    world.run(120)
    del world.samples.broken["errors"]
    world.run(135)
    del world.samples.values["errors"]
    world.run(165)

    assert [alert.status for alert in world.alerts(source="server")] == [Status.RESOLVED]
    assert world.told() == [
        (
            "errors",
            "shop",
            "active",
            *((30, "fired", ""), (60, "failed", "no such metric"), (135, "works_again", ""), (150, "no_data", "")),
        )
    ]


def test_one_rule_that_raises_fails_alone():
    """Whatever one rule raises, the others are evaluated, and its own failure says why."""
    world = World(rule(), rule("slow"))
    for uid in ("errors", "slow"):
        filled(world, (30, 600, 12.0), uid=uid)
    world.samples.broken["slow"] = RuntimeError("odd")
    world.run(60)

    assert [alert.rule_uid for alert in world.alerts()] == ["errors"]
    assert world.alerter.status().rules["slow"].error == "RuntimeError: odd"
    assert world.alerter.status().failed_evaluations == 4


def test_nothing_comes_in():
    """One alert of the server, and no rule turns to no data or changes otherwise; then it goes on as if nothing was."""
    world = World(rule(), rule("gone", no_data="alert"), rule("other"))
    for uid in ("errors", "gone", "other"):
        filled(world, (60, 300, 12.0) if uid == "errors" else (0, 0, 0), until=120, uid=uid)
    world.run(900)
    assert [(alert.rule_uid, alert.status) for alert in world.alerts()] == [("errors", Status.ACTIVE)]
    own = world.alerts(source="server")
    assert [(alert.title, alert.severity) for alert in own] == [("Nothing comes in", Severity.CRITICAL)]
    assert world.alerter.status().silent_since_ns == (START_S + 120) * S
    world.start()
    world.run(960)
    assert [alert.status for alert in world.alerts(source="server")] == [Status.ACTIVE]
    for uid in ("errors", "gone", "other"):
        for second in range(960, 1200, 5):
            world.samples.put(second, 1.0, uid=uid)
    world.run(1200)

    assert [entry[:2] for entry in world.told()[0][3:]] == [(60, "fired"), (975, "resolved")]
    assert [alert.status for alert in world.alerts(source="server")] == [Status.RESOLVED]
    assert len(world.alerts()) == 1


def test_a_rule_without_data_any_more():
    """After an hour it is an alert of the server, if it had data before; not where the rule says what no data means."""
    world = World(rule(), rule("never"), rule("fine", no_data="ok"))
    filled(world, until=60)
    filled(world, until=60, uid="fine")
    filled(world, until=5000, uid="others")
    world.run(3600)
    assert world.alerts(source="server") == []
    world.start()
    world.run(3900)
    assert [alert.title for alert in world.alerts(source="server")] == ["An alert rule has no data: errors"]
    filled(world, until=5000)
    world.run(3960)

    assert [alert.status for alert in world.alerts(source="server")] == [Status.RESOLVED]


def test_lag_is_an_alert():
    """Ticks that are committed long after they were due: figures, a problem of the server and an alert."""
    world = World()
    filled(world, until=2000)
    world.run(100)
    assert (world.alerter.status().lag_p50_ns, world.alerter.problems()) == (1 * S, [])
    for second in range(120, 1000, 15):
        world.step(second + DELAY_S + 14)
    assert world.alerter.status().lag_p99_ns == 14 * S
    for second in range(1005, 1900, 30):
        world.second = second + DELAY_S
        late = world.samples.evaluate

        def slow(session, rules, steps, late=late):
            world.second += 20
            return late(session, rules, steps)

        world.alerter._reader._evaluator = type("Slow", (), {"evaluate": staticmethod(slow)})()
        world.step()

    assert world.alerter.problems() == ["alert rules are evaluated 20 s late: the server is too busy"]
    assert [alert.title for alert in world.alerts(source="server")] == ["Alert rules are evaluated late"]


def test_levels_of_bulk_are_those_of_the_machine():
    """Readings without the matrix of holding are taken as well."""
    world = World()
    filled(world, (30, 90, 25.0), (90, 150, 19.5), until=300)
    original = world.samples._of

    def without(rule_, times):
        return replace(original(rule_, times), holding=None)

    world.samples._of = without
    world.run(300)
    assert [entry[:2] for entry in world.told()[0][3:]] == [(30, "fired"), (90, "lowered"), (150, "resolved")]
    assert np.isfinite(world.alerts()[0].value)


def test_a_tick_that_takes_long_is_told_of_while_it_does(monkeypatch):
    """Lag is measured when a tick is done; what is asked before must not hear that all is well."""
    world, said = World(), []
    filled(world, (15, 60, 12.0))
    evaluate = world.samples.evaluate

    def slow(*given):
        world.second += 45
        said.extend(world.alerter.problems())
        return evaluate(*given)

    monkeypatch.setattr(world.samples, "evaluate", slow)
    world.second = 36
    world.alerter.step()

    assert said[0].startswith("alert rules are evaluated 45 s late")


def test_between_ticks_rules_are_looked_at_every_two_seconds():
    """Nothing is to be done right after a step; whether rules have changed is asked two seconds later."""
    world = World(rule())
    filled(world)
    world.step(STEP_S + DELAY_S + 1)
    needed = []
    for later in (0, 1, 2, 3):
        world.second = STEP_S + DELAY_S + 1 + later
        needed.append(world.alerter.has_news())
    assert needed == [False, False, True, True]
