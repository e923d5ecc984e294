"""Announcements of open spans keep when they were received, through memory, segments and a restart."""

from __future__ import annotations

import pytest
from nodes import NOW_NS, Clock, open_node
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from spanglass_server.signals import Signal
from spanglass_server.store.ports import ALL_TIME

HOUR_NS = 3_600_000_000_000


def request(*events):
    """Make a request with a record of each event, of a clock that is an hour behind."""
    message = ExportLogsServiceRequest()
    scope = message.resource_logs.add().scope_logs.add()
    for event in events:
        scope.log_records.add(time_unix_nano=NOW_NS - HOUR_NS, event_name=event)
    return message.SerializeToString()


def received(node):
    """Return the event of each record and when it was received."""

    def ask(session):
        logs = session.relation(Signal.LOGS, ALL_TIME, ["event_name", "received_time_ns"])
        return session.rows(f"SELECT * FROM {logs} ORDER BY event_name, received_time_ns")  # noqa: S608 - no text of users

    return [(row["event_name"], row["received_time_ns"]) for row in node.real.engine.run_here(ask)]


def test_when_announcements_were_received(tmp_path):
    """Theirs is the server's time, each request's own; other records have none. A restart changes nothing."""
    clock = Clock()
    expected = [("other", None)] + [("spanglass.span.running", NOW_NS + more) for more in (0, 5)] + [(None, None)]
    with open_node(tmp_path, clock) as node:
        node.submit(request("spanglass.span.running", "other", ""), signal=Signal.LOGS)
        clock.now_ns += 5
        node.submit(request("spanglass.span.running"), signal=Signal.LOGS)
        assert received(node) == expected
    clock.now_ns += HOUR_NS
    with open_node(tmp_path, clock) as node:
        assert received(node) == expected


@pytest.mark.parametrize("events", [("",), ("other", "")])
def test_requests_without_announcements_have_no_such_column(tmp_path, events):
    """Nothing is kept, or read, of what no record has."""
    with open_node(tmp_path) as node:
        node.submit(request(*events), signal=Signal.LOGS)
        columns = (Signal.LOGS, ALL_TIME, "received_time_ns")
        assert node.real.engine.run_here(lambda session: session.has_column(*columns)) is False
