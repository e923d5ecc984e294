"""``spanglass coverage``: what is missing, with the line that would send it."""

from __future__ import annotations

FAMILIES = [
    {"key": key, "group": "application", "subject": "service", "title": key, "remedy": f"send {key}"}
    for key in ("traces", "logs", "queues")
]
CELLS = [
    {"family": "traces", "state": "there", "last_time": "2026-11-29T10:00:00.000000000Z"},
    {"family": "logs", "state": "missing", "last_time": None},
    {"family": "queues", "state": "not_needed", "last_time": None},
]
WEB = {"subject": "service", "name": "web", "slot": 1, "families": CELLS, "missing": 1, "stale": 0}
ANSWER = {"families": FAMILIES, "subjects": [WEB], "total": 1, "there": 1, "stale": 0, "missing": 1, "ratio": 0.5}


def test_what_is_missing_is_listed(canned, run):
    """Only what is missing or stale, unless all is asked for; nothing at all says where to look."""
    for answer in (ANSWER, ANSWER, {**ANSWER, "subjects": [], "total": 0}):
        canned.answer("/api/v1/coverage", answer)
    listed = run("coverage", "--last", "2h", "--format", "csv")
    assert listed.stderr == b""
    assert listed.stdout.decode().split() == ["name,family,state,last_time,remedy", "web,logs,missing,,send", "logs"]
    assert canned.received[0].parameters == {"last": "2h", "limit": "500"}
    listed = run("coverage", "--all")
    assert all(word in listed.stdout.decode() for word in ("traces", "not_needed"))
    assert "send logs" in listed.stdout.decode()
    assert "send traces" not in listed.stdout.decode()
    assert b"1 there, 0 stale, 1 missing" in listed.stderr
    assert b"try --last 7d" in run("coverage").stderr
