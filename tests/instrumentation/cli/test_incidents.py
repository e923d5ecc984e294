"""``spanglass incidents``: lists, changes, the report and postmortems, against a canned server."""

from __future__ import annotations

import json

import pytest

PATH = "/api/monitoring/incidents/"
INCIDENT = {
    "id": "INC-7", "title": "Payments \x1b[31mfail", "severity": "critical", "status": "acknowledged", "lead": "ann",
    "started_at": "2026-11-29T10:00:00.000000000Z", "alert_count": 2, "open_count": 1, "services": ["pay"],
    "hosts": [], "summary": "", "cause": "", "resolution": "", "runbooks": ["https://runbooks/pay"],
    "durations": {"detect": 60.0, "acknowledge": 125.0, "recover": None, "resolve": None},
    "alerts": [{"id": "a1", "severity": "error", "status": "active", "title": "Errors of pay", "because": "first"}],
    "steps": [{"number": 1, "text": "Look", "done_at": "2026-11-29T10:05:00Z", "done_by": "ann"},
              {"number": 2, "text": "Switch", "done_at": None, "done_by": None}],
    "similar": [{"id": "INC-3", "title": "Payments fail", "resolution": "switched", "cause": "", "status": "resolved",
                 "why": "about pay too"}],
    "timeline": [{"time": "2026-11-29T10:01:00Z", "kind": "note", "by": "ann", "text": "the bank", "alert": None},
                 {"time": "2026-11-29T10:02:00Z", "kind": "alert.fired", "by": "rule", "text": "", "alert": "a1"}],
}  # fmt: skip
SPREAD = {"count": 2, "mean": 480.0, "median": 400.0, "p90": 900.0}
FIGURES = {"total": 3, "open": 1, "dismissed": 0, "late": 1, "within": 0.5, "acknowledge": SPREAD, "recover": None,
           "resolve": SPREAD}  # fmt: skip
REPORT = {"target_s": 900.0, **{
    part: {"all": FIGURES, "by": {"severity": [{"name": "critical", **FIGURES}]}, "days": []}
    for part in ("incidents", "alerts")
}}  # fmt: skip


def out(result, code=0):
    """The lines of a command that ended with a code."""
    assert result.returncode == code, result.stderr.decode()
    return result.stdout.decode().splitlines()


def test_incidents_are_listed_and_shown(canned, run):
    """A row each, those that go on unless said; one with steps, past ones, timeline; no escape reaches a terminal."""
    canned.answer(PATH, {"incidents": [INCIDENT], "next_cursor": None})
    canned.answer(f"{PATH}INC-7/", INCIDENT)
    lines = out(run("incidents", "--service", "pay"))
    assert [lines[1].split()[place] for place in (0, 1, 2)] == ["INC-7", "critical", "acknowledged"]
    assert canned.received[0].parameters["status"] == "live"
    shown = "\n".join(out(run("incidents", "show", "INC-7")))
    for said in ("began 2026-11-29 15:30:00", "to detect 1 min, to acknowledge 2 min 5 s", "1. [x] Look (ann,",
                 "2. [ ] Switch", "INC-3 Payments fail: switched (about pay too)", "ann note: the bank",
                 "rule alert fired: Errors of pay"):  # fmt: skip
        assert said in shown
    assert "\x1b" not in shown


@pytest.mark.parametrize(
    ("words", "method", "path", "body"),
    [
        (("open", "Down", "--service", "a", "--service", "b", "--started", "now-5m"), "POST", "",
         {"title": "Down", "services": ["a", "b"], "started_at": "now-5m"}),
        (("resolve", "INC-7", "--reason", "r", "--cause", "c"), "PUT", "INC-7/",
         {"status": "resolved", "reason": "r", "cause": "c"}),
        (("note", "INC-7", "hm"), "POST", "INC-7/notes/", {"text": "hm"}),
        (("step", "INC-7", "2", "--undo"), "PUT", "INC-7/steps/2/", {"done": False}),
        (("step", "INC-7", "call"), "POST", "INC-7/steps/", {"text": "call"}),
        (("add", "INC-7", "x", "y"), "POST", "INC-7/alerts/", {"alerts": ["x", "y"]}),
        (("merge", "INC-8", "--into", "INC-7"), "POST", "INC-8/merge/", {"into": "INC-7"}),
    ],
)  # fmt: skip
def test_incidents_are_changed(canned, run, words, method, path, body):
    """Each action asks its route, under the name that is given."""
    canned.answer(PATH + path, INCIDENT)
    lines = out(run("incidents", *words, "--as", "ann"))
    assert (len(lines) == 1) == (words[0] in {"note", "step"})
    if words[0] == "step":
        assert lines[0].endswith("2. [ ] Switch")
    asked = canned.received[0]
    assert (asked.method, json.loads(asked.body)) == (method, {**body, "by": "ann"})


def test_report_and_postmortem(canned, run, tmp_path):
    """A line for all and for each group; Markdown goes through as it is, and a file is kept; a missing one is told."""
    canned.answer("/api/monitoring/incident-report/", REPORT)
    lines = out(run("incidents", "report"))
    assert lines[0].startswith("in time is within 15 min")
    assert [" ".join(line.split()) for line in lines[2:4]] == [
        "incidents all 3 1 50% 1 8 min - 8 min", "incidents by severity critical 3 1 50% 1 8 min - 8 min",
    ]  # fmt: skip
    assert canned.received[0].parameters["last"] == "30d"
    canned.answer(f"{PATH}INC-7/postmortem/", {"id": "INC-7", "title": "", "is_draft": True, "text": "# A\n\n| a |"})
    assert out(run("incidents", "postmortem", "INC-7")) == ["# A", "", "| a |"]
    (tmp_path / "a.md").write_text("# Ours")
    out(run("incidents", "postmortem", "INC-7", "--write", str(tmp_path / "a.md"), "--as", "ann"))
    assert json.loads(canned.received[-1].body) == {"text": "# Ours", "by": "ann"}
    assert b"no.md can't be read: No such file" in run("incidents", "postmortem", "INC-7", "--write", "no.md").stderr
