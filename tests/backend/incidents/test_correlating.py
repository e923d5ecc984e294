"""Alerts into incidents: which open one, which join, and what follows from them; over both stores."""

from __future__ import annotations

from dataclasses import replace

import pytest
from made_incidents import MINUTE, START, World

from spanglass_core.alerting.lifecycle import Status as AlertStatus
from spanglass_core.alerting.severity import Severity
from spanglass_server.alerting.model import Entry
from spanglass_server.incidents.changes import Edit
from spanglass_server.incidents.config.model import IncidentSettings, OpeningRule
from spanglass_server.incidents.desk import NewIncident
from spanglass_server.incidents.lifecycle import Status
from spanglass_server.incidents.ports import IncidentFilter
from spanglass_server.incidents.running.correlator import Correlator
from spanglass_server.incidents.store.in_memory import MemoryIncidentStore
from spanglass_server.notifications.model import Matcher

WARNING, CRITICAL = Severity.WARNING, Severity.CRITICAL


@pytest.fixture
def world():
    """Return alerts and incidents, in memory."""
    return World(MemoryIncidentStore())


def found(world):
    """Return all incidents, oldest first, with the titles of their alerts."""
    incidents = world.store.incidents(IncidentFilter(), limit=99)[::-1]
    return [(each.id, sorted(member.title for member in world.store.members(each.id))) for each in incidents]


def test_one_fault_from_alert_to_the_end(reopen):
    """L7, N14: a bad alert opens one; what belongs to it joins, each with why; acknowledged, recovered, resolved."""
    world = World(reopen(), channels=("mail",))
    slow = world.fire("shop", "slow", WARNING)
    world.after(2)
    assert found(world) == []
    down = world.fire("db", "errors", CRITICAL, runbook="1. look\n2. restart", owner="dan")
    world.after(1)
    cart = world.fire("cart", "errors", Severity.ERROR)
    world.fire("mail", "errors", WARNING)  # works with none of them
    world.after(1)
    incident = world.store.incident("INC-1")

    assert [(member.title, member.because) for member in world.store.members("INC-1")] == [
        ("slow of shop", "shop works with db"),
        ("errors of db", "it opened the incident"),
        ("errors of cart", "cart works with shop"),
    ]
    assert (incident.severity, incident.status, incident.services) == (CRITICAL, Status.OPEN, ("shop", "db", "cart"))
    assert (incident.started_ns - START, incident.opened_ns - START) == (0, 3 * MINUTE)
    assert [step.text for step in incident.steps] == ["look", "restart"]
    assert incident.responders == ("dan",)
    world.alerting.acknowledge(down.id, "ann")  # such as from a message: that is an acknowledgement of the incident
    world.after(4)
    incident = world.store.incident("INC-1")
    assert (incident.status, incident.acknowledged_by, incident.lead) == (Status.ACKNOWLEDGED, "ann", "ann")
    for alert in (slow, down, cart):
        world.end(alert)
        world.after(1)
    incident = world.store.incident("INC-1")
    assert (incident.status, incident.recovered_ns - START) == (Status.RECOVERED, 10 * MINUTE)
    world.after(10)
    incident = world.store.incident("INC-1")

    assert (incident.status, incident.resolved_ns, incident.resolved_by) == (
        Status.RESOLVED, incident.recovered_ns, "server",
    )  # fmt: skip
    assert world.kinds("INC-1") == ["opened", "joined", "joined", "joined", "acknowledged", "recovered", "resolved"]
    assert [line.kind for line in world.store.timeline("INC-1", limit=99)].count("alert.fired") == 3
    assert [(each.title, each.status, each.channels) for each in world.told] == [
        ("Incident INC-1: errors of db, and 1 more in db and shop", "firing", ("mail",)),
        ("Incident acknowledged INC-1: errors of db, and 1 more in db and shop", "info", ("mail",)),
        ("Incident recovered INC-1: errors of db, and 1 more in db and shop", "firing", ("mail",)),
        ("Incident resolved INC-1: errors of db, and 1 more in db and shop", "resolved", ("mail",)),
    ]
    assert "Recovered after 10 min" in world.told[2].text
    assert len({each.key for each in world.told}) == 4
    assert len({each.thread for each in world.told}) == 1


def test_what_belongs_together(world):
    """The same rule and key, problem, service and host join while it goes on; neighbours only soon; others never."""
    first = world.fire("shop")
    world.after(0)
    world.after(30)
    late = world.fire("cart", "errors", WARNING)  # a neighbour, but half an hour later
    world.after(30)
    again = world.fire("shop", "slow", WARNING)  # an hour later, and it still fires
    part = world.fire("other", "errors", WARNING, part_of=first.id)
    world.after(0)
    assert found(world) == [("INC-1", ["errors of other", "errors of shop", "slow of shop"])]
    for alert in (first, again, part):
        world.end(alert)
    world.after(9)
    world.fire("shop", "queue", WARNING)
    world.after(0)
    incident = world.store.incident("INC-1")

    assert (incident.status, incident.alert_count, incident.open_count) == (Status.OPEN, 4, 1)
    assert world.kinds("INC-1")[-2:] == ["joined", "relapsed"]
    assert world.store.held([late.id]) == {}
    host = {"labels": {"host_name": "h1"}, "key": ()}
    world.fire("", "disk", CRITICAL, **host)
    world.fire("", "memory", WARNING, **host)
    world.after(0)
    assert found(world)[1] == ("INC-2", ["disk of ", "memory of "])
    assert world.store.incident("INC-2").hosts == ("h1",)


def test_checks_of_the_server_are_incidents_of_their_own(world):
    """Their service is the server's own name, so it joins nothing: not checks of one time, and none to an incident."""
    for uid in ("certificate", "backup"):
        labels = {"service_name": "spanglass", "spanglass_health_check_uid": uid}
        world.fire("spanglass", uid, CRITICAL, labels=labels, key=tuple(labels.items()))
    world.after(0)
    labels = {"service_name": "spanglass", "spanglass_health_check_uid": "late"}
    world.fire("spanglass", "late", CRITICAL, labels=labels, key=tuple(labels.items()))
    world.after(1)

    assert [len(alerts) for _, alerts in found(world)] == [1, 1, 1]
    assert world.store.incident("INC-1").services == ()


def test_opening_rules(world):
    """How many, for how long, which labels, and what is known from the beginning; the first rule that holds opens."""
    slow = OpeningRule(
        name="slow", match=(Matcher("team", "=", "web"), Matcher("rule", "=", "slow")), after_ns=5 * MINUTE,
        title="Pages are slow", severity="critical", lead="ann", responders=("web", "night"), steps=("look", "tell"),
        runbook="https://runbooks/slow", channels=("pager",),
    )  # fmt: skip
    world.book.now = IncidentSettings(rules=(slow, OpeningRule(name="three", alerts=3)))
    duty = {"web": "bob", "night": ""}  # rotas
    around = replace(world.correlator._around, on_call=lambda name, _: duty.get(name, name))
    world.correlator = Correlator(around)
    world.fire("shop", "slow", WARNING)
    world.after(4.9)
    assert found(world) == []
    world.after(0.2)
    incident = world.store.incident("INC-1")
    assert (incident.title, incident.severity, incident.severity_by) == ("Pages are slow", CRITICAL, "the rule slow")
    assert (incident.lead, incident.responders, incident.channels) == ("ann", ("ann", "bob"), ("pager",))
    assert [step.text for step in incident.steps] == ["look", "tell", "Follow the runbook https://runbooks/slow"]
    assert incident.runbooks == ("https://runbooks/slow",)

    world.after(30)
    for number, rule in enumerate(("a", "b", "c")):
        assert len(found(world)) == 1, number
        world.fire("mail", rule, Severity.INFO)
        world.after(1)
    assert found(world)[1] == ("INC-2", ["a of mail", "b of mail", "c of mail"])
    world.book.now = IncidentSettings(rules=())
    world.fire("other")
    world.after(0)
    assert len(found(world)) == 2
    world.book.now = IncidentSettings()  # read again: what fires opens one
    world.after(0)
    assert found(world)[2] == ("INC-3", ["errors of other"])
    world.book.now = IncidentSettings(enabled=False)
    world.fire("nobody")
    world.after(0)
    assert len(found(world)) == 3


def test_overdue_is_told_once_to_more_people(world):
    """N11: what has not recovered in time is told once, to those who are escalated to as well; what has is not."""
    world.book.now = IncidentSettings(channels=("mail",), escalate=("pager",))
    world.fire("shop")
    world.after(1)
    quick = world.fire("mail")
    world.after(1)
    world.end(quick)
    for _ in range(20):
        world.after(1)

    overdue = [each for each in world.told if "overdue" in each.title]
    assert [(each.title, each.channels) for each in overdue] == [
        ("Incident overdue INC-1: errors of shop", ("mail", "pager"))
    ]
    assert world.store.incident("INC-1").overdue_ns == START + 16 * MINUTE


def test_what_people_do(world):
    """Acknowledging and resolving reach the alerts; severity that a person set stays; all dismissed, it is none."""
    down = world.fire("shop", severity=Severity.ERROR)
    world.after(1)
    world.desk.give("INC-1", Status.ACKNOWLEDGED, "ann", "on it")
    assert world.alerts.alert(down.id).acknowledged_by == "ann"
    assert world.alerts.history(down.id)[-1].text == "with INC-1: on it"
    world.after(1)
    world.desk.edit("INC-1", Edit(severity=WARNING), "ann")
    world.fire("shop", "worse", CRITICAL)
    world.after(1)
    assert world.store.incident("INC-1").severity is WARNING
    world.desk.give("INC-1", Status.RESOLVED, "ann", "restarted")
    world.after(1)
    incident = world.store.incident("INC-1")
    assert (incident.status, incident.resolution, incident.open_count) == (Status.RESOLVED, "restarted", 0)
    assert [world.alerts.alert(each.alert_id).status for each in world.store.members("INC-1")] == [
        AlertStatus.RESOLVED, AlertStatus.RESOLVED,
    ]  # fmt: skip
    wrong = world.fire("mail")
    world.after(1)
    world.alerting.dismiss(wrong.id, "bob")
    world.after(1)
    assert world.store.incident("INC-2").status is Status.DISMISSED


def test_alerts_that_people_move_stay_where_they_are(world):
    """One that was taken out, or whose incident was deleted, opens nothing again, also after a restart."""
    for service in ("shop", "mail"):
        world.fire(service)
        world.after(1)
    shop = world.store.members("INC-1")[0].alert_id
    world.desk.take_out("INC-1", shop, "ann", "not ours")
    world.desk.delete("INC-2")
    world.after(1)
    world.alerts.note(shop, Entry(world.now_ns, "note", "ann", "hm"))
    world.correlator = Correlator(world.correlator._around)
    world.after(1)
    assert found(world) == [("INC-1", ["errors of shop"])]
    assert world.store.incident("INC-1").alert_count == 0
    world.desk.take_in("INC-1", [shop], "ann")
    world.after(1)
    assert world.store.incident("INC-1").alert_count == 1
    second = world.desk.open(NewIncident(title="By hand"), "bob")
    world.desk.merge("INC-1", second.id, "bob", "one fault")
    world.after(1)
    merged, into = world.store.incident("INC-1"), world.store.incident(second.id)
    assert (merged.status, merged.merged_into, into.alert_count) == (Status.DISMISSED, second.id, 1)
    with pytest.raises(ValueError, match="into itself"):
        world.desk.merge(second.id, second.id, "bob")


def test_chains_and_what_people_open(world):
    """What works with one that has just joined joins too; an incident that a person opens takes what is about it."""
    together = {"a": {"b"}, "b": {"a", "c"}, "c": {"b"}}
    around = replace(world.correlator._around, companions=lambda service, _: frozenset(together.get(service, ())))
    world.correlator = Correlator(around)
    for service, severity in (("c", WARNING), ("b", WARNING), ("a", CRITICAL), ("z", WARNING)):
        world.fire(service, severity=severity)
    world.look()
    assert found(world) == [("INC-1", ["errors of a", "errors of b", "errors of c"])]
    world.desk.open(NewIncident(title="By hand", services=("z",)), "bob")
    world.look()
    assert found(world)[1] == ("INC-2", ["errors of z"])


def test_a_storm_is_one_incident(world):
    """A thousand alerts of one service are one incident, whose timeline has each once, in a second or so."""
    for number in range(1000):
        world.fire("shop", f"rule {number}", WARNING)
    world.fire("shop", "errors", CRITICAL)
    world.look()
    world.look()

    assert world.store.incident("INC-1").alert_count == 1001
    fired = [line.alert_id for line in world.store.timeline("INC-1", limit=9999) if line.kind == "alert.fired"]
    assert len(fired) == len(set(fired)) == 1001
    assert len(found(world)) == 1


def test_alerts_are_followed_across_a_crash(reopen):
    """What was not taken in when the process ended is taken in by the next one, and nothing twice."""
    world = World(reopen())
    alert = world.fire("shop")
    world.after(1)
    world.end(alert)
    next_one = World(reopen())
    next_one.alerts, next_one.now_ns = world.alerts, world.now_ns + MINUTE
    next_one.correlator = Correlator(replace(next_one.correlator._around, alerts=world.alerts))
    next_one.look()
    next_one.look()

    expected = ["alert.fired", "alert.resolved", "joined", "opened", "recovered"]
    assert sorted(next_one.kinds("INC-1", alerts=True)) == expected
    assert [each.title.split()[1] for each in next_one.told] == ["recovered"]
