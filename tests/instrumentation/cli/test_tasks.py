"""``spanglass tasks``: tasks, and queues."""

from __future__ import annotations

TASK = {
    "task": "shop.mail", "service": "worker", "slot": 1, "system": "celery", "queue": "mails",
    "operation": "run/shop.mail", "source": "spans", "runs": 10, "rate_per_s": 0.5, "failed": 2, "failed_ratio": 0.2,
    "p50_ns": 100_000_000, "p95_ns": 200_000_000, "wait_p50_ns": None, "wait_p95_ns": None, "running": 3,
    "last_time": None, "sampled_share": None, "series": [],
}  # fmt: skip
QUEUE = {
    "queue": "mails", "systems": ["celery"], "senders": ["web", "api"], "consumers": ["worker"], "sent": None,
    "sent_per_s": None, "processed": 10, "processed_per_s": 0.1, "failed": 2, "length": 47.0, "longest": 50.0,
    "lengths": [],
}  # fmt: skip


def test_tasks_and_queues_are_listed(canned, run):
    """Each with its figures, what nobody tells as nothing; or that there is none."""
    canned.answer("/api/v1/tasks", {"tasks": [TASK], "total": 1})
    canned.answer("/api/v1/queues", {"queues": [QUEUE], "total": 1})
    canned.answer("/api/v1/queues", {"queues": [], "total": 0})
    listed = run("tasks", "kind:consumer", "--service", "worker").stdout.decode()
    assert "shop.mail" in listed
    assert "200 ms" in listed
    assert canned.received[-1].parameters == {"filter": "kind:consumer", "service": "worker", "limit": "100"}
    listed = run("tasks", "queues").stdout.decode()
    assert "47" in listed
    assert "web, api" in listed
    assert b"no queues in this range" in run("tasks", "queues", "--queue", "none").stderr
