"""Health put together over a real node: checks that run, what applications and spans tell, the threads, a restart."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from loadgen.server import free_ports
from spanglass_core.alerting.severity import Severity
from spanglass_server.alerting.model import Alert, Entry
from spanglass_server.alerting.store.in_memory import MemoryAlertStore
from spanglass_server.health.model import OVERALL, Call, Status, check_subject, component_subject
from spanglass_server.process.parts.checks.health import Health, Pace, Turns
from spanglass_server.promql.engine import instant
from spanglass_server.promql.stored.source import StoredSeries
from spanglass_server.settings.table import Data, Settings
from spanglass_server.settings.table import Health as HealthSettings
from spanglass_server.signals import Signal
from spanglass_server.store.ports import Window

sys.path.insert(0, str(Path(__file__).parents[1] / "ingest"))
sys.path.insert(0, str(Path(__file__).parents[1] / "health"))

from nodes import open_node
from targets import answer_http, hang

S = 10**9


class Target:
    """An HTTP server in a thread, that can be switched off and on again at the same port; and one that hangs."""

    def __init__(self):
        """Serve from now on."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        (self.port,) = free_ports(1)  # none that, while it is off, a connection of somebody else begins at
        self._servers = []
        self.hanging = self._call(self._start(hang, 0))
        self.up()

    def up(self):
        """Serve."""
        self._call(self._start(answer_http, self.port))

    def down(self):
        """Refuse connections."""
        self._call(self._stop(self._servers.pop()))

    async def _stop(self, server):
        server.close()  # in its loop: closed from outside, the loop may still wait for the port's number

    async def _start(self, handler, port):
        server = await asyncio.start_server(handler, "127.0.0.1", port)
        self._servers.append(server)
        return server.sockets[0].getsockname()[1]

    def _call(self, work):
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def close(self):
        """End the thread."""
        for server in self._servers:
            self._loop.call_soon_threadsafe(server.close)

        async def cancel():
            quiet_turns = 0
            while quiet_turns < 2:  # a connection that was just accepted becomes a task one turn later, and is open
                tasks = asyncio.all_tasks() - {asyncio.current_task()}
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                quiet_turns = 0 if tasks else quiet_turns + 1
                await asyncio.sleep(0)  # what was closed is gone after one more turn

        self._call(cancel())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(60)
        self._loop.close()


@pytest.fixture
def target():
    """An HTTP server that can be switched off."""
    made = Target()
    yield made
    made.close()


def write(tmp_path, port, hanging):
    """Write the settings file."""
    (tmp_path / "settings.yaml").write_text(f"""
monitoring:
  checks:
    - {{name: Shop, http: "http://127.0.0.1:{port}/ok", failures: 1, successes: 1, timeout: 30s, service: shop}}
    - {{name: Silent, http: "http://127.0.0.1:{hanging}/", critical: false}}
    - {{name: Nightly, heartbeat: 1d}}
    - {{name: Off, tcp: "127.0.0.1:1", enabled: false}}
""")


@contextmanager
def health_of(node, tmp_path, alerts=None):
    """Run health over a node, quickly; closed at the end."""
    settings = Settings(
        data=Data(dir=node.data_dir),
        health=HealthSettings(check_interval_ns=S // 10, timeout_ns=S // 10),
        file=tmp_path / "settings.yaml",
    )
    parts = (settings, node.telemetry, node.real, StoredSeries, alerts or MemoryAlertStore())
    made = Health(*parts, time.time_ns, Pace(store_s=0.05, refresh_s=0.05))
    try:
        yield made.desk
    finally:
        made.close()


def told(now_ns):
    """What an application sends: two instances with a check each, and the event that one has become unhealthy."""
    metrics, logs = ExportMetricsServiceRequest(), ExportLogsServiceRequest()
    for instance, value in (("a", 1.0), ("b", 0.0)):
        resource = metrics.resource_metrics.add()
        resource.resource.attributes.add(key="service.name").value.string_value = "cart"
        resource.resource.attributes.add(key="service.instance.id").value.string_value = instance
        metric = resource.scope_metrics.add().metrics.add(name="spanglass.health.check.status")
        point = metric.gauge.data_points.add(time_unix_nano=now_ns, as_double=value)
        point.attributes.add(key="spanglass.health.check.name").value.string_value = "database"
        point.attributes.add(key="spanglass.health.check.critical").value.bool_value = True
    resource = logs.resource_logs.add()
    resource.resource.attributes.add(key="service.name").value.string_value = "cart"
    record = resource.scope_logs.add().log_records.add(
        time_unix_nano=now_ns - 7 * S, event_name="spanglass.health.changed", severity_number=17
    )
    for key, text in (("check.name", "database"), ("status", "unhealthy"), ("detail", "too many connections")):
        record.attributes.add(key=f"spanglass.health.{key}").value.string_value = text
    return metrics.SerializeToString(), logs.SerializeToString()


def spans(now_ns):
    """Requests of the cart that all end well, and calls of its database, of which one in four fails."""
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    resource.resource.attributes.add(key="service.name").value.string_value = "cart"
    scope = resource.scope_spans.add()
    for number in range(40):
        is_call = number % 2
        start_ns = now_ns - 30 * S + number
        span = scope.spans.add(
            trace_id=(start_ns + 1).to_bytes(16, "big"),
            span_id=(number + 1).to_bytes(8, "big"),
            name="SELECT" if is_call else "GET /cart",
            kind=3 if is_call else 2,
            start_time_unix_nano=start_ns,
            end_time_unix_nano=start_ns + S // 100,
            status={"code": 2 if is_call and number % 8 == 1 else 1},
        )
        words = {"db.system.name": "postgresql", "db.namespace": "orders", "server.address": "db"}
        for key, text in (words if is_call else {"http.request.method": "GET"}).items():
            span.attributes.add(key=key).value.string_value = text
    return request.SerializeToString()


def alert(now_ns):
    """A critical alert about the cart."""
    return Alert(
        id="1", rule_uid="", rule_name="", fingerprint="f", key=(), title="Cart is slow", description="",
        severity=Severity.CRITICAL, status="active", source="api", labels={"service_name": "cart"}, value=None, unit="",
        created_ns=now_ns, updated_ns=now_ns, firing=False,
    )  # fmt: skip


def test_from_checks_to_the_whole_and_back(tmp_path, target):
    """An outage is seen, told as metric and event, counted in the uptime, and over; what hangs delays nothing."""
    write(tmp_path, target.port, target.hanging)
    with open_node(tmp_path / "data", time.time_ns) as node, health_of(node, tmp_path) as desk:
        node.until(lambda: desk.check("shop").status is Status.HEALTHY)
        node.until(lambda: desk.check("silent").status is Status.UNHEALTHY)
        assert desk.check("silent").detail.endswith("0.1 s")
        assert [view.status for view in (desk.check("nightly"), desk.check("off"))] == [Status.UNKNOWN] * 2
        node.until(lambda: desk.overall().status is Status.DEGRADED)
        assert [(reason.name, reason.status) for reason in desk.overall().reasons] == [("Silent", Status.UNHEALTHY)]
        began_ns = time.time_ns()
        version = desk.version
        target.down()
        node.until(lambda: desk.overall().status is Status.UNHEALTHY)
        assert (desk.overall().score <= 49, desk.version > version) == (True, True)
        shop = desk.component("api-shop")
        assert (shop.status, shop.sources, shop.checks) == (Status.UNHEALTHY, ("check",), ("shop",))
        # a call on its way when the server went may tell of something else first
        node.until(lambda: "connection refused" in desk.component("api-shop").reason.lower())
        target.up()
        node.until(lambda: desk.component("api-shop").status is Status.HEALTHY)
        node.until(lambda: len(desk.changes(check_subject("shop"))) == 3)
        ended_ns = time.time_ns()
        uptime = desk.uptime_of_check("shop", began_ns, ended_ns)
        (outage,) = uptime.outages
        assert began_ns < outage.start_ns < outage.end_ns < ended_ns
        assert 0 < uptime.share < 1
        assert desk.runs("shop")[0].figures["http.status"] == 200
        assert any(change.subject == OVERALL for change in desk.changes())

        # the same as metric and event, as applications' own checks have it
        def ask(session):
            told = 'min_over_time({"spanglass.health.check.status", spanglass_health_check_uid="shop"}[1h])'
            text = f"min by (service_name, spanglass_health_check_name) ({told})"
            value = instant(StoredSeries(session), text, time.time_ns() // 10**6).value
            logs = session.relation(
                Signal.LOGS, Window(time.time_ns() - 600 * S, time.time_ns() + S), ["event_name", "severity_number"]
            )
            events = session.rows(f"SELECT severity_number AS n, count(*) AS c FROM {logs} GROUP BY 1 ORDER BY 1")  # noqa: S608
            return value.labels.rows(), value.values.tolist(), [(row["n"], row["c"]) for row in events]

        node.until(lambda: len(node.real.engine.run_here(ask)[2]) == 3)
        labels, values, events = node.real.engine.run_here(ask)
        assert values == [[0.0]]
        assert (labels[0]["service_name"], labels[0]["spanglass_health_check_name"]) == ("shop", "Shop")
        assert events == [(9, 1), (13, 1), (17, 1)]
        assert node.real.problems == []


def test_heartbeats_deletion_and_a_restart(tmp_path, target, caplog):
    """A heartbeat is called by a secret address; what is deleted leaves its history; a restart forgets nothing.

    Those beside it run on meanwhile: nothing of the server fails.
    """
    write(tmp_path, target.port, target.hanging)
    with open_node(tmp_path / "data", time.time_ns) as node, health_of(node, tmp_path) as desk:
        node.until(lambda: desk.check("shop").status is Status.HEALTHY)
        token = desk.heartbeat_path("nightly").removeprefix("/heartbeat/")
        assert desk.called("guessed", Call(time.time_ns(), "ok")) is False
        assert desk.called(token, Call(time.time_ns(), "start"))
        assert desk.called(token, Call(time.time_ns(), "ok"))
        node.until(lambda: desk.check("nightly").status is Status.HEALTHY)
        assert desk.called(token, Call(time.time_ns(), "fail", "exit code 2"))
        node.until(lambda: desk.check("nightly").status is Status.UNHEALTHY)
        assert desk.check("nightly").detail.endswith("has failed: exit code 2")
        assert [call.kind for call in desk.calls("nightly")] == ["fail", "ok", "start"]

        (tmp_path / "settings.yaml").write_text("monitoring: {checks: [{name: Nightly, heartbeat: 1d}]}")
        node.until(lambda: len(desk.changes(check_subject("shop"))) == 2)
        assert desk.changes(check_subject("shop"))[0].detail == "the check is no more"
        with pytest.raises(KeyError):
            desk.check("shop")
        assert "failed" not in caplog.text

    with open_node(tmp_path / "data", time.time_ns) as node, health_of(node, tmp_path) as desk:
        node.until(lambda: desk.check("nightly").status is Status.UNHEALTHY)
        assert desk.check("nightly").detail.endswith("has failed: exit code 2")


def test_a_check_of_another_kind_under_its_name(tmp_path, target):
    """A check that was written anew as a heartbeat is called as one, and those beside it run on."""
    settings = tmp_path / "settings.yaml"
    checks = (
        f'monitoring: {{checks: [{{name: Shop, http: "http://127.0.0.1:{target.port}/ok"}}, {{name: Nightly, %s}}]}}'
    )
    settings.write_text(checks % 'tcp: "127.0.0.1:1", failures: 1')
    with open_node(tmp_path / "data", time.time_ns) as node, health_of(node, tmp_path) as desk:
        node.until(lambda: desk.check("nightly").status is Status.UNHEALTHY)
        settings.write_text(checks % "heartbeat: 1d")
        node.until(lambda: desk.check("nightly").kind == "heartbeat")
        assert desk.called(desk.heartbeat_path("nightly").removeprefix("/heartbeat/"), Call(time.time_ns(), "ok"))
        node.until(lambda: desk.check("nightly").status is Status.HEALTHY)
        ran_ns = time.time_ns()
        node.until(lambda: desk.check("shop").last_ns > ran_ns)
        assert node.real.problems == []


def test_a_heartbeat_that_is_switched_on_again(tmp_path):
    """Calls that were due while it was off are not missed: it is waited for anew."""
    settings = tmp_path / "settings.yaml"
    checks = "monitoring: {checks: [{name: Nightly, heartbeat: 1d, enabled: %s}]}"
    settings.write_text(checks % "true")
    with open_node(tmp_path / "data", time.time_ns) as node, health_of(node, tmp_path) as desk:
        token = desk.heartbeat_path("nightly").removeprefix("/heartbeat/")
        node.until(lambda: desk.next_ns("nightly") > 0)
        assert desk.called(token, Call(time.time_ns() - 3 * 86_400 * S, "ok"))
        node.until(lambda: desk.check("nightly").status is Status.UNHEALTHY)
        settings.write_text(checks % "false")
        node.until(lambda: "switched off" in {each.detail for each in desk.changes(check_subject("nightly"))})
        settings.write_text(checks % "true")
        node.until(lambda: desk.check("nightly").detail not in {"", "switched off"})
        found = desk.check("nightly")
        assert (found.status, found.detail[:22]) == (Status.UNKNOWN, "it was not called yet;")


def test_what_applications_and_spans_tell(tmp_path):
    """Checks of applications, services, databases: each with its source, why, and since when; alerts count too."""
    (tmp_path / "settings.yaml").write_text("")
    alerts = MemoryAlertStore()
    with open_node(tmp_path / "data", time.time_ns) as node:
        now_ns = time.time_ns()
        metrics, logs = told(now_ns)
        node.submit(metrics, signal=Signal.METRICS)
        node.submit(logs, signal=Signal.LOGS)
        node.submit(spans(now_ns))
        with health_of(node, tmp_path, alerts) as desk:
            node.until(lambda: len(desk.components()) == 5)
            found = {component.uid: component for component in desk.components()}
            check = next(view for view in desk.checks() if view.source == "application")
            database = found["database-postgresql-orders-on-db"]
            assert (database.status, database.sources) == (Status.DEGRADED, ("telemetry",))
            assert database.reason == "25% of the calls of the last 5m failed"
            assert database.figures["errors"].value == pytest.approx(0.25)
            assert (check.name, check.area, check.instances) == ("cart: database", "database", 2)
            assert (check.status, check.detail) == (Status.DEGRADED, "1 of 2 instances: too many connections")
            assert abs(check.since_ns - (now_ns - 7 * S)) < S
            assert (found["service-cart"].status, found["api-cart"].status) == (Status.HEALTHY, Status.HEALTHY)
            assert found["system-spanglass-server"].sources == ("server",)
            assert desk.overall().status is Status.DEGRADED
            alerts.create(alert(now_ns), Entry(now_ns, "fired", "api"))
            node.until(lambda: desk.component("service-cart").status is Status.UNHEALTHY)
            assert desk.component("service-cart").reason == "Cart is slow"
            node.until(lambda: len(desk.changes(component_subject("service-cart"))) == 2)


def test_telemetry_is_listened_to_when_rules_are_evaluated():
    """Turns begin at multiples of the interval, a delay later; a clock that is set back begins another."""
    now_s = [100]
    turns = Turns(15 * S, 5 * S, lambda: now_s[0] * S)
    seen = {}
    for now_s[0] in (109, 110, 124, 125, 126, 60):
        seen[now_s[0]] = turns.is_over()
        if seen[now_s[0]]:
            turns.begin()

    assert seen == {109: False, 110: True, 124: False, 125: True, 126: False, 60: True}
