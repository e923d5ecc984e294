"""Metric points as they are stored, and what a selector finds of them, in plain Python."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from spanglass_server.promql.ports import Matcher, Selector
from spanglass_server.promql.series.labels import NAME
from spanglass_server.promql.stored.source import StoredSeries

Row = dict[str, Any]

#: A whole second in 2023, from which the points' times are counted.
START_MS = 1_700_000_000_000
ALL = (START_MS - 1, START_MS + 10_000_000)


def point(
    second: float = 0, *, start: float | None = None, name: str = "x", kind: str = "gauge", **columns: Any
) -> Row:
    """A row of ``metrics`` so many seconds after the start; columns with dots are given by ``attributes``."""
    row: Row = {"metric_name": name, "metric_type": kind, "time_ns": START_MS * 1_000_000 + int(second * 10**9)}
    if start is not None:
        row["start_time_ns"] = START_MS * 1_000_000 + int(start * 10**9)
    return row | columns.pop("attributes", {}) | columns


def gauge(second: float, value: float, **attributes: Any) -> Row:
    """A gauge's point with attributes of the point, all text, by plain names."""
    return point(second, value_double=value, attributes={f"point.{key}:str": text for key, text in attributes.items()})


def stale(row: Row) -> Row:
    """The same without a value: its series ends there."""
    values = {"value_double", "value_int", "count", "sum", "bucket_counts", "explicit_bounds"}
    return {name: value for name, value in row.items() if name not in values} | {"flags": 1}


def matchers(*conditions: str) -> tuple[Matcher, ...]:
    """Matchers from texts: ``a=b``, ``a!=b``, ``a=~b``, ``a!~b``; without an operator it is a name."""
    found = []
    for text in conditions:
        for operator in ("=~", "!~", "!=", "="):
            name, is_there, value = text.partition(operator)
            if is_there:
                found.append(Matcher(name, operator, value))
                break
        else:
            found.append(Matcher(NAME, "=", text))
    return tuple(found)


def selector(*conditions: str, between: tuple[int, int] = ALL, named: tuple[str, ...] = ()) -> Selector:
    """A selector; labels of its matchers are named."""
    chosen = matchers(*conditions)
    return Selector(chosen, *between, named=frozenset({*named, *(m.name for m in chosen)} - {NAME}))


def found(session: Any, *conditions: str, **more: Any) -> dict[str, list[tuple[float, float]]]:
    """Series as ``name{labels}`` with their samples, seconds after the start and values; NaN is None."""
    return as_text(StoredSeries(session).select(selector(*conditions, **more)))


def as_text(samples: Any) -> dict[str, list[tuple[float, float]]]:
    """Samples by series; what is stale has the value "stale"."""
    series = {}
    for place, labels in enumerate(samples.labels.rows()):
        own = slice(int(samples.offsets[place]), int(samples.offsets[place + 1]))
        values = [None if math.isnan(value) else value for value in samples.value[own].tolist()]
        if samples.is_stale is not None:
            ends = samples.is_stale[own].tolist()
            values = ["stale" if is_end else value for value, is_end in zip(values, ends, strict=True)]
        times = [(time - START_MS) / 1000 for time in samples.time_ms[own].tolist()]
        series[described(labels)] = list(zip(times, values, strict=True))
    return series


def described(labels: dict[str, str]) -> str:
    """Labels as PromQL writes them, without quotes."""
    inside = ",".join(f"{name}={value}" for name, value in labels.items() if name != NAME)
    return f"{labels.get(NAME, '')}{{{inside}}}"


def memory_of_others(*arrays: Any) -> list[Any]:
    """What arrays only look into: memory that is no array's own, such as an answer of DuckDB, which they hold whole."""
    found = []
    for array in arrays:
        while isinstance(array.base, np.ndarray):
            array = array.base  # noqa: PLW2901 - what the view looks into
        found.append(array.base)
    return [base for base in found if base is not None]
