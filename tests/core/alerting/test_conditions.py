"""Conditions as people write them: what is read, what is written, what is said of mistakes."""

from __future__ import annotations

import time

import pytest
from condition_strategies import CONDITIONS
from hypothesis import given, settings
from hypothesis import strategies as st

from spanglass_core.alerting.conditions.completing import Names, completions
from spanglass_core.alerting.conditions.nodes import (
    Absent,
    And,
    Arithmetic,
    Comparison,
    IssueEvent,
    Not,
    Number,
    Or,
    Present,
    Quantity,
    Usual,
    principal,
    walk,
)
from spanglass_core.alerting.conditions.parse import MAX_DEPTH, parse_condition
from spanglass_core.alerting.conditions.problems import ConditionError
from spanglass_core.alerting.conditions.writing import write_condition

MIN_NS = 60 * 10**9
DAY_NS = 1440 * MIN_NS


def named(text: str, aggregate: str = "", **more: object) -> Quantity:
    return Quantity("measure_or_metric", text, aggregate, **more)


ERROR_RATE = named("error_rate")
READ = {
    "error_rate > 0.05": Comparison(">", ERROR_RATE, Number(0.05)),
    "avg_response_time > 1000ms": Comparison(">", named("avg_response_time"), Number(1.0, "s")),
    "disk_usage > 90%": Comparison(">", named("disk_usage"), Number(0.9, "ratio")),
    "disk_usage>=90 %": Comparison(">=", named("disk_usage"), Number(0.9, "ratio")),
    "process.memory.usage > 1GB": Comparison(">", named("process.memory.usage"), Number(1e9, "bytes")),
    "x < 1.5 KiB": Comparison("<", named("x"), Number(1536.0, "bytes")),
    "x == 1h30m": Comparison("==", named("x"), Number(5400.0, "s")),
    "task_rate < 6/min": Comparison("<", named("task_rate"), Number(0.1, "/s")),
    "disk_io > 10 MB/s": Comparison(">", named("disk_io"), Number(1e7, "bytes/s")),
    'p95(response_time{service="shop"}) by (route) > 2s': Comparison(
        ">", named("response_time", "p95", conditions=('service="shop"',), by=("route",)), Number(2.0, "s")
    ),
    "max by (queue) (queue_size) > 100 AND task_rate < 1": And(
        (
            Comparison(">", named("queue_size", "max", by=("queue",)), Number(100.0)),
            Comparison("<", named("task_rate"), Number(1.0)),
        )
    ),
    "not (a > 0) or b != -2 and not c <= .5e3": Or(
        (
            Not(Comparison(">", named("a"), Number(0.0))),
            And((Comparison("!=", named("b"), Number(-2.0)), Not(Comparison("<=", named("c"), Number(500.0))))),
        )
    ),
    """promql('sum by (job) (rate(x_total{a=~"\\\\d"}[5m]))') > 3""": Comparison(
        ">", Quantity("promql", 'sum by (job) (rate(x_total{a=~"\\\\d"}[5m]))'), Number(3.0)
    ),
    'count(spans "service:checkout status:error") by (http.route) over 5m > 10': Comparison(
        ">",
        Quantity("spans", "service:checkout status:error", "count", by=("http.route",), window_ns=5 * MIN_NS),
        Number(10.0),
    ),
    'rate(logs "severity:error") > 2': Comparison(">", Quantity("logs", "severity:error", "rate"), Number(2.0)),
    "error_rate > 3 * error_rate offset 1d": Comparison(
        ">", ERROR_RATE, Arithmetic("*", Number(3.0), named("error_rate", offset_ns=DAY_NS))
    ),
    "error_rate > baseline + 4 * spread": Comparison(
        ">", ERROR_RATE, Arithmetic("+", Usual("baseline"), Arithmetic("*", Number(4.0), Usual("spread")))
    ),
    "(a - b) / 2 > -baseline(c)": Comparison(
        ">",
        Arithmetic("/", Arithmetic("-", named("a"), named("b")), Number(2.0)),
        Arithmetic("*", Number(-1.0), Usual("baseline", named("c"))),
    ),
    '"weird-name"{\'a b\'!="c", http.route=~"/x"} > 1': Comparison(
        ">", named("weird-name", conditions=('"a b"!="c"', 'http.route=~"/x"')), Number(1.0)
    ),
    "new_issue": IssueEvent("new_issue"),
    'regression("service:checkout")': IssueEvent("regression", "service:checkout"),
    'present(promql("up == 0"))': Present(Quantity("promql", "up == 0")),
    'absent(request_rate{service="shop"}) over 10m': Absent(
        named("request_rate", conditions=('service="shop"',)), 10 * MIN_NS
    ),
}

WRONG = {
    # text: column, a part of what is said, a part of the hint
    "": (1, "empty", "error_rate > 5%"),
    "error_rate": (11, "comparison is missing", "error_rate > 5"),
    "0.05": (1, "number alone", "error_rate > 0.05"),
    "x > 1 and 5": (12, "comparison is missing", "5 > 5"),
    "5 > 3": (1, "two numbers", "measure or metric"),
    "> 5": (1, "what is compared is missing", "error_rate > 5%"),
    "forecast(x, 1m) > 1": (13, "from 5m to 30d", "7d"),
    "forecast(x, 5) > 1": (13, "takes a duration", "forecast(disk_usage, 7d)"),
    "forecast(x) > 1": (11, "can't stand here", "a comma"),
    "x >": (4, "ends too early", "a measure, a metric or a number"),
    "x = 5": (3, "= is no comparison", "write =="),
    "x => 5": (3, "=> is no comparison", "write >="),
    "x ≥ 5": (3, "≥ means nothing", "write >="),
    "größe.welt > 3": (3, "ö can't stand in a name", "write promql(\"{'the.name'}\")"),
    "error_rate over 5%": (17, "over takes a duration", "write > 5%"),
    "response_time over 1s": (22, "comparison is missing", "write > 1s"),
    "x above 5": (3, "above is no comparison", "write >"),
    "x 5": (3, "comparison is missing", ">="),
    "1 < x < 5": (7, "can't be compared again", "and"),
    "x > 5 && y > 1": (7, "&& means nothing", "write and"),
    "x > 5 for 5m": (7, "for can't stand here", "for: 5m"),
    "x > 5 percent": (7, "percent can't stand here", "write %"),
    "x > 500msec": (8, "msec is no unit", "write ms"),
    "x > 5xyz": (6, "xyz is no unit", "KiB"),
    "x > 5%/s": (5, "can't be a rate", "write 5%"),
    "x > 1e999": (5, "too large", ""),
    "mean(x) > 5": (1, "mean is no aggregation", "write avg"),
    "percentile95(x) > 1": (1, "no aggregation", "did you mean p95?"),
    "maxx(x) > 1": (1, "no aggregation", "did you mean max?"),
    "frob(x) > 1": (1, "no aggregation", "promql"),
    "max(x > 5": (7, "> can't stand here", "closing bracket"),
    "x > 5)": (6, ") can't stand here", "never opened"),
    "rate(x[5m]) > 2": (7, "are PromQL", "over 5m"),
    "spans > 5": (1, "spans is no number", "count(spans)"),
    'p95(logs "x") > 5': (1, "not possible of log records", "count or rate"),
    'count(spans "x) > 5': (13, "never closed", '"'),
    "x{service=shop} > 5": (11, "shop can't stand here", "text in quotes"),
    "x over 5m over 6m > 3": (11, "twice", "leave one"),
    'promql("up") over 5m > 3': (14, "takes no over", "[5m]"),
    'promql("") > 3': (8, "PromQL is empty", "rate"),
    "x offset 1GB > 3": (10, "takes a duration", "offset 1d"),
    "x / 0 > 1": (5, "division by zero", ""),
    "$x > 5": (1, "no variables", ""),
    "(" * MAX_DEPTH + "x": (MAX_DEPTH + 2, "comparison is missing", ""),
    "x" + " + x" * MAX_DEPTH + " > 1": (9, "nested", "several rules"),
    "x" * 10_001: (10_001, "longer than", "two rules"),
}


@pytest.mark.parametrize("text", READ)
def test_conditions_are_read_as_documented(text):
    """Every form of the language becomes the nodes that it means, and is written in a form that means the same."""
    assert parse_condition(text) == READ[text]
    assert parse_condition(write_condition(READ[text])) == READ[text]


@pytest.mark.parametrize("text", WRONG)
def test_mistakes_are_told_of_with_their_column_and_what_was_meant(text):
    """The column is where the mistake stands, and message and hint say what is wrong and what to write."""
    column, message, hint = WRONG[text]

    with pytest.raises(ConditionError) as caught:
        parse_condition(text)

    assert (caught.value.column, message in caught.value.message, hint in caught.value.hint) == (column, True, True), (
        str(caught.value)
    )


@settings(max_examples=60, deadline=None)
@given(CONDITIONS)
def test_what_is_written_means_the_same(condition):
    """Any condition is read back from its written form as the very same, numbers to the last bit."""
    text = write_condition(condition)

    assert parse_condition(text) == condition
    assert write_condition(parse_condition(text)) == text


_PIECES = st.sampled_from(
    [
        *"(){},.=<>!+-*/$&\"'`\\é ",
        *(
            "x",
            "a=",
            "by",
            "over",
            "offset",
            "5m",
            "5%",
            "1GB",
            "5x",
            "and",
            "not",
            "absent",
            "spans",
            "baseline",
            "promql",
        ),
        *("count", "p95", '"a"', "new_issue", "[5m]", "1e999", "(x)"),
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(_PIECES, max_size=9).map("".join), st.integers(0, 30))
def test_any_text_is_a_condition_or_an_error_with_a_column(text, at):
    """Nothing that is typed breaks the parser, its messages or the completion."""
    completions(text, at, Names(("error_rate",), ("x.y",), ("service",)))
    try:
        condition, wrong = parse_condition(text), None
    except ConditionError as error:
        condition, wrong = None, error

    if wrong is not None:
        assert (1 <= wrong.column <= len(text) + 1, bool(wrong.message)) == (True, True)
    else:
        assert parse_condition(write_condition(condition)) == condition


def test_the_written_form_is_the_one_that_people_would_choose():
    """Units are the ones that make a short number, and brackets stand only where they are needed."""
    assert write_condition(parse_condition("((disk_usage)>0.9 and(x>1000ms)) or y > 1e9B")) == (
        "disk_usage > 0.9 and x > 1s or y > 1GB"
    )
    assert write_condition(parse_condition("(a - (b - c)) - d*(e/2) > 90 %")) == "a - (b - c) - d * (e / 2) > 90%"


def test_every_node_knows_its_column():
    """Columns are where the text of each node begins, through brackets, signs and line breaks."""
    nodes = list(walk(parse_condition('not (max(a) > -5)\nand absent(promql("b"))')))

    assert [(type(node).__name__, node.column) for node in nodes] == [
        ("And", 1),
        ("Not", 1),
        ("Comparison", 6),
        ("Quantity", 6),
        ("Number", 15),
        ("Absent", 23),
        ("Quantity", 30),
    ]


def test_levels_replace_the_number_of_the_first_comparison_that_is_not_negated():
    """The principal comparison is the first from the left, but none under a not, whose levels would be reversed."""
    assert principal(parse_condition("not (a > 1) and (new_issue or b > 2) and c > 3")) == Comparison(
        ">", named("b"), Number(2.0)
    )
    assert principal(parse_condition("absent(a) or not b > 1")) is None


def test_a_thousand_conditions_are_read_in_well_under_a_second():
    """A server's rules are parsed in less than a second of processor time, and again at once."""
    parse_condition("x > 1")
    texts = [f'p95(response_time{{service="shop{number}"}}) by (route) > {number}ms' for number in range(1000)]

    start = time.thread_time()
    first = [parse_condition(text) for text in texts]
    middle = time.thread_time()
    again = [parse_condition(text) for text in texts]

    assert middle - start < 0.9
    assert time.thread_time() - middle < 0.1
    assert all(left is right for left, right in zip(first, again, strict=True))
