"""What a metric's page asks besides its chart: cardinality, heatmap, exemplars, sorted series."""

from __future__ import annotations

import pytest
from metric_tables import SECOND, T0, WINDOW, counter, exponential_row, gauge, histogram

from spanglass_server.query.errors import BadQuestionError
from spanglass_server.query.explorer.cardinality import count_cardinality
from spanglass_server.query.explorer.exemplars import list_exemplars
from spanglass_server.query.explorer.heatmap import heatmap
from spanglass_server.query.metrics.listing import metric_series
from spanglass_server.query.metrics.question import Question

ASKED = Question(WINDOW, "m", step_ns=60 * SECOND)


def test_cardinality_says_which_attribute_makes_series_and_what_is_new(open_tables):
    """Three users in the range, one of them known from the period before; the host is the same all the time."""
    host = {"resource.host.name:str": "a"}
    rows = [gauge(-60, 1.0, **host, **{"point.user:int": 1})]
    rows += [gauge(t, 1.0, **host, **{"point.user:int": user}) for user in (1, 2, 3) for t in (10, 20)]
    found = count_cardinality(open_tables(metrics=rows), WINDOW, ["m"], "")
    assert (found["series"], found["series_before"]) == (3, 1)
    users, hosts, services = found["attributes"]
    assert users == {
        "key": "user", "position": "point", "values": 3, "values_before": 1, "new_values": 2, "series": 3,
        "top": [{"value": "1", "series": 1, "series_before": 1}, {"value": "2", "series": 1, "series_before": 0},
                {"value": "3", "series": 1, "series_before": 0}],
    }  # fmt: skip
    assert (hosts["key"], hosts["values"], hosts["new_values"], services["key"]) == ("host.name", 1, 0, "service.name")
    assert count_cardinality(open_tables(metrics=rows), WINDOW, ["m"], "user > 1")["series"] == 2


def test_cardinality_of_a_metric_without_attributes(open_tables):
    """There is nothing to tell its series apart by."""
    rows = [{"metric_name": "m", "metric_type": "gauge", "value_int": 1, "time_ns": T0 * SECOND + 1}]
    assert count_cardinality(open_tables(metrics=rows), WINDOW, ["m"], "") == {
        "series": 1, "series_before": 0, "attributes": [],
    }  # fmt: skip


def test_a_heatmap_has_a_row_a_bucket_and_a_column_a_step(open_tables):
    """Explicit buckets of two points; the last one has no upper bound, empty cells are null."""
    rows = [histogram(30, [1, 0, 0, 0], 1.0, start_s=0), histogram(90, [1, 2, 0, 1], 9.0, start_s=0)]
    found = heatmap(open_tables(metrics=rows), ASKED)
    assert (found["start"], found["step_s"], found["count"]) == (T0, 60, 10)
    assert found["rows"] == [[0.0, 1.0], [1.0, 2.0], [2.0, 4.0], [4.0, None]]
    assert [sum(filter(None, row)) for row in found["cells"]] == pytest.approx([1, 2, 0, 1])
    assert found["cells"][2] == [None] * 10


def test_a_heatmap_of_exponential_buckets_is_coarse_enough_to_read(open_tables):
    """A hundred buckets become at most forty rows, and none of their observations is lost."""
    rows = [exponential_row(30, [1] * 100, scale=4, zeros=2, start_s=0)]
    found = heatmap(open_tables(metrics=rows), ASKED)
    assert len(found["rows"]) <= 40
    assert sum(value or 0 for row in found["cells"] for value in row) == pytest.approx(102)


def test_what_has_no_distribution_is_refused(open_tables):
    """A counter has no buckets; a histogram without observations no rows."""
    with pytest.raises(BadQuestionError, match="no distribution"):
        heatmap(open_tables(metrics=[counter(10, 1)]), ASKED)
    assert heatmap(open_tables(metrics=[histogram(30, [0, 0, 0, 0], 0.0)]), ASKED)["rows"] == []


def test_exemplars_are_the_largest_of_each_step_that_know_their_trace(open_tables):
    """Of five in a step three are told, none without a trace."""
    times = [(T0 + 60 + k) * SECOND for k in range(6)]
    row = histogram(
        70, [6, 0, 0, 0], 1.0, exemplar_time_ns=times, exemplar_value_double=[0.5, 0.1, 0.9, 0.2, 0.7, 9.0],
        exemplar_value_int=[None] * 6, exemplar_trace_id=[bytes([k + 1] * 16) for k in range(5)] + [None],
        exemplar_span_id=[b"\x01" * 8, *[None] * 5],
    )  # fmt: skip
    found = list_exemplars(open_tables(metrics=[row]), ASKED)["exemplars"]
    assert [(one["value"], one["trace_id"][:2], one["span_id"]) for one in found] == [
        (0.5, "01", "01" * 8), (0.9, "03", None), (0.7, "05", None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("sort", "descending", "first"),
    [("value", True, 9.0), ("value", False, 1.0), ("points", True, 5.0), ("time", True, 1.0)],
)
def test_series_are_sorted_and_counted_beyond_the_limit(open_tables, sort, descending, first):
    """The table of series shows the first of an order, and how many there are."""
    rows = [gauge(10, 9.0, **{"point.k:str": "a"}), gauge(30, 1.0, **{"point.k:str": "b"})]
    rows += [gauge(t, 5.0, **{"point.k:str": "c"}) for t in (5, 6)]
    question = Question(WINDOW, "m", limit=1)
    found = metric_series(open_tables(metrics=rows), question, sort, descending=descending)
    assert (found["series"][0]["last_value"], len(found["series"]), found["total"]) == (first, 1, 3)
