"""Stored data points as OTLP/JSON ``MetricsData``, without loss (opentelemetry-proto, metrics.proto)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from spanglass_server.query.rows.otlp_json import Json, filled, grouped, hex_id
from spanglass_server.query.rows.otlp_values import double, from_plain, key_values, whole_number
from spanglass_server.query.rows.stored_rows import Rows

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

    from spanglass_server.query.rows.answers import MetricsData

_UNSIGNED_64 = 1 << 64


def metrics_data(table: pa.Table) -> MetricsData:
    """Write stored data points as ``MetricsData``."""
    resources = grouped(Rows(table), "scopeMetrics", "metrics", _metric)
    for resource in resources:
        for scope in resource["scopeMetrics"]:
            scope["metrics"] = _merged(scope["metrics"])
    return {"resourceMetrics": resources}


def _merged(metrics: list[Json]) -> list[Json]:
    """Put points of one metric together, which ``_metric`` gives with one point each."""
    merged: dict[bytes, Json] = {}
    for metric in metrics:
        data = _data(metric)
        points = data.pop("dataPoints")
        _data(merged.setdefault(orjson.dumps(metric), metric)).setdefault("dataPoints", []).extend(points)
    return list(merged.values())


def _data(metric: Json) -> Json:
    """Return the one member of a metric that holds its points."""
    return next(metric[member] for member, _ in _TYPES.values() if member in metric)


def _metric(rows: Rows, row: int) -> Json:
    member, fields = _TYPES[rows.value("metric_type", row)]
    metadata = rows.value("metric_metadata", row)
    return {
        **filled(
            name=rows.value("metric_name", row),
            description=rows.value("metric_description", row),
            unit=rows.value("metric_unit", row),
            metadata=metadata and from_plain(orjson.loads(metadata))["kvlistValue"]["values"],
        ),
        member: {
            **filled(
                aggregationTemporality=rows.value("temporality", row), isMonotonic=rows.value("is_monotonic", row)
            ),
            "dataPoints": [{**_point(rows, row), **fields(rows, row)}],
        },
    }


def _point(rows: Rows, row: int) -> Json:
    """Write the fields that points of every type have."""
    return filled(
        attributes=key_values(rows.attributes.of_record("point", row)),
        startTimeUnixNano=whole_number(rows.value("start_time_ns", row)),
        timeUnixNano=whole_number(rows.value("time_ns", row)),
        flags=rows.value("flags", row),
        exemplars=[_exemplar(rows, row, index) for index in range(len(rows.items("exemplar_time_ns", row)))],
    )


def _exemplar(rows: Rows, row: int, index: int) -> Json:
    time_ns = rows.item("exemplar_time_ns", row, index) % _UNSIGNED_64  # stored signed, whatever was sent
    return filled(
        filteredAttributes=key_values(rows.attributes.of_item("exemplar", row, index)),
        timeUnixNano=str(time_ns),
        traceId=hex_id(rows.item("exemplar_trace_id", row, index)),
        spanId=hex_id(rows.item("exemplar_span_id", row, index)),
    ) | _number(
        rows.item("exemplar_value_int", row, index),
        rows.item("exemplar_value_double", row, index),
    )


def _number(whole: int | None, real: float | None) -> Json:
    """Write a value, of which zero is one too; none where there is a gap."""
    return ({} if whole is None else {"asInt": str(whole)}) | ({} if real is None else {"asDouble": double(real)})


def _numbers(rows: Rows, row: int) -> Json:
    return _number(rows.value("value_int", row), rows.value("value_double", row))


def _statistics(rows: Rows, row: int) -> Json:
    """Write a distribution's count, and of sum, smallest and largest those that were sent, zero included."""
    sent = {name: rows.value(name, row) for name in ("sum", "min", "max")}
    return filled(count=whole_number(rows.value("count", row))) | {
        name: double(value) for name, value in sent.items() if value is not None
    }


def _histogram(rows: Rows, row: int) -> Json:
    return _statistics(rows, row) | filled(
        bucketCounts=_texts(rows.items("bucket_counts", row)),
        explicitBounds=[double(bound) for bound in rows.items("explicit_bounds", row)],
    )


def _exponential_histogram(rows: Rows, row: int) -> Json:
    return _statistics(rows, row) | filled(
        scale=rows.value("scale", row),
        zeroCount=whole_number(rows.value("zero_count", row)),
        zeroThreshold=double(rows.value("zero_threshold", row)),
        positive=_buckets(rows, row, "positive"),
        negative=_buckets(rows, row, "negative"),
    )


def _buckets(rows: Rows, row: int, side: str) -> Json:
    return filled(offset=rows.value(f"{side}_offset", row), bucketCounts=_texts(rows.items(f"{side}_counts", row)))


def _summary(rows: Rows, row: int) -> Json:
    pairs = zip(rows.items("quantiles", row), rows.items("quantile_values", row), strict=True)
    return filled(
        count=whole_number(rows.value("count", row)),
        sum=double(rows.value("sum", row)),
        quantileValues=[filled(quantile=double(quantile), value=double(value)) for quantile, value in pairs],
    )


def _texts(numbers: list[int]) -> list[str]:
    return [str(number) for number in numbers]


#: For each stored type of metric its member of ``Metric``'s oneof, and what writes the fields of its points.
_TYPES: dict[str, tuple[str, Callable[[Rows, int], Json]]] = {
    "gauge": ("gauge", _numbers),
    "sum": ("sum", _numbers),
    "histogram": ("histogram", _histogram),
    "exponential_histogram": ("exponentialHistogram", _exponential_histogram),
    "summary": ("summary", _summary),
}
