"""``spanglass views``: listed, saved with the address of a browser, changed, deleted."""

from __future__ import annotations

import json

TIME = "2026-11-29T10:00:00.000000000Z"
VIEW = {
    "id": 3, "name": "Failing", "url": "/traces?filter=status%3Aerror", "page": "/traces", "owner": "mina",
    "shared": True, "pinned": False, "default": False, "created_time": TIME, "changed_time": TIME,
}  # fmt: skip


def test_views_are_listed_saved_changed_and_deleted(canned, run):
    """Lists one's own beside the shared ones; only what is said of a view is sent; hosts are left out."""
    canned.answer("/api/v1/views", {"views": [VIEW]})
    canned.answer("/api/v1/views", VIEW)
    canned.answer("/api/v1/views", {"views": []})
    canned.answer("/api/v1/views/3", VIEW)
    canned.answer("/api/v1/views/3", {"deleted": 3})

    listed = run("views", "--owner", "mina", "--page", "/traces")
    assert listed.returncode == 0, listed.stderr.decode()
    assert "Failing" in listed.stdout.decode()
    assert canned.received[-1].parameters == {"owner": "mina", "page": "/traces"}

    saved = run(
        *("views", "save", "Failing", "https://obs.example/traces?filter=status%3Aerror#x"),
        *("--shared", "--as", "mina", "--format", "ndjson"),
    )
    assert json.loads(saved.stdout) == VIEW
    body = {"name": "Failing", "url": "/traces?filter=status%3Aerror", "owner": "mina", "shared": True}
    assert (canned.received[-1].method, json.loads(canned.received[-1].body)) == ("POST", body)

    assert b"none is saved" in run("views").stderr
    run("views", "change", "3", "--no-shared", "--default")
    assert json.loads(canned.received[-1].body) == {"shared": False, "default": True}
    assert run("views", "delete", "3").returncode == 0
    assert (canned.received[-1].method, canned.received[-1].path) == ("DELETE", "/api/v1/views/3")


def test_traces_are_pinned_listed_and_unpinned(canned, run):
    """A pin says who and why; the list has the traces that a text means."""
    trace = "0a" * 16
    pin = {
        "trace_id": trace, "note": "the bank is late", "actor": "mina", "pinned_time": TIME, "service": "shop",
        "slot": 1, "name": "POST /orders", "start_time": TIME, "duration_ns": 90_000_000, "span_count": 12,
        "error_count": 1, "bytes": 48_000,
    }  # fmt: skip
    canned.answer(f"/api/v1/pins/{trace}", pin)
    canned.answer(f"/api/v1/pins/{trace}", {"unpinned": trace})
    canned.answer("/api/v1/pins", {"pins": [pin], "bytes": 48_000, "max_bytes": 1 << 28})

    added = run("pins", "add", trace, "the bank is late", "--as", "mina", "--format", "ndjson")
    assert json.loads(added.stdout) == pin
    body = {"note": "the bank is late", "actor": "mina"}
    assert (canned.received[-1].method, json.loads(canned.received[-1].body)) == ("PUT", body)
    assert "the bank is late" in run("pins", "--text", "bank").stdout.decode()
    assert canned.received[-1].parameters == {"text": "bank"}
    assert run("pins", "remove", trace).returncode == 0
    assert (canned.received[-1].method, canned.received[-1].path) == ("DELETE", f"/api/v1/pins/{trace}")
