"""Quantiles, minima and maxima of histograms for each group and step, from rows of merged buckets."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from spanglass_server.query.metrics.buckets import Bucket, Exponential, explicit_buckets, finite, merge, quantile
from spanglass_server.query.metrics.histograms import explicit_rows, exponential_rows
from spanglass_server.query.metrics.identity import CUMULATIVE, Kind
from spanglass_server.query.metrics.totals import group_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from spanglass_server.query.metrics.points import Selection
    from spanglass_server.query.metrics.question import Notes

Row = dict[str, Any]

#: The quantiles that stand for an aggregate.
_EXTREMES = {"min": 0.0, "max": 1.0}
#: Less of an observation than this is floating point's rest.
_NOTHING = 1e-6


def distribution_rows(selection: Selection, aggregate: str, q: float | None, notes: Notes) -> list[Row]:
    """Compute a quantile, or the minimum or maximum, of each group and step: rows with groups, ``step``, ``value``."""
    wanted = _EXTREMES.get(aggregate, q)
    assert wanted is not None  # noqa: S101 - a quantile without q has been refused
    read = _exponential if selection.metric.kind is Kind.EXPONENTIAL else _explicit
    rows, missing = [], 0.0
    for part, merged in read(selection, notes):
        value = quantile(merged, wanted)
        if aggregate in _EXTREMES:
            value = _extreme(part, value, aggregate)
            missing += sum(row["missing"] for row in part if row[_sides(aggregate)[0]] is None)
        else:
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


def _sides(aggregate: str) -> tuple[str, str, str]:
    """Name the columns of an extreme: as far as it is known, that of deltas, and whether it is exact."""
    side = "low" if aggregate == "min" else "high"
    return side, f"exact_{side}", f"is_{side}_exact"


def _extreme(part: list[Row], estimated: float | None, aggregate: str) -> float | None:
    """Choose the least or greatest value: deltas know theirs, buckets and what is possible estimate the others."""
    known, exact, is_exact = _sides(aggregate)
    values = [row[exact] for row in part if row[exact] is not None]
    values += [row[known] for row in part if row["missing"] >= _NOTHING and row[known] is not None]
    if estimated is not None and not all(row[is_exact] for row in part):
        values.append(estimated)
    if not values:
        return None
    return float(min(values) if aggregate == "min" else max(values))


def _explicit(selection: Selection, notes: Notes) -> Iterator[tuple[list[Row], list[Bucket]]]:
    """Merge explicit histograms: for each group and step its rows and buckets; ``missing`` are in none of them."""
    for part in _by_step(selection, explicit_rows(selection, notes)):
        lists, all_bounds = [], set()
        for row in part:
            usable = finite(row["bounds"] or (), row["counts"] or ())
            row["missing"] = row["observed"] or 0.0
            if usable is None:
                continue
            bounds, counts = usable
            row["missing"] = max(row["missing"] - sum(counts), 0.0)
            lists.append(explicit_buckets(bounds, counts, row["low"], row["high"]))
            all_bounds.add(bounds)
        if len(all_bounds) > 1:
            notes.add("bucket bounds differ between series; observations are spread evenly inside a bucket")
        yield part, merge(lists)


def _exponential(selection: Selection, notes: Notes) -> Iterator[tuple[list[Row], list[Bucket]]]:
    """Merge exponential histograms, as ``_explicit``: one row and its buckets."""
    for part in _by_step(selection, exponential_rows(selection, notes)):
        merged = Exponential(part[0]["scale"] or 0, part[0]["threshold"] or 0.0)
        for row in part:
            if row["side"] == 0:
                merged.zero_count += row["observed"]
            elif row["side"] is not None:
                (merged.positive if row["side"] > 0 else merged.negative)[row["place"]] = row["observed"]
        low, high = part[0]["low"], part[0]["high"]
        buckets = [bucket.within(low, high) for bucket in merged.buckets()]
        missing = max((part[0]["total"] or 0.0) - sum(bucket.count for bucket in buckets), 0.0)
        yield [part[0] | {"missing": missing}], buckets


def _by_step(selection: Selection, rows: Sequence[Row]) -> list[list[Row]]:
    key = group_key(selection)
    return [list(part) for _, part in groupby(rows, lambda row: (key(row), row["step"]))]
