"""What selects nothing is left out before evaluation, with the same value and the same notes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from promql_cases import MINUTE, source

from spanglass_server.promql.engine import Options, PromqlError, range_query
from spanglass_server.promql.in_memory import SeriesInMemory
from spanglass_server.promql.series.vectors import Steps, Vector

if TYPE_CHECKING:
    from spanglass_server.promql.ports import Selector
    from spanglass_server.promql.series.samples import Samples

SERIES = {
    'x{a="1"}': "0+1x10",
    'x{a="2"}': "5 _ 7 6 6 6 7 7 7 7 7",
    'b_bucket{le="1"}': "0+2x10",
    'b_bucket{le="+Inf"}': "0+3x10",
}
RULES = Options(each_alone=True)


class Asked(SeriesInMemory):
    """Series that remember the names which were selected; ``lacking`` nothing where it is not to be known."""

    def __init__(self, samples: Samples, *, is_known: bool) -> None:
        super().__init__(samples)
        object.__setattr__(self, "names", [])
        object.__setattr__(self, "is_known", is_known)

    def select(self, selector: Selector) -> Samples:
        """As any source, and remember."""
        self.names.append(next((m.value for m in selector.matchers if m.name == "__name__"), ""))  # type: ignore[attr-defined]
        return super().select(selector)

    def lacking(self, names: frozenset[str], start_ms: int, end_ms: int) -> frozenset[str]:
        """Those that no series has, or none."""
        return super().lacking(names, start_ms, end_ms) if self.is_known else frozenset()  # type: ignore[attr-defined]


def said(query: str, *, is_known: bool) -> tuple[object, list[str]]:
    """All that an answer says, or its error; and which metrics were selected for it."""
    series = Asked(source(SERIES).samples, is_known=is_known)
    try:
        answer = range_query(series, query, Steps(3 * MINUTE, MINUTE, 4), RULES)
    except PromqlError as error:
        return (error.kind, str(error)), series.names  # type: ignore[attr-defined]
    value = answer.value
    assert isinstance(value, Vector)
    cells = np.where(value.present, value.values, np.nan).tolist()
    rows = [(tuple(sorted(row.items())), repr(line)) for row, line in zip(value.labels.rows(), cells, strict=True)]
    return (sorted(rows), answer.warnings, answer.infos), series.names  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("query", "selected"),
    [
        ("gone", []),
        ("-(gone)", []),
        ("sum by (a) (rate(gone[2m]) or rate(lost[2m]))", []),
        ("histogram_quantile(0.9, sum by (le) (rate(gone_bucket[2m])))", []),
        ("histogram_quantile(1.5, sum by (le) (rate(gone_bucket[2m])))", []),
        ("0 * sum(gone)", []),
        ("sum(gone) / sum(lost)", []),
        ("sum(x) / sum(gone)", ["x"]),
        ("gone or sum by (a) (x) or lost", ["x"]),
        ("x or gone", ["x"]),
        ("x and gone", ["x"]),
        ("x unless gone", ["x"]),
        ("gone unless x", ["x"]),
        ("rate(x[2m]) or rate(gone[2m])", ["x"]),
        ("sum(gone) + fill(1) sum(lost)", []),
        ("sum(gone) or vector(0)", []),
        ("absent(gone)", ["gone"]),
        ("absent_over_time(gone[2m])", ["gone"]),
        ("count_values('v', gone)", ["gone"]),
        ("topk(1, gone)", ["gone"]),
        ("sort(gone)", ["gone"]),
        ("sort_desc(sum(gone)) or x", ["gone", "x"]),
        ("quantile(2, gone)", ["gone"]),
        ("scalar(gone) + x", ["gone", "x"]),
        ('label_replace(gone, "a", "$1", "b", "(.*)")', ["gone"]),
        ("max_over_time(sum(gone)[2m:1m])", ["gone"]),
        ("gone @ 60", ["gone"]),
        ("gone offset -1m", ["gone"]),
        ("gone offset 1m", []),
        ('{__name__=~"gone|x"}', ["gone|x"]),
        ('gone{__filter__="status:error"}', ["gone"]),
        ("clamp_max(gone, 5)", []),
        ("x * on (a) x", ["x", "x"]),
        ("sum(x) + on () group_left () (gone or x)", ["x"]),
    ],
)
def test_the_same_is_said_without_what_selects_nothing(query: str, selected: list[str]) -> None:
    """Values, warnings and errors are those of the whole expression; metrics that are not there are not selected."""
    whole, _ = said(query, is_known=False)
    pruned, names = said(query, is_known=True)
    assert pruned == whole
    assert list(dict.fromkeys(names)) == list(dict.fromkeys(selected))


def test_nothing_is_left_out_of_what_people_ask() -> None:
    """Without ``each_alone`` an expression is evaluated as it is."""
    series = Asked(source(SERIES).samples, is_known=True)
    range_query(series, "gone or x", Steps(3 * MINUTE, MINUTE, 1))
    assert series.names == ["gone", "x"]  # type: ignore[attr-defined]
