"""Histograms in expressions: operators, aggregations, ranges, functions; the values agree with Prometheus 3's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from promql_cases import at, over_range

from spanglass_server.promql.histograms.expressions.placing import rows_of
from spanglass_server.promql.histograms.json_form import texts
from spanglass_server.promql.series.text import label_text
from spanglass_server.promql.series.vectors import Scalar, Vector

if TYPE_CHECKING:
    from spanglass_server.promql.engine import Answer

#: A minute apart; ``h`` and ``other`` grow by 2 observations a minute, ``reset`` begins anew at minute 3.
SERIES = {
    'h{a="1", g="x"}': "{{schema:1 count:2 sum:3 buckets:[1 1]}}+{{schema:1 count:2 sum:1 buckets:[1 1]}}x5",
    'h{a="2", g="x"}': "{{schema:0 count:1 sum:1 z_bucket:1 z_bucket_w:0.5}}x5",
    'other{a="1"}': "{{schema:0 count:4 sum:2 buckets:[2 2]}}x5",
    'reset{a="1"}': "{{count:3 sum:3 buckets:[1 2]}} {{count:4 sum:4 buckets:[2 2]}} {{count:6 sum:8 buckets:[3 3]}} "
    "{{count:1 sum:1 buckets:[0 1]}} {{count:2 sum:3 buckets:[1 1]}} {{count:4 sum:5 buckets:[2 2]}}",
    'custom{a="1"}': "{{schema:-53 count:4 sum:8 custom_values:[1 2 4] buckets:[1 1 1 1]}}x5",
    'custom{a="2"}': "{{schema:-53 count:3 sum:5 custom_values:[2 4] buckets:[1 1 1]}}x5",
    'gauge{a="1"}': "{{count:4 sum:8 buckets:[2 2] counter_reset_hint:gauge}} "
    "{{count:3 sum:6 buckets:[1 2] counter_reset_hint:gauge}}x4",
    'mixed{a="1"}': "1 2 {{count:2 sum:3 buckets:[1 1]}} "
    "{{count:4 sum:5 buckets:[2 2]}} 5 {{count:6 sum:7 buckets:[3 3]}}",
    'unlike{a="1"}': "{{count:2 sum:3 buckets:[1 1]}}x4 {{schema:-53 count:3 sum:5 custom_values:[2] buckets:[1 2]}}",
    'bounds{a="1"}': "{{schema:-53 count:9 custom_values:[1 2] buckets:[3 3 3]}} "
    "{{schema:-53 count:2 custom_values:[2 3] buckets:[1 1]}} "
    "{{schema:-53 count:4 custom_values:[1 2 3] buckets:[1 1 1 1]}}",
    'f{a="1"}': "0+2x5",
    'f{a="2"}': "3x5",
}

Case = tuple[str, dict[str, str], list[str]]


def cases() -> list[Case]:
    """At minute 5: a query, its series (``=>`` a histogram or a number), and what is told besides (``!``)."""
    read: list[Case] = []
    for line in Path(__file__).with_name("histograms.txt").read_text().splitlines():
        if not line.startswith(" "):
            read.append((line, {}, []))
        elif line.strip().startswith("!"):
            read[-1][2].append(line.strip().removeprefix("! "))
        else:
            series, _, value = line.strip().partition(" => ")
            read[-1][1][series] = value
    return read


def found(answer: Answer) -> dict[str, str | float]:
    """Each series with its histogram as a text, or its float."""
    vector = answer.value
    assert isinstance(vector, Vector)
    rows = rows_of(vector)[:, 0].tolist()
    written = [] if vector.histograms is None else texts(vector.histograms)
    values = [
        written[row] if row >= 0 else value for row, value in zip(rows, vector.values[:, 0].tolist(), strict=True)
    ]
    return dict(zip(map(label_text, vector.labels.rows()), values, strict=True))


@pytest.mark.parametrize(("query", "expected", "notes"), cases(), ids=[case[0] for case in cases()])
def test_histograms_in_expressions(query: str, expected: dict[str, str], notes: list[str]) -> None:
    """Computed, or left out and told, as in Prometheus 3."""
    answer = at(SERIES, query)
    values = found(answer)
    assert values.keys() == expected.keys()
    for series, text in expected.items():
        value = values[series]
        assert value == (text if isinstance(value, str) else pytest.approx(float(text))), series
    assert [*answer.warnings, *answer.infos] == notes


def test_a_scalar_is_never_a_histogram() -> None:
    """Histograms are not seen."""
    value = at(SERIES, "scalar(h)").value
    assert isinstance(value, Scalar)
    assert np.isnan(value.values).all()


SEE = "https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile"
CLASSIC = {
    'b{le="1"}': "2x5",
    'b{le="2.0"}': "3x5",
    'b{le="+Inf"}': "4x5",
    'b{job="a", le="1"}': "4x5",
    'b{job="a", le="2"}': "3x5",
    'b{job="a", le="Inf"}': "8x5",
    "n": "{{count:4 buckets:[4]}}x5",
    'n{le="1"}': "1x5",
    'n{le="+Inf"}': "2x5",
}


def test_classic_histograms_in_expressions() -> None:
    """Counts that go down are told with buckets and times; beside a native one of the same labels nothing counts."""
    answer = at(CLASSIC, "histogram_quantile(0.75, b)")
    assert found(answer) == {"{}": 2.0, '{job="a"}': 2.0}
    told = (
        f"PromQL info: input to histogram_quantile needed to be fixed for monotonicity (see {SEE}), "
        "from buckets 2 to 2, with a max diff of 1, "
        "over 1 samples from 1970-01-01T00:05:00Z to 1970-01-01T00:05:00Z (1:26)"
    )
    assert answer.infos == (told,)
    assert found(at(CLASSIC, "histogram_fraction(0, 2, b)")) == {"{}": 0.75, '{job="a"}': 0.375}
    clash = at(CLASSIC, "histogram_quantile(0.5, n)")
    assert found(clash) == {}
    assert clash.warnings == ("PromQL warning: vector contains a mix of classic and native histograms (1:25)",)


def test_quantiles_that_change_from_step_to_step_are_series_of_their_own() -> None:
    """The label has the value of the step."""
    answer = over_range(SERIES, 'histogram_quantiles(reset, "q", time() / 120)', minutes=2)
    assert [row["q"] for row in answer.value.labels.rows()] == ["0.0", "0.5", "1.0"]  # type: ignore[union-attr]
    assert answer.value.present.sum(axis=0).tolist() == [1, 1, 1]  # type: ignore[union-attr]
