"""Log records as files, and further columns of them."""

from __future__ import annotations

import csv
import io
import json

import pytest

from spanglass_server.query.errors import BadQuestionError
from spanglass_server.query.logs import export as module
from spanglass_server.query.logs.export import Export, export_logs
from spanglass_server.query.logs.search import search_logs
from spanglass_server.store.ports import Window

WINDOW = Window(0, 1_000)
ROWS = [
    {"time_ns": 3, "arrival_order": 1, "body": '{"user":{"id":7}}', "severity_number": 17},
    {"time_ns": 4, "arrival_order": 2, "body": "=1+1", "log.n:int": -5, "log.on:bool": True},
    {"time_ns": 5, "arrival_order": 3, "body": '{"a":[1]}', "body_type": "json", "log.n:str": '@"x",\ny'},
    {"time_ns": 6, "arrival_order": 4, "trace_id": bytes(16), "log.n:str": "+7"},
    {"time_ns": 7, "arrival_order": 5, "body": "é", "resource.service.name:str": "-web"},
]


def exported(session, **options):
    """Return the whole file, and how many parts it came in."""
    export = Export(WINDOW, **{"filter_text": "", "limit": 9, "descending": False, **options})
    content, done, parts = b"", None, 0
    while parts == 0 or done:
        part, done = export_logs(session, export, done)
        content, parts = content + part, parts + 1
    return content.decode(), parts


def test_further_columns_are_values_of_keys(open_tables):
    """Of attributes, fields and JSON bodies, under any name; null where a record lacks it; also for what arrives."""
    session = open_tables(logs=ROWS)
    keys = ["body.user.id", "n", "severity", "service"]
    expected = [["7", None, "error"], [None, "-5", "unset"], [None, '@"x",\ny', "unset"], [None, "+7", "unset"],
                [None, None, "unset"]]  # fmt: skip
    found = search_logs(session, WINDOW, descending=False, keys=keys)["logs"]
    assert [list(log["columns"]) for log in found] == [keys] * 5
    assert [list(log["columns"].values())[:3] for log in found] == expected
    assert found[-1]["columns"]["service"] == "-web"
    cursor = search_logs(open_tables(), WINDOW)["newest_cursor"]
    assert search_logs(session, WINDOW, after=cursor, keys=keys)["logs"] == found
    assert "columns" not in search_logs(session, WINDOW)["logs"][0]
    bare = open_tables(logs=[{"time_ns": 5, "arrival_order": 1}])  # not even services have names
    for place in ({}, {"after": cursor}):
        (log,) = search_logs(bare, WINDOW, keys=keys, **place)["logs"]
        assert log["columns"] == {**dict.fromkeys(keys), "severity": "unset", "service": log["service"]}
    with pytest.raises(BadQuestionError) as wrong:
        search_logs(session, WINDOW, keys=["a = b"])
    assert wrong.value.field == "columns"


def test_csv_has_what_is_shown(open_tables, monkeypatch):
    """A heading, a row for each record whatever the parts, JSON for objects; no text is a formula unless asked for."""
    monkeypatch.setattr(module, "_PART", 2)
    session = open_tables(logs=ROWS)
    text, parts = exported(session, form="csv", keys=["n", "body.user.id"])
    assert parts == 3
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0] == ["time", "severity", "service", "body", "event_name", "trace_id", "span_id", "n", "body.user.id"]
    assert [row[3] for row in rows[1:]] == ['{"user":{"id":7}}', "'=1+1", '{"a":[1]}', "", "é"]
    assert [row[7] for row in rows[1:]] == ["", "'-5", '\'@"x",\ny', "'+7", ""]
    assert rows[1][8] == "7"
    assert rows[5][2] == "'-web"
    plain = list(csv.reader(io.StringIO(exported(session, form="csv", guards_formulas=False)[0])))
    assert plain[0][-2:] == ["attributes", "resource"]
    assert (plain[2][3], plain[2][-2]) == ("=1+1", '{"n":-5,"on":true}')
    assert exported(open_tables(), form="csv")[0].count("\n") == 1


def test_ndjson_has_records_as_the_list(open_tables, monkeypatch):
    """One line a record, in the order asked for, up to the limit; a filter holds."""
    monkeypatch.setattr(module, "_PART", 2)
    session = open_tables(logs=ROWS)
    text, parts = exported(session, form="ndjson", limit=3, descending=True)
    listed = search_logs(session, WINDOW, limit=3)["logs"]
    assert ([json.loads(line) for line in text.splitlines()], parts) == (listed, 2)
    text, _ = exported(session, form="ndjson", filter_text="body.user.id = 7")
    assert [json.loads(line)["id"] for line in text.splitlines()] == ["3-1"]
    assert exported(open_tables(), form="ndjson")[0] == ""
