"""What a name means as a series: counters, gauges, histograms, and their units."""

from __future__ import annotations

from stored_points import START_MS, point

from spanglass_server.promql.stored.discovery.kinds import MetricKind
from spanglass_server.promql.stored.source import StoredSeries


def test_a_name_is_known_by_what_was_sent(open_tables):
    """Names of OpenTelemetry and of Prometheus mean counters, gauges and histograms, with the unit that was sent."""
    told = {"scope_name": "prometheus", "metric_metadata": '{"prometheus.type":"gauge"}'}
    points = [
        point(1, name="delay", value_double=1.0, metric_unit="ms"),
        point(1, name="jobs", kind="sum", is_monotonic=True, temporality=2, value_double=1.0, metric_unit="{job}"),
        point(1, name="active.jobs", kind="sum", is_monotonic=False, temporality=2, value_double=1.0),
        point(1, name="took", kind="histogram", temporality=2, metric_unit="s", count=1, sum=1.0,
              bucket_counts=[1], explicit_bounds=[]),
        point(1, name="odd_total", value_double=1.0, **told),
        point(1, name="seen_total", value_double=1.0, scope_name="prometheus"),
    ]  # fmt: skip
    series = StoredSeries(open_tables(metrics=points))
    expected = {
        "delay": MetricKind("gauge", "ms"),
        "delay_milliseconds": MetricKind("gauge", "ms"),
        "jobs": MetricKind("counter", "{job}"),
        "jobs_total": MetricKind("counter", "{job}"),
        "active.jobs": MetricKind("gauge", ""),
        "took": MetricKind("native", "s"),
        "took_seconds_count": MetricKind("counter", ""),
        "odd_total": MetricKind("gauge", ""),
        "seen_total": MetricKind("counter", ""),
    }

    assert series.kinds([*expected, "nothing"], START_MS, START_MS + 10_000) == expected
