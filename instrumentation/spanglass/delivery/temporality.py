"""How metrics are summed up for the server, by OpenTelemetry's two variables for that.

Source: OpenTelemetry's specification, "OpenTelemetry Metrics Exporter - OTLP", additional environment variables.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.sdk.metrics import Counter, Histogram, ObservableCounter
from opentelemetry.sdk.metrics.export import AggregationTemporality
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation

from spanglass.settings.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.sdk.metrics.view import Aggregation

_TEMPORALITY = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE"
_HISTOGRAM = "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION"

# What is sent as the difference since the last time; everything else is cumulative.
_DELTA: dict[str, tuple[type, ...]] = {
    "cumulative": (),
    "delta": (Counter, Histogram, ObservableCounter),
    "lowmemory": (Counter, Histogram),
}
_AGGREGATIONS: dict[str, tuple[type, ...]] = {
    "explicit_bucket_histogram": (),
    "base2_exponential_bucket_histogram": (Histogram,),
}


def preferred_temporality(environ: Mapping[str, str]) -> dict[type, AggregationTemporality]:
    """Read which instruments are sent as differences. Raises ``SettingsError``."""
    return dict.fromkeys(_read(environ, _TEMPORALITY, _DELTA), AggregationTemporality.DELTA)


def preferred_aggregation(environ: Mapping[str, str]) -> dict[type, Aggregation]:
    """Read which instruments get exponential buckets. Raises ``SettingsError``."""
    return {kind: ExponentialBucketHistogramAggregation() for kind in _read(environ, _HISTOGRAM, _AGGREGATIONS)}


def _read(environ: Mapping[str, str], variable: str, choices: Mapping[str, tuple[type, ...]]) -> tuple[type, ...]:
    word = environ.get(variable, "").strip().lower() or next(iter(choices))
    if word not in choices:
        raise SettingsError(f"environment variable {variable}: expected one of {', '.join(choices)} (got {word!r})")
    return choices[word]
