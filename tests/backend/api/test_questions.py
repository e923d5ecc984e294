"""Routes about logs, metrics, facets, completion, filters and SQL: their parameters reach the question."""

from __future__ import annotations

import json

import pytest

SECOND = 1_000_000_000
RANGE = {"start": "1970-01-01T00:00:00Z", "end": "1970-01-01T00:10:00Z"}


def get(client, path, **params):
    """Ask a route; the JSON of its answer."""
    answer = client.get(f"/api/v1{path}", params={**RANGE, **params})
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.fixture
def client(api):
    """Serve a few records of each signal."""
    point = {
        "metric_name": "hits",
        "metric_type": "sum",
        "is_monotonic": True,
        "temporality": 2,
        "start_time_ns": SECOND,
    }
    return api(
        spans=[{"start_time_ns": 5, "name": "a", "span.route:str": "/a"}],
        logs=[
            {"time_ns": time * SECOND, "body": str(time), "severity_number": 9, "arrival_order": order}
            for order, time in enumerate((1, 2, 3, 5, 4), 1)
        ],
        metrics=[
            {**point, "time_ns": 61 * SECOND, "value_int": 60, "point.route:str": "/a"},
            {**point, "time_ns": 61 * SECOND, "value_int": 120, "point.route:str": "/b"},
        ],
    )


def test_logs_are_paged_and_followed(client):
    """The limit, order, cursor and after of log search do what they say."""
    first = get(client, "/logs", limit=2)
    second = get(client, "/logs", limit=9, cursor=first["next_cursor"])
    assert [log["body"] for log in first["logs"] + second["logs"]] == ["5", "4", "3", "2", "1"]
    assert second["next_cursor"] is None
    oldest = get(client, "/logs", limit=2, order="asc")
    assert [log["body"] for log in oldest["logs"]] == ["1", "2"]
    until = get(client, "/logs", start="0", end="1970-01-01T00:00:03Z")
    assert [log["body"] for log in get(client, "/logs", after=until["newest_cursor"])["logs"]] == ["3", "5", "4"]
    assert get(client, "/logs", filter="body = 3")["logs"][0]["body"] == "3"


def test_logs_are_exported(client):
    """A file with its type and name, of the records and columns asked for; mistakes are told before it begins."""
    answer = client.get("/api/v1/logs/export", params={**RANGE, "order": "asc", "limit": 2, "columns": "severity"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="logs.csv"'
    assert [line.split(",")[3::4] for line in answer.text.splitlines()] == [
        ["body", "severity"],
        ["1", "info"],
        ["2", "info"],
    ]
    answer = client.get("/api/v1/logs/export", params={**RANGE, "format": "ndjson", "filter": "body = 3"})
    assert [json.loads(line)["body"] for line in answer.text.splitlines()] == ["3"]
    wrong = client.get("/api/v1/logs/export", params={**RANGE, "columns": "a = b"})
    assert (wrong.status_code, wrong.json()["error"]["field"]) == (400, "columns")


def test_log_counts(client):
    """Counts cover the range in about the steps that were asked for."""
    counted = get(client, "/logs/counts", buckets=10, filter="severity:info")
    assert (len(counted["points"]), counted["step_s"], counted["total"]) == (10, 60, 5)
    assert counted["points"][0]["info"] == 5


def test_facets_and_completion(client):
    """Facets, keys and values answer for the signal that is named."""
    facets = get(client, "/facets", signal="logs", keys="severity,body", limit=1)
    assert facets["facets"][0] == {
        "key": "severity",
        "values": [{"value": "info", "count": 5}],
        "distinct": 1,
        "missing": 0,
    }
    assert facets["facets"][1]["distinct"] == 5
    assert get(client, "/keys", signal="metrics", prefix="rou")["keys"][0]["position"] == "point"
    assert get(client, "/keys", prefix="rou", limit=1)["keys"][0]["position"] == "span"
    assert get(client, "/values", key="route", prefix="/")["values"] == [{"value": "/a", "count": 1}]


def test_metric_routes(client):
    """Names, series and range queries of one metric."""
    assert [metric["name"] for metric in get(client, "/metrics", prefix="hi")["metrics"]] == ["hits"]
    assert len(get(client, "/metrics/series", name="hits", filter="route = /a")["series"]) == 1
    found = get(client, "/metrics/query", name="hits", aggregate="rate", step="60s", by="route")
    assert [(series["by"], series["points"]) for series in found["series"]] == [
        ({"route": "/b"}, [{"t": 0, "value": 2.0}, {"t": 60, "value": 2.0}]),
        ({"route": "/a"}, [{"t": 0, "value": 1.0}, {"t": 60, "value": 1.0}]),
    ]


def test_a_metric_that_is_not_there(client):
    """An unknown metric is a 404 that says where the names are."""
    answer = client.get("/api/v1/metrics/query", params={**RANGE, "name": "nope"})
    assert answer.status_code == 404
    assert answer.json()["error"]["field"] == "name"


def test_unknown_keys_of_a_filter_are_named(client):
    """Keys that no record of the range has are told, with the nearest there are; a broken filter is an error."""
    found = get(client, "/filter/unknown", filter="durration > 5ms and route = /b and span.rute exists")["unknown"]
    assert found == [
        {"key": "durration", "column": 1, "nearest": ["duration"]},
        {"key": "span.rute", "column": 36, "nearest": ["span.route"]},
    ]
    assert get(client, "/filter/unknown", signal="metrics", filter="route = x and service = y") == {"unknown": []}
    broken = client.get("/api/v1/filter/unknown", params={"filter": "route ="})
    assert (broken.status_code, broken.json()["error"]["code"]) == (400, "bad_filter")


def test_a_filter_is_checked(client):
    """A good filter gives its tokens; a wrong one also the error, with its column."""
    good = client.get("/api/v1/filter/check", params={"filter": "duration > 5ms"}).json()
    assert good == {
        "ok": True,
        "tokens": [
            {"start": 0, "end": 8, "kind": "key"},
            {"start": 9, "end": 10, "kind": "operator"},
            {"start": 11, "end": 14, "kind": "number"},
        ],
        "error": None,
    }
    bad = client.get("/api/v1/filter/check", params={"filter": 'name = "x'}).json()
    assert (bad["ok"], bad["tokens"][-1]["kind"], bad["error"]["code"]) == (False, "bad", "bad_filter")
    assert bad["error"]["column"] == 8
    wrong = client.get("/api/v1/filter/check", params={"filter": 'name ~ "("'}).json()
    assert (wrong["ok"], wrong["error"]["code"]) == (False, "bad_filter")
    assert client.get("/api/v1/filter/check").json() == {"ok": True, "tokens": [], "error": None}


def test_sql_answers_with_columns_and_rows(client):
    """A statement's answer has its columns, rows, and whether rows were cut."""
    answer = client.post("/api/v1/sql", json={"sql": "SELECT body FROM logs ORDER BY time_ns", "limit": 2}).json()
    assert answer.pop("elapsed_ms") >= 0
    assert answer == {"columns": [{"name": "body", "type": "VARCHAR"}], "rows": [["1"], ["2"]], "truncated": True}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ([], "body"),
        ({}, "sql"),
        ({"sql": 1}, "sql"),
        ({"sql": "SELECT 1", "limit": "5"}, "limit"),
        ({"sql": "SELECT 1", "limit": True}, "limit"),
        ({"sql": "SELECT 1", "limit": 0}, "limit"),
        ({"sql": "SELECT 1", "query": ""}, "query"),
        ({"sql": "FROM read_text('/etc/passwd')"}, "sql"),
        ({"sql": "SELEC 1"}, "sql"),
    ],
)
def test_sql_errors_name_the_field(client, body, field):
    """A wrong body, and a refused or wrong statement, are 400 with the field and what to do."""
    answer = client.post("/api/v1/sql", json=body)
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, field)
