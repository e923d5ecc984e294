"""The contract of the alert store, over every implementation of it, and across restarts."""

from __future__ import annotations

from dataclasses import replace

import pytest
from made_alerts import fired, made

from spanglass_core.alerting.lifecycle import IllegalChangeError, Status
from spanglass_core.alerting.severity import Severity
from spanglass_core.alerting.states import Health, Phase, State
from spanglass_server.alerting.model import Entry, KeyState, Recorded
from spanglass_server.alerting.ports import AlertFilter, AlertNotFoundError, Tick

ALL = AlertFilter()


def test_what_a_tick_led_to_is_kept(reopen):
    """States, ticks, digests, alert and history are there after a restart, as they were given, whatever is in them."""
    alert = made(
        labels={"service_name": "shöp", "weird \"key'.": "ü"},
        value=float("inf"),
        channels=("mail", "chat"),
        evidence={"traces": ["a", {"b": 1.5, "c": None}]},
    )
    state = State(Phase.KEEP_FIRING, Health.NO_DATA, Severity.ERROR, 1, 2, 3, 4, 5, None, "why")
    known = KeyState("errors", (("a", "1"), ("b", "")), state)
    store = reopen()
    tick = fired(alert)
    store.commit(replace(tick, states=(*tick.states, known)))
    store = reopen()

    assert store.alert(alert.id) == alert
    assert store.open_alert(alert.fingerprint) == alert
    assert list(store.states()) == [known, *tick.states]
    assert (store.ticked_ns(), store.digests()) == ({"errors": 100}, {"errors": "v1"})
    entry = Entry(100, "fired", "rule", "", "warning", float("inf"))
    assert list(store.history(alert.id)) == [entry]
    assert list(store.entries_after(0, 10)) == [Recorded(1, alert.id, entry)]


def test_states_go_and_rules_are_forgotten(reopen):
    """Keys that are gone have no state; of a forgotten rule nothing is left; a tick without a digest keeps the old."""
    store = reopen()
    for service in ("a", "b"):
        store.commit(fired(made(service)))
    store.commit(fired(made("c", rule="slow")))
    store.commit(Tick(115, ("errors",), gone=(("errors", (("service_name", "a"),)),)))
    assert [known.key[0][1] for known in store.states()] == ["b", "c"]
    assert (store.ticked_ns(), store.digests()) == ({"errors": 115, "slow": 100}, {"errors": "v1", "slow": "v1"})
    store.commit(Tick(130, (), forgotten=("errors",)))

    assert [known.rule_uid for known in store.states()] == ["slow"]
    assert (store.ticked_ns(), store.digests()) == ({"slow": 100}, {"slow": "v1"})


def test_a_rule_changes_its_alert(reopen):
    """Value and count are taken as they are; level and texts with an entry; the end sets status and times."""
    store, alert = reopen(), made()
    store.commit(fired(alert))
    quiet = replace(alert, value=0.3, severity=Severity.ERROR, title="New", updated_ns=115, count=2, priority=9)
    store.commit(Tick(115, ("errors",), changed=((quiet, ()),)))
    assert store.alert(alert.id) == replace(alert, value=0.3, updated_ns=115, count=2, priority=9)
    store.commit(Tick(130, ("errors",), changed=((quiet, (Entry(130, "raised", "rule"),)),)))
    assert (store.alert(alert.id).severity, store.alert(alert.id).title) == (Severity.ERROR, "New")
    over = replace(quiet, firing=False, status=Status.RESOLVED, resolved_ns=145, resolved_by="rule")
    store.commit(Tick(145, ("errors",), changed=((over, (Entry(145, "resolved", "rule"),)),)))

    assert store.alert(alert.id) == over
    assert store.open_alert(alert.fingerprint) is None
    assert [entry.kind for entry in store.history(alert.id)] == ["fired", "raised", "resolved"]


def test_what_people_did_meanwhile_stays(reopen):
    """A tick evaluated before a person's change keeps the change: acknowledged, edited, dismissed, deleted."""
    store, alert = reopen(), made()
    store.commit(fired(alert))
    store.change_status(alert.id, Status.ACKNOWLEDGED, Entry(101, "acknowledged", "ann"))
    store.edit(alert.id, {"title": "Ours", "owner": "ann", "labels": {"x": "y"}}, Entry(102, "edited", "ann"))
    store.commit(Tick(115, ("errors",), changed=((replace(alert, value=9.0, updated_ns=115), ()),)))
    after = store.alert(alert.id)
    assert (after.status, after.acknowledged_by, after.title, after.owner, after.value) == (
        *(Status.ACKNOWLEDGED, "ann", "Ours", "ann", 9.0),
    )
    store.change_status(alert.id, Status.DISMISSED, Entry(116, "dismissed", "bob", "noise"))
    over = replace(alert, firing=False, status=Status.RESOLVED, resolved_ns=130, resolved_by="rule")
    store.commit(Tick(130, ("errors",), changed=((over, ()),)))
    after = store.alert(alert.id)
    assert (after.status, after.resolved_by, after.resolved_ns, after.firing) == (Status.DISMISSED, "bob", 116, False)
    store.delete(alert.id)
    store.commit(Tick(145, ("errors",), changed=((over, (Entry(145, "resolved", "rule"),)),)))

    assert (store.count(ALL), list(store.entries_after(0, 10))) == (0, [])


def test_one_open_alert_a_fingerprint(reopen):
    """What fires while it is open counts one more, whoever made it, and the state points to the one that is open."""
    store, first = reopen(), made()
    assert store.create(first, Entry(100, "fired", "ann")) == first
    second = made(fired_ns=200, severity=Severity.CRITICAL, value=5.0)
    store.commit(fired(second))
    third = store.create(made(fired_ns=300, severity=Severity.INFO), Entry(300, "fired", "bob"))

    assert (third.id, third.count, third.severity, third.value) == (first.id, 3, Severity.CRITICAL, 0.2)
    assert [known.alert_id for known in store.states()] == [first.id]
    assert [entry.by for entry in store.history(first.id)] == ["ann", "rule", "bob"]
    store.change_status(first.id, Status.RESOLVED, Entry(400, "resolved", "ann"))
    assert store.create(second, Entry(500, "fired", "ann")).id == second.id
    assert store.count(ALL) == 2


def test_statuses_are_a_state_machine(reopen):
    """Legal changes are kept with who and when; others raise and change nothing; unknown alerts are named."""
    store, alert = reopen(), made()
    store.commit(fired(alert))
    store.change_status(alert.id, Status.ACKNOWLEDGED, Entry(110, "acknowledged", "ann"))
    assert store.alert(alert.id).acknowledged_ns == 110
    store.change_status(alert.id, Status.ACTIVE, Entry(120, "reopened", "ann"))
    assert store.alert(alert.id).acknowledged_by == ""
    over = store.change_status(alert.id, Status.RESOLVED, Entry(130, "resolved", "ann", "restarted"))
    with pytest.raises(IllegalChangeError, match="it is over"):
        store.change_status(alert.id, Status.ACKNOWLEDGED, Entry(140, "acknowledged", "bob"))
    assert store.alert(alert.id) == over
    assert [entry.kind for entry in store.history(alert.id)] == ["fired", "acknowledged", "reopened", "resolved"]
    for ask in (store.alert, store.history, store.delete):
        with pytest.raises(AlertNotFoundError):
            ask("nope")


def test_traces_of_evidence(reopen):
    """Every trace that the evidence of any alert names is told once, wherever it stands in it."""
    store, ids = reopen(), [digit * 32 for digit in "abc"]
    examples = [{"trace_id": ids[0], "failure": {"trace_id": ids[1]}}]
    evidence = {"cause": "db", "examples": examples, "logs": [{"trace_id": None}, {"trace_id": ids[2]}]}
    for name in "xy":
        store.commit(fired(made(name, evidence=evidence)))
    assert store.evidence_traces() == {bytes.fromhex(each) for each in ids}


def test_notes_evidence_and_versions(reopen):
    """Both have their entry; evidence changes nothing else; each change that people can see raises the version."""
    store, alert = reopen(), made()
    versions = [store.version()]
    for change in (
        lambda: store.commit(fired(alert)),
        lambda: store.note(alert.id, Entry(110, "note", "ann", "seen before")),
        lambda: store.attach(alert.id, {"cause": "db"}, Entry(105, "evidence", "server")),
    ):
        change()
        versions.append(store.version())
    store.commit(Tick(115, ("errors",)))

    assert versions == sorted(set(versions))
    assert store.version() == versions[-1]
    assert reopen().version() == versions[-1]
    assert reopen().alert(alert.id) == replace(alert, evidence={"cause": "db"}, updated_ns=110)
    assert [(entry.kind, entry.text) for entry in reopen().history(alert.id)][1:] == [
        *(("note", "seen before"), ("evidence", "")),
    ]


@pytest.mark.parametrize(
    ("wanted", "services"),
    [
        (ALL, "dcba"),
        (AlertFilter(statuses=(Status.RESOLVED, Status.DISMISSED)), "b"),
        (AlertFilter(severities=(Severity.CRITICAL,)), "c"),
        (AlertFilter(rule_uid="slow"), "d"),
        (AlertFilter(service="a"), "a"),
        (AlertFilter(host="h1"), "c"),
        (AlertFilter(source="api"), "c"),
        (AlertFilter(source="server"), ""),
        (AlertFilter(text="ERRORS IN B"), "b"),
        (AlertFilter(text="100%_\\"), "c"),
        (AlertFilter(start_ns=200, end_ns=300), "cb"),
        (AlertFilter(labels={"team": "web", "zone": "eu's"}), "a"),
    ],
)
def test_filters(reopen, wanted, services):
    """Each field narrows; alerts are given newest first, and page by page all the same ones come."""
    store = reopen()
    store.commit(fired(made("a", 100, labels={"service_name": "a", "team": "web", "zone": "eu's"})))
    store.commit(fired(made("b", 200)))
    store.change_status(made("b", 200).id, Status.DISMISSED, Entry(210, "dismissed", "ann"))
    c = made("c", 200, severity=Severity.CRITICAL, source="api", description="100%_\\", labels={"host.name": "h1"})
    store.commit(fired(c))
    store.commit(fired(made("d", 300, rule="slow")))

    found = [alert.key[0][1] for alert in store.alerts(wanted, limit=10)]
    assert ("".join(found), store.count(wanted)) == (services, len(services))
    counted = store.counts(wanted)
    assert sum(counted.values()) == store.count(replace(wanted, statuses=(), severities=()))
    for (status, severity), count in counted.items():
        assert count == store.count(replace(wanted, statuses=(status,), severities=(severity,)))
    pages, after = [], ""
    while page := store.alerts(wanted, limit=1, after=after):
        pages += page
        after = page[0].id
    assert "".join(alert.key[0][1] for alert in pages) == services
    with pytest.raises(AlertNotFoundError):
        store.alerts(wanted, limit=1, after="nope")


def test_purge(reopen):
    """Alerts that were over before a time go with their history; open ones and those whose condition holds stay."""
    store = reopen()
    for service in "abcd":
        store.commit(fired(made(service, firing=service == "c")))
    for service, time_ns in (("a", 200), ("b", 400), ("c", 200)):
        store.change_status(made(service).id, Status.DISMISSED, Entry(time_ns, "dismissed", "ann"))

    assert store.purge(300) == 1
    assert [alert.key[0][1] for alert in store.alerts(ALL, limit=9)] == ["d", "c", "b"]
    assert {recorded.alert_id for recorded in store.entries_after(0, 99)} == {made(service).id for service in "bcd"}
    store.create(made("e"), Entry(500, "fired", "ann"))
    cursors = [recorded.cursor for recorded in store.entries_after(5, 2)]
    assert cursors == sorted(cursors)
    assert len(cursors) == 2
    assert min(cursors) > 5


def test_alerts_are_parts_of_a_problem(reopen):
    """A joined alert is found as a part and not among those that stand for a problem; its own parts go with it."""
    store = reopen()
    for service in ("a", "b", "c"):
        store.commit(fired(made(service)))
    first, second, third = (made(service).id for service in ("a", "b", "c"))
    store.join(third, second, Entry(200, "joined", "server"))
    store.join(second, first, Entry(210, "joined", "server"))
    store = reopen()

    assert [alert.id for alert in store.alerts(AlertFilter(part_of=""), limit=9)] == [first]
    assert {alert.id for alert in store.alerts(AlertFilter(part_of=first), limit=9)} == {second, third}
    assert store.count(AlertFilter(part_of=second)) == 0
    assert (store.alert(second).updated_ns, store.history(second)[-1].kind) == (210, "joined")
    with pytest.raises(AlertNotFoundError):
        store.join(first, "nobody", Entry(220, "joined", "server"))


def test_many_alerts_are_read_and_told_of_at_once(reopen):
    """Alerts are found by their ids, without evidence; entries are added to those that are still there."""
    store, one, other = reopen(), made("a", evidence={"traces": ["x" * 100]}), made("b")
    for alert in (one, other):
        store.commit(fired(alert))
    assert store.found([other.id, "gone", one.id]) == {one.id: replace(one, evidence={}), other.id: other}
    assert store.found([]) == {}
    assert (store.all_open(), store.last_cursor()) == ([replace(one, evidence={}), other], 2)
    version, told = store.version(), Entry(500, "notified", "mail", "sent")
    store.tell([(one.id, told), ("gone", told), (other.id, told)])
    store = reopen()

    assert [list(store.history(alert.id))[-1] for alert in (one, other)] == [told, told]
    assert store.alert(one.id) == one
    assert store.version() > version
    assert [each.alert_id for each in store.entries_after(2, 9)] == [one.id, other.id]
