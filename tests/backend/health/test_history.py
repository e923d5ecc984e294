"""What is kept of health: statuses, changes, uptime, and calls of heartbeats."""

from __future__ import annotations

import pytest

from spanglass_server.health.calls import CallTokens, open_key
from spanglass_server.health.model import Call, Change, Kept, Outage, Status
from spanglass_server.health.store.sqlite import KEPT_CALLS, HealthStore
from spanglass_server.health.uptime import by_step, uptime
from spanglass_server.store.disk import DISK

UP, HALF, DOWN, UNKNOWN = Status.HEALTHY, Status.DEGRADED, Status.UNHEALTHY, Status.UNKNOWN


@pytest.fixture
def store(tmp_path):
    """A new store."""
    opened = HealthStore(tmp_path / "health.sqlite")
    yield opened
    opened.close()


def changes(*told, subject="check/a"):
    """Changes from pairs of time and status, each from the one before."""
    found, previous = [], UNKNOWN
    for time_ns, status in told:
        found.append(Change(subject=subject, time_ns=time_ns, status=status, previous=previous, detail=f"at {time_ns}"))
        previous = status
    return found


def test_the_store_keeps_statuses_and_their_changes(store, tmp_path):
    """What was saved is there after a restart; pages of changes follow each other; one subject is told from others."""
    kept = Kept(subject="check/a", status=DOWN, since_ns=20, seen_ns=30, detail="no answer")
    store.save([kept], [*changes((10, UP), (20, DOWN)), *changes((15, UP), subject="check/b")])
    store.save([], changes((40, UP)))
    again = HealthStore(tmp_path / "health.sqlite")
    try:
        assert again.kept() == {"check/a": kept}
        assert [change.time_ns for change in again.changes("check/a")] == [40, 20, 10]
        first = again.changes(limit=2)
        rest = again.changes(limit=2, before=first[-1].number)
        assert [change.time_ns for change in (*first, *rest)] == [40, 15, 20, 10]
        assert [change.time_ns for change in again.changes("check/a", start_ns=20, end_ns=40)] == [20]
    finally:
        again.close()


def test_the_status_at_a_time_outlives_the_purge(store):
    """The last change before the time up to which changes are deleted stays: it says how it was then."""
    store.save([], changes((10, UP), (20, DOWN), (30, UP), (40, DOWN)))
    assert [store.status_at("check/a", time) for time in (10, 11, 35, 99)] == [UNKNOWN, UP, UP, DOWN]
    assert store.purge(35) == 2
    assert store.status_at("check/a", 35) == UP
    assert [change.time_ns for change in store.changes("check/a")] == [40, 30]


def test_a_subject_that_is_forgotten_keeps_its_changes(store):
    """What is no more has no status, and its history is still there."""
    store.save([Kept(subject="check/a", status=UP, since_ns=1, seen_ns=1)], changes((1, UP)))
    store.forget(["check/a"])
    assert (store.kept(), len(store.changes("check/a"))) == ({}, 1)


def test_the_last_calls_of_a_heartbeat_are_kept(store):
    """So many of each, newest first, and none of another's."""
    for time_ns in range(KEPT_CALLS + 5):
        store.called("job", Call(time_ns, "ok"))
    store.called("other", Call(0, "fail", "exit code 3"))
    assert [call.time_ns for call in store.calls("job")] == list(range(KEPT_CALLS + 4, 4, -1))
    assert store.calls("other") == [Call(0, "fail", "exit code 3")]


def test_tokens_of_heartbeats(tmp_path):
    """A token holds for its heartbeat only, is the same after a restart, and its key is nobody else's to read."""
    path = tmp_path / "heartbeat.key"
    tokens, again = CallTokens(open_key(path, DISK)), CallTokens(open_key(path, DISK))
    assert tokens.token("a") == again.token("a")
    assert (tokens.is_of(tokens.token("a"), "a"), tokens.is_of(tokens.token("a"), "b")) == (True, False)
    assert not tokens.is_of("ü\ud800", "a")
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_bytes(b"short")
    with pytest.raises(OSError, match="delete it"):
        open_key(path, DISK)


@pytest.mark.parametrize(
    ("told", "at_start", "share", "known", "down", "outages"),
    [
        ([], UNKNOWN, None, 0, 0, []),
        ([], UP, 1.0, 100, 0, []),
        ([(50, DOWN), (60, UP)], UP, 0.9, 100, 10, [Outage(50, 60, "at 50")]),
        ([(50, DOWN), (60, UNKNOWN)], UP, 50 / 60, 60, 10, [Outage(50, 60, "at 50")]),
        ([(50, HALF), (70, UP)], UP, 1.0, 100, 0, []),
        ([(90, DOWN)], UP, 0.9, 100, 10, [Outage(90, 0, "at 90")]),
        ([], DOWN, 0.0, 100, 100, [Outage(0, 0, "")]),
        ([(10, DOWN), (20, DOWN), (30, UP)], UP, 0.8, 100, 20, [Outage(10, 30, "at 10")]),
    ],
)
def test_uptime(told, at_start, share, known, down, outages):
    """It is the share of the known time that was not unhealthy; outages that touch are one; one that lasts is open."""
    found = uptime(changes(*told), at_start, 0, 100, 100)
    assert found.share == (None if share is None else pytest.approx(share))
    assert (found.known_ns, found.down_ns, list(found.outages)) == (known, down, outages)


def test_uptime_by_step():
    """Steps follow each other's status, add up to the whole, and what lies ahead is not known."""
    told = changes((15, DOWN), (25, UP))
    steps = by_step(told, UP, 0, 10, 5, 42)
    assert [step.down_ns for step in steps] == [0, 5, 5, 0, 0]
    assert [step.known_ns for step in steps] == [10, 10, 10, 10, 2]
    whole = uptime(told, UP, 0, 50, 42)
    assert (sum(step.down_ns for step in steps), sum(step.known_ns for step in steps)) == (whole.down_ns, 42)
