"""``spanglass users``: users, and what one did."""

from __future__ import annotations

TIME = "2026-11-29T10:00:00.000000000Z"
FIGURES = {"requests": 12, "errors": 1, "events": 2, "records": 40}
USER = {"user": "u-4711", "sessions": 3, **FIGURES, "first_time": TIME, "last_time": TIME}
STEP = {
    "kind": "request", "time": TIME, "name": "POST /pay", "text": None, "service": "shop", "slot": 1,
    "trace_id": "0a" * 16, "span_id": "0b" * 8, "duration_ns": 90_000_000, "spans": 4, "failed": True,
    "user": "u-4711", "session": None,
}  # fmt: skip


def test_users_are_listed_and_one_is_shown(canned, run):
    """Users with their figures and how many were active; the course of one, or that there is none."""
    canned.answer("/api/v1/users", {"users": [USER], "total": 7, "users_share": None})
    canned.answer("/api/v1/users/active", {"day": 4, "week": 5, "month": 6, "since": TIME, "users_share": None})
    listed = run("users", "service:shop", "--sort", "errors").stdout.decode()
    assert "u-4711" in listed
    assert "4 in 1 day, 5 in 7 days, 6 in 30 days, 7 users in this range" in listed
    asked = canned.received[0].parameters
    assert asked == {"filter": "service:shop", "limit": "100", "sort": "errors"}
    canned.answer("/api/v1/users/course", {"steps": [STEP], "more": False})
    canned.answer("/api/v1/users/course", {"steps": [], "more": False})
    shown = run("users", "show", "u-4711", "--errors").stdout.decode()
    assert "POST /pay" in shown
    assert "failed" in shown
    assert canned.received[-1].parameters == {"user": "u-4711", "only": "errors", "limit": "100"}
    assert b"no steps in this range" in run("users", "show", "5f2c", "--session").stderr
