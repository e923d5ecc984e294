"""``spanglass findings``: lists, one finding, and what people do to them."""

from __future__ import annotations

import json

TIME = "2026-11-29T10:00:00.000000000Z"
FINDING = {
    "id": 17, "kind": "n_plus_one", "title": "N+1 queries", "service": "shop", "slot": 1, "operation": "GET /cart",
    "subject": "SELECT * FROM items WHERE id = ?", "seen": "12 statements.", "advice": "Ask for all at once.",
    "confidence": 0.93, "hits": 10, "requests": 20, "cost_per_day_ns": 96 * 10**9, "first_time": TIME,
    "last_time": TIME, "state": "open", "dismissed": None,
}  # fmt: skip
EVIDENCE = {
    "trace_id": "0a" * 16, "span_id": "0b" * 8, "start_time": TIME, "duration_ns": 90_000_000, "calls": 12,
    "cost_ns": 4_000_000,
}  # fmt: skip
ONE = {**FINDING, "detail": "", "evidence": [EVIDENCE], "hours": []}


def test_findings_are_listed_shown_and_dismissed(canned, run):
    """What costs most first, with what it is; one with advice and traces; a dismissal says who and why."""
    canned.answer("/api/v1/findings", {"findings": [FINDING], "counts": {"open": 1, "dismissed": 0}})
    canned.answer("/api/v1/findings", {"findings": [], "counts": {"open": 0, "dismissed": 0}})
    canned.answer("/api/v1/findings/17", ONE)
    first = run("findings", "--kind", "n_plus_one")
    assert first.returncode == 0, first.stderr.decode()
    listed = first.stdout.decode()
    assert "N+1 queries" in listed
    assert "SELECT * FROM items" in listed
    assert canned.received[-1].parameters == {"kind": "n_plus_one", "state": "open", "limit": "100"}
    shown = run("findings", "show", "17").stdout.decode()
    assert "Ask for all at once." in shown
    assert "costs 96 s a day, 10 of 20 requests in 24 hours" in " ".join(shown.split())
    assert "0a" * 16 in shown
    grown = {
        "instance": "web-1", "host": "db", "pid": "7", "release": "2.1", "release_since": None, "since": TIME,
        "from_bytes": 90 << 20, "to_bytes": 310 << 20, "bytes_per_hour": 220 << 20,
    }  # fmt: skip
    leak = {**ONE, "kind": "memory_leak", "operation": "", "evidence": [], "leak": {"processes": 2, "grown": [grown]}}
    canned.answer("/api/v1/findings/18", leak)
    shown = " ".join(run("findings", "show", "18").stdout.decode().split())
    assert "processes of shop" in shown
    assert "1 of 2 processes, confidence 93" in shown
    assert "web-1" in shown

    done = run("findings", "dismiss", "17", "--reason", "a report", "--as", "mina", "--format", "ndjson")
    assert json.loads(done.stdout)["id"] == 17
    sent = canned.received[-1]
    assert (sent.method, json.loads(sent.body)) == (
        "PATCH", {"state": "dismissed", "actor": "mina", "reason": "a report"},
    )  # fmt: skip
    assert run("findings", "dismiss", "17").returncode == 2
    assert b"nothing was found" in run("findings").stderr
