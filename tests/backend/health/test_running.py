"""When checks run, what their runs mean, and what a heartbeat's calls do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from spanglass_server.health.check import Heartbeat
from spanglass_server.health.flapping import Patience, advanced
from spanglass_server.health.heartbeats import judged, remembered
from spanglass_server.health.model import Call, CheckState, Run, Status
from spanglass_server.health.running.agenda import Agenda

S = 10**9
LETTERS = {"h": Status.HEALTHY, "d": Status.DEGRADED, "u": Status.UNHEALTHY, "?": Status.UNKNOWN}
WORDS = {status: letter for letter, status in LETTERS.items()}


def course(runs, patience, every_s=30):
    """The status after each of some runs, a letter each."""
    state, told = CheckState(), ""
    for number, letter in enumerate(runs):
        run = Run(started_ns=(number + 1) * every_s * S, latency_ns=S, status=LETTERS[letter], detail=letter)
        state = advanced(state, run, patience)
        told += WORDS[state.status]
    return told, state


@pytest.mark.parametrize(
    ("runs", "patience", "expected"),
    [
        ("hhuhuh", Patience(2, 2), "hhhhhh"),
        ("huuuhh", Patience(2, 2), "hhuuuh"),
        ("uuh", Patience(2, 2), "?uu"),
        ("huhh", Patience(1, 1), "huhh"),
        ("hduu", Patience(2, 2), "hhuu"),
        ("hdddhh", Patience(3, 1), "hhhdhh"),
        ("uudhdhh", Patience(2, 2), "?uuhhhh"),
        ("huhuhuhuhhhhhh", Patience(1, 1), "huhuhuhuuuuuhh"),
    ],
)
def test_one_odd_run_changes_nothing(runs, patience, expected):
    """So many in a row change the status; one that comes and goes needs five times as many good ones."""
    assert course(runs, patience)[0] == expected


def test_flapping_ends():
    """After an hour without a change a check is no longer flapping."""
    _, state = course("huhuhuhu", Patience(1, 1))
    state = advanced(state, Run(started_ns=300 * S, latency_ns=0, status=Status.HEALTHY), Patience(1, 1))
    assert (state.flapping, state.status) == (True, Status.UNHEALTHY)
    later = Run(started_ns=300 * S + 3600 * S, latency_ns=0, status=Status.HEALTHY)
    state = advanced(replace(state, good=0), later, Patience(1, 1))
    assert (state.flapping, state.status) == (False, Status.HEALTHY)


def test_the_agenda_spreads_checks_and_keeps_their_places():
    """Each has its place in its interval, also after a restart; a check that is gone is not due."""
    agenda, again = Agenda(), Agenda()
    intervals = {f"check-{number}": 30 * S for number in range(600)}
    agenda.sync(intervals, 1000 * S)
    again.sync(intervals, 5000 * S)
    places = {uid: due_ns % (30 * S) for uid, due_ns in agenda.due(1030 * S)}
    assert places == {uid: due_ns % (30 * S) for uid, due_ns in again.due(5030 * S)}
    by_second = [sum(place // S == second for place in places.values()) for second in range(30)]
    assert (len(places), min(by_second) > 5, max(by_second) < 45) == (600, True, True)
    assert list(agenda.due(9999 * S)) == []
    agenda.at("check-1", 1040 * S)
    agenda.at("check-1", 1035 * S)
    agenda.at("check-2", 1036 * S)
    agenda.sync({uid: 30 * S for uid in intervals if uid != "check-2"}, 1031 * S)
    assert agenda.next_ns() == 1035 * S
    assert list(agenda.due(1099 * S)) == [("check-1", 1035 * S)]
    assert agenda.following_ns("check-1", 1035 * S) % (30 * S) == places["check-1"]


HOURLY = Heartbeat(every_ns=3600 * S, grace_ns=60 * S, longest_ns=600 * S)
NIGHTLY = Heartbeat(cron="0 3 * * *", grace_ns=600 * S)
DAY = 86_400 * S


@pytest.mark.parametrize(
    ("heartbeat", "calls", "now_s", "expected", "detail"),
    [
        (HOURLY, [], 100, "?", "it was not called yet; the first call is due at 1970-01-01 01:00:00 UTC"),
        (HOURLY, [], 3659, "?", "it was not called yet"),
        (HOURLY, [], 3660, "u", "a call was due at 1970-01-01 01:00:00 UTC; it was never called"),
        (HOURLY, [Call(1000 * S, "ok")], 4659, "h", "the next call is due at 1970-01-01 01:16:40 UTC"),
        (HOURLY, [Call(1000 * S, "ok")], 4660, "u", "a call was due at 1970-01-01 01:16:40 UTC; the last call was at"),
        (HOURLY, [Call(9 * S, "ok"), Call(1000 * S, "fail", "disk full")], 1001, "u", "the job said at"),
        (HOURLY, [Call(9 * S, "fail"), Call(1000 * S, "ok")], 1001, "h", "the next call"),
        (HOURLY, [Call(9 * S, "ok"), Call(1000 * S, "start")], 1599, "h", "the next call"),
        (HOURLY, [Call(9 * S, "ok"), Call(1000 * S, "start")], 1600, "u", "the job began at 1970-01-01 00:16:40 UTC"),
        (NIGHTLY, [Call(3 * 3600 * S + 5 * S, "ok")], 27 * 3600 + 599, "h", "the next call is due at 1970-01-02 03:00"),
        (NIGHTLY, [Call(3 * 3600 * S + 5 * S, "ok")], 27 * 3600 + 600, "u", "a call was due at 1970-01-02 03:00"),
    ],
)
def test_heartbeats(heartbeat, calls, now_s, expected, detail):
    """A call is due in time and with grace; a job that failed, or does not end, is told of."""
    verdict = judged(heartbeat, remembered(calls[::-1], 0, 0, 0), now_s * S)
    assert (WORDS[verdict.status], verdict.detail[: len(detail)]) == (expected, detail)


def test_a_call_that_was_due_while_the_server_did_not_run():
    """It may have been made in vain, so nothing is known until the next one is due."""
    memory = remembered([Call(3 * 3600 * S, "ok")], 0, 26 * 3600 * S, 28 * 3600 * S)
    assert judged(NIGHTLY, memory, 28 * 3600 * S).status is Status.UNKNOWN
    assert judged(NIGHTLY, memory.after(Call(28 * 3600 * S, "ok")), 29 * 3600 * S).status is Status.HEALTHY
    assert judged(NIGHTLY, memory, 27 * 3600 * S + DAY + 600 * S).status is Status.UNHEALTHY
