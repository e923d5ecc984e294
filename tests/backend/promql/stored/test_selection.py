"""Stored points as series: names, labels, staleness, histograms, deltas, several parts."""

from __future__ import annotations

import pytest
from stored_points import START_MS, found, gauge, point, selector, stale

from spanglass_server.promql.stored.source import StoredSeries
from spanglass_server.query.errors import BadQuestionError

SERVICE = {
    "resource.service.namespace:str": "shop",
    "resource.service.name:str": "cart",
    "resource.service.instance.id:str": "cart-1",
    "resource.host.name:str": "h1",
}
COUNTER = {"kind": "sum", "temporality": 2, "is_monotonic": True}
#: Observations up to 0.1 and 1 and above: 2, 1, 1.
BUCKETS = {"bucket_counts": [2, 1, 1], "explicit_bounds": [0.1, 1.0], "count": 4, "sum": 3.5}


def test_a_gauge_is_a_series_with_the_labels_of_its_points(open_tables):
    """A series for each set of attributes, by rising time, in the order of labels."""
    session = open_tables(metrics=[gauge(20, 3, a="2"), gauge(0, 1, a="1"), gauge(10, 2, a="2")])
    assert found(session, "x") == {"x{a=1}": [(0, 1)], "x{a=2}": [(10, 2), (20, 3)]}
    assert list(found(session, "x")) == ["x{a=1}", "x{a=2}"]


def test_the_range_is_left_open(open_tables):
    """A sample at the start is outside, one at the end inside; nanoseconds are cut to milliseconds."""
    session = open_tables(metrics=[gauge(0, 1), gauge(1.0000005, 2), gauge(2, 3)])
    assert found(session, "x", between=(START_MS, START_MS + 1000)) == {"x{}": [(1, 2)]}


def test_names_are_translated_and_originals_found(open_tables):
    """The translated name and the original one find the same points, each with the name that was asked for."""
    session = open_tables(metrics=[point(name="a.b", metric_unit="By", **COUNTER, value_int=2**53)])
    assert found(session, "a_b_bytes_total") == {"a_b_bytes_total{}": [(0, 2**53)]}
    assert found(session, "a.b") == {"a.b{}": [(0, 2**53)]}
    assert found(session, "__name__=~a.*") == {"a_b_bytes_total{}": [(0, 2**53)]}
    assert found(session, "__name__=~a[.]b") == {"a.b{}": [(0, 2**53)]}
    assert found(session, "__name__!=a_b_bytes_total") == {}
    assert found(session, "a_b") == {}


def test_job_instance_and_named_resource_attributes(open_tables):
    """The service is job and instance; another resource attribute is a label where the expression names it."""
    session = open_tables(metrics=[point(value_double=1, attributes=SERVICE)])
    assert list(found(session, "x")) == ["x{instance=cart-1,job=shop/cart}"]
    assert list(found(session, "x", named=("host_name",))) == ["x{host_name=h1,instance=cart-1,job=shop/cart}"]
    assert list(found(session, "x", "host.name=h1")) == ["x{host.name=h1,instance=cart-1,job=shop/cart}"]
    assert found(session, "x", "host_name=h2") == {}


def test_labels_are_sanitised_and_collisions_joined(open_tables):
    """Attributes whose keys become one label have their values joined by ";" in the order of the keys."""
    attributes = {"point.a.b:str": "dot", "point.a_b:str": "line", "point.n:int": 200, "point.t:bool": True}
    session = open_tables(metrics=[point(value_double=1, attributes=attributes)])
    assert list(found(session, "x")) == ["x{a_b=dot;line,n=200,t=true}"]
    assert list(found(session, "x", "a.b=dot")) == ["x{a.b=dot,a_b=line,n=200,t=true}"]


def test_one_key_with_several_types_is_one_label(open_tables):
    """A key that was sent as text and as a number is one label, of each series the value it has."""
    rows = [
        point(value_double=1, attributes={"point.code:int": 200}),
        point(value_double=2, attributes={"point.code:str": "404"}),
    ]
    assert list(found(open_tables(metrics=rows), "x")) == ["x{code=200}", "x{code=404}"]


def test_attributes_past_the_limit_of_columns_are_labels_too(open_tables):
    """What overflowed is a label; attributes of exemplars are not."""
    overflow = {"overflow_name": ["point.a:str", "exemplar.b:str"], "overflow_value": ["1", "2"]}
    session = open_tables(metrics=[point(value_double=1, overflow_index=[None, 0], **overflow), gauge(1, 2, a="1")])
    assert found(session, "x") == {"x{a=1}": [(0, 1), (1, 2)]}


def test_series_that_would_be_equal_are_told_apart(open_tables):
    """Resource attributes or the scope that differ become labels where label sets would be equal."""
    hosts = [point(value_double=n, attributes={**SERVICE, "resource.host.name:str": f"h{n}"}) for n in (1, 2)]
    assert list(found(open_tables(metrics=hosts), "x")) == [
        "x{host_name=h1,instance=cart-1,job=shop/cart}",
        "x{host_name=h2,instance=cart-1,job=shop/cart}",
    ]
    scopes = [point(value_double=1, scope_name="a"), point(value_double=2, scope_name="b")]
    assert list(found(open_tables(metrics=scopes), "x")) == ["x{otel_scope_name=a}", "x{otel_scope_name=b}"]


def test_what_nothing_tells_apart_is_one_series(open_tables):
    """The same metric under two units is one series of one name; of one time the last sample stays."""
    rows = [point(0, value_double=1, name="a_seconds"), point(1, value_double=2, name="a", metric_unit="s")]
    assert found(open_tables(metrics=rows), "a_seconds") == {"a_seconds{}": [(0, 1), (1, 2)]}


@pytest.mark.parametrize(
    ("conditions", "values"),
    [
        (("a=1",), [1]),
        (("a!=1",), [2, 3]),
        (("a=",), [3]),
        (("a=~1|2",), [1, 2]),
        (("a=~[0-9]",), [1, 2]),
        (("a!~[0-9]",), [3]),
        (("a=~.+",), [1, 2]),
        (("a=~.*",), [1, 2, 3]),
        (("a=~1|",), [1, 3]),
        (("a=~(?i)B.*", "b=~x\ny|.y"), []),
        (("b=~x.y",), [3]),
        (("nowhere=",), [1, 2, 3]),
        (("nowhere=~.+",), []),
    ],
)
def test_matchers(open_tables, conditions, values):
    """Matchers compare whole values; a series without the label has the value ""; a dot matches line breaks."""
    session = open_tables(metrics=[gauge(0, 1, a="1"), gauge(0, 2, a="2"), gauge(0, 3, b="x\ny")])
    assert sorted(value for [(_, value)] in found(session, "x", *conditions).values()) == values


@pytest.mark.parametrize(
    ("pattern", "values"),
    [
        ("5..", ["500", "5\n0"]),
        ("[0-9]+", ["500"]),
        (r"\d00|a\.b", ["500", "a.b"]),
        (r"\w.*", ["500", "5\n0", "a.b", "a-b", "axb"]),
        ("a.b", ["a.b", "a-b", "axb"]),
        ("a[.x]b|.*0", ["500", "5\n0", "a.b", "axb"]),
        ("(?i)A.B", ["a.b", "a-b", "axb"]),
        ("a|", [""]),
        ("[٣]", ["٣"]),
        (r"\d", []),
    ],
)
def test_regular_expressions_are_those_of_re2(open_tables, pattern, values):
    """Whoever evaluates them, expressions are anchored, a dot is any character, classes are those of ASCII."""
    texts = ["500", "5\n0", "a.b", "a-b", "axb", "٣", ""]
    session = open_tables(metrics=[gauge(0, place, a=text) for place, text in enumerate(texts)])
    series = found(session, "x", f"a=~{pattern}")
    assert [texts[int(value)] for value in sorted(value for [(_, value)] in series.values())] == values


def test_a_bad_regular_expression_is_refused(open_tables):
    """What is no regular expression of RE2 is an error that says why."""
    session = open_tables(metrics=[gauge(0, 1, a="1")])
    with pytest.raises(BadQuestionError, match="error parsing regexp"):
        found(session, "x", "a=~(?=x)")


def test_markers_end_a_series(open_tables):
    """A point without a recorded value is a staleness marker, in every series of a histogram."""
    ends = stale(point(20, kind="histogram", temporality=2))
    rows = [gauge(0, 1), stale(gauge(10, 0)), point(0, kind="histogram", temporality=2, name="h", **BUCKETS)]
    session = open_tables(metrics=[*rows, ends | {"metric_name": "h"}])
    assert found(session, "x") == {"x{}": [(0, 1), (10, "stale")]}
    assert found(session, "h_bucket", "le=0.1") == {"h_bucket{le=0.1}": [(0, 2), (20, "stale")]}
    assert found(session, "h_count") == {"h_count{}": [(0, 4), (20, "stale")]}


def test_explicit_histograms_are_buckets_count_and_sum(open_tables):
    """Buckets are cumulative over their bounds, the last one is the count."""
    session = open_tables(metrics=[point(kind="histogram", temporality=2, metric_unit="s", name="h", **BUCKETS)])
    assert found(session, "h_seconds_bucket") == {
        "h_seconds_bucket{le=+Inf}": [(0, 4)],
        "h_seconds_bucket{le=0.1}": [(0, 2)],
        "h_seconds_bucket{le=1}": [(0, 3)],
    }
    assert found(session, "h_seconds_count") == {"h_seconds_count{}": [(0, 4)]}
    assert found(session, "h_seconds_sum") == {"h_seconds_sum{}": [(0, 3.5)]}


def test_bounds_that_change_are_series_of_one_stream(open_tables):
    """Series of bounds that stay go on, others end or begin; a histogram without buckets has the last one only."""
    kind = {"kind": "histogram", "temporality": 2, "name": "h"}
    rows = [
        point(0, **kind, **BUCKETS),
        point(1, **kind, bucket_counts=[5, 1], explicit_bounds=[1.0], count=6, sum=1),
        point(2, **kind, count=7, sum=1),
    ]
    assert found(open_tables(metrics=rows), "h_bucket") == {
        "h_bucket{le=+Inf}": [(0, 4), (1, 6), (2, 7)],
        "h_bucket{le=0.1}": [(0, 2)],
        "h_bucket{le=1}": [(0, 3), (1, 5)],
    }


def test_an_infinite_bound_is_the_last_bucket(open_tables):
    """A bound that was sent as infinity makes no second last bucket."""
    bounds = {"bucket_counts": [2, 1, 0], "explicit_bounds": [1.0, float("inf")], "count": 3}
    session = open_tables(metrics=[point(kind="histogram", temporality=2, name="h", **bounds)])
    assert found(session, "h_bucket") == {"h_bucket{le=+Inf}": [(0, 3)], "h_bucket{le=1}": [(0, 2)]}


def test_summaries_are_quantiles_count_and_sum(open_tables):
    """A series for each quantile, and its count and sum."""
    quantiles = {"quantiles": [0.5, 0.99], "quantile_values": [1.0, 9.0], "count": 10, "sum": 20}
    session = open_tables(metrics=[point(kind="summary", name="s", **quantiles)])
    assert found(session, "s") == {"s{quantile=0.5}": [(0, 1)], "s{quantile=0.99}": [(0, 9)]}
    assert found(session, "s_count") == {"s_count{}": [(0, 10)]}


def test_deltas_are_summed_up(open_tables):
    """Increases become a counter over what is read; copies count once, what overlaps is left out."""
    kind = {"kind": "sum", "temporality": 1, "is_monotonic": True}
    rows = [
        point(10, start=0, **kind, value_int=5),
        point(20, start=10, **kind, value_int=2),
        point(20, start=10, **kind, value_int=2),
        point(20, start=10, **kind, value_int=1),
        point(25, start=5, **kind, value_int=100),
        point(30, start=20, **kind, value_double=0.5),
    ]
    assert found(open_tables(metrics=rows), "x_total") == {"x_total{}": [(10, 5), (20, 8), (30, 8.5)]}


def test_delta_histograms_are_summed_up(open_tables):
    """Each bucket of delta histograms is a counter too."""
    kind = {"kind": "histogram", "temporality": 1, "name": "h"}
    rows = [point(t, start=t - 10, **kind, **BUCKETS) for t in (10, 20)]
    session = open_tables(metrics=rows)
    assert found(session, "h_bucket", "le=1") == {"h_bucket{le=1}": [(10, 3), (20, 6)]}
    assert found(session, "h_sum") == {"h_sum{}": [(10, 3.5), (20, 7)]}


def test_of_both_temporalities_the_cumulative_counts(open_tables):
    """Where a series is sent as delta and as cumulative, both carry the same events."""
    rows = [
        point(10, start=0, kind="sum", is_monotonic=True, temporality=1, value_int=5),
        point(11, start=0, kind="sum", is_monotonic=True, temporality=2, value_int=50),
    ]
    assert found(open_tables(metrics=rows), "x_total") == {"x_total{}": [(11, 50)]}


def test_series_from_prometheus_are_given_back_as_they_came(open_tables):
    """Name and labels of scope ``prometheus`` are verbatim: no suffix, no label of the resource."""
    attributes = {"point.job:str": "node", "point.instance:str": "a:1", "point.le:str": "1.0", **SERVICE}
    common = {"name": "y_bucket", "scope_name": "prometheus", "metric_unit": "s", "attributes": attributes}
    rows = [
        point(0, kind="gauge", value_double=1, **common),
        point(1, kind="sum", temporality=2, is_monotonic=True, value_double=2, **common),
        point(2, kind="gauge", **common, exemplar_value_double=[1.0]),
    ]
    assert found(open_tables(metrics=rows), "y_bucket") == {"y_bucket{instance=a:1,job=node,le=1.0}": [(0, 1), (1, 2)]}


def test_alternatives_of_matchers(open_tables):
    """With ``any_of`` a series needs to match one of the lists."""
    session = open_tables(metrics=[gauge(0, 1, a="1"), gauge(0, 2, a="2"), gauge(0, 3, a="3")])
    either = tuple(selector("x", condition).matchers for condition in ("a=1", "a=3"))
    chosen = selector()
    samples = StoredSeries(session).select(type(chosen)((), chosen.start_ms, chosen.end_ms, any_of=either))
    assert samples.value.tolist() == [1, 3]
