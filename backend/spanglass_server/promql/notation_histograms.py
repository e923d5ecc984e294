"""Native histograms in the notation of series: ``{{schema:0 count:4 sum:3 buckets:[1 2 1]}}``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.errors import PromqlError
from spanglass_server.promql.series.histograms import CUSTOM_SCHEMA, Buckets, Histograms, ResetHint

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_FIELD = re.compile(r"\s*(\w+):\s*(\[[^\]]*\]|[^\s\]]+)\s*")
_HINTS = {
    "unknown": ResetHint.UNKNOWN,
    "reset": ResetHint.RESET,
    "not_reset": ResetHint.NO_RESET,
    "gauge": ResetHint.GAUGE,
}
_NUMBERS = ("schema", "sum", "count", "z_bucket", "z_bucket_w", "offset", "n_offset")
_LISTS = ("buckets", "n_buckets", "custom_values")


@dataclass(frozen=True, slots=True)
class WrittenHistogram:
    """One histogram: the counts of its buckets by index."""

    schema: int
    count: float
    sum: float
    zero_count: float
    zero_threshold: float
    hint: ResetHint
    positive: Mapping[int, float]
    negative: Mapping[int, float]
    bounds: tuple[float, ...] = ()

    def plus(self, other: WrittenHistogram, sign: int) -> WrittenHistogram:
        """The sum or the difference of two, in the coarser schema of both."""
        schema = min(self.schema, other.schema)
        return WrittenHistogram(
            schema,
            self.count + sign * other.count,
            self.sum + sign * other.sum,
            self.zero_count + sign * other.zero_count,
            max(self.zero_threshold, other.zero_threshold),
            self.hint,
            _added(self._buckets(self.positive, schema), other._buckets(other.positive, schema), sign),
            _added(self._buckets(self.negative, schema), other._buckets(other.negative, schema), sign),
            self.bounds,
        )

    def _buckets(self, buckets: Mapping[int, float], schema: int) -> Mapping[int, float]:
        coarser: dict[int, float] = {}
        for index, count in buckets.items():
            place = ((index - 1) >> (self.schema - schema)) + 1 if self.schema != schema else index
            coarser[place] = coarser.get(place, 0.0) + count
        return coarser


def read_histogram(text: str) -> WrittenHistogram:
    """Read one histogram. Raises ``PromqlError`` for what cannot be read."""
    numbers, lists, hint = _fields(text)
    bounds = tuple(lists.get("custom_values", ()))
    return WrittenHistogram(
        int(numbers.get("schema", CUSTOM_SCHEMA if bounds else 0)),
        numbers.get("count", 0.0),
        numbers.get("sum", 0.0),
        numbers.get("z_bucket", 0.0),
        numbers.get("z_bucket_w", 0.0),
        hint,
        dict(enumerate(lists.get("buckets", ()), int(numbers.get("offset", 0)))),
        dict(enumerate(lists.get("n_buckets", ()), int(numbers.get("n_offset", 0)))),
        bounds,
    )


def _fields(text: str) -> tuple[dict[str, float], dict[str, list[float]], ResetHint]:
    numbers: dict[str, float] = {}
    lists: dict[str, list[float]] = {}
    hint, inside, place = ResetHint.UNKNOWN, text[2:-2].strip(), 0
    while place < len(inside):
        found = _FIELD.match(inside, place)
        if found is None:
            raise PromqlError("bad_data", f"{inside[place:]!r} is no part of a histogram: {text}")
        key, value = found.groups()
        try:
            if key in _NUMBERS:
                numbers[key] = float(value)
            elif key in _LISTS:
                lists[key] = [float(number) for number in value.strip("[]").split()]
            else:
                hint = {"counter_reset_hint": _HINTS}[key][value]
        except (KeyError, ValueError):
            raise PromqlError("bad_data", f"{key}:{value} is no part of a histogram: {text}") from None
        place = found.end()
    return numbers, lists, hint


def in_columns(written: Sequence[WrittenHistogram]) -> Histograms:
    """Histograms in columns."""
    bounds = list(dict.fromkeys(one.bounds for one in written if one.schema == CUSTOM_SCHEMA))
    return Histograms(
        np.array([one.schema for one in written], np.int32),
        np.array([one.zero_threshold for one in written], np.float64),
        np.array([one.zero_count for one in written], np.float64),
        np.array([one.count for one in written], np.float64),
        np.array([one.sum for one in written], np.float64),
        np.array([one.hint for one in written], np.uint8),
        _bucket_columns([one.positive for one in written]),
        _bucket_columns([one.negative for one in written]),
        np.array([bounds.index(one.bounds) if one.schema == CUSTOM_SCHEMA else -1 for one in written], np.int32),
        tuple(bounds),
    )


def _bucket_columns(buckets: Sequence[Mapping[int, float]]) -> Buckets:
    filled = [[(index, count) for index, count in sorted(one.items()) if count] for one in buckets]
    flat = [pair for one in filled for pair in one]
    return Buckets(
        np.cumsum([0, *map(len, filled)]).astype(np.int64),
        np.array([index for index, _ in flat], np.int64),
        np.array([count for _, count in flat], np.float64),
    )


def _added(first: Mapping[int, float], second: Mapping[int, float], sign: int) -> Mapping[int, float]:
    return {index: first.get(index, 0.0) + sign * second.get(index, 0.0) for index in {**first, **second}}
