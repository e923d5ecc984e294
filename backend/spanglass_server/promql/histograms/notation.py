"""Native histograms in the notation of Prometheus' unit tests: ``{{schema:1 count:4 buckets:[1 2 1]}}``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import numpy as np

from spanglass_server.promql.series.histograms import CUSTOM_SCHEMA, Buckets, Histograms, ResetHint

if TYPE_CHECKING:
    from collections.abc import Mapping

_FIELD = re.compile(r"\s*([a-z_]+)\s*:\s*(\[[^\]]*\]|[^\s\]}]+)")
_NUMBERS: Final = frozenset({"schema", "sum", "count", "z_bucket", "z_bucket_w", "offset", "n_offset"})
_LISTS: Final = frozenset({"custom_values", "buckets", "n_buckets"})
_HINTS: Final = {
    "unknown": ResetHint.UNKNOWN,
    "reset": ResetHint.RESET,
    "not_reset": ResetHint.NO_RESET,
    "gauge": ResetHint.GAUGE,
}


def histogram_of(text: str) -> Histograms:
    """One histogram from its fields in double braces; ValueError says which field is wrong."""
    numbers, lists, hint = _fields(text)
    schema = int(numbers.get("schema", 0))
    bounds = lists.get("custom_values")
    is_own = schema == CUSTOM_SCHEMA
    return Histograms(
        schema=np.array([schema], np.int32),
        zero_threshold=np.array([numbers.get("z_bucket_w", 0.0)]),
        zero_count=np.array([numbers.get("z_bucket", 0.0)]),
        count=np.array([numbers.get("count", 0.0)]),
        sum=np.array([numbers.get("sum", 0.0)]),
        reset_hint=np.array([hint], np.uint8),
        positive=_buckets(lists.get("buckets", ()), int(numbers.get("offset", 0))),
        negative=_buckets(lists.get("n_buckets", ()), int(numbers.get("n_offset", 0))),
        custom=np.array([0 if is_own else -1], np.int32),
        bounds=(tuple(bounds or ()),) if is_own else (),
    )


def _fields(text: str) -> tuple[Mapping[str, float], Mapping[str, tuple[float, ...]], ResetHint]:
    inner = text.strip()
    if not (inner.startswith("{{") and inner.endswith("}}")):
        raise ValueError(f"a histogram stands in double braces: {text}")
    inner = inner[2:-2]
    numbers: dict[str, float] = {}
    lists: dict[str, tuple[float, ...]] = {}
    hint = ResetHint.UNKNOWN
    end = 0
    for field in _FIELD.finditer(inner):
        name, value = field.groups()
        if field.start() != end:
            break
        end = field.end()
        if name in _NUMBERS:
            numbers[name] = float(value)
        elif name in _LISTS:
            lists[name] = tuple(float(one) for one in value.strip("[]").split())
        elif name == "counter_reset_hint" and value in _HINTS:
            hint = _HINTS[value]
        else:
            raise ValueError(f"a histogram has no field {name}:{value}")
    if inner[end:].strip():
        raise ValueError(f"not a histogram's field: {inner[end:].strip()}")
    return numbers, lists, hint


def _buckets(counts: tuple[float, ...], offset: int) -> Buckets:
    filled = [place for place, count in enumerate(counts) if count != 0]
    index = np.array([offset + place for place in filled], np.int64)
    return Buckets(np.array([0, len(filled)]), index, np.array([counts[place] for place in filled], np.float64))
