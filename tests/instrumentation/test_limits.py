"""Bounds on what the SDK keeps in memory: attribute sets of an instrument, lengths of values."""

from __future__ import annotations

import logging

import pytest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.metrics import Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.metrics.view import (
    ExplicitBucketHistogramAggregation,
    ExponentialBucketHistogramAggregation,
    View,
)
from opentelemetry.sdk.trace import TracerProvider

from spanglass.sdk import limits
from spanglass.sdk.private import metrics

OVERFLOW = {"otel.metric.overflow": True}


@pytest.fixture
def small(monkeypatch):
    """Lower the bound to three sets."""
    monkeypatch.setattr(metrics, "MAX_SETS", 3)


def metered(**options):
    """Return a reader that is bounded, and a meter."""
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False, **options)
    metrics.bound_readers(provider, [reader])
    return reader, provider.get_meter("shop")


def points(reader):
    """Return values by attributes of the one metric that was measured."""
    (scope,) = reader.get_metrics_data().resource_metrics[0].scope_metrics
    (metric,) = scope.metrics
    return [(dict(point.attributes), getattr(point, "value", None)) for point in metric.data.data_points]


@pytest.mark.usefixtures("small")
def test_sets_beyond_the_bound_are_added_up(caplog):
    """Sets that are known go on, all others are one; the sum stays right, and it is said once."""
    reader, meter = metered()
    counter = meter.create_counter("orders")
    with caplog.at_level(logging.WARNING):
        for customer in (1, 2, 3, 4, 1, 5):
            counter.add(1, {"customer": customer})

    assert points(reader) == [({"customer": 1}, 2), ({"customer": 2}, 1), (OVERFLOW, 3)]
    assert [record.args for record in caplog.records] == [("orders", 2)]


@pytest.mark.usefixtures("small")
def test_a_view_that_drops_keys_comes_first():
    """What a view leaves of the attributes is what counts."""
    reader, meter = metered(views=[View(instrument_name="orders", attribute_keys={"shop"})])
    counter = meter.create_counter("orders")
    for customer in range(5):
        counter.add(1, {"customer": customer, "shop": customer % 2})

    assert points(reader) == [({"shop": 0}, 3), ({"shop": 1}, 2)]


def test_an_instrument_keeps_two_thousand_sets():
    """The bound as it is: 1999 sets and the one for the rest."""
    reader, meter = metered()
    histogram = meter.create_histogram("sizes")
    for customer in range(2_100):
        histogram.record(1, {"customer": customer})

    found = points(reader)
    assert (len(found), found[0], found[-1]) == (2_000, ({"customer": 0}, None), (OVERFLOW, None))


def test_values_have_a_length():
    """A text of an attribute of a span, an event or a log record is cut; what is shorter stays as it is."""
    long = "x" * (limits.MAX_VALUE + 1)
    span = (
        TracerProvider(span_limits=limits.span_limits(), shutdown_on_exit=False).get_tracer("shop").start_span("work")
    )
    span.set_attributes({"long": long, "short": "y"})
    span.add_event("event", {"long": long})

    assert span.attributes == {"long": long[:-1], "short": "y"}
    assert span.events[0].attributes == {"long": long[:-1]}
    assert LoggerProvider(log_record_limits=limits.log_limits(), shutdown_on_exit=False) is not None
    assert limits.log_limits().max_log_record_attribute_length == limits.MAX_VALUE


@pytest.mark.parametrize(("value", "length"), [("7", 7), ("200000", 200_000)])
def test_opentelemetrys_variable_comes_first(monkeypatch, value, length):
    """OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT says another length, shorter or longer; the span's own variable wins."""
    monkeypatch.setenv("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", value)
    monkeypatch.setenv("OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT", "")
    assert limits.span_limits().max_span_attribute_length == length
    monkeypatch.setenv("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "3")
    assert limits.span_limits().max_span_attribute_length == 3


def test_what_is_too_much_is_said_once(caplog, monkeypatch):
    """The SDK's warning about an attribute that is cut or dropped comes once, not for every attribute."""
    for logger in map(logging.getLogger, ("opentelemetry", "opentelemetry.attributes")):
        for name, value in {"disabled": False, "filters": [], "propagate": True, "level": 0, "_cache": {}}.items():
            monkeypatch.setattr(logger, name, value)  # whatever another test in this process has left
    caplog.set_level(logging.WARNING)
    take_back = limits.say_once()
    span = (
        TracerProvider(span_limits=limits.span_limits(), shutdown_on_exit=False).get_tracer("shop").start_span("work")
    )
    for number in range(200):
        span.set_attribute(f"key {number}", "x" * (limits.MAX_VALUE + 1))
    take_back()

    assert [record.msg.split()[0] for record in caplog.records] == ["String", "Attributes"]
    span.set_attribute("another", 1)
    assert len(caplog.records) == 3


def bounds(reader):
    """Return the bounds of each histogram that was measured, by name."""
    (scope,) = reader.get_metrics_data().resource_metrics[0].scope_metrics
    return {metric.name: getattr(metric.data.data_points[0], "explicit_bounds", None) for metric in scope.metrics}


HTTP = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)


def test_durations_have_bounds_of_durations():
    """A histogram in seconds has the conventions' bounds, whoever makes it; others, and what it advises, stay."""
    reader, meter = metered(
        views=[
            View(instrument_name="viewed", aggregation=ExplicitBucketHistogramAggregation((1, 2))),
            View(instrument_name="narrowed", attribute_keys={"shop"}),
        ]
    )
    for name, unit in {
        "asyncio.process.duration": "s",
        "rpc.server.call.duration": "s",
        "task.runtime": "seconds",
        "db.client.operation.duration": "s",
        "gen_ai.client.operation.duration": "s",
        "viewed": "s",
        "narrowed": "s",
        "http.server.duration": "ms",
        "sizes": "",
    }.items():
        meter.create_histogram(name, unit).record(0.002)
    meter.create_histogram("advised", "s", explicit_bucket_boundaries_advisory=(3, 4)).record(0.002)

    default = bounds(metered_by_the_sdk("sizes"))["sizes"]
    assert bounds(reader) == {
        "asyncio.process.duration": HTTP,
        "rpc.server.call.duration": HTTP,
        "task.runtime": HTTP,
        "db.client.operation.duration": (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10),
        "gen_ai.client.operation.duration": tuple(0.01 * 2**power for power in range(14)),
        "viewed": (1, 2),
        "narrowed": HTTP,
        "http.server.duration": default,
        "sizes": default,
        "advised": (3, 4),
    }


def test_readers_that_a_provider_was_made_with_are_bounded():
    """A provider that a declarative file describes has the same bounds, and its own views come first."""
    reader = InMemoryMetricReader()
    own = View(instrument_name="viewed", aggregation=ExplicitBucketHistogramAggregation((1, 2)))
    provider = MeterProvider([reader], shutdown_on_exit=False, views=[own])
    metrics.bound_all_readers(provider)
    for name in ("work", "viewed"):
        provider.get_meter("shop").create_histogram(name, "s").record(0.002)

    assert bounds(reader) == {"work": HTTP, "viewed": (1, 2)}


def test_the_default_of_a_reader_comes_first():
    """A reader that makes exponential histograms of all makes one of durations, too."""
    reader = InMemoryMetricReader(preferred_aggregation={Histogram: ExponentialBucketHistogramAggregation()})
    provider = MeterProvider([reader], shutdown_on_exit=False)
    metrics.bound_readers(provider, [reader])
    provider.get_meter("shop").create_histogram("work", "s").record(0.002)

    assert bounds(reader) == {"work": None}


def metered_by_the_sdk(name):
    """Return a reader that is not ours and has measured one histogram."""
    reader = InMemoryMetricReader()
    MeterProvider([reader], shutdown_on_exit=False).get_meter("shop").create_histogram(name).record(1)
    return reader
