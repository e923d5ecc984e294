"""``spanglass slo``: lists, one objective, files that are checked and kept, and who changed what."""

from __future__ import annotations

import json

import pytest

TIME = "2026-11-29T10:00:00.000000000Z"
SLO = {
    "uid": "shop", "name": "Shop answers", "status": "exhausted", "service": "shop", "target": 0.999, "window": "30d",
    "source": "spans", "what": "service:shop", "window_range": {"start_time": TIME, "end_time": TIME},
    "budget": {"total": 1000, "bad": 4, "allowed": 1, "good": 0.996, "left": -3.0},
    "burn_rates": {"1h": 14.5, "5m": None},
    "forecast": {"exhausted": True, "time": TIME, "earliest_time": None, "latest_time": None}, "since_time": TIME,
    "partial": True, "last_event_time": TIME, "enabled": True, "alerts": True,
}  # fmt: skip
PAGE = {
    **SLO, "slo": {"uid": "shop", "target": "99.9%"}, "yaml": "slos:\n  - name: Shop answers\n", "version": "v1",
    "origin": "kept", "file": "f", "line": None, "editable": True, "spans_filter": "service:shop", "bad_filter": "x",
    "rules": [{"uid": "slo-shop-fast", "rate": 14.4, "long": "1h", "short": "5m", "severity": "critical"}],
    "description": "What we promise.", "owner": "", "runbook": "",
}  # fmt: skip
EPISODE = {"start_time": TIME, "end_time": TIME, "total": 50, "bad": 3, "share": 3.0}


@pytest.fixture
def server(canned):
    """A server with one objective."""
    canned.answer("/api/v1/slos", {"slos": [SLO], "problems": ["slos.yaml:3:1: wrong"]})
    canned.answer("/api/v1/slos/shop", PAGE)
    canned.answer("/api/v1/slos/shop/episodes", {"range": {}, "episodes": [EPISODE]})
    return canned


def test_objectives_are_listed_and_shown(server, run):
    """A list says what is left and fails where that is wanted; one tells its budget, its rules and what used it."""
    listed = run("slo", "--service", "shop")
    assert listed.stdout.decode().splitlines()[1].split()[:7] == [
        "shop", "exhausted", "99.6%", "99.9%", "used", "4", "times"
    ]  # fmt: skip
    assert b"slos.yaml:3:1: wrong" in listed.stderr
    assert server.received[-1].parameters == {"service": "shop"}
    assert run("slo", "--fail").returncode == 1
    none = run("slo", "--status", "ok", "--fail")
    assert b"there is no objective with this status" in none.stderr
    assert none.returncode == 1  # a budget is used up, whatever is shown
    for slos, problems, code in (
        ([{**SLO, "status": "ok"}], [], 0),
        ([], [], 1),
        ([{**SLO, "status": "ok"}], ["x"], 1),
    ):
        server.answers.pop("/api/v1/slos")
        server.answer("/api/v1/slos", {"slos": slos, "problems": problems})
        assert (run("slo", "--fail").returncode, run("slo").returncode) == (code, 0)

    shown = " ".join(run("slo", "show", "shop").stdout.decode().split())
    assert "99.6% good: 4 of 1,000 were bad, 1 may be; the budget is used 4 times" in shown
    budget = {**SLO["budget"], "left": -148.2}
    for path, answer in (
        ("/api/v1/slos/shop", {**PAGE, "budget": budget}),
        ("/api/v1/slos", {"slos": [{**SLO, "budget": budget}], "problems": []}),
    ):
        server.answers.pop(path)
        server.answer(path, answer)
    assert "1 may be; the budget is used 149 times" in " ".join(run("slo", "show", "shop").stdout.decode().split())
    assert b"used 149 times" in run("slo").stdout
    assert "some of it is there again at" in shown
    assert "slo-shop-fast critical 14.4x 1h 14.5x 5m -" in shown
    assert json.loads(run("slo", "show", "shop", "--format", "ndjson").stdout)["version"] == "v1"
    assert run("slo", "export", "shop").stdout.decode() == PAGE["yaml"]


def test_files_are_checked_and_kept(server, run, tmp_path):
    """What is wrong is told with its place, and then nothing is kept; else each is made, changed or left as it is."""
    file = tmp_path / "slos.yaml"
    file.write_text("slos: []\n")
    wrong = {"message": "no target", "path": "slos[0].target", "line": 2, "column": 3, "hint": "", "file": ""}
    server.answer("/api/v1/slos/check", {"slos": [], "yaml": "", "problems": [wrong]})
    for action in ("check", "apply"):
        told = run("slo", action, str(file))
        assert told.returncode == 2
        assert b"slos.yaml:2:3: slos[0].target: no target" in told.stdout + told.stderr
    slos = [PAGE["slo"], {"uid": "shop", "target": "99%"}, {"uid": "new", "target": "99%"}]
    server.answers.pop("/api/v1/slos/check")
    server.answer("/api/v1/slos/check", {"slos": slos, "yaml": "", "problems": []})
    done = run("slo", "apply", str(file), "--as", "kim")
    assert done.stdout.decode().splitlines() == ["shop: as it was", "shop: changed", "new: created"]
    changed = next(sent for sent in server.received if sent.method == "PUT")
    assert json.loads(changed.body) == {"slo": slos[1], "version": "v1", "by": "kim"}
    assert run("slo", "delete", "shop").returncode == 0
    assert (server.received[-1].method, server.received[-1].parameters) == ("DELETE", {"version": "v1"})
    change = {"time": TIME, "uid": "shop", "by": "kim", "kind": "changed", "before": "", "after": ""}
    server.answer("/api/v1/slos/changes", {"changes": [change]})
    assert "kim" in run("slo", "changes").stdout.decode()


def test_objectives_of_openslo_are_printed(server, run, tmp_path):
    """What can be taken is printed as YAML, notes and problems go to standard error, and a problem is exit code 2."""
    place = {"path": "spec.budgetingMethod", "line": 5, "column": 3, "hint": None, "file": None}
    note = {**place, "path": "spec.alertPolicies", "message": "left out"}
    slos = "slos:\n  - name: A\n"
    answer = {"slos": [], "yaml": slos, "problems": [], "notes": [note]}
    server.answer("/api/v1/slos/import", answer)
    file = tmp_path / "openslo.yaml"
    file.write_text("kind: SLO\n")

    done = run("slo", "import", str(file))

    assert (done.returncode, done.stdout.decode()) == (0, slos)
    assert b"openslo.yaml:5:3: spec.alertPolicies: note: left out" in done.stderr
    assert json.loads(server.received[-1].body) == {"yaml": "kind: SLO\n"}
    server.answers.pop("/api/v1/slos/import")
    server.answer("/api/v1/slos/import", {**answer, "problems": [{**place, "message": "no"}]})
    assert run("slo", "import", str(file)).returncode == 2
