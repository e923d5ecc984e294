"""A series that is measured again and again beside the SDK's own way: whatever is recorded, the same is collected."""

from __future__ import annotations

import pytest
from opentelemetry import metrics as api
from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.metrics.view import View
from opentelemetry.sdk.trace import TracerProvider

from spanglass.sdk.private.light_metrics import Series
from spanglass.sdk.private.metrics import MAX_SETS, bound_readers

NAME = "db.client.operation.duration"
ATTRIBUTES = {"db.system.name": "sqlite", "server.port": 1}


def made(views=()):
    """Return a histogram, and what is collected of it: attributes, count, sum, buckets, spans of exemplars."""
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False, views=views)
    bound_readers(provider, [reader])
    histogram = provider.get_meter("shop").create_histogram(NAME, "s")

    def collected():
        data = reader.get_metrics_data()
        points = data.resource_metrics[0].scope_metrics[0].metrics[0].data.data_points if data else []
        return [
            (dict(one.attributes), one.count, one.sum, one.bucket_counts, [each.span_id for each in one.exemplars])
            for one in points
        ]

    return provider, histogram, collected


def both(views=(), values=(0.002, 3, 0.2, 0.2), before=()):
    """Record by the SDK and by a series, within a span; returns what each has collected, twice."""
    results = []
    span = TracerProvider(shutdown_on_exit=False).get_tracer("shop").start_span("work")
    for use_series in (False, True):
        _, histogram, collected = made(views)
        for attributes in before:
            histogram.record(1, attributes)
        series = Series(histogram, ATTRIBUTES)
        with trace.use_span(span):
            for value in values:
                series.record(value) if use_series else histogram.record(value, ATTRIBUTES)
        first = collected()
        series.record(1) if use_series else histogram.record(1, ATTRIBUTES)
        results.append((first, collected()))
    return results


CASES = {
    "plain": {},
    "nothing of it before": {"values": ()},
    "a view that leaves attributes out": {
        "views": [View(instrument_name="*", attribute_keys={"server.port"})],
    },
    "two views": {"views": [View(instrument_name=NAME, name="a"), View(instrument_name=NAME, name="b")]},
    "with others": {"before": [{"db.system.name": "sqlite"}, {**ATTRIBUTES, "server.port": True}]},
    "beyond the bound": {"before": [{"number": number} for number in range(MAX_SETS)]},
}


@pytest.mark.parametrize("case", CASES)
def test_the_same_is_collected(case):
    """Counts, sums, buckets and exemplars, with views, beside other attributes, and beyond the bound."""
    upstream, ours = both(**CASES[case])
    assert ours == upstream


def test_readers_may_come():
    """A reader that is added later gets what is recorded from then on, and the first one everything."""
    provider, histogram, collected = made()
    series = Series(histogram, ATTRIBUTES)
    series.record(1)
    series.record(1)
    later = InMemoryMetricReader()
    provider.add_metric_reader(later)
    series.record(1)
    series.record(1)

    data = later.get_metrics_data().resource_metrics[0].scope_metrics[0].metrics[0].data.data_points
    assert (collected()[0][1], data[0].count) == (4, 2)


def test_histograms_that_measure_nothing():
    """One of OpenTelemetry's API without an SDK is left to itself."""
    series = Series(api.NoOpMeter("shop").create_histogram("x"), ATTRIBUTES)
    series.record(1)
    assert series.record(2) is None
