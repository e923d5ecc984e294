"""What users must see of the situations of tests/data/cases that are about keys, through the real server."""

from __future__ import annotations

import json
import time

import pytest
from cases import Case


def sql(server, statement):
    """Run a statement; return its rows."""
    answer = server.request(
        "POST", "/api/v1/sql", json.dumps({"sql": statement}).encode(), {"Content-Type": "application/json"}
    )
    assert answer.status == 200, answer.body
    return answer.json()["rows"]


EMPTY = Case("12-empty-attribute-key", time.time_ns())
EQUAL = Case("15-duplicate-keys", time.time_ns())
TEXT = Case("sender-09-sql-numeric-key-turned-text", time.time_ns())


@pytest.fixture(scope="module")
def filled(shared_server):
    """Send all that these tests ask for; each finds its own by its service or its keys."""
    for case, files in (
        (EMPTY, ("spans.json", "logs.json", "metrics.json")),
        (EQUAL, ("input.json",)),
        (TEXT, ("go.json", "node.json", "rust.json")),
    ):
        for file in files:
            case.send(shared_server, file)
    answer = shared_server.request("POST", "/v1/logs", maps(), {"Content-Type": "application/json"})
    assert answer.status == 200
    return shared_server


@pytest.fixture(scope="module", params=["in memory", "in a segment"])
def server(request, filled):
    """Return the server before and after a restart: what was in memory is read from a segment then."""
    if request.param == "in a segment":
        filled.stop()
        filled.start()
    return filled


def test_an_empty_key(server):
    """It is kept and found, and statements over all columns go on working."""
    service = f"ek-{EMPTY.run}"
    for view in ("spans", "logs", "metrics"):
        assert sql(server, f"DESCRIBE {view}")
        assert len(sql(server, f"SELECT * FROM {view} WHERE service_name = '{service}'")) == 1  # noqa: S608
    assert sql(server, f"""SELECT "log." FROM logs WHERE service_name = '{service}'""") == [["oops"]]  # noqa: S608
    (log,) = server.get("/logs", last="1h", filter=f"service:{service}")["logs"]
    assert log["attributes"] == {"": "oops"}
    assert len(server.get("/logs", last="1h", filter='"" = oops')["logs"]) == 1
    assert len(server.get("/logs", last="1h", filter='log."" = other')["logs"]) == 0
    otlp = server.get("/logs", last="1h", filter=f"service:{service}", format="otlp")
    record = otlp["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0]
    assert record["attributes"] == [{"key": "", "value": {"stringValue": "oops"}}]


def test_equal_keys(server):
    """The last one stays, whatever its type: in JSON, SQL, filters and OTLP out alike."""
    (span,) = server.get(f"/traces/{EQUAL.trace_id()}")["spans"]
    assert span["attributes"] == {"same": "second", "mixed": "one", "flip": 7}
    found = sql(server, f"SELECT same, mixed, flip FROM spans WHERE service_name = 'dup-{EQUAL.run}'")  # noqa: S608
    assert found == [["second", "one", 7]]
    for filter_text, count in {
        "same = second": 1,
        "same = first": 0,
        "mixed = one": 1,
        "mixed = 1": 0,
        "flip = 7": 1,
        "flip = text": 0,
    }.items():
        assert len(server.get("/traces", last="1h", filter=filter_text)["traces"]) == count, filter_text
    otlp = server.get(f"/traces/{EQUAL.trace_id()}", format="otlp")
    attributes = otlp["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["attributes"]
    assert {entry["key"]: entry["value"] for entry in attributes} == {
        "same": {"stringValue": "second"},
        "mixed": {"stringValue": "one"},
        "flip": {"intValue": "7"},
    }


def test_a_number_that_one_sender_writes_as_text(server):
    """SQL over a conventional number stays numeric, text that is a number included; what was sent can be seen."""
    key = '"http.response.status_code"'
    found = sql(server, f"SELECT service_name, {key} + 0 FROM spans WHERE {key} >= 200 ORDER BY ALL")  # noqa: S608
    assert ["rust-shop", 200] in found
    assert ["go-shop", 500] in found
    texts = "SELECT \"http.response.status_code:str\" FROM spans WHERE service_name = 'rust-shop'"
    assert sql(server, texts) == [["200"]]
    assert sql(server, f"SELECT typeof({key}) FROM spans LIMIT 1") == [["BIGINT"]]  # noqa: S608


def any_value(value):
    """Write a Python value as OTLP/JSON."""
    match value:
        case dict():
            return {"kvlistValue": {"values": [{"key": key, "value": any_value(item)} for key, item in value.items()]}}
        case list():
            return {"arrayValue": {"values": [any_value(item) for item in value]}}
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case _:
            return {"stringValue": value}


def maps():
    """Make records whose attributes and bodies hold maps, as four loggers write them."""
    now = str(time.time_ns())
    records = [
        {"body": {"stringValue": "slog"}, "attributes": {"order": {"id": 17, "paid": True}}},
        {"body": {"stringValue": "flat"}, "attributes": {"order.id": 17}},
        {"body": {"stringValue": "pino"}, "attributes": {"order": {"id": "17", "lines": [{"sku": "tea"}]}}},
        {"body": any_value({"msg": "paid", "order": {"id": 18}}), "attributes": {}},
    ]
    logs = [
        {"timeUnixNano": now, **record, "attributes": any_value(record["attributes"])["kvlistValue"]["values"]}
        for record in records
    ]
    return json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": logs}]}]}).encode()


def test_maps_are_reachable_by_path(server):
    """A group, an object and a parsed body: in filters, facets, completion and SQL, in memory and from a segment."""
    for text, bodies in {
        "order.id = 17": ["slog", "flat", "pino"],
        "order.paid = true": ["slog"],
        "order.lines.sku = tea": ["pino"],
        "body.msg = paid body.order.id > 17": [{"msg": "paid", "order": {"id": 18}}],
    }.items():
        assert [log["body"] for log in server.get("/logs", last="1h", filter=text, order="asc")["logs"]] == bodies
    (facet,) = server.get("/facets", signal="logs", last="1h", keys="order.id")["facets"]
    assert facet["values"] == [{"value": "17", "count": 3}]
    keys = {entry["key"] for entry in server.get("/keys", signal="logs", last="1h", prefix="order.")["keys"]}
    assert keys == {"order.id", "order.paid", "order.lines", "body.order.id"}
    assert sql(server, """SELECT "order"->>'$.id' FROM logs WHERE "order" IS NOT NULL ORDER BY ALL""") == [["17"]] * 2
