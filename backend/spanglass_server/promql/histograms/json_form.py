"""Native histograms in the JSON of Prometheus' query API, and as texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from spanglass_server.promql.histograms import cells
from spanglass_server.promql.histograms.rows import is_custom
from spanglass_server.promql.series.go_numbers import go_number

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanglass_server.promql.series.histograms import Histograms

_LEFT_OPEN, _RIGHT_OPEN, _CLOSED = 0, 1, 3


def json_forms(histograms: Histograms, number: Callable[[float], str]) -> list[dict[str, Any]]:
    """Each histogram with count, sum and filled buckets: [rule, lower, upper, count], numbers written by ``number``.

    The rule says which bounds are in the bucket: 0 the upper one, 1 the lower one, 2 none, 3 both.
    """
    counts, sums = histograms.count.tolist(), histograms.sum.tolist()
    forms: list[dict[str, Any]] = [
        {"count": number(count), "sum": number(total)} for count, total in zip(counts, sums, strict=True)
    ]
    own = is_custom(histograms)
    for part in cells.of(histograms):
        positive = np.where(own[part.rows, None] & np.isneginf(part.lower), _CLOSED, _LEFT_OPEN)
        below = ~own[part.rows, None] & (part.upper <= 0)
        rule = np.where(part.is_zero, _CLOSED, np.where(below, _RIGHT_OPEN, positive))
        row, place = np.nonzero(part.count)
        columns = (part.rows[row], rule[row, place], part.lower[row, place], part.upper[row, place])
        for of, kind, low, high, count in zip(
            *(column.tolist() for column in columns), part.count[row, place].tolist(), strict=True
        ):
            forms[of].setdefault("buckets", []).append([kind, number(low), number(high), number(count)])
    return forms


_BRACKETS = {_LEFT_OPEN: "(]", _RIGHT_OPEN: "[)", _CLOSED: "[]"}


def texts(histograms: Histograms) -> list[str]:
    """Each histogram as Prometheus writes it in a label: ``{count:3, sum:4, (1,2]:3}``."""
    return [
        "{"
        + ", ".join(
            [f"count:{form['count']}", f"sum:{form['sum']}"]
            + [
                f"{_BRACKETS[rule][0]}{lower},{upper}{_BRACKETS[rule][1]}:{count}"
                for rule, lower, upper, count in form.get("buckets", ())
            ]
        )
        + "}"
        for form in json_forms(histograms, go_number)
    ]
