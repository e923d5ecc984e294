"""The rules that come with the product: each fires on what each kind of sender sends, and is quiet before."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import pytest
from rule_series import evaluator, made

import spanglass_server.alerting.rules.shipped as shipped_package
from spanglass_core.alerting.levels import eased
from spanglass_server.alerting.backtest.backtest import Options, backtest
from spanglass_server.alerting.baselines.ahead import StoredForecasts
from spanglass_server.alerting.baselines.baselines import Baselines
from spanglass_server.alerting.rules.form.spec import RULES
from spanglass_server.alerting.rules.templates.expanding import expand
from spanglass_server.alerting.rules.templates.values import Filling
from spanglass_server.store.ports import Window
from spanglass_server.times import NS_PER_SECOND, parse_time

if TYPE_CHECKING:
    from spanglass_server.store.ports import QuerySession

MINUTE_NS = 60 * NS_PER_SECOND
#: Healthy for 40 minutes, then the fault for 20, a value every 30 s.
HEALTHY, FAULT = 80, 40
FILES = sorted(Path(shipped_package.__path__[0]).glob("*.yaml"))
DOCS = Path(__file__).parents[4] / "docs" / "shipped-rules.md"
SHIPPED = {rule.uid: rule for file in FILES for rule, _ in RULES.read_yaml(file.read_text(), file.name).found}


def gauge(name, healthy, fault):
    """A gauge that changes when the fault begins; names with dots are quoted as PromQL has it."""
    return {quoted(name): f"{healthy}x{HEALTHY} {fault}x{FAULT}"}


def counter(name, healthy, fault):
    """A counter that rises so much every 30 s, before and during the fault."""
    return {quoted(name): f"0+{healthy}x{HEALTHY} {healthy * HEALTHY}+{fault}x{FAULT}"}


def quoted(name):
    """``a.b{x="1"}`` in the notation."""
    return re.sub(r"^([a-z._]*\.[a-z._]*)\{", r'{"\1", ', name)


def durations(name, labels, fast, slow):
    """A histogram whose values are all below ``fast``, and with the fault half of them below ``slow`` only."""
    faster, slower = f'{labels}, le="{fast:g}"', f'{labels}, le="{slow:g}"'
    return (
        counter(f"{name}_bucket{{{faster}}}", 60, 30)
        | counter(f"{name}_bucket{{{slower}}}", 60, 60)
        | counter(f'{name}_bucket{{{labels}, le="+Inf"}}', 60, 60)
        | counter(f"{name}_count{{{labels}}}", 60, 60)
        | counter(f"{name}_sum{{{labels}}}", 60 * fast, 60 * slow)
    )


def spans(kind, healthy=(60, 0), fault=(60, 0), more=""):
    """Spans of a service by status: those that went well, and those that failed."""
    text = f'service_name="a", span_kind="{kind}"{more}'
    went_well = counter(f'spans_total{{{text}, status_code="unset"}}', healthy[0], fault[0])
    return went_well | counter(f'spans_total{{{text}, status_code="error"}}', healthy[1], fault[1])


def issues(event):
    """An event of an issue."""
    labels = f'event="{event}", service_name="a", issue="A-1", title="ValueError"'
    return {f"issue_events_total{{{labels}}}": f"0x{HEALTHY} 1x{FAULT}"}


def usage(metric, healthy, fault, state="state", more=""):
    """Sizes in use and free, of 100."""
    return gauge(f'{metric}{{host_name="h", {state}="used"{more}}}', healthy, fault) | gauge(
        f'{metric}{{host_name="h", {state}="free"{more}}}', 100 - healthy, 100 - fault
    )


def tasks(outcome, healthy, fault):
    """Tasks of Celery that ended."""
    return counter(f'spanglass.task.count{{service_name="a", spanglass_task_outcome="{outcome}"}}', healthy, fault)


def check_of(critical):
    """The labels of a health check."""
    return f'service_name="a", spanglass_health_check_name="db", spanglass_health_check_critical="{critical}"'


A, H = 'service_name="a"', 'host_name="h"'
HTTP, OLD_HTTP = "http_server_request_duration_seconds", "http_server_duration_milliseconds"
QUERIES = "kind:client and db.system.name exists"
#: By rule: who sends what. "ours" is our instrumentation, "plain" OpenTelemetry's, "collector" the Collector.
CASES = {
    "requests-fail": {
        "spans": spans("server", fault=(50, 10)),
        "plain": counter(f'{HTTP}_count{{{A}, http_response_status_code="200"}}', 60, 50)
        | counter(f'{HTTP}_count{{{A}, http_response_status_code="503"}}', 0, 10),
        "old": counter(f'{OLD_HTTP}_count{{{A}, http_status_code="200"}}', 60, 50)
        | counter(f'{OLD_HTTP}_count{{{A}, http_status_code="500"}}', 0, 10),
    },
    "answers-are-slow": {
        "spans": durations("span_duration_seconds", f'{A}, span_kind="server"', 0.1, 2.5)
        | counter(f'spans_total{{{A}, span_kind="server"}}', 60, 60),
        "unusual": durations("span_duration_seconds", f'{A}, span_kind="server"', 0.01, 0.25)
        | counter(f'spans_total{{{A}, span_kind="server"}}', 60, 60),
        "plain": durations(HTTP, A, 0.1, 2.5),
        "old": durations(OLD_HTTP, A, 100, 2500),
    },
    "a-service-falls-silent": {"spans": spans("server", fault=(0, 0)), "plain": counter(f"{HTTP}_count{{{A}}}", 60, 0)},
    "a-new-error": {"all": issues("new_issue")},
    "an-error-is-back": {"all": issues("regression")},
    "an-error-escalates": {"all": issues("escalation")},
    "more-errors-in-the-logs": {
        "some": counter(f'log_records_total{{{A}, severity="error"}}', 1, 60),
        "none": counter(f'log_records_total{{{A}, severity="info"}}', 60, 60)
        | counter(f'log_records_total{{{A}, severity="error"}}', 0, 60),
    },
    "a-connection-pool-is-nearly-used-up": {
        "ours": gauge(f'db.client.connection.count{{{A}, db_client_connection_state="used"}}', 2, 10)
        | gauge(f"db.client.connection.max{{{A}}}", 10, 10),
        "old": gauge(f'db.client.connections.usage{{{A}, state="used"}}', 2, 10)
        | gauge(f"db.client.connections.max{{{A}}}", 10, 10),
    },
    "queries-are-slow": {
        "ours": durations("db_client_operation_duration_seconds", A, 0.1, 2.5),
        "spans": durations("span_duration_seconds", f'{A}, span_kind="client", db_system_name="mysql"', 0.1, 2.5)
        | counter(f'spans_total{{{A}, span_kind="client", db_system_name="mysql"}}', 60, 60),
    },
    "more-queries-for-each-request": {
        "spans": spans("server") | counter(f'spans_total{{{A}, __filter__="{QUERIES}"}}', 60, 1260)
    },
    "sessions-wait-for-locks": {
        "ours": gauge(f"spanglass.db.lock.waiting{{{A}}}", 0, 3),
        "failures": counter(f"spanglass.db.lock_failures{{{A}}}", 0, 1),
        "collector": counter(f"postgresql.deadlocks{{{A}}}", 0, 1),
    },
    "tasks-fail": {
        "ours": tasks("success", 60, 50) | tasks("failure", 0, 10),
        "plain": spans("consumer", fault=(50, 10)),
    },
    "a-queue-grows": {
        "ours": gauge(f"spanglass.queue.length{{{A}}}", 10, 200),
        "collector": gauge(f'rabbitmq.message.current{{{A}, state="ready"}}', 100, 2000),
        "kafka": gauge(f"kafka.consumer_group.lag{{{A}}}", 10, 2000),
    },
    "a-disk-fills-up": {
        "ours": gauge(f'system.filesystem.utilization{{{H}, system_filesystem_state="used"}}', 0.5, 0.9),
        "hostmetrics": usage("system.filesystem.usage", 50, 90, more=', mountpoint="/"'),
        "utilization": gauge(f'system.filesystem.utilization{{{H}, mountpoint="/"}}', 0.5, 0.9),
    },
    "processors-are-busy": {
        "ours": gauge(f'system.cpu.utilization{{{H}, cpu_mode="idle"}}', 0.5, 0.01),
        "plain": gauge(f'system.cpu.utilization{{{H}, state="idle"}}', 0.5, 0.01),
        "hostmetrics": counter(f'system.cpu.time{{{H}, state="idle", cpu="cpu0"}}', 15, 0),
    },
    "memory-runs-out": {
        "ours": gauge(f'system.memory.utilization{{{H}, system_memory_state="used"}}', 0.5, 0.95),
        "plain": gauge(f'system.memory.utilization{{{H}, state="used"}}', 0.5, 0.95),
        "hostmetrics": usage("system.memory.usage", 50, 95),
    },
    "the-network-is-slow": {"ours": durations("spanglass_network_latency_seconds", H, 0.01, 1.0)},
    "a-health-check-fails": {
        "server": gauge(f"spanglass.health.check.status{{{check_of('true')}}}", 1, 0),
        "half": gauge(f"spanglass.health.check.status{{{check_of('true')}}}", 1, 0.5),
    },
    "a-lesser-health-check-fails": {
        "server": gauge(f"spanglass.health.check.status{{{check_of('false')}}}", 1, 0)
    },
    "something-is-unusual": {
        "ours": gauge(f'anomaly_surprise{{{A}, kind="failures", subject="web GET /"}}', 3, 20)
    },
    "memory-of-a-service-grows": {
        "ours": gauge(f"process.memory.usage{{{A}}}", 100_000_000, 150_000_000),
        "plain": gauge(f'process.runtime.cpython.memory{{{A}, type="rss"}}', 100_000_000, 150_000_000),
    },
}  # fmt: skip


def test_every_rule_is_right():
    """The files have no problems, every condition can be evaluated, and each of them is tried below or by itself."""
    problems = [str(one) for file in FILES for one in RULES.read_yaml(file.read_text(), file.name).problems]
    checking = evaluator(made({}), baselines=Baselines(), forecasts=StoredForecasts())

    assert problems == []
    assert {uid: checking.check(rule) for uid, rule in SHIPPED.items()} == dict.fromkeys(SHIPPED)
    assert set(CASES) | {"a-database-grows", "a-disk-is-full-within-a-week"} == set(SHIPPED)
    rows = re.findall(r"^\| ([A-Z].*?) \| `(.*?)` \|", DOCS.read_text(), re.MULTILINE)
    assert sorted(rows) == sorted((rule.name, rule.condition) for rule in SHIPPED.values())


def fires(uid, series, window, step_ms=30_000):
    """When the rule fired, in minutes since the window's beginning."""
    live = evaluator(made(series, step_ms=step_ms), baselines=Baselines(), forecasts=StoredForecasts())
    options = Options(live=lambda _, steps: np.ones(steps.size, np.bool_))  # something comes in all the time
    found = backtest(cast("QuerySession", None), live, SHIPPED[uid], window, options)
    assert found["failure"] is None, found
    return [
        (parse_time(span["fired_time"], 0) - window.start_ns) / MINUTE_NS
        for key in found["keys"]
        for span in key["fired"]
    ]


@pytest.mark.parametrize(("uid", "sender"), [(uid, sender) for uid, senders in CASES.items() for sender in senders])
def test_a_rule_fires_when_its_fault_begins(uid, sender):
    """Nothing fires in 40 healthy minutes; once the fault began the rule fires, once."""
    (fired,) = fires(uid, CASES[uid][sender], Window(0, 60 * MINUTE_NS))

    assert 40 < fired < 60


def test_queries_of_few_requests_are_no_alarm():
    """Where a request comes each ten seconds, one that asks its database often is no change of all of them."""
    series = spans("server", (3, 0), (3, 0)) | counter(f'spans_total{{{A}, __filter__="{QUERIES}"}}', 3, 63)
    assert fires("more-queries-for-each-request", series, Window(0, 60 * MINUTE_NS)) == []


def test_queries_are_compared_with_the_usual_number_for_each_request():
    """Where many requests come, ten queries for each of them instead of one are an alarm as well."""
    series = spans("server", (600, 0), (600, 0)) | counter(f'spans_total{{{A}, __filter__="{QUERIES}"}}', 600, 6000)
    assert fires("more-queries-for-each-request", series, Window(0, 60 * MINUTE_NS))


def test_a_check_that_is_degraded_again_is_critical_no_more():
    """After 0 (unhealthy) the level critical ends at 0.5 (degraded), though the alert goes on as a warning."""
    rule = SHIPPED["a-health-check-fails"]
    assert rule.critical is not None
    assert 0 < rule.critical < eased("<", rule.critical, rule.hysteresis) < 0.5


@pytest.mark.parametrize("uid", ["a-health-check-fails", "a-lesser-health-check-fails"])
def test_checks_of_the_server_are_told_without_its_name(uid):
    """The service of a check is told unless it is the server's own name."""
    labels = {"spanglass_health_check_name": "Certificate", "service_name": "spanglass"}
    text = SHIPPED[uid].title

    assert expand(text, Filling(labels=labels, value=0.0)).split() == ["Certificate", "is", "not", "healthy"]
    of_shop = expand(text, Filling(labels={**labels, "service_name": "shop"}, value=0.0))
    assert of_shop == "Certificate of shop is not healthy"


def test_a_database_that_grows():
    """Half as much again as a day before, and a gigabyte at least."""
    series = gauge(f"spanglass.db.size{{{A}}}", "1000000000", "1600000000")
    minutes = dict.fromkeys(series, "1000000000x1470 1600000000x60")
    (fired,) = fires("a-database-grows", minutes, Window(1450 * MINUTE_NS, 1500 * MINUTE_NS), step_ms=60_000)
    assert 25 <= fired < 30


def test_a_disk_that_is_full_within_a_week():
    """A disk that gains 2 % a day is told of a week before it is full, once, and one that stays as it is never."""
    name = 'system.filesystem.utilization{{host_name="{}", system_filesystem_state="used"}}'
    series = {quoted(name.format("growing")): f"0.6+{0.02 / 288:.8f}x3800", quoted(name.format("steady")): "0.7x3800"}
    window = Window(11 * 1440 * MINUTE_NS, 13 * 1440 * MINUTE_NS)
    (fired,) = fires("a-disk-is-full-within-a-week", series, window, step_ms=5 * 60_000)
    assert 12 <= 11 + fired / 1440 < 12.5  # 0.6 + 0.02 * (12 + 7) = 98 %
