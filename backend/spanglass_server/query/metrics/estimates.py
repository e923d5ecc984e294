"""Quantiles, minima and maxima of histograms for each group and step, from rows of merged buckets."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from spanglass_server.query.metrics.buckets import Exponential, explicit_buckets, finite, merge, quantile
from spanglass_server.query.metrics.histograms import explicit_rows, exponential_rows
from spanglass_server.query.metrics.identity import CUMULATIVE, Kind
from spanglass_server.query.metrics.totals import group_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from spanglass_server.query.metrics.points import Selection
    from spanglass_server.query.metrics.question import Notes

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Extreme:
    """An extreme: how it is chosen, its quantile, and its columns of ``sql/metrics/observed.sql``."""

    choose: Any
    q: float
    known: str
    exact: str
    is_exact: str


_EXTREMES = {
    "min": _Extreme(min, 0.0, "low", "exact_low", "is_low_exact"),
    "max": _Extreme(max, 1.0, "high", "exact_high", "is_high_exact"),
}
#: Less of an observation than this is floating point's rest.
_NOTHING = 1e-6


def distribution_rows(selection: Selection, aggregate: str, q: float | None, notes: Notes) -> list[Row]:
    """Compute a quantile, or the minimum or maximum, of each group and step: rows with groups, ``step``, ``value``."""
    read = _exponential if selection.metric.kind is Kind.EXPONENTIAL else _explicit
    rows, missing = [], 0.0
    for part in read(selection, notes):
        if aggregate in _EXTREMES:
            value = _extreme(part, aggregate)
            missing += sum(row["missing"] for row in part if row[_EXTREMES[aggregate].known] is None)
        else:
            assert q is not None  # noqa: S101 - a quantile without q has been refused
            value = quantile(merge([row["buckets"] for row in part]), q)
            missing += sum(row["missing"] for row in part)
        rows.append(part[0] | {name: _sum(part, name) for name in ("resets", "incomparable")} | {"value": value})
    if aggregate in _EXTREMES and CUMULATIVE in selection.metric.temporalities:
        notes.add(f"the {aggregate} of cumulative histograms is estimated from their buckets")
    notes.count(
        0 if missing < _NOTHING else max(round(missing), 1),
        f"observation is in no bucket and left out of the {aggregate}",
        f"observations are in no bucket and left out of the {aggregate}",
    )
    return rows


def _sum(part: list[Row], name: str) -> int:
    return sum(row[name] for row in part)


def _extreme(part: list[Row], aggregate: str) -> float | None:
    """Choose the least or greatest value: deltas say theirs, those of others are estimated from their buckets."""
    extreme = _EXTREMES[aggregate]
    values = []
    for row in part:
        values.append(row[extreme.exact])
        if row["missing"] >= _NOTHING:
            values.append(row[extreme.known])
        if not row[extreme.is_exact]:
            values.append(quantile(row["buckets"], extreme.q))
    known = [value for value in values if value is not None]
    return float(extreme.choose(known)) if known else None


def _explicit(selection: Selection, notes: Notes) -> Iterator[list[Row]]:
    """Read explicit histograms: for each group and step rows with ``buckets``; ``missing`` are in none of them."""
    for part in _by_step(selection, explicit_rows(selection, notes)):
        all_bounds = set()
        for row in part:
            usable = finite(row["bounds"] or (), row["counts"] or ())
            row |= {"buckets": [], "missing": row["observed"] or 0.0}
            if usable is not None:
                bounds, counts = usable
                row["missing"] = max(row["missing"] - sum(counts), 0.0)
                row["buckets"] = explicit_buckets(bounds, counts, row["low"], row["high"])
                all_bounds.add(bounds)
        if len(all_bounds) > 1:
            notes.add("bucket bounds differ between series; observations are spread evenly inside a bucket")
        yield part


def _exponential(selection: Selection, notes: Notes) -> Iterator[list[Row]]:
    """Read exponential histograms, as ``_explicit``: one row for each group and step."""
    for part in _by_step(selection, exponential_rows(selection, notes)):
        merged = Exponential(part[0]["scale"] or 0, part[0]["threshold"] or 0.0)
        for row in part:
            if row["side"] == 0:
                merged.zero_count += row["observed"]
            elif row["side"] is not None:
                (merged.positive if row["side"] > 0 else merged.negative)[row["place"]] = row["observed"]
        buckets = [bucket.within(part[0]["low"], part[0]["high"]) for bucket in merged.buckets()]
        missing = max((part[0]["total"] or 0.0) - sum(bucket.count for bucket in buckets), 0.0)
        yield [part[0] | {"buckets": buckets, "missing": missing}]


def _by_step(selection: Selection, rows: Sequence[Row]) -> list[list[Row]]:
    key = group_key(selection)
    return [list(part) for _, part in groupby(rows, lambda row: (key(row), row["step"]))]
