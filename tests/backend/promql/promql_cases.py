"""What a case of the PromQL tests is, and how it is checked: series and results in Prometheus' notation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from spanglass_server.promql.engine import Answer, PromqlError, instant, range_query
from spanglass_server.promql.in_memory import SeriesInMemory
from spanglass_server.promql.notation import read_series
from spanglass_server.promql.notation_histograms import in_columns, read_histogram
from spanglass_server.promql.series.text import label_text
from spanglass_server.promql.series.vectors import Scalar, Steps, Text, Vector

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass_server.promql.series.histograms import Histograms

MINUTE = 60_000


def source(series: Mapping[str, str]) -> SeriesInMemory:
    """Series whose values are a minute apart, from 0 on."""
    return SeriesInMemory(read_series(series.items(), MINUTE))


def over_range(series: Mapping[str, str], query: str, minutes: int = 5, step: int = 1) -> Answer:
    """The answer from 0 to so many minutes."""
    return range_query(source(series), query, Steps(0, step * MINUTE, minutes // step + 1))


def at(series: Mapping[str, str], query: str, minute: float = 5) -> Answer:
    """The answer at one time."""
    return instant(source(series), query, int(minute * MINUTE))


def values_of(answer: Answer) -> dict[str, list[float | None]]:
    """The values of each series of an answer, None where it has none; a scalar is the series ``scalar``."""
    value = answer.value
    if isinstance(value, Scalar):
        return {"scalar": value.values.tolist()}
    assert isinstance(value, Vector), value
    cells = np.where(value.present, value.values, None)
    return dict(zip(map(label_text, value.labels.rows()), cells.tolist(), strict=True))


def expected_values(lines: Mapping[str, str], size: int) -> dict[str, list[float | None]]:
    """Expected series in the same form: ``_`` is no value."""
    expected: dict[str, list[float | None]] = {}
    for name, text in lines.items():
        samples = read_series([("x" if name == "scalar" else name, text)], 1)
        row: list[float | None] = [None] * size
        for place, value in zip(samples.time_ms.tolist(), samples.value.tolist(), strict=True):
            row[place] = value
        key = name if name == "scalar" else label_text(samples.labels.rows()[0])
        expected[key] = row
    return expected


def assert_values(answer: Answer, lines: Mapping[str, str]) -> None:
    """The answer must have these series with these values, to nine digits."""
    found = values_of(answer)
    size = max((len(row) for row in found.values()), default=1)
    expected = expected_values(lines, size)
    assert found.keys() == expected.keys()
    for name, row in expected.items():
        assert [value is None for value in found[name]] == [value is None for value in row], (name, found[name])
        numbers = [value for value in row if value is not None]
        there = [value for value in found[name] if value is not None]
        assert there == pytest.approx(numbers, rel=1e-9, abs=1e-12, nan_ok=True), name


def assert_range(series: Mapping[str, str], query: str, lines: Mapping[str, str], minutes: int = 5) -> None:
    """From 0 on, a step a minute, the answer must have these series."""
    assert_values(over_range(series, query, minutes), lines)


def error_of(series: Mapping[str, str], query: str, minute: float = 0) -> PromqlError:
    """The error that a query must give."""
    with pytest.raises(PromqlError) as caught:
        at(series, query, minute)
    return caught.value


def text_of(answer: Answer) -> str:
    """The text that an answer must be."""
    assert isinstance(answer.value, Text)
    return answer.value.value


def histograms(*texts: str) -> Histograms:
    """Native histograms from their notation."""
    return in_columns([read_histogram(text) for text in texts])
