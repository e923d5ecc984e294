"""Alerting put together over a real node: real rules, stored spans, the threads, a file of alerts."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spanglass_core.alerting.lifecycle import Status
from spanglass_server.alerting.evaluation.evaluator import RuleEvaluator
from spanglass_server.alerting.ports import AlertFilter
from spanglass_server.process.parts.on_call.alerting import Alerting
from spanglass_server.promql.stored.source import StoredSeries
from spanglass_server.settings.table import Alerting as AlertingSettings
from spanglass_server.settings.table import Data, Settings

sys.path.insert(0, str(Path(__file__).parents[1] / "ingest"))

from nodes import Clock, open_node

S = 10**9
RULES = """
alert_rules:
  - name: Errors
    condition: error_rate > 5%
    labels: {team: "{{ $labels.service_name }}-team"}
    title: "{{ $labels.service_name }} fails"
  - name: Broken
    condition: promql("sum(") > 1
"""


def spans(now_ns, bad):
    """Return a request with twenty requests of the shop within the last ten seconds, so many of them bad."""
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    resource.resource.attributes.add(key="service.name").value.string_value = "shop"
    scope = resource.scope_spans.add()
    for number in range(20):
        start_ns = now_ns - 10 * S + number * S // 4
        scope.spans.add(
            trace_id=(start_ns + 1).to_bytes(16, "big"),
            span_id=(number + 1).to_bytes(8, "big"),
            name="GET /cart",
            kind=2,
            start_time_unix_nano=start_ns,
            end_time_unix_nano=start_ns + S // 10,
            status={"code": 2 if number < bad else 1},
        )
    return request.SerializeToString()


@contextmanager
def alerting_of(node, tmp_path, **changes):
    """Run alerting over a node; closed at the end."""
    settings = Settings(
        data=Data(dir=node.data_dir),
        alerting=AlertingSettings(dir=tmp_path / "rules", shipped=False, silence_ns=120 * S, **changes),
    )
    made = Alerting(settings, node.telemetry, node.real, StoredSeries, node.clock)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def node(tmp_path):
    """Open a node with a file of rules beside it."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "rules.yaml").write_text(RULES)
    clock = Clock()
    clock.now_ns = clock.now_ns // (15 * S) * 15 * S + 8 * S
    with open_node(tmp_path / "data", clock) as opened:
        yield opened


def pass_time(node, ticks, bad):
    """Let ticks pass, with requests before each."""
    for _ in range(ticks):
        node.clock.now_ns += 15 * S
        node.submit(spans(node.clock.now_ns, bad))


def alerts(alerting, source="rule"):
    """Return the alerts of a source, the earliest first."""
    return list(alerting.desk.store.alerts(AlertFilter(source=source), limit=99))[::-1]


def test_from_spans_to_alerts_and_back(node, tmp_path):
    """Raised with evidence, kept over a restart, made up for, resolved; what the server knows of itself is told."""
    with alerting_of(node, tmp_path) as alerting:
        for _ in range(4):
            pass_time(node, 1, bad=10)
            node.until(lambda: alerting.desk.status().last_tick_ns >= node.clock.now_ns - 15 * S)
        node.until(lambda: alerts(alerting) and alerts(alerting)[0].evidence)
        (alert,) = alerts(alerting)
        assert (alert.title, alert.labels) == ("shop fails", {"service_name": "shop", "team": "shop-team"})
        assert (alert.status, alert.value, alert.unit) == (Status.ACTIVE, pytest.approx(0.5, abs=0.2), "ratio")
        status = alerting.desk.status()
        assert (status.rules["errors"].firing, status.rules["errors"].keys) == (1, 1)
        assert status.rules["broken"].error
        node.until(lambda: alerts(alerting, "server"))
        assert [own.title for own in alerts(alerting, "server")] == ["An alert rule fails: Broken"]
        assert node.real.problems == []
        alerting.desk.acknowledge(alert.id, "ann")
    pass_time(node, 20, bad=0)
    with alerting_of(node, tmp_path) as alerting:
        node.until(lambda: alerts(alerting)[0].status is Status.RESOLVED)
        (again,) = alerts(alerting)
        assert replace(again, evidence={}).id == alert.id
        assert again.resolved_ns < node.clock.now_ns - 60 * S, "it was over long before the server started again"
        kinds = [entry.kind for entry in alerting.desk.store.history(alert.id)]
        assert (kinds[0], sorted(kinds[1:])) == ("fired", ["acknowledged", "evidence", "resolved"])
        node.clock.now_ns -= 100 * S
        node.until(lambda: any("the clock was set back" in problem for problem in node.real.problems))


def test_alerting_that_is_off_says_so(node, tmp_path):
    """Nothing is evaluated, and what lists rules tells why; a server that is meant to be so is well."""
    with alerting_of(node, tmp_path, enabled=False) as alerting:
        assert alerting.desk.status().problems == ("no rule is evaluated: alerting.enabled is false in the settings",)
        assert node.real.problems == []


def test_stopping_does_not_wait_for_evaluations(node, tmp_path, monkeypatch):
    """A query that would take for ever is interrupted when the server stops, and is no failure."""
    began = []

    def endless(self, session, rules, steps):
        del self, rules, steps
        began.append(1)
        session.execute("SELECT count(*) FROM range(1000000000000) AS a(x) WHERE x % 7 = 3")

    monkeypatch.setattr(RuleEvaluator, "evaluate", endless)
    with alerting_of(node, tmp_path) as alerting:
        pass_time(node, 2, bad=0)
        node.until(lambda: began)
        start = time.monotonic()
    assert time.monotonic() - start < 30
    assert alerting._supervisor.problems == []
