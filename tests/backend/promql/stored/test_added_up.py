"""Counts of records of which only sums of rates are looked at (``Selector.summed_by``) are added up before rates."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from stored_points import START_MS, selector

from spanglass_server.promql.engine import Options, range_query
from spanglass_server.promql.series.vectors import Steps
from spanglass_server.promql.stored.source import StoredSeries

BASE_MS = START_MS // 30_000 * 30_000
STEPS = Steps(BASE_MS + 60_000, 15_000, 20)


class Plain(StoredSeries):
    """Series that are never added up."""

    def select(self, selector):
        """Select all series."""
        return super().select(replace(selector, summed_by=None))


def spans():
    """Spans of two services with four operations each, of which some pause, some fail, and some are clients."""
    return [
        {
            "resource.service.name:str": service,
            "name": f"GET /{operation}",
            "kind": 2 + operation % 2,
            "status_code": 2 if second % 3 == 0 else None,
            "start_time_ns": BASE_MS * 1_000_000 + second * 10**9,
            "duration_ns": 10**7 * (1 + 7 * operation + second % 5),
            "span.zone:str": "ab"[second % 2],
        }
        for number, service in enumerate(("cart", "shop"))
        for operation in range(4)
        for second in range(3 * operation, 400, 11 + 7 * operation + 5 * number)
        if not 100 * operation < second < 100 * operation + 90
    ]


def cells(series, text):
    """The value of each series at each step, where there is one."""
    vector = range_query(series, text, STEPS, Options(each_alone=True)).value
    return {
        (step, *labels.items()): vector.values[row, step]
        for row, labels in enumerate(vector.labels.rows())
        for step in np.flatnonzero(vector.present[row]).tolist()
    }


@pytest.mark.parametrize(
    "text",
    [
        "sum by (service_name) (rate(spans_total[1m]))",
        "sum(increase(spans_total[45s]))",
        'sum by (service_name) (rate(spans_total{span_kind="client", span_name!="GET /1"}[1m]))',
        'sum by (service_name) (rate(spans_total{__filter__="status = error"}[2m]))',
        "sum by (service_name, zone) (increase(spans_total[1m] offset 30s))",
        "sum by (nothing) (increase(span_duration_seconds_sum[1m]))",
        "sum by (service_name) (rate(span_duration_seconds_bucket[1m]))",
        'sum by (service_name, le) (rate(span_duration_seconds_bucket{le=~"0.1|0.25|.Inf"}[1m]))',
        "histogram_quantile(0.9, sum by (le, service_name) (rate(span_duration_seconds_bucket[1m])))",
        "sum by (span_kind) (rate(spans_total[1m])) / ignoring(span_kind) group_left sum(rate(spans_total[1m]))",
        "sum by (service_name) (rate(spans_total[20s]))",
    ],
)
def test_what_is_added_up_before_is_what_is_added_up_after(open_tables, text):
    """Sums of rates are the same at the same steps, whether series were added up before or not."""
    session = open_tables(spans=spans())
    plain = cells(Plain(session), text)

    assert len(plain) > STEPS.size / 2
    assert cells(StoredSeries(session), text) == pytest.approx(plain, rel=1e-12)


def test_labels_that_nobody_looks_at_make_no_series(open_tables):
    """What is read has a series for each value of the labels that are summed by, after all matchers were applied."""
    series = StoredSeries(open_tables(spans=spans()))
    chosen = selector("spans_total", "span_kind=client", between=(BASE_MS, BASE_MS + 300_000))

    assert series.select(chosen).labels.size > 4
    labels = series.select(replace(chosen, summed_by=("service_name",))).labels
    assert [row["service_name"] for row in labels.rows()] == ["cart", "shop"]
    assert {name for row in labels.rows() for name in row} == {"__name__", "service_name"}


@pytest.mark.parametrize(
    "text",
    [
        "max by (service_name) (rate(spans_total[1m]))",
        "sum without (span_name) (rate(spans_total[1m]))",
        "sum by (service_name) (irate(spans_total[1m]))",
        "sum by (service_name) (rate(spans_total[1m]) > 0.05)",
    ],
)
def test_other_questions_see_every_series(open_tables, text):
    """Only plain sums of rates are added up before: others have the values that they have of each series."""
    session = open_tables(spans=spans())
    plain = cells(Plain(session), text)

    assert len(plain) > STEPS.size / 4
    assert cells(StoredSeries(session), text) == plain
