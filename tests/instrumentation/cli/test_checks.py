"""``spanglass checks``: lists, one check, runs, and how the whole is."""

from __future__ import annotations

import json

TIME = "2026-11-29T10:00:00.000000000Z"
CHECK = {
    "uid": "shop", "name": "Shop", "kind": "http", "area": "api", "component": "Shop", "source": "check",
    "critical": True, "enabled": True, "status": "unhealthy", "since_time": TIME, "last_time": TIME,
    "latency_ns": 5_000_000, "detail": "connection refused", "flapping": True, "interval_ns": 30 * 10**9,
    "service": None, "instances": 0, "public": False, "target": "https://shop.example.com/", "figures": {},
}  # fmt: skip
RUN = {"time": TIME, "latency_ns": 5_000_000, "status": "unhealthy", "detail": "connection refused", "figures": {}}
PAGE = {
    **CHECK, "check": {}, "yaml": "monitoring:\n  checks:\n    - name: Shop\n", "version": "1", "origin": "kept",
    "file": "f", "line": 1, "editable": True, "description": "", "owner": "", "runbook": "", "next_time": TIME,
    "heartbeat_path": None, "runs": [RUN], "calls": [],
}  # fmt: skip
COMPONENT = {
    "uid": "api-shop", "name": "Shop", "area": "api", "status": "unhealthy", "since_time": TIME, "last_time": TIME,
    "latency_ns": None, "reason": "connection refused", "sources": ["check"], "checks": ["shop"], "critical": True,
    "service": None, "host": None, "public": False, "figures": {},
}  # fmt: skip
WHOLE = {
    "status": "unhealthy", "score": 49, "since_time": TIME, "time": TIME, "reasons": [], "counts": {},
    "components": [COMPONENT | {"uid": "service-cart", "status": "healthy", "reason": ""}, COMPONENT],
    "enabled": True, "status_page": False, "version": 1,
}  # fmt: skip


def out(result, code=0):
    """The lines of a command that ended with a code."""
    assert result.returncode == code, result.stderr.decode()
    return result.stdout.decode().splitlines()


def test_checks_are_listed_and_shown(canned, run):
    """What is not healthy comes first; problems go to standard error; one with its runs and its written form."""
    well = CHECK | {"uid": "cart", "status": "healthy", "detail": "status 200"}
    canned.answer(
        "/api/v1/checks", {"checks": [well, CHECK], "problems": ["settings.yaml:3:1: wrong"], "enabled": True}
    )
    listed = run("checks")
    assert [line.split()[:2] for line in out(listed)[1:]] == [["shop", "unhealthy"], ["cart", "healthy"]]
    assert b"settings.yaml:3:1: wrong" in listed.stderr
    (line,) = out(run("checks", "list", "--status", "healthy", "--format", "ndjson"))
    assert json.loads(line)["uid"] == "cart"
    assert b"there is none with this status" in run("checks", "--status", "degraded").stderr

    canned.answer("/api/v1/checks/shop", PAGE)
    lines = out(run("checks", "show", "shop"))
    assert lines[0] == "Shop"
    assert (lines[1].startswith("unhealthy since "), lines[1].endswith(", flapping")) == (True, True)
    assert lines[2:4] == ["connection refused", "https://shop.example.com/"]
    assert "    - name: Shop" in lines

    never = RUN | {"latency_ns": 0, "detail": "it was never called"}
    beat = {"kind": "heartbeat", "target": "called every 1h", "heartbeat_path": "/heartbeat/abc", "runs": [never]}
    canned.answer("/api/v1/checks/nightly", PAGE | beat)
    lines = out(run("checks", "show", "nightly"))
    assert lines[3:5] == ["called every 1h", f"called at {canned.url}/heartbeat/abc"]
    assert "—" in lines[-1].split()


def test_checks_are_run_and_the_whole_tells_by_its_exit_code(canned, run):
    """Exit code 1 for what is not healthy, and while the whole is unhealthy."""
    canned.answer("/api/v1/checks/shop/run", RUN)
    canned.answer("/api/v1/checks/cart/run", RUN | {"status": "healthy"})
    assert len(out(run("checks", "run", "shop", "cart"), 1)) == 3
    assert len(out(run("checks", "run", "cart"))) == 2
    canned.answer("/api/monitoring/health/", WHOLE)
    lines = out(run("checks", "status"), 1)
    assert lines[0].startswith("unhealthy, 49 of 100, since ")
    assert [line.split()[:2] for line in lines[2:]] == [["api-shop", "unhealthy"]]
    assert len(out(run("checks", "status", "--all"), 1)) == 4
    canned.answers["/api/monitoring/health/"] = []
    canned.answer("/api/monitoring/health/", WHOLE | {"status": "degraded"})
    assert json.loads(out(run("checks", "status", "--format", "ndjson"))[0])["status"] == "degraded"
