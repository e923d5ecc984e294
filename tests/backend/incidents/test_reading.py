"""What is written: settings of incidents with every problem at its place, and runbooks as steps."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from made_incidents import MINUTE

from spanglass_core.alerting.lifecycle import Status
from spanglass_core.alerting.severity import Severity
from spanglass_server.incidents.config.book import IncidentBook
from spanglass_server.incidents.model import Incident, Line, Member, Turn
from spanglass_server.incidents.postmortem import draft
from spanglass_server.incidents.sql_views import sql_views
from spanglass_server.incidents.steps import Runbooks, steps_of
from spanglass_server.incidents.store.in_memory import MemoryIncidentStore
from spanglass_server.incidents.words import listed, took
from spanglass_server.notifications.model import Matcher
from spanglass_server.query.sql_console.read import run_sql

DOCS = Path(__file__).parents[3] / "docs"


def test_settings_are_read_again_when_they_change(tmp_path):
    """All keys; a file that is broken is told of with line and hint, and what it held stays until it is right again."""
    path = tmp_path / "spanglass.yaml"
    book = IncidentBook(path)
    assert [rule.name for rule in book.settings().rules] == ["severe", "several"]
    (tmp_path / "runbooks").mkdir()
    path.write_text(
        "monitoring:\n  incidents:\n    within: 5m\n    resolve_after: off\n    resolve_within: 20m\n"
        "    channels: mail\n    escalate: [pager]\n    runbooks: runbooks\n    keep: 400d\n    rules:\n"
        "      - {name: db, match: ['team=\"db\"', 'severity=~\"error|critical\"'], after: 2m, alerts: 2,"
        " severity: critical, lead: ann, responders: [bob], steps: [look], runbook: db, title: Down, channels: [x]}\n"
    )
    settings = book.settings()
    (rule,) = settings.rules
    assert rule.match == (Matcher("team", "=", "db"), Matcher("severity", "=~", "error|critical"))
    assert (rule.after_ns, rule.alerts, rule.severity, rule.steps) == (2 * MINUTE, 2, "critical", ("look",))
    assert (settings.within_ns, settings.resolve_after_ns, settings.resolve_within_ns) == (5 * MINUTE, 0, 20 * MINUTE)
    assert (settings.channels, settings.runbooks) == (("mail",), tmp_path / "runbooks")
    assert book.problems() == []
    assert [problem.split(", ")[0] for problem in settings.leading_nowhere(["mail"])] == [
        "incidents are to be told over 'pager'", "incidents are to be told over 'x'",
    ]  # fmt: skip
    path.write_text(
        "monitoring:\n  incidents:\n    witin: 5m\n    rules:\n      - {match: ['team=']}\n      - alerts: 0\n"
    )
    problems = [problem.removeprefix(f"{path}:") for problem in book.problems()]
    assert [problem.partition(": ")[0] for problem in problems] == ["3:5", "5:9", "6:17", "6:9"]
    assert "unknown key 'witin'; did you mean 'within'?" in problems[0]
    assert book.settings() == settings
    path.write_text("monitoring: {incidents: {enabled: false}}\n")
    assert not book.settings().enabled


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("https://runbooks/x", ["Follow the runbook https://runbooks/x"]),
        ("restart it", ["restart it"]),
        ("# Title\nlook\n\nrestart", ["look", "restart"]),
        ("intro\n\n1. look\n   at logs\n2) restart\n   - nested\n\n- [ ] tell\n* [x] done\nend", [
            "look at logs", "restart - nested", "tell", "done",
        ]),
        ("- " + "x" * 2000, ["x" * 1000]),
        ("-not an item", ["-not an item"]),
    ],
)  # fmt: skip
def test_steps_of_a_runbook(text, expected):
    """Items of lists with what is indented below them; lines without lists; an address is to be followed."""
    assert [step.text for step in steps_of(text, "here")] == expected


def test_runbooks_by_name(tmp_path):
    """A name finds a file of the directory, with .md or without; nothing leads out of it; all else is the text."""
    (tmp_path / "books").mkdir()
    (tmp_path / "books" / "db.md").write_text("- look")
    (tmp_path / "secret.md").write_text("- no")
    books = Runbooks(tmp_path / "books")
    assert [books.text(name) for name in ("db", " db.md ", "../secret", "..", "other", "- own")] == [
        "- look", "- look", "../secret", "..", "other", "- own",
    ]  # fmt: skip
    assert Runbooks().text("db") == "db"


def test_durations_and_names_in_words():
    """Two units, whole seconds; few names."""
    second = 10**9
    assert [took(each * second) for each in (-1, 0.4, 59.6, 60, 3607, 7500, 90_000, 864_000)] == [
        "0 s", "0 s", "1 min", "1 min", "1 h", "2 h 5 min", "1 d 1 h", "10 d",
    ]  # fmt: skip
    assert [listed(each) for each in ((), ("a",), ("a", "b"), ("a", "b", "c", "d"))] == [
        "", "a", "a and b", "a, b, c and 1 more",
    ]  # fmt: skip


def test_incidents_in_sql(open_tables):
    """Lists are lists, times are times, durations are seconds; every column stands in docs/data-layout.md."""
    store = MemoryIncidentStore()
    session = open_tables()
    session.tables_offered = sql_views(store)
    known = Incident(
        title="a", severity=Severity.ERROR, source="rule", opened_ns=20 * 10**9, updated_ns=1, started_ns=10**9,
        recovered_ns=61 * 10**9, services=("shop", "db"),
    )  # fmt: skip
    store.open(Turn(known))
    asked = "SELECT id, services[2], recover_s, resolve_s, opened_at - started_at = INTERVAL 19 SECOND FROM "
    assert run_sql(session, asked + "monitoring_incidents")["rows"] == [["INC-1", "db", 60.0, None, True]]
    text = (DOCS / "data-layout.md").read_text()
    sections = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE))
    rows = re.findall(r"^\| ([^|]+) \|", sections["`monitoring_incidents`"], re.MULTILINE)
    documented = re.findall(r"`([a-z_]+)`", "".join(rows))
    columns = run_sql(session, "FROM monitoring_incidents")["columns"]
    assert sorted(documented) == sorted(column["name"] for column in columns)


def test_a_postmortem_tells_of_a_group_as_one():
    """What is told of several alerts at once is a line with the number of the others; what comes later is its own."""
    members = [
        Member(
            alert_id=name, because="about shop", joined_ns=0, title=f"{name} fails", severity=Severity.ERROR,
            status=Status.ACTIVE, firing=True, created_ns=0,
        )
        for name in ("A", "B")
    ]  # fmt: skip
    told = [("A", 0), ("B", 1), ("A", 1), ("A", 90)]
    lines = [Line(second * 10**9, "alert.notified", "server", "mail was told", "", name) for name, second in told]
    lines += [Line(91 * 10**9, "note", "ann", "looking"), Line(91 * 10**9, "note", "ann", "looking")]
    incident = Incident(title="Shop", severity=Severity.ERROR, source="rule", opened_ns=0, updated_ns=0, started_ns=0)
    text = draft(incident, members, lines, [])
    assert [row.partition(" server ")[2] for row in text.splitlines() if "notified" in row] == [
        "| alert notified A fails and 1 more: mail was told |", "| alert notified A fails: mail was told |",
    ]  # fmt: skip
    assert text.count("looking") == 2
