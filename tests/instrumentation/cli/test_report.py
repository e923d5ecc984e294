"""``spanglass report``: asked for, waited for, printed or written; listed and deleted."""

from __future__ import annotations

import json
import os

TIME = "2026-11-29T10:00:00.000000000Z"
ENTRY = {
    "id": "r/1", "kind": "week", "title": "The week", "service": None, "state": "waiting", "error": "",
    "progress": {"done": 0, "total": 0, "section": ""}, "created_time": TIME, "done_time": None, "actor": "ann",
    "window": {"start_time": TIME, "end_time": TIME}, "bytes": 0,
}  # fmt: skip


def test_a_report_is_waited_for_and_written(canned, run, tmp_path):
    """Its form is that of the file's name; it stands there as a whole, or in a pipe; what failed writes nothing."""
    canned.answer("/api/v1/reports", ENTRY, 202)
    canned.answer("/api/v1/reports/r%2F1", ENTRY | {"state": "running"})
    canned.answer("/api/v1/reports/r%2F1", ENTRY | {"state": "done"})
    canned.answer("/api/v1/reports/r%2F1/file", b"<!doctype html>", headers={"Content-Type": "text/html"})
    path = tmp_path / "week.html"
    done = run("report", "week", "--last", "7d", "--service", "shop", "--as", "ann", "-o", str(path))
    assert done.returncode == 0, done.stderr
    assert [each.name for each in tmp_path.iterdir()] == ["week.html"]
    assert path.read_bytes() == b"<!doctype html>"
    assert json.loads(canned.received[0].body) == {"kind": "week", "service": "shop", "actor": "ann", "last": "7d"}
    assert canned.received[-1].parameters == {"format": "html"}
    pipe, link = tmp_path / "pipe.html", tmp_path / "link.html"
    os.mkfifo(pipe)
    link.symlink_to(path)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    assert run("report", "week", "-o", str(pipe)).returncode == 0
    assert (os.read(reader, 100), pipe.is_fifo()) == (b"<!doctype html>", True)
    os.close(reader)
    path.unlink()
    assert run("report", "week", "-o", str(link)).returncode == 0
    assert (path.read_bytes(), link.is_symlink()) == (b"<!doctype html>", True)
    refused = run("report", "week", "-o", str(tmp_path / "no" / "week.csv"))
    assert (refused.returncode, canned.received[-1].parameters) == (1, {"format": "csv"})
    assert b"can't be written: No such file or directory" in refused.stderr
    canned.answers["/api/v1/reports/r%2F1"] = []
    canned.answer("/api/v1/reports/r%2F1", ENTRY | {"state": "failed", "error": "the disk is full"})
    failed = run("report", "week")
    assert (failed.returncode, failed.stdout) == (1, b"")
    assert b"the report could not be made: the disk is full" in failed.stderr


def test_reports_are_scheduled(canned, run):
    """What is given is sent; the answer says when it is due next."""
    kept = {
        "id": "s1", "kind": "week", "title": "The week", "service": None, "last": "7d", "cron": "0 8 * * mon",
        "zone": "UTC", "channels": ["ops-mail"], "format": "pdf", "enabled": True, "actor": "ann",
        "created_time": TIME, "next_time": None,
    }  # fmt: skip
    canned.answer("/api/v1/report-schedules", kept, 201)
    done = run("report", "schedule", "week", "--cron", "0 8 * * mon", "--channel", "ops-mail", "--as", "ann")
    assert (done.returncode, b"ops-mail" in done.stdout, b"off" in done.stdout) == (0, True, True), done.stderr
    body = {"kind": "week", "cron": "0 8 * * mon", "channels": ["ops-mail"], "actor": "ann"}
    assert json.loads(canned.received[0].body) == body
    canned.answer("/api/v1/report-schedules/s1", {"deleted": "s1"})
    assert run("report", "unschedule", "s1").returncode == 0


def test_reports_are_listed_and_deleted(canned, run):
    """A list has who asked for what; each that is named is deleted."""
    canned.answer("/api/v1/reports", {"reports": [ENTRY], "kinds": []})
    listed = run("report", "list", "--kind", "week", "--format", "csv").stdout.decode().splitlines()
    assert listed[0] == "id,title,service,state,start_time,end_time,created_time,actor,error"
    assert listed[1].startswith(f"r/1,The week,,waiting,{TIME},{TIME},{TIME},ann")
    canned.answer("/api/v1/reports/r%2F1", {"deleted": "r/1"})
    assert run("report", "delete", "r/1").returncode == 0
    assert canned.received[-1].method == "DELETE"
