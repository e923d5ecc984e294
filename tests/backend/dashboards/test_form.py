"""Dashboards as YAML: what is written is read, what is wrong is told, and writing changes nothing."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spanglass_server.dashboards import model
from spanglass_server.dashboards.form.shorter import finish_dashboard, finish_panel
from spanglass_server.dashboards.form.spec import DASHBOARDS
from spanglass_server.forms.nodes import MAX_DEPTH

REQUIRED = """\
monitoring:
  dashboards:
    - name: System Overview
      refresh_interval: 30s
      panels:
        - title: Response Time
          type: line
          query: avg(response_time)
        - title: Error Rate
          type: gauge
          query: error_rate
        - title: Active Connections
          type: stat
          query: active_connections
"""


def test_the_required_form_works_as_written():
    """The form of the requirement is read, and written again as it was."""
    read = DASHBOARDS.read_yaml(REQUIRED)

    (dashboard,) = read.values
    assert read.problems == ()
    assert (dashboard.uid, dashboard.refresh_interval_ns) == ("system-overview", 30 * 10**9)
    assert [(panel.type, panel.queries[0].id, panel.queries[0].text) for panel in dashboard.panels] == [
        ("line", "A", "avg(response_time)"),
        ("gauge", "A", "error_rate"),
        ("stat", "A", "active_connections"),
    ]
    assert DASHBOARDS.to_yaml(read.values) == REQUIRED


@pytest.mark.parametrize("text", [REQUIRED, REQUIRED.replace("monitoring:\n", "").replace("\n  ", "\n")[2:]])
def test_files_may_begin_at_dashboards(text):
    """``monitoring:`` may be left out, and so may the list around a single dashboard."""
    assert DASHBOARDS.read_yaml(text).values == DASHBOARDS.read_yaml(REQUIRED).values
    assert len(DASHBOARDS.read_yaml("name: Alone\npanels: []").values) == 1
    assert DASHBOARDS.read_yaml("# nothing yet\n").problems == ()


def test_a_settings_file_holds_other_things_too():
    """Only ``monitoring.dashboards`` of a settings file counts."""
    text = "server:\n  port: 1\n" + REQUIRED

    assert DASHBOARDS.read_settings_yaml(text, "s.yaml").values == DASHBOARDS.read_yaml(REQUIRED).values
    assert DASHBOARDS.read_settings_yaml("server: {port: 1}", "s.yaml").values == ()


def test_every_problem_is_told_with_its_place():
    """All problems of a file come at once, each with file, line, column, path and what was probably meant."""
    text = REQUIRED.replace("type: line", "type: lime").replace("type: stat", "typ: stat").replace("30s", "thirty")

    read = DASHBOARDS.read_yaml(text, "d.yaml")

    assert read.values == ()
    assert [str(problem) for problem in read.problems] == [
        (
            "d.yaml:4:25: monitoring.dashboards[0].refresh_interval: 'thirty' is not a number; "
            "write a number and a unit, such as 30s, 15m or 1h30m"
        ),
        "d.yaml:7:17: monitoring.dashboards[0].panels[0].type: 'lime' is not one of the choices; did you mean 'line'?",
        "d.yaml:13:11: monitoring.dashboards[0].panels[2].typ: unknown key 'typ'; did you mean 'type'?",
    ]


WRONG = [
    ("panels: [{type: line}]", "query is missing"),
    ("panels: [{quer: a}]", "unknown key 'quer'"),
    ("panels: [{query: a, queries: [b]}]", "both given"),
    ("panels: [{query: [a, b]}]", "query is one query"),
    ("panels: [{query: {promql: a, sql: b}}]", "promql and sql are both given"),
    ("panels: [{query: {promql: a, by: [x]}}]", "by does not go with promql"),
    ("panels: [{query: {filter: 'a=b'}}]", "signal is missing"),
    ("panels: [{query: {}}]", "nothing is asked"),
    ("panels: [{queries: [a, {formula: A / C}]}]", "names 'C', which no query has"),
    ("panels: [{queries: [a, {formula: A / B}]}]", "names itself"),
    ("panels: [{queries: [{id: A, query: a}, {id: A, query: b}]}]", "two queries have the id 'A'"),
    ("panels: [{type: text, query: a}]", "has no query"),
    ("panels: [{type: logs, queries: [a, b]}]", "has one query"),
    ("panels: [{id: a, query: a}, {id: a, query: b}]", "two panels have the id 'a'"),
    ("panels: [{query: a, position: {x: 1}}]", "x and y go together"),
    ("panels: [{query: a, position: {x: 8, y: 0, w: 6}}]", "more than 12 columns"),
    ("panels: [{query: a, position: {w: 13}}]", "a whole number from 1 to 12"),
    ("panels: [{query: a, options: {min: 2, max: 1}}]", "min is not less than max"),
    ("panels: [{query: a, options: {stacked: maybe}}]", "expected true or false"),
    ("panels: [{query: a, thresholds: [{level: warning}]}]", "value is missing"),
    ("panels: [{query: a, links: ['javascript:alert(1)']}]", "expected a mapping"),
    ("panels: [{query: a, links: [{url: 'javascript:alert(1)'}]}]", "can't be a link"),
    ("panels: [{query: a, links: [{url: '//evil.example'}]}]", "can't be a link"),
    ("panels: {}", "expected a list"),
    ("variables: [{name: 'a b'}]", "is not possible here"),
    ("variables: [{name: a, query: x, sql: y}]", "query and sql are both given"),
    ("variables: [{name: a, default: [x, y]}]", "default has several values"),
    ("variables: [{name: a, regex: '('}]", "regex is no regular expression"),
    ("variables: [{name: a}, {name: a}]", "two variables have the name 'a'"),
    ("annotations: [{name: a, source: promql}]", "query is missing"),
    ("refresh_interval: 1ms", "too short"),
    ("uid: Not A Slug", "is not possible here"),
    ("name: twice", "name is given twice"),
    ("panels: [" + "[" * MAX_DEPTH + "]" * MAX_DEPTH + "]", "nested deeper"),
    ("panels: [", "not valid YAML"),
    ("x: \x00", "not valid YAML"),
]


@pytest.mark.parametrize(("text", "told"), WRONG, ids=[told for _, told in WRONG])
def test_what_is_wrong_is_told(text, told):
    """Values that can't be, alone or together, are told, and the dashboard does not count."""
    read = DASHBOARDS.read_yaml(f"name: A\n{text}\n")

    assert read.values == ()
    assert any(told in problem.message for problem in read.problems), read.problems


def test_short_forms_are_suggested_too():
    """A key that is only a short form of another is what was probably meant."""
    (problem,) = DASHBOARDS.read_yaml("name: A\npanels: [{quer: up}]").problems

    assert problem.hint == "did you mean 'query'?"


def test_aliases_without_end_are_refused():
    """A few lines that stand for millions of values are refused at once."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]

    assert "is it the right file?" in DASHBOARDS.read_yaml("\n".join(lines)).problems[0].message


def test_merge_keys_are_read():
    """Panels may share what is alike by YAML's anchors and merge keys."""
    text = "name: A\npanels:\n  - &one {title: X, type: bar, query: a}\n  - {<<: *one, title: Y}\n"

    assert [(panel.title, panel.type) for panel in DASHBOARDS.read_yaml(text).values[0].panels] == [
        ("X", "bar"),
        ("Y", "bar"),
    ]


def test_right_dashboards_of_a_partly_wrong_file_count():
    """One dashboard that is wrong does not take the others of its file with it; two of a name are told."""
    read = DASHBOARDS.read_yaml("dashboards: [{name: A}, {name: B, panes: []}, {name: C}, {name: c}]")

    assert [dashboard.name for dashboard in read.values] == ["A", "C"]
    assert [problem.path for problem in read.problems] == ["dashboards[1].panes", "dashboards[3]"]


# what YAML may not hold stands in no file, and what a text may be is any line that people write
_TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Zl", "Zp")), max_size=20)
_NAMES = _TEXTS.filter(str.strip)
_NUMBERS = st.none() | st.floats(allow_nan=False, allow_infinity=False).map(lambda value: value + 0.0)
_IDS = st.from_regex(r"[a-z][a-z0-9]{0,6}", fullmatch=True)


def _tuples(values, most=3):
    return st.lists(values, max_size=most).map(tuple)


def _queries():
    asked = st.sampled_from(("query", "promql", "measure", "sql")).flatmap(lambda kind: _NAMES.map(lambda x: {kind: x}))
    sought = st.fixed_dictionaries({"signal": st.sampled_from(model.SIGNALS), "filter": _TEXTS, "by": _tuples(_NAMES)})
    shown = st.fixed_dictionaries({"legend": _TEXTS, "hidden": st.booleans(), "aggregate": _NAMES})
    return st.builds(lambda what, how: model.Query(**what, **how), asked | sought, shown)


_OPTIONS = st.builds(
    model.Options,
    min=st.none() | st.floats(-1e9, 0),
    max=st.none() | st.floats(1, 1e9),
    stacked=st.booleans(),
    calculation=st.sampled_from(model.CALCULATIONS),
    decimals=st.none() | st.integers(0, 5),
    columns=_tuples(_NAMES),
    text=_TEXTS,
)
_PANELS = st.builds(
    model.Panel,
    title=_TEXTS,
    type=st.sampled_from(("line", "bar", "stat", "table")),
    id=st.just("") | _IDS,
    queries=st.lists(_queries(), min_size=1, max_size=3).map(tuple),
    thresholds=_tuples(st.builds(model.Threshold, st.floats(-1e300, 1e300), st.sampled_from(model.LEVELS), _TEXTS)),
    options=_OPTIONS,
    position=st.builds(model.Position, w=st.none() | st.integers(1, 12), h=st.none() | st.integers(1, 9)),
    links=_tuples(st.builds(model.Link, st.just("/x"), _TEXTS)),
)
_VARIABLES = st.builds(model.Variable, name=_IDS, values=_tuples(_TEXTS), default=_tuples(_TEXTS, 1), all=st.booleans())
_DASHBOARDS = st.builds(
    model.Dashboard,
    name=_NAMES,
    uid=st.just("") | _IDS,
    description=_TEXTS,
    tags=_tuples(_NAMES),
    refresh_interval_ns=st.just(0) | st.integers(10**9, 10**15),
    range_ns=st.integers(60 * 10**9, 10**18),
    variables=st.lists(_VARIABLES, max_size=2, unique_by=lambda variable: variable.name).map(tuple),
    panels=st.lists(_PANELS, max_size=3, unique_by=lambda panel: panel.id or object()).map(tuple),
).map(
    lambda dashboard: finish_dashboard(
        model.Dashboard(
            **{name: getattr(dashboard, name) for name in dashboard.__slots__ if name != "panels"},
            panels=tuple(finish_panel(panel) for panel in dashboard.panels),
        )
    )
)


@given(_DASHBOARDS)
@settings(max_examples=25, deadline=None)
def test_writing_and_reading_change_nothing(dashboard):
    """Any dashboard is itself again after YAML and after JSON, and its YAML is always the same."""
    text = DASHBOARDS.to_yaml([dashboard])
    read = DASHBOARDS.read_yaml(text)

    assert read.problems == ()
    assert read.values == (dashboard,)
    assert DASHBOARDS.to_yaml(read.values) == text
    assert DASHBOARDS.read_json(DASHBOARDS.to_json(dashboard)).values == (dashboard,)
    assert DASHBOARDS.read_json(DASHBOARDS.to_json(dashboard, full=False)).values == (dashboard,)


def test_yaml_holds_only_what_differs_from_the_defaults():
    """Nothing that is as it would be anyway is written."""
    (dashboard,) = DASHBOARDS.read_json(
        {"name": "A", "panels": [{"title": "X", "query": "up", "options": {"stacked": False}}]}
    ).values

    assert DASHBOARDS.to_json(dashboard, full=False) == {
        "name": "A",
        "refresh_interval": "30s",
        "panels": [{"title": "X", "type": "line", "query": "up"}],
    }
