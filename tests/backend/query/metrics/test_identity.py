"""Which stored metric a name means, when it is sent in several ways."""

from __future__ import annotations

import pytest
from metric_tables import CUMULATIVE, DELTA, SECOND, T0, ask, counter, gauge, histogram, point, values

from spanglass_server.query.errors import BadQuestionError
from spanglass_server.query.metrics.question import Question
from spanglass_server.query.metrics.range import query_range
from spanglass_server.store.ports import Window


def of(service):
    """Name a point's service."""
    return {"resource.service.name:str": service}


def test_a_filter_narrows_a_name_to_one_type(open_tables):
    """Of a name that is a gauge of one service and a counter of another, a filter that matches one means that one."""
    session = open_tables(metrics=[gauge(10, 1.0, **of("a")), counter(60, 6, **of("b"))])
    with pytest.raises(BadQuestionError) as refused:
        ask(session, "increase")
    assert refused.value.message == "The metric 'm' has several types: 'gauge', 'sum'."
    assert refused.value.hint == "Give type=, or a filter that only one of them matches."
    assert values(session, "increase", filter="service:b") == {0: 6}
    assert values(session, "count", filter="service:a") == {0: 1}


def test_a_filter_that_matches_nothing_answers_nothing(open_tables):
    """The metric is there; none of its points matches."""
    session = open_tables(metrics=[gauge(10, 1.0)])
    assert ask(session, "sum", filter="service:nobody") == ({}, [])


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"temporality": CUMULATIVE, "is_monotonic": True}, {"temporality": CUMULATIVE, "is_monotonic": False}),
        ({"temporality": DELTA, "is_monotonic": False}, {"temporality": CUMULATIVE, "is_monotonic": False}),
    ],
)
def test_sums_of_several_kinds_are_refused_with_the_filters_that_choose(open_tables, first, second):
    """Levels and increases of one name are never mixed, and none is dropped in silence."""
    rows = [point("sum", 60, start_s=0, value_int=5, **how) for how in (first, second)]
    session = open_tables(metrics=rows)
    with pytest.raises(BadQuestionError) as refused:
        ask(session, "sum")
    assert refused.value.field == "filter"
    for chosen in refused.value.hint.removeprefix("Choose one with a filter: ").rstrip(".").split(", or "):
        found = ask(session, "sum", filter=chosen)[0][()]
        assert next(iter(found.values())) == 5


def test_delta_and_cumulative_of_two_senders_are_added(open_tables):
    """Histograms of both temporalities are increases alike."""
    session = open_tables(
        metrics=[
            histogram(60, (0, 2, 0, 0), 3.0, temporality=DELTA, **of("a")),
            histogram(60, (0, 0, 2, 0), 6.0, temporality=CUMULATIVE, **of("b")),
        ]
    )
    assert values(session, "count") == {0: 4}
    assert values(session, "quantile", q=0.5) == {0: 2.0}


def test_a_marker_of_another_type_makes_no_name_ambiguous(open_tables):
    """Markers have no value; a vanished target's may be of any type."""
    session = open_tables(metrics=[counter(60, 6), gauge(120, None, flags=1)])
    assert values(session, "increase") == {0: 6}


def test_a_name_near_the_range_is_found(open_tables):
    """A range between two points knows the metric; one far from any does not."""
    session = open_tables(metrics=[gauge(0, 1.0)])
    near = Window((T0 + 100) * SECOND, (T0 + 160) * SECOND)
    assert values(session, "sum", window=near) == {60: 1.0, 120: 1.0}
    assert query_range(session, Question(near, "m"))["series"] == []
    with pytest.raises(BadQuestionError) as unknown:
        ask(session, "sum", window=Window((T0 + 400) * SECOND, (T0 + 460) * SECOND))
    assert unknown.value.code == "not_found"


def test_scopes_are_series_of_their_own(open_tables):
    """Two libraries that send one name from one process are added, and their points never subtracted from another's."""
    rows = [
        counter(time_s, value, scope_name=scope)
        for scope, numbers in (("http", (6, 12)), ("undici", (100, 160)))
        for time_s, value in zip((60, 120), numbers, strict=True)
    ]
    session = open_tables(metrics=rows)
    assert values(session, "increase") == {0: 106, 60: 66}
    assert ask(session, "increase", by=["scope.name"])[0] == {("undici",): {0: 100, 60: 60}, ("http",): {0: 6, 60: 6}}
