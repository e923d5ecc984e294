"""The order in which log records arrive: kept, counted on for ever, and followed without a loss."""

from __future__ import annotations

import shutil

from nodes import NOW_NS, Clock, open_node
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from spanglass_server.ingest.decoding import decode
from spanglass_server.query.logs.search import search_logs
from spanglass_server.signals import Signal
from spanglass_server.store.ports import ALL_TIME, Window

SECOND_NS = 10**9
DAY_NS = 24 * 3600 * SECOND_NS


def logs(*bodies, time_ns=NOW_NS, pad=0):
    """A request with a log record of each body at one time; 0 is none. One that is "late" can't be stored."""
    request = ExportLogsServiceRequest()
    scope = request.resource_logs.add().scope_logs.add()
    for body in bodies:
        record = scope.log_records.add(time_unix_nano=NOW_NS + 9 * DAY_NS if body == "late" else time_ns)
        record.body.string_value = body
        if pad:
            record.attributes.add(key="pad").value.string_value = "x" * pad
    return request.SerializeToString()


def send(node, *bodies):
    """Send requests one after the other."""
    for body in bodies:
        node.submit(body, signal=Signal.LOGS)


def in_order(node):
    """The stored bodies and their arrival orders, in that order."""

    def ask(session):
        relation = session.relation(Signal.LOGS, ALL_TIME, ["body", "arrival_order"])
        return session.rows(f"SELECT body, arrival_order FROM {relation} ORDER BY arrival_order")  # noqa: S608

    return [(row["body"], row["arrival_order"]) for row in node.real.engine.run_here(ask)]


def test_records_are_counted_as_they_arrive(tmp_path, monkeypatch):
    """Over requests decoded together, alone and in slices; a rejected one leaves a gap; a crash changes nothing."""
    monkeypatch.setattr(decode, "SLICE_BYTES", 200)
    with open_node(tmp_path / "data") as node:
        node.submit(
            *(logs("a", "late", "b"), logs("late"), logs("c", "d", "e", pad=100), logs("f"), b"no request"),
            signal=Signal.LOGS,
        )
        send(node, logs("g"))
        before = in_order(node)
        shutil.copytree(tmp_path / "data", tmp_path / "crashed")
    with open_node(tmp_path / "crashed") as node:
        after = in_order(node)

    assert [body for body, _ in before] == ["a", "b", "c", "d", "e", "f", "g"]
    first = before[0][1]
    assert [order - first for _, order in before] == [0, 2, 3, 4, 5, 6, 7]
    assert after == before


def test_the_order_outlives_flushes_compaction_and_restarts(tmp_path):
    """Every record keeps its place, and what comes after a restart comes after all of them."""
    seen = []
    for turn in range(6):
        with open_node(tmp_path / "data") as node:
            send(node, logs(f"{turn}b", time_ns=NOW_NS - turn * SECOND_NS), logs(f"{turn}a"))
            orders = in_order(node)
            assert orders[: len(seen)] == seen
            seen = orders
    with open_node(tmp_path / "data") as node:
        assert node.real.store.compact() > 0
        assert in_order(node) == seen
    assert [body for body, _ in seen] == [f"{turn}{letter}" for turn in range(6) for letter in "ba"]


def test_following_a_store_that_flushes(tmp_path):
    """A follower gets each record once, late ones and those of one time too, over flushes, merges and a restart."""
    clock, found = Clock(), []
    cursor = None

    def look(node):
        nonlocal cursor
        window = Window(NOW_NS - SECOND_NS, NOW_NS + 1)
        page = node.real.engine.run_here(
            lambda session: search_logs(session, window, limit=2, after=cursor, descending=False)
        )
        cursor = page["newest_cursor"]
        return [log["body"] for log in page["logs"]]

    for turn in range(5):
        with open_node(tmp_path / "data", clock) as node:
            if not turn:
                send(node, logs("first"), logs("ahead", time_ns=NOW_NS + SECOND_NS))
                assert look(node) == ["first"]
            send(node, logs(f"{turn}"), logs(f"{turn} late", time_ns=NOW_NS - DAY_NS))
            while some := look(node):
                found += some
            node.real.store.compact()
        clock.now_ns += 3600 * SECOND_NS

    assert found == ["ahead", *(body for turn in range(5) for body in (f"{turn}", f"{turn} late"))]


def test_equal_requests_without_any_time_are_no_resends(tmp_path):
    """Each is kept: sent one by one, at once, or again after a crash; with a time, the same bytes are one request."""
    with open_node(tmp_path / "data") as node:
        undated, dated = logs("door", time_ns=0), logs("bell")
        send(node, undated, undated, dated, dated)
        answers = node.submit(undated, undated, dated, signal=Signal.LOGS)
        shutil.copytree(tmp_path / "data", tmp_path / "crashed")
        stored = [body for body, _ in in_order(node)]
    with open_node(tmp_path / "crashed") as node:
        send(node, dated, undated)
        after = [body for body, _ in in_order(node)]

    assert stored == ["door", "door", "bell", "door", "door"]
    assert [answer.duplicate for answer in answers] == [False, False, True]
    assert after == [*stored, "door"]


def test_a_request_with_one_time_is_dated(tmp_path):
    """One record that says when it was, or when it was seen, makes equal bytes a resend."""
    request = ExportLogsServiceRequest.FromString(logs("a", "b", time_ns=0))
    request.resource_logs[0].scope_logs[0].log_records[1].observed_time_unix_nano = NOW_NS
    body = request.SerializeToString()
    with open_node(tmp_path / "data") as node:
        send(node, body, body)
        assert [body for body, _ in in_order(node)] == ["a", "b"]
