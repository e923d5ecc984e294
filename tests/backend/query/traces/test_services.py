"""Services, operations and their series."""

from __future__ import annotations

from spanglass_server.query.services.services import list_operations, list_services, service_series
from spanglass_server.store.ports import Window

SECOND = 1_000_000_000
WINDOW = Window(1200 * SECOND, 1800 * SECOND)
AS_JSON = {"start_time": "1970-01-01T00:20:00.000000000Z", "end_time": "1970-01-01T00:30:00.000000000Z"}
SERVER, CLIENT, INTERNAL, CONSUMER = 2, 3, 1, 5


def span(service, kind, *, start=1300, duration=100, error=False, parent=None, name="GET /", trace=1):
    """Make a stored span."""
    return {
        "trace_id": bytes([trace]) * 16,
        "span_id": bytes([trace]) * 8,
        "parent_span_id": parent,
        "resource.service.name:str": service,
        "kind": kind,
        "name": name,
        "start_time_ns": start * SECOND,
        "duration_ns": duration,
        "status_code": 2 if error else None,
    }


SPANS = [
    span("web", SERVER, duration=100),
    span("web", CONSUMER, start=1650, duration=200, error=True, trace=2),
    span("web", CLIENT, duration=9_000, error=True),
    span("web", SERVER, start=1800),
    span("cron", INTERNAL, start=1700, duration=50, name="tick"),
    span("cron", CLIENT, start=1701, duration=40, parent=b"parentid", name="GET"),
    span("db", INTERNAL, parent=b"parentid", name="query"),
    span(None, SERVER, duration=7),
    span("web", SERVER, start=1100, trace=9),  # before the range, all of which the server has seen
]


def test_services(open_tables):
    """Requests are spans of servers and consumers, else roots; rates are over the range; the busiest comes first."""
    answer = list_services(open_tables(spans=SPANS), WINDOW, 2)

    nothing = {"t": 1500, "requests": 0, "errors": 0, "p95_ns": None}
    assert answer == {
        "window": AS_JSON,
        "services": [
            {
                "service": "web", "slot": 5, "spans": 3, "requests": 2, "errors": 1,
                "rate_per_s": 2 / 600, "error_ratio": 0.5, "p50_ns": 150, "p95_ns": 195, "p99_ns": 199,
                "sampled_share": None, "last_seen_time": "1970-01-01T00:27:30.000000000Z",
                "series": [
                    {"t": 1200, "requests": 1, "errors": 0, "p95_ns": 100},
                    {"t": 1500, "requests": 1, "errors": 1, "p95_ns": 200},
                ],
            },
            {
                "service": "cron", "slot": 7, "spans": 2, "requests": 1, "errors": 0,
                "rate_per_s": 1 / 600, "error_ratio": 0.0, "p50_ns": 50, "p95_ns": 50, "p99_ns": 50,
                "sampled_share": None, "last_seen_time": "1970-01-01T00:28:21.000000000Z",
                "series": [{**nothing, "t": 1200}, {"t": 1500, "requests": 1, "errors": 0, "p95_ns": 50}],
            },
            {
                "service": "unknown_service", "slot": 1, "spans": 1, "requests": 1, "errors": 0,
                "rate_per_s": 1 / 600, "error_ratio": 0.0, "p50_ns": 7, "p95_ns": 7, "p99_ns": 7,
                "sampled_share": None, "last_seen_time": "1970-01-01T00:21:40.000000000Z",
                "series": [{"t": 1200, "requests": 1, "errors": 0, "p95_ns": 7}, nothing],
            },
            {
                "service": "db", "slot": 3, "spans": 1, "requests": 0, "errors": 0,
                "rate_per_s": 0.0, "error_ratio": 0.0, "p50_ns": None, "p95_ns": None, "p99_ns": None,
                "sampled_share": None, "last_seen_time": "1970-01-01T00:21:40.000000000Z",
                "series": [{**nothing, "t": 1200}, nothing],
            },
        ],
    }  # fmt: skip


def test_services_without_series(open_tables):
    """No buckets, no series."""
    answer = list_services(open_tables(spans=SPANS), WINDOW, 0)

    assert [(service["service"], "series" in service) for service in answer["services"]] == [
        ("web", False),
        ("cron", False),
        ("unknown_service", False),
        ("db", False),
    ]


def test_rates_of_a_young_server(open_tables):
    """Rates are by the time since the first span, of any service, not by a range that began before there was data."""
    young = open_tables(spans=[span("web", SERVER, start=1740), span("db", SERVER, start=1790)])

    assert [row["rate_per_s"] for row in list_services(young, WINDOW, 0)["services"]] == [1 / 60, 1 / 60]
    assert list_operations(young, WINDOW, "db", 9)["operations"][0]["rate_per_s"] == 1 / 60
    assert list_services(young, Window(1790 * SECOND, 1800 * SECOND), 0)["services"][0]["rate_per_s"] == 1 / 10


def test_a_first_span_of_this_moment_makes_no_absurd_rate(open_tables):
    """A rate is over a second at least."""
    new = open_tables(spans=[span("web", SERVER, start=1800) | {"start_time_ns": 1800 * SECOND - 5}])

    assert list_services(new, WINDOW, 0)["services"][0]["rate_per_s"] == 1.0


def test_operations(open_tables):
    """Operations are names of one service's spans by kind, the most time first, with traces to look at."""
    answer = list_operations(open_tables(spans=SPANS), WINDOW, "web", 2)

    assert answer == {
        "window": AS_JSON,
        "service": "web",
        "operations": [
            {
                "operation": "GET /", "kind": "client", "requests": 1, "errors": 1,
                "rate_per_s": 1 / 600, "error_ratio": 1.0, "p50_ns": 9_000, "p95_ns": 9_000, "p99_ns": 9_000,
                "total_ns": 9_000, "sampled_share": None,
            },
            {
                "operation": "GET /", "kind": "consumer", "requests": 1, "errors": 1,
                "rate_per_s": 1 / 600, "error_ratio": 1.0, "p50_ns": 200, "p95_ns": 200, "p99_ns": 200,
                "total_ns": 200, "sampled_share": None,
            },
        ],
    }  # fmt: skip


def test_operations_that_are_requests(open_tables):
    """Requests alone, those with most first: what is quick and frequent, or took no time, is not cut away."""
    often = [span("web", SERVER, start=1300 + number, duration=1, name="GET /ping") for number in range(3)]
    answer = list_operations(open_tables(spans=SPANS + often), WINDOW, "web", 2, only_requests=True, order="requests")

    found = [(each["operation"], each["kind"], each["requests"]) for each in answer["operations"]]
    assert found == [("GET /ping", "server", 3), ("GET /", "server", 1)]


def test_series_of_a_service(open_tables):
    """A service's series counts its requests; empty buckets are there."""
    assert service_series(open_tables(spans=SPANS), WINDOW, "web", None, 3) == {
        "window": AS_JSON,
        "step_s": 300,
        "points": [
            {"t": 1200, "requests": 1, "errors": 0, "p50_ns": 100, "p95_ns": 100, "p99_ns": 100},
            {"t": 1500, "requests": 1, "errors": 1, "p50_ns": 200, "p95_ns": 200, "p99_ns": 200},
        ],
        "sampled_share": None,
    }


def test_series_of_roots_and_operations(open_tables):
    """A service without requests counts its roots; an operation counts all its spans, of any kind."""
    session = open_tables(spans=SPANS)

    def requests(service, operation):
        return [point["requests"] for point in service_series(session, WINDOW, service, operation, 3)["points"]]

    assert requests("cron", None) == [0, 1]
    assert requests("cron", "GET") == [0, 1]
    assert requests("web", "GET /") == [2, 1]
    assert requests("nobody", None) == [0, 0]
