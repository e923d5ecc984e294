"""Alerts and thresholds as SQL sees them: as they are at the moment, with the columns that are documented."""

from __future__ import annotations

import re
import uuid
from pathlib import Path

import pytest

from spanglass_core.alerting.rule import Rule
from spanglass_core.alerting.severity import Severity
from spanglass_server.alerting.desk import Desk, NewAlert
from spanglass_server.alerting.ports import Found, KeptThreshold, Threshold
from spanglass_server.alerting.sql_views import sql_views
from spanglass_server.alerting.store.in_memory import MemoryAlertStore
from spanglass_server.alerting.watching.status import AlerterStatus
from spanglass_server.query.errors import BadQuestionError
from spanglass_server.query.sql_console.read import run_sql
from spanglass_server.store.ports import OfferedTable, QueryError

DOCS = Path(__file__).parents[3] / "docs" / "data-layout.md"
NOW_NS = 1_700_000_000_123_456_789


class Book:
    """Two rules, one of them tuned."""

    def rules(self):
        """See ``RuleBook``."""
        rules = (
            Rule(uid="slow", name="Slow", condition="avg_response_time > 1000ms", critical=2.0, for_ns=90 * 10**9),
            Rule(uid="new", name="New issues", condition="new_issue", enabled=False),
        )
        return {rule.uid: Found(rule, "kept", "", "") for rule in rules}

    def thresholds(self):
        """See ``RuleBook``."""
        return [KeptThreshold("slow", Threshold(critical=2.0), "ann", NOW_NS)]


@pytest.fixture
def desk():
    """A desk over a store in memory."""
    return Desk(Book(), MemoryAlertStore(), None, AlerterStatus, lambda: NOW_NS, lambda: str(uuid.uuid4()))


@pytest.fixture
def ask(open_tables, desk):
    """Ask SQL of a session that is offered both views."""
    session = open_tables(spans=[{"name": "a"}])
    session.tables_offered = sql_views(desk.book, desk.store)
    return lambda sql: run_sql(session, sql)


def test_alerts_are_seen_as_they_are(ask, desk):
    """Types, times to the nanosecond, details as JSON, nothing as null; what changes is seen by the next statement."""
    count = "SELECT count(*), count(*) FILTER (status = 'resolved') FROM monitoring_alerts"
    assert ask(count)["rows"] == [[0, 0]]
    labels = {"service_name": "shop", "host": "h1"}
    made = desk.create(NewAlert(title="t", severity=Severity.ERROR, labels=labels, value=0.5), "ann")
    assert ask(count)["rows"] == [[1, 0]]
    desk.resolve(made.id, "bob")
    assert ask(count)["rows"] == [[1, 1]]
    (row,) = ask(
        "SELECT id = CAST(? AS UUID), typeof(id), alert_type, severity, service, host, details->>'$.labels.host', "
        "created_at, typeof(resolved_at), resolved_by, acknowledged_by, value, rule FROM monitoring_alerts".replace(
            "?", f"'{made.id}'"
        )
    )["rows"]
    assert row == [
        *(True, "UUID", "api", "error", "shop", "h1", "h1"),
        *("2023-11-14T22:13:20.123456789Z", "TIMESTAMP_NS", "bob", None, 0.5, None),
    ]
    joined = "SELECT count(*) FROM monitoring_alerts a JOIN spans s ON true WHERE a.created_at < now()"
    assert ask(joined)["rows"] == [[1]]


def test_thresholds_are_those_in_force(ask):
    """A row a rule, with who tuned it."""
    answer = ask(
        "SELECT * EXCLUDE (rule_name, error_threshold, recovery_threshold) FROM monitoring_thresholds ORDER BY id"
    )
    assert [column["name"] for column in answer["columns"]] == [
        *("id", "metric_type", "warning_threshold", "critical_threshold", "duration", "enabled"),
        *("updated_by", "updated_at", "unit"),
    ]
    assert answer["rows"] == [
        ["new", "new_issue", None, None, 0, False, None, None, ""],
        ["slow", "avg_response_time", 1.0, 2.0, 90, True, "ann", "2023-11-14T22:13:20.123456789Z", "s"],
    ]


@pytest.mark.parametrize("view", ["monitoring_alerts", "monitoring_thresholds"])
def test_every_column_is_documented(ask, view):
    """docs/data-layout.md names each column in the view's section, and no other."""
    sections = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", DOCS.read_text(), re.DOTALL | re.MULTILINE))
    documented = re.findall(r"`([a-z_]+)`", "".join(re.findall(r"^\| ([^|]+) \|", sections[f"`{view}`"], re.MULTILINE)))
    assert sorted(documented) == sorted(column["name"] for column in ask(f"FROM {view}")["columns"])


def test_views_are_told_and_guarded(ask, open_tables):
    """SHOW TABLES names them, DESCRIBE shows them; without an offer they are no tables; a failing disk is said."""
    shown = [row[0] for row in ask("SHOW TABLES")["rows"]]
    assert {"monitoring_alerts", "monitoring_thresholds", "spans"} <= set(shown)
    assert ["details", "JSON"] in [row[:2] for row in ask("DESCRIBE monitoring_alerts")["rows"]]
    with pytest.raises(BadQuestionError, match="no table 'memory_1'"):
        ask("SELECT * FROM monitoring_alerts, memory_1")
    with pytest.raises(BadQuestionError, match="no table 'monitoring_alerts'"):
        run_sql(open_tables(), "FROM monitoring_alerts")

    def fail():
        raise OSError("disk I/O error")

    session = open_tables()
    session.tables_offered = {"monitoring_alerts": OfferedTable(fail)}
    with pytest.raises(QueryError, match="disk I/O error"):
        run_sql(session, "FROM monitoring_alerts")
