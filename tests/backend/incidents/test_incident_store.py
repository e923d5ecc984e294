"""The contract of the incident store, over every implementation of it, and across restarts."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

import pytest
from made_alerts import made

from spanglass_core.alerting.severity import Severity
from spanglass_server.incidents import changes
from spanglass_server.incidents.following import member_of
from spanglass_server.incidents.lifecycle import IllegalChangeError, Status
from spanglass_server.incidents.model import Held, Incident, Line, Recorded, ResponseStep, Turn
from spanglass_server.incidents.ports import (
    IncidentFilter,
    IncidentNotFoundError,
    IncidentStoreDamagedError,
    IncidentStoreVersionError,
)
from spanglass_server.incidents.store.database import SCHEMA_VERSION
from spanglass_server.incidents.store.sqlite import SqliteIncidentStore

ALL = IncidentFilter()


def incident(title="Shop is down", opened_ns=100, **fields):
    """Return an incident that nobody has seen to."""
    given = {"severity": Severity.ERROR, "source": "rule", "updated_ns": opened_ns, "started_ns": opened_ns, **fields}
    return Incident(title=title, opened_ns=opened_ns, **given)


def ids(found):
    """Return the ids of incidents."""
    return [each.id for each in found]


def test_incidents_are_kept(reopen):
    """Incident, alerts and timeline are there after a restart as they were given; ids are never given twice."""
    told = incident(
        "Shöp 'is\" down", summary="ü", services=("shop", "pay"), named=("cart",), rules=("errors",), hosts=("h1",),
        steps=(ResponseStep("look", "runbook", 5, "ann"), ResponseStep("restart")), responders=("ann", "bob"),
        runbooks=("https://x/y",), channels=("mail",), alert_count=1, status=Status.RECOVERED, recovered_ns=7,
    )  # fmt: skip
    alert = replace(member_of(made(), "it opened it", 101), left=False)
    line = Line(100, "opened", "server", "täxt", "error")
    store = reopen()
    opened = store.open(Turn(told, (alert,), (line,)))
    second = store.open(Turn(incident(opened_ns=100)))
    store.delete(second.id)
    third = store.open(Turn(incident(opened_ns=90)))
    store = reopen()

    assert (opened, ids([second, third])) == (replace(told, id="INC-1"), ["INC-2", "INC-3"])
    assert store.incident("INC-1") == opened
    assert list(store.members("INC-1")) == [alert]
    assert list(store.timeline("INC-1", limit=9)) == [line]
    assert list(store.lines_after(0, 9)) == [Recorded(1, "INC-1", line)]
    assert store.held([alert.alert_id, "other"]) == {alert.alert_id: "INC-1"}
    assert ids(store.incidents(ALL, limit=9)) == ["INC-1", "INC-3"]
    for missing in ("INC-2", "INC-", "INC-x", "7", "INC-99999999999999999999", "INC-²"):
        with pytest.raises(IncidentNotFoundError):
            store.incident(missing)


def test_a_look_is_taken_whole_or_not_at_all(reopen):
    """What was made of incidents as they no longer are is refused; the cursor stays then, and lines come once."""
    store, alert = reopen(), member_of(made(), "first", 100)
    line = Line(100, "alert.fired", "rule", "", "warning", alert.alert_id)
    version = store.version()
    assert store.take(5, [Turn(incident(), (alert,), (line, line))], version)
    held = store.incident("INC-1")
    store.change(["INC-1"], lambda held: [changes.noted(held[0], "ann", "look", 102)])
    assert not store.take(9, [Turn(replace(held, title="Lost"))], version + 1)
    assert store.take(8, [], version)  # nothing to see: it need not be new
    assert store.take(9, [Turn(replace(held, title="Kept"), lines=(line, replace(line, time_ns=101)))], store.version())
    store.told(3)
    store = reopen()

    assert (store.cursor(), store.announced(), store.incident("INC-1").title) == (9, 3, "Kept")
    assert [(each.time_ns, each.kind) for each in store.timeline("INC-1", limit=9)] == [
        (100, "alert.fired"), (101, "alert.fired"), (102, "note"),
    ]  # fmt: skip
    assert [each.kind for each in store.timeline("INC-1", limit=1)] == ["note"]


def test_what_a_filter_finds(reopen):
    """Each field of a filter narrows; pages go on where the last one ended; counts are by status and severity."""
    store = reopen()
    alert = member_of(made(), "it", 100)
    store.open(Turn(incident("Cart slow", 100, services=("cart",), severity=Severity.WARNING)))
    store.open(Turn(incident("Shop down", 200, named=("shop",), rules=("errors",)), (alert,)))
    store.open(Turn(incident("Shop again", 200, status=Status.RESOLVED, resolved_ns=300, cause="DISK full")))
    cases = (
        ({"service": "cart"}, ["INC-1"]), ({"service": "shop"}, ["INC-2"]), ({"rule_uid": "errors"}, ["INC-2"]),
        ({"alert_id": alert.alert_id}, ["INC-2"]), ({"text": "disk"}, ["INC-3"]), ({"text": "inc-2"}, ["INC-2"]),
        ({"statuses": (Status.OPEN,)}, ["INC-2", "INC-1"]), ({"severities": (Severity.WARNING,)}, ["INC-1"]),
        ({"start_ns": 101}, ["INC-3", "INC-2"]), ({"end_ns": 200}, ["INC-1"]), ({"text": "nothing"}, []),
    )  # fmt: skip
    for fields, expected in cases:
        assert ids(store.incidents(IncidentFilter(**fields), limit=9)) == expected, fields

    first = store.incidents(ALL, limit=2)
    assert ids(first) + ids(store.incidents(ALL, limit=2, after=first[-1].id)) == ["INC-3", "INC-2", "INC-1"]
    assert store.counts(IncidentFilter(statuses=(Status.OPEN,))) == {
        (Status.OPEN, Severity.WARNING): 1, (Status.OPEN, Severity.ERROR): 1, (Status.RESOLVED, Severity.ERROR): 1,
    }  # fmt: skip


def test_alerts_move_leave_and_stay_away(reopen):
    """An alert is in one incident; one taken out, or of a deleted incident, is known as one that is to stay away."""
    store = reopen()
    alerts = [member_of(made(service), "it", 100) for service in ("a", "b", "c")]
    for alert in alerts:
        store.open(Turn(incident(), (alert,)))
    store.change(["INC-1"], lambda held: [changes.without_member(held[0], alerts[0].alert_id, "ann", "no", 110)])
    store.delete("INC-2")
    gone, stays = store.change(
        ["INC-3", "INC-1"], lambda held: list(changes.merged(held[0], held[1], "ann", "one fault", 120))
    )

    assert store.left() == {alerts[0].alert_id, alerts[1].alert_id}
    assert store.held([alert.alert_id for alert in alerts]) == {alerts[2].alert_id: "INC-1"}
    assert (gone.status, gone.merged_into, stays.alert_count) == (Status.DISMISSED, "INC-1", 1)
    assert store.purge(130) == 1
    assert ids(store.incidents(ALL, limit=9)) == ["INC-1"]
    assert store.left() == {alerts[0].alert_id}


def test_a_change_that_fails_changes_nothing(reopen):
    """What is refused, or can't be found, leaves incident, timeline and version as they were."""
    store = reopen()
    store.open(Turn(incident(status=Status.RESOLVED)))
    before = store.incident("INC-1"), store.version(), store.lines_after(0, 9)

    def refused(held):
        return [changes.noted(held[0], "ann", "lost", 1), changes.with_status(held[0], Status.RECOVERED, "ann", "", 2)]

    with pytest.raises(IllegalChangeError, match="that is resolved can't become recovered; possible: open"):
        store.change(["INC-1"], refused)
    with pytest.raises(IncidentNotFoundError):
        store.change(["INC-1", "INC-2"], lambda held: [Turn(held[0].incident)])

    assert (store.incident("INC-1"), store.version(), store.lines_after(0, 9)) == before


def test_files_that_cannot_be_used(tmp_path):
    """A newer or damaged file, and a full disk, are told of with what to do; nothing is changed then."""
    store = SqliteIncidentStore(tmp_path / "incidents")
    pages = store._file._writer.execute("PRAGMA page_count").fetchone()[0]
    store._file._writer.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(OSError, match="the incident store could not be written"):
        store.open(Turn(incident(summary="x" * 100_000)))
    assert (store.version(), list(store.incidents(ALL, limit=9))) == (0, [])
    store.close()
    connection = sqlite3.connect(tmp_path / "incidents")
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.close()
    with pytest.raises(IncidentStoreVersionError, match="start the newer server"):
        SqliteIncidentStore(tmp_path / "incidents")
    (tmp_path / "damaged").write_bytes(b"not a database" * 1000)
    with pytest.raises(IncidentStoreDamagedError, match="telemetry and alerts are kept, but incidents"):
        SqliteIncidentStore(tmp_path / "damaged")


def test_held_alone():
    """Alerts that have left are no longer present."""
    alert = member_of(made(), "it", 1)
    assert Held(incident(), (alert, replace(alert, alert_id="b", left=True))).present == (alert,)
