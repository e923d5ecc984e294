"""Measurements by type, over the API and as a view."""

from __future__ import annotations

import uuid

import pytest

SECOND = 1_000_000_000
NOW = 2_000
HOST, SERVICE = "resource.host.name:str", "resource.service.name:str"


def point(name, value, at=NOW - 60, **more):
    """A stored gauge of the host h1."""
    return {
        "metric_name": name,
        "metric_type": "gauge",
        "metric_unit": "1",
        "time_ns": at * SECOND,
        "value_double": value,
        HOST: "h1",
        **more,
    }


POINTS = [
    point("system.cpu.utilization", 0.5, **{"point.cpu.mode:str": "user"}),
    point("system.cpu.utilization", 0.6, at=NOW - 30, **{"point.cpu.mode:str": "user"}),
    point("node_cpu_seconds_total", 7.0, **{HOST: "h2"}),
    point("system.memory.usage", 2e9),
    point("process_resident_memory_bytes", 1e8),
    point("system.filesystem.utilization", 0.9),
    point("system.network.io", 10.0),
    point("spanglass.db.size", 5.0, **{SERVICE: "shop"}),
    point("spanglass.cache.hits", 3.0, **{SERVICE: "shop"}),
    point("spanglass.queue.length", 4.0, **{SERVICE: "shop"}),
    point("spanglass.task.count", 2.0, **{SERVICE: "shop"}),
    point("orders.open", 12.0, **{SERVICE: "shop"}),
    point("system.cpu.utilization", None, flags=1),
    {
        **point("cpu.wait", None),
        "metric_type": "histogram",
        "count": 4,
        "sum": 2.0,
    },
]
SPANS = [
    {
        "trace_id": bytes([n]) * 16,
        "span_id": bytes([n]) * 8,
        "name": "GET /",
        "kind": 2,
        "start_time_ns": (NOW - 100 + n) * SECOND,
        "duration_ns": n * SECOND,
        "status_code": 2 if n == 1 else 0,
        SERVICE: "shop",
        "span.user.id:str": "u1" if n < 3 else "u2",
    }
    for n in (1, 2, 3, 4)
]


@pytest.fixture
def ask(api):
    """Ask the routes of one server that stores points and spans."""
    client = api(metrics=POINTS, spans=SPANS)
    return lambda path, status=200: _checked(client.get(f"/api/monitoring/metrics/{path}"), status)


def _checked(answer, status):
    assert answer.status_code == status, answer.text
    return answer.json()


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("cpu", [0.6, 0.5, 0.5, 7.0]),
        ("memory", [1e8, 2e9]),
        ("disk", [0.9]),
        ("network", [10.0]),
        ("database", [5.0]),
        ("cache", [3.0]),
        ("queue_size", [4.0]),
        ("task_count", [2.0]),
        ("custom", [12.0]),
        ("request", [4.0]),
        ("response_time", [2.5]),
        ("error_rate", [0.25]),
        ("user_count", [2.0]),
    ],
)
def test_each_type_has_its_measurements(ask, kind, values):
    """Of systems by the metric's name, old, new and Prometheus'; of services from spans; markers are none."""
    found = ask(f"{kind}/")["metrics"]
    assert sorted(each["value"] for each in found) == sorted(values)
    assert {each["metric_type"] for each in found} == {kind}


def test_a_measurement_says_what_when_and_whose_it_is(ask):
    """Details are the attributes that were sent, without those of other points."""
    first = ask("cpu/?host=h1")["metrics"][0]
    assert uuid.UUID(first.pop("id"))
    assert first == {
        "metric_type": "cpu",
        "name": "system.cpu.utilization",
        "value": 0.6,
        "unit": "1",
        "timestamp": "1970-01-01T00:32:50.000000000Z",
        "service": None,
        "host": "h1",
        "source": "h1",
        "details": {"cpu.mode": "user", "host.name": "h1"},
    }


def test_measurements_are_filtered_by_time_host_and_service(ask):
    """Each filter by itself."""
    assert {each["host"] for each in ask("?host=h2")["metrics"]} == {"h2"}
    assert {each["service"] for each in ask("?service=shop")["metrics"]} == {"shop"}
    assert [each["value"] for each in ask("?last=45s")["metrics"]] == [0.6]


def test_pages_hold_every_measurement_once(ask):
    """The newest first, whatever the size of a page."""
    every = [each["id"] for each in ask("?limit=1000")["metrics"]]
    assert len(every) == len(set(every)) == 17
    found, cursor = [], ""
    while cursor is not None:
        page = ask(f"?limit=5&cursor={cursor}")
        assert len(page["metrics"]) <= 5
        found += [each["id"] for each in page["metrics"]]
        cursor = page["next_cursor"]
    assert found == every


def test_an_unknown_type_is_not_found_and_the_types_are_said(ask):
    """404 names what there is."""
    problem = ask("weather/", 404)["error"]
    assert "weather" in problem["message"]
    assert "response_time" in problem["expected"]


def test_measurements_are_a_view_for_sql(api):
    """``monitoring_metrics`` has the columns that the requirement names, of data points and of requests."""
    sql = (
        "SELECT metric_type, value, source, dimensions, typeof(id) AS id, typeof(timestamp) AS time "
        "FROM monitoring_metrics WHERE metric_type IN ('disk', 'error_rate') ORDER BY metric_type"
    )
    answer = api(metrics=POINTS, spans=SPANS).post("/api/v1/sql", json={"sql": sql})
    assert answer.status_code == 200, answer.text
    assert answer.json()["rows"] == [
        ["disk", 0.9, "h1", '{"host.name":"h1"}', "UUID", "TIMESTAMP_NS"],
        ["error_rate", 0.25, "shop", '{"service.name":"shop"}', "UUID", "TIMESTAMP_NS"],
    ]


def test_nothing_is_an_answer_too(api):
    """Of an empty store."""
    assert api().get("/api/monitoring/metrics/").json()["metrics"] == []
