"""traces, services, metrics, sql and status: what is asked of the API, and what is printed."""

from __future__ import annotations

import csv
import io
import json

TRACE = {
    "trace_id": "0af7651916cd43dd8448eb211c80319c",
    "root_service": "web",
    "root_operation": "GET /checkout",
    "root_missing": False,
    "start_time": "2026-11-21T11:34:48.123456789Z",
    "duration_ns": 1_940_000_000,
    "span_count": 17,
    "error_count": 1,
    "matched_spans": 2,
    "services": [{"service": "web", "slot": 0, "spans": 4, "errors": 0}, {"service": "shop", "slot": 1, "spans": 13}],
}


def lines(result):
    return [line.rstrip() for line in result.stdout.decode().splitlines()]


def test_traces_table(canned, run):
    """A table has the times in the machine's zone, the durations in units, and a trace's services."""
    canned.answer("/api/v1/traces", {"traces": [TRACE], "next_cursor": None})

    result = run("traces", "service:web", "--last", "2h", "--sort", "duration")

    assert (result.returncode, result.stderr) == (0, b"")
    assert [line.split() for line in lines(result)] == [
        ["started", "(IST)", "trace", "service", "operation", "duration", "spans", "errors", "services"],
        [
            *("2026-11-21", "17:04:48.123", "0af7651916cd43dd8448eb211c80319c", "web", "GET", "/checkout"),
            *("1.94", "s", "17", "1", "web,", "shop"),
        ],
    ]
    assert canned.received[0].parameters == {
        "filter": "service:web",
        "last": "2h",
        "sort": "duration",
        "limit": "20",
    }


def test_traces_ndjson_is_the_api(canned, run):
    """Each line of ndjson is the API's object, whole."""
    canned.answer("/api/v1/traces", {"traces": [TRACE, TRACE], "next_cursor": None})

    result = run("traces", "--format", "ndjson")

    assert [json.loads(line) for line in lines(result)] == [TRACE, TRACE]


def test_paging_stops_at_the_limit(canned, run):
    """Pages are followed by their cursor until the limit is reached."""
    canned.answer("/api/v1/traces", {"traces": [TRACE] * 1000, "next_cursor": "more"})
    canned.answer("/api/v1/traces", {"traces": [TRACE] * 500, "next_cursor": "even-more"})

    result = run("traces", "--limit", "1500", "--format", "ndjson")

    assert len(lines(result)) == 1500
    assert [(request.parameters["limit"], request.parameters.get("cursor")) for request in canned.received] == [
        ("1000", None),
        ("500", "more"),
    ]


def test_csv_cells_are_no_formulas(canned, run):
    """A name from telemetry that a spreadsheet would run as a formula is defused; numbers are left alone."""
    hostile = {**TRACE, "root_operation": "=HYPERLINK(1)", "root_service": '-a,"b"'}
    canned.answer("/api/v1/traces", {"traces": [hostile], "next_cursor": None})

    rows = list(csv.reader(io.StringIO(run("traces", "--format", "csv").stdout.decode())))

    assert rows == [
        [
            *("start_time", "trace_id", "root_service", "root_operation"),
            *("duration_ns", "span_count", "error_count", "services"),
        ],
        [
            *("2026-11-21T11:34:48.123456789Z", "0af7651916cd43dd8448eb211c80319c", '\'-a,"b"', "'=HYPERLINK(1)"),
            *("1940000000", "17", "1", json.dumps(TRACE["services"], separators=(",", ":"))),
        ],
    ]


def test_terminal_escapes_are_shown_not_sent(canned, run):
    """No control or direction character of telemetry reaches the terminal, in any part of a table."""
    hostile = {**TRACE, "root_operation": "\x1b]0;owned\x07 a\nb \u202e [bold]"}
    canned.answer("/api/v1/traces", {"traces": [hostile], "next_cursor": None})

    output = run("traces").stdout.decode()

    assert "\\x1b]0;owned\\x07 a\\nb \\u202e [bold]" in output
    assert not set(output) & set("\x1b\x07\u202e")


def test_services(canned, run):
    """Services come with rate, errors, latency and a sparkline; what is unknown is a dash."""
    service = {
        "service": "checkout",
        "slot": 3,
        "spans": 33018,
        "requests": 9742,
        "errors": 391,
        "rate_per_s": 2.7061,
        "error_ratio": 0.0401,
        "p50_ns": 12_500_000,
        "p95_ns": 250_400,
        "p99_ns": None,
        "last_seen_time": "2026-11-21T11:34:48.123456789Z",
        "series": [
            {"t": 1, "requests": 0, "errors": 0, "p95_ns": 1},
            {"t": 2, "requests": 7, "errors": 0, "p95_ns": 1},
        ],
    }
    canned.answer("/api/v1/services", {"window": {}, "services": [service]})

    result = run("services")

    assert lines(result)[1].split() == [
        *("checkout", "9,742", "2.71", "391", "4.01%", "12.5", "ms", "250", "µs", "-", "▁█"),
    ]


def test_raw_series_say_whose_they_are(canned, run):
    """Five services send a gauge without attributes: each line names its service."""
    series = [
        {"by": {}, "resource": {"service.name": name}, "points": [{"t": 0, "value": value}]}
        for name, value in (("web", 1), ("catalog", 2))
    ]
    answer = {"name": "memory", "type": "gauge", "unit": "By", "aggregate": "raw", "step_s": 30, "series": series}
    canned.answer("/api/v1/metrics/query", answer)

    assert [line.split()[0] for line in lines(run("metrics", "memory"))[2:]] == [
        "service.name=web",
        "service.name=catalog",
    ]


def test_groups_are_summed_and_a_service_is_a_condition(canned, run):
    """``--by`` without an aggregate means their sum; ``--service`` narrows a query as it narrows the list."""
    canned.answer("/api/v1/metrics/query", {"series": []})

    run("metrics", "memory", "--by", "host", "--service", 'a "b"', "--filter", "x = 1 or y = 2")
    run("metrics", "memory", "--service", "web")

    grouped, plain = (request.parameters for request in canned.received)
    assert (grouped["aggregate"], grouped["by"]) == ("sum", "host")
    assert grouped["filter"] == r'(x = 1 or y = 2) and service.name = "a \"b\""'
    assert (plain["filter"], "aggregate" in plain) == ('service.name = "web"', False)


def test_raw_series_have_no_groups(canned, run):
    """``--by`` would be ignored by raw series: it is refused with the way to mend it."""
    result = run("metrics", "memory", "--by", "service.name", "--aggregate", "raw")

    assert (result.returncode, canned.received) == (2, [])
    assert result.stderr.decode().splitlines()[1].strip().startswith("add --aggregate sum")


def test_an_error_of_several_lines_keeps_them(canned, run):
    """DuckDB points into the statement with a line of its own; it is not an escape in the middle of one."""
    message = "Binder Error: no column nme\n\nLINE 1: SELECT nme\n               ^"
    canned.answer("/api/v1/sql", {"error": {"code": "bad_request", "message": message, "field": "sql"}}, status=400)

    assert run("sql", "SELECT nme").stderr.decode().splitlines() == [
        "spanglass sql: sql: Binder Error: no column nme",
        "  LINE 1: SELECT nme",
        "                 ^",
    ]


def test_metrics_list(canned, run):
    """Without a name, metrics are listed; the options narrow the list."""
    metric = {
        "name": "http.server.request.duration",
        "type": "histogram",
        "unit": "s",
        "description": "Duration of requests",
        "temporality": "cumulative",
        "is_monotonic": None,
        "points": 1200,
        "services": ["web", "shop"],
    }
    canned.answer("/api/v1/metrics", {"metrics": [metric]})

    result = run("metrics", "--prefix", "http.", "--format", "csv")

    assert lines(result) == [
        "name,type,unit,temporality,points,services,description",
        'http.server.request.duration,histogram,s,cumulative,1200,"[""web"",""shop""]",Duration of requests',
    ]
    assert canned.received[0].parameters == {"prefix": "http."}


SERIES = {
    "name": "requests",
    "unit": "1",
    "aggregate": "rate",
    "step_s": 30,
    "series": [
        {"by": {"route": "/"}, "points": [{"t": 0, "value": 1.0}, {"t": 30, "value": 3.0}, {"t": 90, "value": 2.0}]},
        {"by": {"route": "/a"}, "points": [{"t": 90, "value": 5.0}]},
    ],
    "notes": ["3 resets"],
}


def test_metric_over_time(canned, run):
    """Each series is a sparkline on one time axis, where a missing point is a gap."""
    canned.answer("/api/v1/metrics/query", SERIES)

    result = run("metrics", "requests", "--aggregate", "rate", "--by", "route", "--step", "30s")

    assert lines(result) == [
        "requests: rate by 30 s, unit 1",
        "series    over time  min  max  last",
        "route=/   ▁█ ▅         1    3     2",
        "route=/a     ▁         5    5     5",
        "! 3 resets",
    ]
    assert canned.received[0].parameters == {"name": "requests", "aggregate": "rate", "by": "route", "step": "30s"}


def test_metric_points_as_csv(canned, run):
    """In csv each point is a row."""
    canned.answer("/api/v1/metrics/query", SERIES)

    assert lines(run("metrics", "requests", "--format", "csv")) == [
        "t,by,value",
        '0,"{""route"":""/""}",1.0',
        '30,"{""route"":""/""}",3.0',
        '90,"{""route"":""/""}",2.0',
        '90,"{""route"":""/a""}",5.0',
    ]


def test_unknown_metric(canned, run):
    """A metric without points is exit code 3 and tells how to find the others."""
    canned.answer("/api/v1/metrics/query", {**SERIES, "series": []})

    result = run("metrics", "nope")

    assert (result.returncode, result.stdout) == (3, b"")
    assert result.stderr.decode() == (
        "spanglass metrics: no points of the metric 'nope' in this range\n"
        "  list the metrics there are: spanglass metrics, or look further back with --last\n"
    )


ROWS = {
    "columns": [{"name": "name", "type": "VARCHAR"}, {"name": "n", "type": "BIGINT"}, {"name": "n", "type": "BIGINT"}],
    "rows": [["GET /", 12, 1], [None, 3, 2]],
    "truncated": True,
    "elapsed_ms": 3,
}


def test_sql(canned, run):
    """A statement's rows are printed under their names, also when two are the same; a cut is said on stderr."""
    canned.answer("/api/v1/sql", ROWS)

    result = run("sql", "SELECT 1", "--limit", "2")

    assert lines(result) == ["name    n  n", "GET /  12  1", "-       3  2"]
    assert result.stderr.decode() == "spanglass sql: only the first 2 rows; more with --limit\n"
    assert json.loads(canned.received[0].body) == {"sql": "SELECT 1", "limit": 2}
    assert canned.received[0].headers["content-type"] == "application/json"


def test_sql_from_standard_input_as_csv(canned, run):
    """``-`` reads the statement from standard input; csv keeps both columns of one name."""
    canned.answer("/api/v1/sql", ROWS)

    result = run("sql", "-", "--format", "csv", stdin=b"SELECT 2")

    assert lines(result) == ["name,n,n", "GET /,12,1", ",3,2"]
    assert json.loads(canned.received[0].body)["sql"] == "SELECT 2"


STATUS = {
    "version": "0.1.0",
    "ready": True,
    "health": None,
    "uptime_s": 7500,
    "counters": {
        "received_records": {"series": [{"labels": {"signal": "spans"}, "value": 5.0}]},
        "query_seconds": {"series": [{"labels": {"route": "/api/v1/traces"}, "count": 2, "sum_s": 0.5}]},
    },
    "storage": {
        "segments": {"spans": 2},
        "rows": {"spans": 12345},
        "bytes": {"spans": 1_572_864},
        "journal_bytes": 2048,
        "buffer_rows": {"spans": 7},
        "oldest_time": {"spans": "2026-11-20T18:30:00.000000000Z"},
    },
}


def test_status(canned, run):
    """The state, the storage of each signal and the counters are shown."""
    canned.answer("/api/v1/status", STATUS)

    result = run("status")

    assert result.returncode == 0
    assert [line.split() for line in lines(result)] == [
        ["spanglass", "0.1.0", "at", canned.url],
        ["All", "is", "well,", "up", "2h", "5m:", "nothing", "was", "turned", "away."],
        [],
        ["signal", "rows", "in", "memory", "segments", "on", "disk", "oldest", "(IST)"],
        ["spans", "12,345", "7", "2", "1.5", "MiB", "2026-11-21", "00:00:00.000"],
        ["journal", "2", "KiB"],
        [],
        ["counter", "labels", "value"],
        ["received_records", "signal=spans", "5"],
        ["query_seconds_count", "route=/api/v1/traces", "2"],
        ["query_seconds_sum", "route=/api/v1/traces", "0.5"],
    ]


def test_status_of_a_sick_server(canned, run):
    """A server that takes nothing in is exit code 1, so that a script can ask."""
    canned.answer("/api/v1/status", {**STATUS, "health": "the disk is full"})

    result = run("status")

    assert result.returncode == 1
    assert lines(result)[1] == "Not well: the disk is full."


def test_differences(canned, run):
    """Both groups, then a line for each value with both shares; options become the API's parameters."""
    group = {"spans": 20, "errors": 2, "p50_ns": 250_000_000, "p95_ns": 451_000_000, "counted": 20, "traces": 20}
    value = {"value": "/orders", "filter": 'http.route = "/orders"', "selected": 16, "baseline": 2,
             "selected_share": 0.78, "baseline_share": 0.11, "lift": 7.07, "difference": 0.62}  # fmt: skip
    keys = [{"key": "http.route", "difference": 0.62, "alike": [{"key": "name", "filter": "x"}], "values": [value]}]
    answer = {"selected": group, "baseline": {**group, "spans": 1}, "since_time": None, "certain": True, "compared": 9,
              "keys": keys}  # fmt: skip
    canned.answer("/api/v1/differences", answer)
    canned.answer("/api/v1/differences", {**answer, "keys": [], "baseline": {**group, "spans": 0}})

    result = run("differences", "status:error", "--service", "web", "--min-duration", "200ms", "--beside", "a:b")

    assert (result.returncode, result.stderr) == (0, b"")
    assert [line.split() for line in lines(result)[3:]] == [
        ["spans", "with", "selected", "others", "times", "differ", "by", "at", "least", "also"],
        ["http.route", "=", '"/orders"', "78%", "11%", "7.07", "62%", "name"],
    ]
    assert lines(result)[0] == "selected: 20 spans, 2 failed, half of them over 250 ms, one in twenty over 451 ms"
    assert canned.received[0].parameters == {
        "selected": "status:error", "service": "web", "selected_min": "200ms", "baseline": "a:b", "limit": "30",
    }  # fmt: skip
    assert b"there are no other spans" in run("differences", "status:error").stderr


def test_self_time(canned, run):
    """Operations by their self time, or paths as a tree; what was estimated is said."""
    figures = {"service": "web", "slot": 1, "spans": 4, "errors": 0, "duration_ns": 9_000_000}
    path = {**figures, "self_time_ns": 2_000_000, "work_ns": 8_000_000, "longest_ns": 1, "longest_trace": "a"}
    answer = {
        "window": {}, "spans": 8, "self_time_ns": 8_000_000, "sampled_share": 0.25, "paths_left_out": 0,
        "paths": [{**path, "depth": 0, "name": "GET /"},
                  {**path, "depth": 1, "name": "SELECT", "self_time_ns": 6_000_000, "work_ns": 6_000_000}],
        "operations": [{**figures, "operation": "SELECT", "self_time_ns": 6_000_000, "share": 0.75}],
    }  # fmt: skip
    canned.answer("/api/v1/self-time", answer)
    canned.answer("/api/v1/self-time", answer)

    result = run("self-time", "service:web", "--operation", "GET /")
    assert result.returncode == 0, result.stderr
    assert [line.split() for line in lines(result)][1] == ["web", "SELECT", "75%", "6", "ms", "4", "0"]
    assert b"estimated from 25% of the spans" in result.stderr
    assert canned.received[0].parameters == {"filter": "service:web", "operation": "GET /", "limit": "1"}
    tree = lines(run("self-time", "--paths", "--limit", "7"))
    assert [line.split() for line in tree[1:]] == [
        ["GET", "/", "web", "25%", "2", "ms", "8", "ms", "4", "0"],
        ["└─", "SELECT", "web", "75%", "6", "ms", "6", "ms", "4", "0"],
    ]
    assert canned.received[1].parameters == {"limit": "7"}


def test_profiles(canned, run):
    """Functions by the time that they took, or a tree, or operations; without any it is said how there would be."""
    figures = {"module": "shop.cart", "slot": 1, "file": "/cart.py", "line": 9, "samples": 4}
    answer = {
        "window": {}, "measure": "cpu", "samples": 8, "wall_ns": 9_000_000, "cpu_ns": 8_000_000, "sampled_share": None,
        "frames": [{**figures, "function": "main", "depth": 0, "self_ns": 2_000_000, "total_ns": 8_000_000},
                   {**figures, "function": "work", "depth": 1, "self_ns": 6_000_000, "total_ns": 6_000_000}],
        "functions": [{**figures, "function": "work", "self_ns": 6_000_000, "total_ns": 6_000_000}],
        "operations": [{"service": "web", "slot": 1, "operation": None, "samples": 8, "wall_ns": 9_000_000,
                        "cpu_ns": None}],
        "frames_left_out": 0,
    }  # fmt: skip
    for _ in range(3):
        canned.answer("/api/v1/profiles", answer)
    canned.answer("/api/v1/profiles", {**answer, "functions": []})

    (row,) = lines(run("profiles", "--service", "web", "--trace", "ab", "--cpu"))[1:]
    assert row.split()[:8] == ["work", "shop.cart", "75%", "6", "ms", "6", "ms", "4"]
    assert canned.received[0].parameters == {"service": "web", "trace_id": "ab", "measure": "cpu", "limit": "1"}
    tree = lines(run("profiles", "--show", "tree"))[1:]
    assert [line.split()[:3] for line in tree] == [["main", "shop.cart", "25%"], ["└─", "work", "shop.cart"]]
    assert lines(run("profiles", "--show", "operations"))[1].split()[:5] == ["web", "(no", "span)", "9", "ms"]
    assert b"SPANGLASS_PROFILER=1" in run("profiles", "--operation", "x").stderr
