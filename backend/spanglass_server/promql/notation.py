"""Prometheus' notation of series in the unit tests of rules: ``up{job="a"} 0+10x4 _ stale 5 {{count:4 sum:3}}x3``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.errors import PromqlError
from spanglass_server.promql.notation_histograms import WrittenHistogram, in_columns, read_histogram
from spanglass_server.promql.parsing.nodes import VectorSelector
from spanglass_server.promql.parsing.parse import parse
from spanglass_server.promql.series.labels import LabelSets
from spanglass_server.promql.series.samples import Samples

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

#: What stands at one step: a number, a histogram, a staleness marker, or nothing.
Point = float | WrittenHistogram | str | None

_STALE = "stale"
_NUMBER = r"[+-]?(?:[\d.]+(?:[eE][+-]?\d+)?|0[xX][\da-fA-F]+|[iI]nf|[nN]a[nN])"
_ITEM = re.compile(
    rf"""(?: (?P<histogram>\{{\{{[^}}]*\}}\}}) (?: (?P<sign>[+-]) (?P<added>\{{\{{[^}}]*\}}\}}) )?
          |  (?P<number>{_NUMBER}) (?P<step>[+-](?:[\d.]+(?:[eE][+-]?\d+)?|[iI]nf|[nN]a[nN]))?
          |  (?P<none>_) | (?P<stale>stale) )
        (?:x(?P<times>\d+))? (?=\s|$)""",
    re.VERBOSE,
)


def read_series(lines: Iterable[tuple[str, str]], step_ms: int, start_ms: int = 0) -> Samples:
    """The samples of series, each given as its name with labels, and its values, ``step_ms`` apart.

    Raises ``PromqlError`` for what cannot be read.
    """
    labels, points = [], []
    for series, values in lines:
        labels.append(read_labels(series))
        points.append(read_points(values))
    return _samples(labels, points, step_ms, start_ms)


def read_labels(text: str) -> dict[str, str]:
    """The labels of a series: ``up{job="a"}``, ``{}``."""
    if text.strip() in ("", "{}"):
        return {}
    node = parse(text)
    if not isinstance(node, VectorSelector) or any(matcher.operator != "=" for matcher in node.matchers):
        raise PromqlError("bad_data", f'{text!r} is no series: give its name and labels, such as up{{job="a"}}')
    return {matcher.name: matcher.value for matcher in node.matchers if matcher.value}


def read_points(text: str) -> list[Point]:
    """The values of a series, step by step."""
    points: list[Point] = []
    place = 0
    text = text.strip()
    while place < len(text):
        found = _ITEM.match(text, place)
        if found is None:
            raise PromqlError("bad_data", f"{text[place : place + 40]!r} is no value of a series: {text!r}")
        points += _points(found)
        place = found.end()
        while place < len(text) and text[place].isspace():
            place += 1
    return points


def _points(found: re.Match[str]) -> Iterator[Point]:
    times = int(found["times"] or 0)
    if found["none"]:
        yield from [None] * max(times, 1)
    elif found["stale"]:
        yield from [_STALE] * (times + 1)
    elif found["number"]:
        begin, step = _number(found["number"]), _number(found["step"] or "0")
        yield from (begin + step * place if place else begin for place in range(times + 1))
    else:
        current = read_histogram(found["histogram"])
        added = read_histogram(found["added"]) if found["added"] else None
        for _ in range(times + 1):
            yield current
            if added is not None:
                current = current.plus(added, -1 if found["sign"] == "-" else 1)


def _number(text: str) -> float:
    try:
        return float(int(text, 16)) if "0x" in text.lower() else float(text)
    except ValueError:
        raise PromqlError("bad_data", f"{text!r} is no number") from None


def _samples(labels: Sequence[dict[str, str]], points: Sequence[list[Point]], step_ms: int, start_ms: int) -> Samples:
    filled = [[(place, point) for place, point in enumerate(line) if point is not None] for line in points]
    flat = [entry for line in filled for entry in line]
    written = [point for _, point in flat if isinstance(point, WrittenHistogram)]
    numbers = [point if isinstance(point, float) else 0.0 for _, point in flat]
    is_stale = np.array([point == _STALE for _, point in flat], np.bool_)
    is_histogram = np.array([isinstance(point, WrittenHistogram) for _, point in flat], np.bool_)
    return Samples(
        LabelSets.of(labels),
        np.cumsum([0, *map(len, filled)]).astype(np.int64),
        np.array([start_ms + place * step_ms for place, _ in flat], np.int64),
        np.array(numbers, np.float64),
        is_stale if is_stale.any() else None,
        np.where(is_histogram, np.cumsum(is_histogram) - 1, -1) if written else None,
        in_columns(written) if written else None,
    )
