"""The data of panels: every kind of query on one grid of times, variables, limits, errors with their place."""

from __future__ import annotations

from math import isnan

import pytest

from spanglass_server.dashboards.data.panel import PanelQuestion, grid_of, panel_data
from spanglass_server.dashboards.data.variables import VariableValues
from spanglass_server.dashboards.form.spec import DASHBOARDS
from spanglass_server.promql.engine import Options
from spanglass_server.promql.in_memory import SeriesInMemory
from spanglass_server.promql.notation import read_series
from spanglass_server.promql.stored.source import StoredSeries
from spanglass_server.store.ports import QueryTimeoutError, Window

SECOND = 1_000_000_000
MINUTE_MS = 60_000
WINDOW = Window(0, 600 * SECOND)


def span(at_s, service="shop", **values):
    """A server span."""
    fixed = {"start_time_ns": at_s * SECOND, "duration_ns": 2 * SECOND, "kind": 2, "status_code": 0, "name": "GET /"}
    ids = {"trace_id": bytes([at_s % 250 + 1]) * 16, "span_id": bytes([at_s % 250 + 1]) * 8}
    return {**fixed, **ids, "resource.service.name:str": service, **values}


# one span a minute of shop, the second of them failed; one of cart
SPANS = [span(30), span(90, status_code=2), span(150), span(210), span(100, "cart")]
SERIES = {
    'x{service_name="shop", le="1"}': "0 1 2 3 4 5 6 7 8 9 10",
    'x{service_name="shop", le="+Inf"}': "0 2 4 6 8 10 12 14 16 18 20",
    'y{service_name="cart"}': "5x10",
    'y{service_name="shop"}': "10x10",
}


@pytest.fixture
def ask(open_tables):
    """Return a function that gives the data of a panel, with the step of a minute."""

    def data(panel, variables=(), given=None, **more):
        read = DASHBOARDS.read_json({"name": "A", "panels": [panel], "variables": list(variables)})
        assert read.problems == ()
        (dashboard,) = read.values
        session = open_tables(spans=SPANS, logs=[])
        source = SeriesInMemory(read_series(SERIES.items(), MINUTE_MS))
        chosen = {name: tuple(values) for name, values in (given or {}).items()}
        values = VariableValues(session, source, WINDOW, dashboard.variables, chosen)
        return panel_data(PanelQuestion(dashboard.panels[0], values, 600 * SECOND, step_ns=60 * SECOND, **more))

    return data


def drawn(answer):
    """Values of series by name; nothing may have failed."""
    assert answer["errors"] == []
    return {
        series["name"]: [None if isnan(value) else value for value in series["values"]] for series in answer["series"]
    }


QUERIES = [
    ("y", {"cart": [5] * 11, "shop": [10] * 11}),
    ({"promql": "sum(y) + 1"}, {"sum(y) + 1": [16] * 11}),
    ({"promql": "y", "legend": "of {{service_name}} {{none}}"}, {"of cart": [5] * 11, "of shop": [10] * 11}),
    ({"promql": "y", "legend": "{{none}}"}, {"cart": [5] * 11, "shop": [10] * 11}),
    ({"promql": "1"}, {"1": [1] * 11}),
    ({"signal": "spans"}, {"count": [0, 1, 2, 1, 1, 0, 0, 0, 0, 0, 0]}),
    (
        {"signal": "spans", "by": "service.name"},
        {"cart": [0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0], "shop": [0, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0]},
    ),
    ({"signal": "spans", "filter": "status = error", "aggregate": "rate"}, {"rate": [0, 0, 1 / 60, *[0] * 8]}),
    ({"signal": "spans", "aggregate": "p95(duration)"}, {"p95(duration)": [None, 2, 2, 2, 2, *[None] * 6]}),
    ({"signal": "spans", "aggregate": "error_rate"}, {"error_rate": [None, 0, 0.5, 0, 0, *[None] * 6]}),
    (
        {"signal": "spans", "aggregate": "distinct(service.name)"},
        {"distinct(service.name)": [None, 1, 2, 1, 1, *[None] * 6]},
    ),
    (
        {
            "sql": "SELECT time_bucket($__interval, start_time) AS t, service_name, count(*) AS n "
            "FROM spans GROUP BY ALL"
        },
        {"cart": [None, 1, None, None], "shop": [1, 1, 1, 1]},
    ),
    ({"sql": "SELECT count(*) AS n FROM spans WHERE $__timeFilter(start_time)"}, {"n": [5]}),
    ("request_rate", {}),
]


@pytest.mark.parametrize(("query", "expected"), QUERIES, ids=[str(query) for query, _ in QUERIES])
def test_each_kind_of_query_gives_series(ask, query, expected):
    """PromQL, measures, filters and SQL give series by name on the panel's times."""
    found = drawn(ask({"query": query}))

    assert found.keys() == expected.keys()
    for name, values in expected.items():
        assert found[name] == pytest.approx(values), name


FORMULAS = [
    ("A / sum(A) * 100", {"cart": 100 / 3, "shop": 200 / 3}),
    ("A - B", {"cart": 0, "shop": 0}),
    ("-A ^ 2 + 1", {"cart": -24, "shop": -99}),
    ("max(A) % 3", {"max(A) % 3": 1}),
    ("clamp_max(A, 6)", {"cart": 5, "shop": 6}),
    ("default(A / 0 * 0, 7)", {"cart": 7, "shop": 7}),
    ("abs(-A)", {"cart": 5, "shop": 10}),
    ("count(A) + avg(A) + min(A)", {"count(A) + avg(A) + min(A)": 14.5}),
]


@pytest.mark.parametrize(("formula", "expected"), FORMULAS, ids=[formula for formula, _ in FORMULAS])
def test_formulas_compute_over_series(ask, formula, expected):
    """Series are matched by their labels; one series alone goes with each of the other side."""
    queries = [{"promql": "y", "hidden": True}, {"promql": "y", "hidden": True}, {"formula": formula}]

    answer = ask({"queries": queries})

    assert answer["errors"] == []
    found = {series["labels"].get("service_name", series["name"]): series["values"][-1] for series in answer["series"]}
    assert found == pytest.approx(expected)


ERRORS = [
    ({"promql": "sum(y"}, 1, None),
    ({"signal": "spans", "filter": "status = "}, 1, 10),
    ({"signal": "spans", "aggregate": "median"}, None, None),
    ({"sql": "SELECT nothing FROM spans"}, None, None),
    ({"measure": "eror_rate"}, 1, 1),
]


@pytest.mark.parametrize(("query", "line", "column"), ERRORS, ids=[str(query) for query, *_ in ERRORS])
def test_a_query_that_fails_is_told_beside_the_others(ask, query, line, column):
    """A query that can't be answered is an error with its id and place; the others are drawn."""
    answer = ask({"queries": [query, "y"]})

    (error,) = answer["errors"]
    assert (error["query"], error["line"]) == ("A", line)
    assert column is None or error["column"] == column
    assert error["message"]
    assert {series["query"] for series in answer["series"]} == {"B"}


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("A +", "the formula ends too early"),
        ("A ! 2", "this can't stand here"),
        ("mean(A)", "there is no function mean"),
        ("abs(A, 2)", "abs takes 1 of them, not 2"),
        ("A + C", "the queries of the formula have different times"),
    ],
)
def test_formulas_that_cannot_be_computed(ask, formula, message):
    """What is wrong with a formula is told."""
    over_time = "SELECT start_time AS t, 1 AS one FROM spans"
    answer = ask({"queries": ["y", {"formula": formula}, {"sql": over_time}]})

    assert [error["message"] for error in answer["errors"]] == [message]


def test_a_name_that_is_nearly_a_measure_is_told(ask):
    """A metric of which nothing is stored gives no error, but a note if a measure was probably meant."""
    answer = ask({"query": "eror_rate"})

    assert answer["errors"] == []
    assert answer["notes"] == [
        "nothing is stored under this name, and there is no measure eror_rate; did you mean 'error_rate'?"
    ]


@pytest.mark.parametrize("query", ["error_rate / 2", "rate(error_rate[5m])", "quantile(0.9, error_rate)"])
def test_a_measure_within_promql_is_told(ask, query):
    """A measure stands alone: an expression that computes with one finds nothing, and says so."""
    advice = "make it a query of its own, such as avg(response_time), and a formula computes with it"
    assert ask({"query": query})["notes"] == [f"error_rate is a measure, which PromQL does not know; {advice}"]
    assert ask({"query": 'absent_metric{name="error_rate"}'})["notes"] == []


VARIABLES = [
    {"name": "service", "query": "label_values(y, service_name)", "multi": True, "all": True},
    {"name": "one", "key": "service.name", "filter": "service.name in ($service)"},
    {"name": "sql", "sql": "SELECT DISTINCT service_name FROM spans WHERE service_name IN ($service) ORDER BY 1"},
    {"name": "kept", "query": "query_result(y)", "regex": 'service_name="(s.*?)"'},
    {"name": "names", "query": "metrics(^[xy]$)"},
    {"name": "fixed", "values": ["a.b", 'c"d'], "default": 'c"d'},
    {"name": "typed"},
]
RESOLVED = [
    ({}, "service", ["cart", "shop"]),
    ({"service": ["shop"]}, "one", ["shop"]),
    ({"service": ["$__all"]}, "one", ["cart", "shop"]),
    ({"service": ["cart"]}, "sql", ["cart"]),
    ({}, "kept", ["shop"]),
    ({}, "names", ["x", "y"]),
    ({}, "fixed", ["a.b", 'c"d']),
    ({}, "typed", []),
]


@pytest.mark.parametrize(("given", "name", "expected"), RESOLVED, ids=[name for _, name, _ in RESOLVED])
def test_values_of_variables(open_tables, given, name, expected):
    """Values come from series, keys, SQL, results and lists, and depend on variables before them."""
    (dashboard,) = DASHBOARDS.read_json({"name": "A", "variables": VARIABLES}).values
    source = SeriesInMemory(read_series(SERIES.items(), MINUTE_MS))
    chosen = {name: tuple(values) for name, values in given.items()}
    variables = VariableValues(open_tables(spans=SPANS), source, WINDOW, dashboard.variables, chosen)

    assert list(variables.values(name).values) == expected


PUT = [
    ("{promql: 'y{service_name=~\"$service\"}'}", {"service": ["shop"]}, {"shop"}),
    ("{promql: 'y{service_name=~\"${service:regex}\"}'}", {"service": ["shop", "cart"]}, {"shop", "cart"}),
    ("{promql: 'y{service_name=~\"[[service]]\"}'}", {"service": ["$__all"]}, {"shop", "cart"}),
    ("{promql: 'y{service_name=~\"$service\"}'}", {}, {"shop", "cart"}),
    ("{signal: spans, filter: service.name in ($service), by: [service.name, name]}", {"service": ["cart"]}, {"cart"}),
]


@pytest.mark.parametrize(("query", "given", "services"), PUT, ids=[f"{query} {given}" for query, given, _ in PUT])
def test_variables_are_put_into_queries(ask, query, given, services):
    """Several values, and all of them, are alternatives, in each language's own quoting."""
    import yaml  # noqa: PLC0415 - queries with all kinds of quotes are easiest to read so

    answer = ask({"query": yaml.safe_load(query)}, VARIABLES[:1], given)

    assert answer["errors"] == []
    keys = ("service_name", "service.name")
    assert {series["labels"].get(key) for series in answer["series"] for key in keys} - {None} == services


def test_titles_texts_and_links_have_their_variables(ask):
    """Titles and Markdown hold values as they are; links hold them encoded, and what is no variable stays."""
    panel = {
        "type": "text",
        "title": "Of $fixed",
        "options": {"text": "costs $5, ${fixed}"},
        "links": [{"url": "/services/${fixed}", "title": "to $fixed"}],
    }

    answer = ask(panel, VARIABLES)

    assert (answer["title"], answer["text"]) == ('Of c"d', 'costs $5, c"d')
    assert answer["links"] == [{"title": 'to c"d', "url": "/services/c%22d"}]


@pytest.mark.parametrize(
    ("calculation", "expected"),
    [("last", 20), ("first", 0), ("mean", 10), ("min", 0), ("max", 20), ("sum", 110), ("count", 11), ("delta", 20)],
)
def test_one_number_of_a_series(ask, calculation, expected):
    """The calculation makes one number, and thresholds a level of it."""
    panel = {
        "type": "stat",
        "query": 'x{le="+Inf"}',
        "options": {"calculation": calculation},
        "thresholds": [{"value": 100, "level": "critical"}, 15],
    }

    (series,) = ask(panel)["series"]

    assert series["value"] == expected
    assert series["level"] == ("critical" if expected >= 100 else "warning" if expected >= 15 else None)


def test_panels_of_one_number_ask_for_the_whole_range(ask):
    """Gauges, top lists and tables have one time, that tells of the range; top lists are in order and bounded."""
    top = ask({"type": "top", "query": {"signal": "spans", "by": "service.name"}, "options": {"limit": 1}})
    assert [(series["name"], series["values"]) for series in top["series"]] == [("shop", [4.0])]
    assert top["notes"] == ["the 1 largest of 2 series are shown; options: limit changes that"]

    table = ask({"type": "table", "queries": [{"promql": "y", "legend": "Y"}, {"promql": "y * 2"}]})["table"]
    assert [column["name"] for column in table["columns"]] == ["service_name", "Y", "y * 2"]
    assert table["rows"] == [["cart", 5, 10], ["shop", 10, 20]]
    rows = ask({"type": "table", "query": {"sql": "SELECT name, kind FROM spans"}, "options": {"columns": ["kind"]}})
    assert rows["table"]["rows"] == [["server"]] * 5


def test_heatmaps_have_counts_by_bucket(ask):
    """A bucket holds what its bound has more than the one below."""
    heatmap = ask({"type": "heatmap", "query": "sum by (le) (x)"})["heatmap"]

    assert heatmap["bounds"] == [1, None]
    assert [row[:4] for row in heatmap["counts"]] == [[0, 1, 2, 3], [0, 1, 2, 3]]


def test_panels_of_records_have_records(ask):
    """Logs and traces give the records that match; series of filters say which records are behind them."""
    traces = ask({"type": "traces", "query": "service.name = cart"})["records"]
    assert [trace["root_service"] for trace in traces] == ["cart"]
    assert ask({"type": "logs", "query": "severity >= error"})["records"] == []
    assert len(ask({"type": "logs", "query": "a ="})["errors"]) == 1

    answer = ask({"query": {"signal": "spans", "filter": "kind = server or a = b", "by": "service.name"}})
    assert [series["records"]["filter"] for series in answer["series"]] == [
        '(kind = server or a = b) and service.name = "cart"',
        '(kind = server or a = b) and service.name = "shop"',
    ]
    assert {series["records"]["filter"] for series in ask({"query": "y"})["series"]} == {
        'service.name = "cart"',
        'service.name = "shop"',
    }
    of_a_job = ask({"query": """label_replace(sum(y), "job", "eu/shop/cart", "", "")"""})["series"][0]
    assert of_a_job["records"]["filter"] == 'service.name = "cart" and service.namespace = "eu/shop"'


@pytest.mark.parametrize(
    ("seconds", "points", "step_ms", "size"),
    [
        (600, 240, 5000, 121),
        (3600, 240, 15_000, 241),
        (3600, 60, 60_000, 61),
        (86_400 * 30, 240, 10_800_000, 241),
        (1, 9, 1000, 2),
    ],
)
def test_times_are_at_multiples_of_a_round_step(seconds, points, step_ms, size):
    """As many times as were asked for at most, and the same ones however often a panel is asked again."""
    (dashboard,) = DASHBOARDS.read_json({"name": "A", "panels": [{"query": "y"}]}).values
    values = VariableValues(None, None, Window(0, seconds * SECOND), (), {})

    grid = grid_of(PanelQuestion(dashboard.panels[0], values, 0, points))

    assert (grid.step_ms, grid.first_ms % grid.step_ms) == (step_ms, 0)
    assert abs(grid.size - size) <= 1


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("error_rate", {"error_rate": 0.2}),
        ("avg(response_time) by (service)", {"cart": 2.0, "shop": 2.0}),
        ("sum(request_rate{service!='cart'}) by (operation)", {"GET /": 4 / 600}),
        ("p95(response_time{operation='GET /'})", {"p95(response_time)": 2.4}),
        ("log_errors", {}),
    ],
)
def test_measures_of_stored_spans(open_tables, query, expected):
    """Requests, errors and durations are those of the spans of the whole range."""
    (dashboard,) = DASHBOARDS.read_json({"name": "A", "panels": [{"type": "gauge", "query": query}]}).values
    session = open_tables(spans=SPANS)
    values = VariableValues(session, StoredSeries(session), WINDOW, (), {})

    answer = panel_data(PanelQuestion(dashboard.panels[0], values, 600 * SECOND))

    assert answer["errors"] == []
    assert {each["name"]: each["value"] for each in answer["series"]} == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize("query", ["sum(y)", {"measure": "error_rate"}])
def test_a_panel_that_takes_too_long_is_stopped(open_tables, query):
    """PromQL past its deadline stops the whole question, as any query does."""
    (dashboard,) = DASHBOARDS.read_json({"name": "A", "panels": [{"query": query}]}).values
    source = SeriesInMemory(read_series(SERIES.items(), MINUTE_MS))
    values = VariableValues(open_tables(), source, WINDOW, (), {}, Options(deadline_s=0.0))

    with pytest.raises(QueryTimeoutError):
        panel_data(PanelQuestion(dashboard.panels[0], values, 600 * SECOND))
