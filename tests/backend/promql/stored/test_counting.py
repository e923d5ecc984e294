"""Spans and log records as series: what is counted, by which labels, at which steps."""

from __future__ import annotations

import pytest
from stored_points import START_MS, as_text, found, selector

from spanglass_server.promql.engine import Options, instant, range_query
from spanglass_server.promql.errors import PromqlError
from spanglass_server.promql.ports import Selector
from spanglass_server.promql.series.vectors import Steps
from spanglass_server.promql.stored.counting.source import step_ms
from spanglass_server.promql.stored.source import StoredSeries

#: A whole number of 30 s, so that steps begin at it.
BASE_MS = START_MS // 30_000 * 30_000
BETWEEN = (BASE_MS, BASE_MS + 90_000)


def span(second, service="cart", name="GET /", *, seconds=0.2, kind=2, status=None, **attributes):
    """A stored span that began so many seconds after the start."""
    return {
        "resource.service.name:str": service,
        "name": name,
        "kind": kind,
        "status_code": status,
        "start_time_ns": BASE_MS * 1_000_000 + int(second * 10**9),
        "duration_ns": int(seconds * 10**9),
        **{f"span.{key}": value for key, value in attributes.items()},
    }


def log(second, number, **columns):
    """A stored log record."""
    return {"time_ns": BASE_MS * 1_000_000 + int(second * 10**9), "severity_number": number, **columns}


def counts(session, *conditions, between=BETWEEN, **more):
    """Series with their values at the ends of the steps of 30 s."""
    series = found(session, *conditions, between=between, **more)
    shift = (BASE_MS - START_MS) / 1000
    return {name: [value for time, value in samples if (time - shift) % 30 == 0] for name, samples in series.items()}


def test_spans_are_counted_at_regular_steps(open_tables):
    """A counter by service, name, kind and status, with a sample at the end of every step of the range."""
    session = open_tables(spans=[span(1), span(29), span(30), span(31, status=2), span(200)])
    assert counts(session, "spans_total") == {
        "spans_total{service_name=cart,span_kind=server,span_name=GET /,status_code=unset}": [3, 3, 3],
        "spans_total{service_name=cart,span_kind=server,span_name=GET /,status_code=error}": [0, 1, 1],
    }
    samples = StoredSeries(session).select(selector("spans_total", between=BETWEEN))
    assert (samples.time_ms[:6] - BASE_MS).tolist() == [1, 30_000, 30_001, 60_000, 60_001, 90_000]


def test_attributes_are_labels_where_they_are_named(open_tables):
    """Any attribute that the expression names is a label, of the span before the resource; others are not."""
    rows = [span(1, **{"http.route:str": "/a", "n:int": 5}), span(2) | {"resource.http.route:str": "/r"}]
    session = open_tables(spans=rows)
    series = counts(session, "spans_total", named=("http_route",))
    assert sorted(name.partition(",")[0] for name in series) == [
        "spans_total{http_route=/a",
        "spans_total{http_route=/r",
    ]
    assert len(counts(session, "spans_total", "n=5")) == 1
    assert counts(session, "spans_total", "service_name=~x.*") == {}


def test_durations_are_a_histogram(open_tables):
    """Buckets are cumulative over bounds and time; count and sum tell the same spans."""
    session = open_tables(spans=[span(1, seconds=0.2), span(2, seconds=0.25), span(40, seconds=100)])
    buckets = counts(session, "span_duration_seconds_bucket", "le=~0.1|0.25|60|.Inf")
    assert {name.partition("le=")[2].partition(",")[0]: values for name, values in buckets.items()} == {
        "0.1": [0, 0, 0],
        "0.25": [2, 2, 2],
        "60": [2, 2, 2],
        "+Inf": [2, 3, 3],
    }
    assert [*counts(session, "span_duration_seconds_sum").values()] == [pytest.approx([0.45, 100.45, 100.45])]
    assert [*counts(session, "span_duration_seconds_count").values()] == [[2, 3, 3]]


def test_sampled_spans_count_for_those_that_were_not_kept(open_tables):
    """A span that was kept with a probability counts for so many more."""
    rows = [span(1, **{"spanglass.sampling.probability:double": 0.1}), span(2)]
    assert [*counts(open_tables(spans=rows), "spans_total").values()] == [[11, 11, 11]]


def test_log_records_are_counted_by_severity(open_tables):
    """A counter by service and severity; services without a name have one name."""
    rows = [log(1, 9), log(2, 17), log(3, None, severity_text="ERR")]
    assert counts(open_tables(logs=rows), "log_records_total") == {
        "log_records_total{service_name=unknown_service,severity=info}": [1, 1, 1],
        "log_records_total{service_name=unknown_service,severity=error}": [2, 2, 2],
    }


def test_rates_are_those_of_the_records(open_tables):
    """The increase over a whole number of steps is that of the records in it, however they lie."""
    seconds = [299, 300, 300.5, 301, 330, 450, 599, 600, 600.5]
    session = open_tables(spans=[span(second) for second in seconds])
    answer = instant(StoredSeries(session), "sum(increase(spans_total[5m]))", BASE_MS + 600_000, Options())
    assert answer.value.values[0].tolist() == pytest.approx([6.0], rel=1e-4)


def test_only_windows_that_are_looked_at_have_samples(open_tables):
    """Where results are further apart than their windows, what lies between is counted and has no samples."""
    session = open_tables(spans=[span(second) for second in range(0, 7200, 10)])
    series = StoredSeries(session)
    steps = Steps(BASE_MS + 3_600_000, 3_600_000, 2)
    answer = range_query(series, "sum(increase(spans_total[5m]))", steps, Options())
    assert answer.value.values[0].tolist() == pytest.approx([30.0, 29.0], rel=1e-4)
    chosen = Selector(
        selector("spans_total").matchers, BASE_MS, BASE_MS + 7_200_000, window_ms=300_000, step_ms=3_600_000
    )
    assert len(series.select(chosen).time_ms) == 40


def test_series_without_a_record_in_the_range_are_none(open_tables):
    """What was counted before or after the range is no series of it."""
    session = open_tables(spans=[span(-1000, name="before"), span(10, name="within"), span(1000, name="after")])
    assert [name for name in counts(session, "spans_total") if "within" not in name] == []


@pytest.mark.parametrize(
    ("window_s", "step_s"), [(0, 30), (60, 10), (300, 30), (900, 60), (3600, 300), (86_400, 7200), (10_000_000, 14_400)]
)
def test_steps_follow_the_window(window_s, step_s):
    """A window has at least ten samples, so that rates over it are right; one of less than 100 s has fewer."""
    assert step_ms(window_s * 1000) == step_s * 1000


def test_windows_of_all_lengths_share_counts(open_tables):
    """The increase over a window is the number of spans in it, whatever windows were asked for before."""
    seconds = range(601, 1300, 7)
    series = StoredSeries(open_tables(spans=[span(second) for second in seconds]))
    for window_s in (120, 300, 60, 120, 600):
        at_s = 1005 if window_s > 60 else 1020
        steps = Steps(BASE_MS + at_s * 1000, 15_000, 2)
        found = range_query(series, f"sum(increase(spans_total[{window_s}s]))", steps, Options(each_alone=True))
        expected = [len([at for at in seconds if end - window_s < at <= end]) for end in (at_s, at_s + 15)]
        assert found.value.values[0].tolist() == pytest.approx(expected, rel=1e-4)


def test_what_is_counted_is_listed(open_tables):
    """Names, labels and metadata of what is counted are found where there are records."""
    series = StoredSeries(open_tables(spans=[span(1, **{"http.route:str": "/a"})]))
    everything = Selector((), *BETWEEN)
    assert [name for name in series.label_values("__name__", [everything]) if "span" in name] == [
        "span_duration_seconds_bucket",
        "span_duration_seconds_count",
        "span_duration_seconds_sum",
        "spans_total",
    ]
    chosen = [selector("spans_total", between=(BASE_MS - 10**10, BASE_MS + 10**10))]
    assert series.label_values("http_route", chosen) == ["/a"]
    assert series.label_names(chosen) == ["__name__", "service_name", "span_kind", "span_name", "status_code"]
    assert series.metadata(*BETWEEN)["span_duration_seconds"][0]["type"] == "histogram"


def test_nothing_stored_is_no_series(open_tables):
    """Without records there is no series."""
    assert as_text(StoredSeries(open_tables()).select(selector("spans_total", between=BETWEEN))) == {}


def test_windows_far_apart_cost_what_they_look_at(open_tables):
    """A range of ages is counted in its windows only, where one has steps; a long window is refused at once."""
    session = open_tables(spans=[span(1)])
    at_s = BASE_MS // 1000 + 60
    steps = Steps((at_s - 10**10) * 1000, 10**9, 10_001)
    series = range_query(StoredSeries(session), "spans_total", steps).value
    assert series.values[series.present].tolist()[-1] == 1
    with pytest.raises(PromqlError, match="ask for a shorter range"):
        range_query(StoredSeries(session, max_samples=10_000), "spans_total", Steps(0, 60_000, 11_000))


def test_filters_narrow_what_is_counted(open_tables):
    """``__filter__`` counts the records that a search would find, weighted, by any label; it is no label itself."""
    rows = [
        span(1, status=2, **{"http.route:str": "/a", "spanglass.sampling.probability:double": 0.5}),
        span(2, status=2, seconds=3),
        span(3, **{"http.route:str": "/b"}),
        span(4, service="shop", status=2),
    ]
    logs = [log(1, 17, body="lost"), log(2, 17), log(3, 9), log(4, 17, event_name="spanglass.span.running")]
    logs[3]["log.spanglass.span.start_unix_nano:int"] = 1
    session = open_tables(spans=rows, logs=logs)

    def total(name, *filters, **more):
        series = counts(session, name, *(f"__filter__={text}" for text in filters), **more)
        assert "__filter__" not in "".join(series)
        return sum(values[-1] for values in series.values())

    assert total("spans_total", "service:cart status:error") == 3
    assert total("spans_total", "service:cart", "duration > 1s") == 1
    assert total("spans_total", "service:cart or http.route:/a") == 4
    assert total("spans_total", "no.such.key:x") == 0
    assert total("spans_total", " ") == 5
    assert total("span_duration_seconds_sum", "duration > 1s") == 3
    assert total("span_duration_seconds_count", "http.route exists", named=("http_route",)) == 3
    assert total("log_records_total", "severity:error") == 2
    assert total("log_records_total", "lost") == 1
    assert total("log_records_total", "event_name:spanglass.span.running") == 1
    listed = StoredSeries(session).series([selector("spans_total", "__filter__=service:shop", between=BETWEEN)])
    assert [labels["service_name"] for labels in listed] == ["shop"]


def test_wrong_filters_are_told_at_their_place(open_tables):
    """A filter that cannot be understood is bad data, with the filter's own words and place, without any records."""
    series = StoredSeries(open_tables())
    for expression, position, message in (
        ('sum(rate(spans_total{__filter__="service:"}[5m]))', (1, 42), "a value"),
        ("spans_total{\n__filter__='name:a duration > x'}", (2, 31), "'x' is not a number"),
        ('spans_total{__filter__!="a"}', (1, 1), "not inside the filter"),
        ('1 + x{__filter__="a"}', (1, 5), "span_duration_seconds_bucket"),
        ('spans_total{__filter__="a \\t ("}', (1, 1), "__filter__: .* at character"),
        ('spans_total{a="b" or __filter__="a"}', (1, 1), "into the filter"),
    ):
        with pytest.raises(PromqlError, match=message) as wrong:
            instant(series, expression, BASE_MS)
        assert (wrong.value.kind, wrong.value.position) == ("bad_data", position)
        assert wrong.value.message.startswith(f"{position[0]}:{position[1]}: ")
