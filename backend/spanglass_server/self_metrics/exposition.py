"""The server's own figures as Prometheus text and as JSON.

Text: https://prometheus.io/docs/instrumenting/exposition_formats/ (text format 0.0.4).
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, Any

from spanglass_server.self_metrics.registry import SECONDS, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from spanglass_server.self_metrics.registry import Distribution, Snapshot

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_LABEL_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})
_HELP_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n"})


def prometheus_text(snapshots: Iterable[Snapshot]) -> str:
    """Write a snapshot in Prometheus' text format. A metric without labels and without a value yet is written as 0."""
    return "".join(f"{line}\n" for snapshot in snapshots for line in _lines(snapshot))


def status_counters(snapshots: Iterable[Snapshot]) -> dict[str, Any]:
    """Write a snapshot for ``GET /api/v1/status``.

    By metric name: ``{"kind", "help", "total", "series": [{"labels": {...}, "value": n}]}``; a histogram's series have
    ``count``, ``sum_s`` and ``p95_at_most_s`` (a bound, null past the last) in place of ``value``; its total counts.
    """
    return {snapshot.metric.name: _json(snapshot) for snapshot in snapshots}


def _lines(snapshot: Snapshot) -> Iterator[str]:
    metric = snapshot.metric
    yield f"# HELP {metric.exposed_name} {metric.help.translate(_HELP_ESCAPES)}"
    yield f"# TYPE {metric.exposed_name} {metric.kind}"
    if metric.kind is Kind.HISTOGRAM:
        for labels, distribution in sorted(snapshot.distributions.items()):
            yield from _histogram_lines(
                metric.exposed_name, dict(zip(metric.labels, labels, strict=True)), distribution
            )
        return
    values = snapshot.values if snapshot.values or metric.labels else {(): 0.0}
    for labels, value in sorted(values.items()):
        yield f"{metric.exposed_name}{_labels(dict(zip(metric.labels, labels, strict=True)))} {_number(value)}"


def _histogram_lines(name: str, labels: dict[str, str], distribution: Distribution) -> Iterator[str]:
    bounds = [*map(_number, SECONDS), "+Inf"]
    for bound, count in zip(bounds, accumulate(distribution.counts), strict=True):
        yield f"{name}_bucket{_labels({**labels, 'le': bound})} {count}"
    yield f"{name}_sum{_labels(labels)} {_number(distribution.sum)}"
    yield f"{name}_count{_labels(labels)} {distribution.count}"


def _labels(labels: dict[str, str]) -> str:
    pairs = ",".join(f'{key}="{value.translate(_LABEL_ESCAPES)}"' for key, value in labels.items())
    return f"{{{pairs}}}" if pairs else ""


def _number(value: float) -> str:
    """Write whole numbers without a point, all others so that they read back the same."""
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def _distribution(entry: Distribution) -> dict[str, Any]:
    return {"count": entry.count, "sum_s": entry.sum, "p95_at_most_s": entry.at_most(0.95)}


def _json(snapshot: Snapshot) -> dict[str, Any]:
    metric = snapshot.metric
    series: list[dict[str, Any]] = [
        {"labels": dict(zip(metric.labels, labels, strict=True)), "value": value}
        for labels, value in sorted(snapshot.values.items())
    ] + [
        {"labels": dict(zip(metric.labels, labels, strict=True)), **_distribution(entry)}
        for labels, entry in sorted(snapshot.distributions.items())
    ]
    total = sum(entry["value"] if "value" in entry else entry["count"] for entry in series)
    return {"kind": str(metric.kind), "help": metric.help, "total": total, "series": series}
