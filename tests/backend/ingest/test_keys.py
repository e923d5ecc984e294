"""Keys and values that OTLP forbids or that collide with others: one rule each, in memory and in segments."""

from __future__ import annotations

import math

import pytest
from nodes import NOW_NS, Clock, open_node
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from spanglass_server.query.logs.search import search_logs
from spanglass_server.query.sql_console.read import run_sql
from spanglass_server.signals import Signal
from spanglass_server.store.ports import ALL_TIME

LIST = AnyValue()
LIST.array_value.values.add(int_value=1)


def request(*records):
    """A request of log records: of each its body, and its attributes as pairs."""
    message = ExportLogsServiceRequest()
    scope = message.resource_logs.add().scope_logs.add()
    for body, attributes in records:
        record = scope.log_records.add(time_unix_nano=NOW_NS)
        record.body.string_value = body
        for key, value in attributes:
            record.attributes.add(key=key).value.CopyFrom(value)
    return message.SerializeToString()


@pytest.fixture(params=["memory", "segment"])
def stored(request, tmp_path):
    """Yield a function that stores requests and returns one that runs a function over them."""
    opened = []

    def store(*bodies, **storage):
        clock = Clock()
        if request.param == "segment":
            with open_node(tmp_path / "data", clock, **storage) as node:
                node.submit(*bodies, signal=Signal.LOGS)
        manager = open_node(tmp_path / "data", clock, **storage)
        node = manager.__enter__()
        opened.append(manager)
        if request.param == "memory":
            node.submit(*bodies, signal=Signal.LOGS)
        return node.real.engine.run_here

    yield store
    for manager in opened:
        manager.__exit__(None, None, None)


def found(session, filter_text=""):
    """Return the bodies that match a filter, sorted."""
    return sorted(log["body"] for log in search_logs(session, ALL_TIME, filter_text=filter_text)["logs"])


@pytest.mark.parametrize("limits", [{}, {"max_attributes": 2}, {"max_columns": 1}])
def test_of_equal_keys_the_last_stays(stored, limits):
    """Whatever the types, in columns and past their limit: in JSON, OTLP, filters and SQL."""
    text, other, number = AnyValue(string_value="one"), AnyValue(string_value="two"), AnyValue(int_value=7)
    pairs = [
        *(("same", text), ("same", other), ("mixed", number), ("mixed", text), ("flip", text), ("flip", number)),
        *(("list", LIST), ("list", AnyValue()), ("gone", AnyValue()), ("gone", LIST)),
    ]
    run = stored(request(("a", pairs), ("b", [("flip", text), ("mixed", number)])), **limits)
    expected = {"same": "two", "mixed": "one", "flip": 7, "list": None, "gone": [1]}

    (log,) = run(lambda session: search_logs(session, ALL_TIME, filter_text="body = a"))["logs"]
    assert log["attributes"] == expected
    out = run(lambda session: search_logs(session, ALL_TIME, filter_text="body = a", as_otlp=True))
    record = out["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0]
    assert {entry["key"]: entry["value"] for entry in record["attributes"]} == {
        "same": {"stringValue": "two"},
        "mixed": {"stringValue": "one"},
        "flip": {"intValue": "7"},
        "list": {},
        "gone": {"arrayValue": {"values": [{"intValue": "1"}]}},
    }
    for filter_text, bodies in (
        *(("same = one", []), ("same = two", ["a"]), ("mixed = 7", ["b"]), ("mixed = one", ["a"])),
        *(("flip = 7", ["a"]), ("flip = one", ["b"]), ("gone = 1", ["a"]), ("list = 1", [])),
    ):
        assert run(lambda session, text=filter_text: found(session, text)) == bodies
    if not limits:
        rows = run(lambda session: run_sql(session, "SELECT same, mixed, flip FROM logs ORDER BY body"))["rows"]
        assert rows == [["two", "one", "7"], [None, "7", "one"]]


def test_nan_is_the_same_before_and_after_a_flush(stored):
    """In filters NaN equals itself and is in no order; in SQL it is larger than all numbers, as DuckDB has it."""
    values = {"a": 1.0, "b": 9.0, "nan": math.nan, "inf": math.inf}
    run = stored(request(*((body, [("x", AnyValue(double_value=value))]) for body, value in values.items())))

    for filter_text, bodies in {
        "x > 5": ["b", "inf"],
        "x < 5": ["a"],
        "x = NaN": ["nan"],
        "x != NaN": ["a", "b", "inf"],
        "x = Infinity": ["inf"],
        "x in (nan, 9)": ["b", "nan"],
        "x != 9": ["a", "inf", "nan"],
    }.items():
        assert run(lambda session, text=filter_text: found(session, text)) == bodies
    for condition, bodies in {
        "x > 5": ["b", "inf", "nan"],
        "x > 100": ["inf", "nan"],
        "x = 'nan'::DOUBLE": ["nan"],
        "NOT x < 5": ["b", "inf", "nan"],
        "isnan(x)": ["nan"],
    }.items():
        statement = f"SELECT body FROM logs WHERE {condition} ORDER BY body"  # noqa: S608 - of this test
        assert [row[0] for row in run(lambda session, sql=statement: run_sql(session, sql))["rows"]] == bodies
    assert run(lambda session: run_sql(session, "SELECT max(x), min(x) FROM logs"))["rows"] == [[{"$double": "NaN"}, 1]]


def length_delimited(field, data):
    """One field of a protobuf message."""
    return bytes([field << 3 | 2, len(data)]) + data


@pytest.mark.parametrize("turned", [False, True])
def test_of_two_members_one_counts(stored, turned):
    """An attribute and a body with a text and a number are the number everywhere, in whatever order they were sent."""
    members = [AnyValue(string_value="s").SerializeToString(), AnyValue(int_value=7).SerializeToString()]
    value = b"".join(reversed(members) if turned else members)
    attribute = length_delimited(6, length_delimited(1, b"k") + length_delimited(2, value))
    time = b"\x09" + NOW_NS.to_bytes(8, "little")
    body = length_delimited(1, length_delimited(2, length_delimited(2, time + length_delimited(5, value) + attribute)))
    run = stored(body)

    (log,) = run(lambda session: search_logs(session, ALL_TIME))["logs"]
    assert (log["body"], log["attributes"]) == (7, {"k": 7})
    out = run(lambda session: search_logs(session, ALL_TIME, as_otlp=True))
    sent = out["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0]
    assert (sent["body"], sent["attributes"][0]["value"]) == ({"intValue": "7"}, {"intValue": "7"})
    assert run(lambda session: len(search_logs(session, ALL_TIME, filter_text="k = 7")["logs"])) == 1
    assert run(lambda session: search_logs(session, ALL_TIME, filter_text="k = s")["logs"]) == []
    assert run(lambda session: run_sql(session, "SELECT k, body FROM logs"))["rows"] == [[7, "7"]]


def test_keys_that_are_no_names_or_those_of_others(stored):
    """Empty, in two cases, like a fixed column, like another's place: kept, found, and no trouble in SQL."""
    keys = ["", "Tenant", "tenant", "body", "time", "trace_id", "severity", "log.body", "scope_name", "a:str", "a", '"']
    run = stored(request(("x", [(key, AnyValue(string_value=f"v{place}")) for place, key in enumerate(keys)])))

    (log,) = run(lambda session: search_logs(session, ALL_TIME))["logs"]
    assert log["attributes"] == {key: f"v{place}" for place, key in enumerate(keys)}
    for place, key in enumerate(keys):
        quoted = '"' + key.replace('"', '\\"') + '"'
        for text in (quoted, f"log.{quoted}"):
            assert run(lambda session, text=f"{text} = v{place}": found(session, text)) == ["x"]
    described = run(lambda session: run_sql(session, "DESCRIBE logs"))["rows"]
    names = [row[0] for row in described]
    assert len({name.lower() for name in names}) == len(names)
    (row,) = run(lambda session: run_sql(session, "SELECT * FROM logs"))["rows"]
    shown = dict(zip(names, row, strict=True))
    assert {name: shown[name] for name in ("log.", "Tenant", "log.body", "log.time", "log.trace_id")} == {
        "log.": "v0",
        "Tenant": "v1",
        "log.body": "v3",
        "log.time": "v4",
        "log.trace_id": "v5",
    }
    assert (shown["log.severity"], shown["log.log.body"], shown["log.scope_name"]) == ("v6", "v7", "v8")
    assert (shown["a:str"], shown["a"], shown['"']) == ("v9", "v10", "v11")
