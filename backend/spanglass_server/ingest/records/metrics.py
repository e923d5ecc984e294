"""Metric data points: which may be stored, and their columns (opentelemetry-proto metrics.proto).

The five types of metric are shredded one after another, each into a table of its own; the tables share names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from spanglass_server.ingest.attributes.composites import to_plain_entries
from spanglass_server.ingest.attributes.owners import Owners
from spanglass_server.ingest.columnar import Flat, flatten, null_if_empty, null_if_zero, numpy, spread, wrap_lists
from spanglass_server.ingest.records.checks import LATEST_NS, SPAN_ID_BYTES, TRACE_ID_BYTES, valid_id
from spanglass_server.ingest.records.envelope import Envelope, open_envelope

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from spanglass_server.ingest.attributes.shredder import AttributeShredder
    from spanglass_server.ingest.records.checks import Checks

Columns = dict[str, Any]
#: ``DataPointFlags.DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK`` of metrics.proto.
_NO_RECORDED_VALUE = 1


@dataclass(frozen=True, slots=True)
class MetricType:
    """One member of ``Metric``'s oneof: its field, the name it is stored under, and how its points become columns."""

    member: str
    stored: str
    columns: Callable[[Any], Columns]
    has_temporality: bool = False


def open_metrics(batch: Any) -> Envelope:
    """The metrics (not yet points) of a record batch of metric requests."""
    return open_envelope(batch, "scope_metrics", "metrics")


def points_of(envelope: Envelope, kind: MetricType) -> Flat:
    """The data points of all metrics of one type; rows are metrics."""
    lists = envelope.records.values.field(kind.member).field("data_points")
    if lists.null_count:
        lists = pa.ListArray.from_arrays(lists.offsets, lists.values)
    return flatten(lists)


def check_points(envelope: Envelope, kind: MetricType, points: Flat, checks: Checks) -> None:
    """Reject points that the data model calls invalid (protocol: Metrics).

    A marker ("no recorded value") has no value and covers no time, so its start may be anything: the Collector's
    Prometheus receiver sends the year 2262 for targets that have vanished.
    """
    values = points.values
    time, is_marker = numpy(values.field("time_unix_nano")), numpy(values.field("flags")) & _NO_RECORDED_VALUE != 0
    checks.reject(time == 0, "time_unix_nano must be set")
    checks.reject_future(time, "time_unix_nano")
    start = numpy(values.field("start_time_unix_nano"))
    checks.reject_unstorable(np.where(is_marker, 0, start).astype(np.uint64), "start_time_unix_nano")
    if kind.has_temporality:
        metric = envelope.records.values.field(kind.member)
        temporality = numpy(metric.field("aggregation_temporality").fill_null(0))[points.parents]
        checks.reject(temporality == 0, "aggregation_temporality must be delta or cumulative")
    if kind.stored in ("gauge", "sum"):
        missing = _nulls(values.field("as_double")) & _nulls(values.field("as_int"))
        checks.reject(missing & ~is_marker, "a number data point must have a value")
    if kind.stored == "histogram":
        counts = np.diff(flatten(values.field("bucket_counts")).offsets)
        bounds = np.diff(flatten(values.field("explicit_bounds")).offsets)
        fits = (counts == bounds + 1) | ((counts == 0) & (bounds == 0))
        checks.reject(~fits, "bucket_counts must have one more element than explicit_bounds")


def metric_columns(envelope: Envelope, kind: MetricType, metric_of: NDArray[np.int64]) -> Columns:
    """What the points inherit from their metric."""
    metrics = envelope.records.values
    data = metrics.field(kind.member)
    by_metric: Columns = {
        "metric_name": metrics.field("name"),
        "metric_description": null_if_empty(metrics.field("description")),
        "metric_unit": null_if_empty(metrics.field("unit")),
        "metric_metadata": _metadata(metrics.field("metadata")),
    }
    if kind.has_temporality:
        temporality = numpy(data.field("aggregation_temporality").fill_null(0)).clip(0, 255)
        by_metric["temporality"] = pa.array(temporality, type=pa.uint8())
    if kind.stored == "sum":
        by_metric["is_monotonic"] = data.field("is_monotonic").fill_null(False)  # noqa: FBT003 - pyarrow's signature
    columns = {name: spread(values, metric_of) for name, values in by_metric.items()}
    codes = pa.array(np.zeros(len(metric_of), np.int32))
    columns["metric_type"] = pa.DictionaryArray.from_arrays(codes, pa.array([kind.stored]))
    return columns


def point_columns(points: Any, kind: MetricType, shredder: AttributeShredder) -> Columns:
    """Columns of the points themselves (a struct array), without metric and envelope."""
    columns: Columns = {
        "start_time_ns": _start_times(points.field("start_time_unix_nano")),
        "time_ns": points.field("time_unix_nano").cast(pa.int64()),
        "flags": null_if_zero(points.field("flags")),
        **kind.columns(points),
    }
    if kind.stored != "summary":
        columns.update(_exemplars(flatten(points.field("exemplars")), shredder))
    columns.update(shredder.shred("point", points.field("attributes")))
    return columns


def _start_times(values: Any) -> Any:
    """Start times, null where none was sent or, of a marker, one that cannot be stored."""
    start = numpy(values)
    unknown = (start == 0) | (start >= np.uint64(LATEST_NS))
    return pa.array(np.where(unknown, 0, start).astype(np.int64), mask=unknown)


def _numbers(points: Any) -> Columns:
    whole, real = _one_number(points)
    return {"value_int": whole, "value_double": real}


def _one_number(values: Any) -> tuple[Any, Any]:
    """The integers and doubles of points or exemplars; of both, which the protocol forbids, the double counts."""
    whole, real = values.field("as_int"), values.field("as_double")
    if whole.null_count + real.null_count < len(whole):
        whole = pc.if_else(real.is_valid(), pa.scalar(None, whole.type), whole)
    return whole, real


def _histogram(points: Any) -> Columns:
    return {
        "count": points.field("count"),
        "sum": points.field("sum"),
        "min": points.field("min"),
        "max": points.field("max"),
        "bucket_counts": _plain_list(points.field("bucket_counts")),
        "explicit_bounds": _plain_list(points.field("explicit_bounds")),
    }


def _exponential(points: Any) -> Columns:
    columns = {
        "count": points.field("count"),
        "sum": points.field("sum"),
        "min": points.field("min"),
        "max": points.field("max"),
        "scale": points.field("scale"),
        "zero_count": points.field("zero_count"),
        "zero_threshold": points.field("zero_threshold"),
    }
    for side in ("positive", "negative"):
        buckets = points.field(side)
        columns[f"{side}_offset"] = buckets.field("offset")
        columns[f"{side}_counts"] = _plain_list(buckets.field("bucket_counts"))
        if buckets.null_count:  # not sent: no buckets on this side
            absent = pa.array(~buckets.is_valid().to_numpy(zero_copy_only=False))
            for name in (f"{side}_offset", f"{side}_counts"):
                columns[name] = _without(columns[name], absent)
    return columns


def _summary(points: Any) -> Columns:
    quantiles = flatten(points.field("quantile_values"))
    return {
        "count": points.field("count"),
        "sum": points.field("sum"),
        "quantiles": wrap_lists(quantiles.values.field("quantile"), quantiles),
        "quantile_values": wrap_lists(quantiles.values.field("value"), quantiles),
    }


def _exemplars(exemplars: Flat, shredder: AttributeShredder) -> Columns:
    if not len(exemplars.parents):
        return {}
    values = exemplars.values
    whole, real = _one_number(values)
    columns = {
        "exemplar_time_ns": values.field("time_unix_nano").cast(pa.int64(), safe=False),
        "exemplar_value_int": whole,
        "exemplar_value_double": real,
        "exemplar_trace_id": valid_id(values.field("trace_id"), TRACE_ID_BYTES),
        "exemplar_span_id": valid_id(values.field("span_id"), SPAN_ID_BYTES),
        **shredder.shred("exemplar", values.field("filtered_attributes"), Owners.items(exemplars)),
    }
    return {name: wrap_lists(column, exemplars) for name, column in columns.items()}


def _plain_list(lists: Any) -> Any:
    """A list column with DuckDB's names: empty lists are null."""
    flat = flatten(pa.ListArray.from_arrays(lists.offsets, lists.values) if lists.null_count else lists)
    return wrap_lists(flat.values, flat)


def _without(values: Any, absent: Any) -> Any:
    positions = np.where(numpy(absent), -1, np.arange(len(values)))
    return values.take(pa.array(positions, mask=positions < 0))


def _nulls(values: Any) -> NDArray[np.bool_]:
    return values.is_null().to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]


def _metadata(lists: Any) -> Any:
    """``Metric.metadata`` as JSON text; it is rare, and a property of the metric, not of its points."""
    if not len(lists.values):
        return pa.nulls(len(lists), pa.string())
    return pa.array(
        [orjson.dumps(to_plain_entries(row)).decode() if row else None for row in lists.to_pylist()], pa.string()
    )


METRIC_TYPES = (
    MetricType("gauge", "gauge", _numbers),
    MetricType("sum", "sum", _numbers, has_temporality=True),
    MetricType("histogram", "histogram", _histogram, has_temporality=True),
    MetricType("exponential_histogram", "exponential_histogram", _exponential, has_temporality=True),
    MetricType("summary", "summary", _summary),
)
