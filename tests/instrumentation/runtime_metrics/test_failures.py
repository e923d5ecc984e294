"""Failures of our own as a metric."""

from __future__ import annotations

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from spanglass import guard
from spanglass.runtime_metrics.failures import observe_failures


def test_failures_are_counted_by_what_could_not_be_done():
    """Each kind of failure has its count, at every collection until it is taken back."""
    before = guard.failures.copy()
    reader = InMemoryMetricReader()
    take_back = observe_failures(MeterProvider([reader], shutdown_on_exit=False).get_meter("spanglass"))
    for error in (ValueError(), ValueError(), KeyError()):
        guard.report("do it in this test", error)

    metric = reader.get_metrics_data().resource_metrics[0].scope_metrics[0].metrics[0]
    counts = {point.attributes["spanglass.internal.failure"]: point.value for point in metric.data.data_points}
    take_back()

    assert (metric.name, counts) == ("spanglass.internal.failures", {**before, "do it in this test": 3})
    assert reader.get_metrics_data() is None
