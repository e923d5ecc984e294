"""Notifications put together: a settings file, the threads, the outbox, and a sink on a real socket."""

from __future__ import annotations

import http.server
import json
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from spanglass_core.alerting.lifecycle import Status
from spanglass_server.alerting.desk import NewAlert
from spanglass_server.notifications.model import State
from spanglass_server.notifications.ports import DeliveryFilter
from spanglass_server.process.parts.on_call.alerting import Alerting
from spanglass_server.process.parts.on_call.notifications import Notifications, problems_of
from spanglass_server.promql.stored.source import StoredSeries
from spanglass_server.self_metrics import registry as own
from spanglass_server.settings.table import Alerting as AlertingSettings
from spanglass_server.settings.table import Data, Settings

sys.path.insert(0, str(Path(__file__).parents[1] / "ingest"))

from nodes import Clock, open_node

DEADLINE_S = 30
SETTINGS = """
monitoring:
  channels:
    hook: {{type: webhook, url: "http://127.0.0.1:{port}/hook"}}
  notifications:
    route: {{group_by: [service], group_wait: 0s, group_interval: 1s, repeat_interval: 4h}}
"""


@pytest.fixture
def sink():
    """Take what is posted; ``taken`` are the bodies."""
    taken = []

    class Sink(http.server.BaseHTTPRequestHandler):
        """Answers 200."""

        def do_POST(self):
            """Take a message."""
            taken.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sink)
    server.taken = taken
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@contextmanager
def running(node, file):
    """Run alerting, which evaluates nothing, and notifications; gives both."""
    alerting_settings = AlertingSettings(enabled=False, shipped=False, channels=("hook", "nowhere"))
    settings = Settings(data=Data(dir=node.data_dir), alerting=alerting_settings, file=file)
    alerting = Alerting(settings, node.telemetry, node.real, StoredSeries, time.time_ns)
    notifications = Notifications(settings, node.telemetry, node.real, alerting.desk, time.time_ns)
    try:
        yield alerting.desk, notifications
    finally:
        notifications.close()
        alerting.close()


def until(condition):
    """Wait until something is the case."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "it did not become so in time"
        time.sleep(0.01)


def test_from_an_alert_to_its_end(tmp_path, sink):
    """It is told, acknowledged by the link of the message, told over once, across a restart; the history tells all."""
    file = tmp_path / "settings.yaml"
    file.write_text(SETTINGS.format(port=sink.server_port))
    with open_node(tmp_path / "data", Clock()) as node:
        with running(node, file) as (alerts, notifications):
            alert = alerts.create(NewAlert(title="Slow", labels={"service": "shop"}), "ann")
            until(lambda: len(sink.taken) == 1)
            until(lambda: any(entry.kind == "notified" for entry in alerts.store.history(alert.id)))
            desk = notifications.desk
            delivery = desk.store.deliveries(DeliveryFilter(alert_id=alert.id), limit=2)[0]
            assert delivery.notification.id == sink.taken[0]["id"]
            hook = desk.status().channels[0]
            assert (hook.name, hook.kind, hook.origin, hook.counts) == ("hook", "webhook", "settings", {State.SENT: 1})
            assert desk.status().problems[0].startswith("alerts are to be told over 'nowhere', which is no channel")
            figures = {each.metric: each.values for each in node.telemetry.snapshot()}
            assert figures[own.NOTIFICATIONS] == {("hook", "sent"): 1}
            assert desk.explain(alert.id).hearings[0].channels == ("hook", "nowhere")
            link = notifications.links.actions(delivery.notification, [alert])[0].url
            notifications.links.use(link.rpartition("/")[2], "bob", 0)
            assert alerts.store.alert(alert.id).status is Status.ACKNOWLEDGED
            assert desk.test("hook", "ann")[1].sent
            assert node.real.problems == []
        with running(node, file) as (alerts, notifications):
            alerts.resolve(alert.id, "bob")
            until(lambda: len(sink.taken) == 3)
            until(lambda: [entry.kind for entry in alerts.store.history(alert.id)][-1] == "notified")
            texts = [entry.text for entry in alerts.store.history(alert.id) if entry.kind == "notified"]

    assert [body["status"] for body in sink.taken] == ["firing", "info", "resolved"]
    assert texts == ["hook was told that it fires", "hook was told that it is over"]


def test_what_is_wrong_with_a_file_is_found_without_a_server(tmp_path):
    """Each problem has its place, names that lead nowhere too; nothing is made in the data directory."""
    file = tmp_path / "settings.yaml"
    file.write_text(
        "monitoring:\n  channels:\n    hook: {type: webhok, url: 'http://example.com'}\n"
        "    mail: {type: webhook, url: 'http://example.com'}\n"
        "  notifications:\n    route: {channels: [mial]}\n"
    )
    settings = Settings(data=Data(dir=tmp_path / "data"), file=file)
    found = sorted(problem.removeprefix(str(file)) for problem in problems_of(settings))
    assert [problem[:3] for problem in found] == [":3:", ":6:"]
    assert "did you mean 'webhook'?" in found[0]
    assert "mial" in found[1]
    assert not (tmp_path / "data").exists()
    assert problems_of(Settings()) == []
