"""What people do to alerts at the desk: each is kept with who, when and why."""

from __future__ import annotations

from itertools import count

import pytest

from spanglass_core.alerting.lifecycle import IllegalChangeError, Status
from spanglass_core.alerting.severity import Severity
from spanglass_server.alerting.desk import AlertEdit, Desk, NewAlert
from spanglass_server.alerting.model import Entry
from spanglass_server.alerting.store.in_memory import MemoryAlertStore
from spanglass_server.alerting.watching.status import AlerterStatus


@pytest.fixture
def desk():
    """Return a desk whose clock ticks once a question, and whose ids are numbers."""
    times, ids = count(1000), count(1)
    return Desk(None, MemoryAlertStore(), None, AlerterStatus, lambda: next(times), lambda: f"id-{next(ids)}")


def test_a_life_at_the_desk(desk):
    """Made, acknowledged, noted, edited, reopened, resolved: the history tells all of it, and what is over stays so."""
    alert = desk.create(NewAlert(title="Disk full", labels={"host": "h1"}, value=0.97, unit="ratio"), "ann")
    assert (alert.id, alert.status, alert.created_ns, alert.source) == ("id-1", Status.ACTIVE, 1000, "api")
    assert alert.priority == 30  # a warning that has just begun
    desk.acknowledge(alert.id, "bob", "on it")
    desk.note(alert.id, "bob", "logs of Tuesday")
    desk.edit(alert.id, AlertEdit(severity=Severity.CRITICAL, owner="ops"), "bob")
    desk.reopen(alert.id, "bob")
    over = desk.resolve(alert.id, "ann", "deleted them")
    assert (over.severity, over.owner, over.title, over.resolved_by) == (Severity.CRITICAL, "ops", "Disk full", "ann")
    with pytest.raises(IllegalChangeError):
        desk.dismiss(alert.id, "ann")

    assert [(entry.time_ns, entry.kind, entry.by, entry.text) for entry in desk.store.history(alert.id)] == [
        (1000, "fired", "ann", ""),
        (1001, "acknowledged", "bob", "on it"),
        (1002, "note", "bob", "logs of Tuesday"),
        (1003, "edited", "bob", "changed: severity, owner"),
        (1004, "reopened", "bob", ""),
        (1005, "resolved", "ann", "deleted them"),
    ]


def test_made_again(desk):
    """One with the same title, source and labels, or the same fingerprint, counts one more until it is over."""
    same = NewAlert(title="Disk full", labels={"host": "h1"})
    first = desk.create(same, "ann")
    assert [desk.create(same, "ann").count, desk.create(NewAlert(title="Disk full"), "ann").count] == [2, 1]
    assert desk.create(NewAlert(title="Else", fingerprint=first.fingerprint), "ann").id == first.id
    desk.dismiss(first.id, "ann")

    assert desk.create(same, "ann").id != first.id


def test_who_edits_at_once_loses_nothing():
    """What somebody else writes while an edit is under way stays, and so does evidence that comes then."""
    store, others = MemoryAlertStore(), []

    def clock():
        while others:
            others.pop()()
        return 1000

    desk = Desk(None, store, None, AlerterStatus, clock, lambda: "id")
    desk.create(NewAlert(title="Disk full"), "ann")
    others.append(lambda: desk.edit("id", AlertEdit(owner="ops"), "bob"))
    others.append(lambda: store.attach("id", {"host": "h1"}, Entry(1000, "evidence", "server")))
    desk.edit("id", AlertEdit(title="The disk of h1 is full"), "ann")
    after = store.alert("id")
    assert (after.title, after.owner, after.evidence) == ("The disk of h1 is full", "ops", {"host": "h1"})
