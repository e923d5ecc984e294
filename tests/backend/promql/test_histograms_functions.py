"""Quantiles, fractions, mean and variance of native histograms, worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from promql_cases import histograms

from spanglass_server.promql.histograms.fraction import fractions
from spanglass_server.promql.histograms.moments import averages, variances
from spanglass_server.promql.histograms.quantile import quantiles
from spanglass_server.promql.histograms.trimming import trimmed

NAN, INF = math.nan, math.inf
#: 4 observations in (1, 2], 4 in (2, 4].
TWO = "{{count:8 sum:20 buckets:[4 4] offset:1}}"
#: 2 in [-0.5, 0.5], 2 in (1, 2]; without buckets below zero the zero bucket is [0, 0.5].
ZERO_ABOVE = "{{count:4 sum:3 z_bucket:2 z_bucket_w:0.5 buckets:[2] offset:1}}"
ZERO_BELOW = "{{count:4 sum:-3 z_bucket:2 z_bucket_w:0.5 n_buckets:[2] n_offset:1}}"
ZERO_BOTH = "{{count:6 sum:0 z_bucket:2 z_bucket_w:0.5 n_buckets:[2] n_offset:1 buckets:[2] offset:1}}"
ZERO_ALONE = "{{count:4 sum:0 z_bucket:4 z_bucket_w:0.5}}"
CUSTOM = "{{schema:-53 count:10 sum:40 custom_values:[2 4 8] buckets:[2 4 2 2]}}"
CUSTOM_BELOW = "{{schema:-53 count:4 sum:1 custom_values:[-1 3] buckets:[2 2]}}"
WITH_NAN = "{{count:10 sum:NaN buckets:[4 4] offset:1}}"
EMPTY = "{{}}"

QUANTILES = [
    (TWO, 0.25, math.sqrt(2)),
    (TWO, 0.5, 2),
    (TWO, 0.75, 2 * math.sqrt(2)),
    (TWO, 0, 1),
    (TWO, 1, 4),
    (TWO, -0.1, -INF),
    (TWO, 1.1, INF),
    (TWO, NAN, NAN),
    (EMPTY, 0.5, NAN),
    (EMPTY, -1, -INF),
    (ZERO_ABOVE, 0.25, 0.25),
    (ZERO_BELOW, 0.75, -0.25),
    (ZERO_BELOW, 0.25, -math.sqrt(2)),
    (ZERO_BELOW, 0, -2),
    (ZERO_BOTH, 0.5, 0),
    (ZERO_BOTH, 5 / 12, -0.25),
    (ZERO_ALONE, 0.75, 0.25),
    (CUSTOM, 0.1, 1),
    (CUSTOM, 0.2, 2),
    (CUSTOM, 0.5, 3.5),
    (CUSTOM, 0.7, 6),
    (CUSTOM, 0.9, 8),
    (CUSTOM, 1, 8),
    (CUSTOM_BELOW, 0.25, -1),
    (CUSTOM_BELOW, 0.75, 1),
    (WITH_NAN, 0.2, math.sqrt(2)),
    (WITH_NAN, 0.9, NAN),
    # The bucket (0.5, 1] begins at the end of the zero bucket.
    ("{{count:3 sum:2 z_bucket:1 z_bucket_w:0.75 buckets:[2]}}", 2 / 3, math.sqrt(0.75)),
    # More in the buckets than counted: never beyond the last.
    ("{{count:7.9999 sum:20 buckets:[4 4] offset:1}}", 1, 4),
    # Schema 3: a bucket is an eighth of a power of two wide.
    ("{{schema:3 count:2 sum:2 buckets:[2] offset:1}}", 0.5, 2 ** (1 / 16)),
    # The last bucket ends with the largest float, the one beyond with infinity.
    ("{{count:1 sum:1 buckets:[1] offset:1024}}", 0.5, 2**1023.5),
    ("{{count:1 sum:1 buckets:[1] offset:1025}}", 1, INF),
]

FRACTIONS = [
    (TWO, -INF, INF, 1),
    (TWO, 1, 2, 0.5),
    (TWO, 0, math.sqrt(2), 0.25),
    (TWO, math.sqrt(2), 2 * math.sqrt(2), 0.5),
    (TWO, 2, 2, 0),
    (TWO, 4, 1, 0),
    (TWO, NAN, 1, NAN),
    (EMPTY, 0, 1, NAN),
    (ZERO_ABOVE, 0, 0.25, 0.25),
    (ZERO_ABOVE, -0.25, 0, 0),
    (ZERO_BELOW, -0.25, 0, 0.25),
    (ZERO_BELOW, -math.sqrt(2), INF, 0.75),
    (ZERO_BOTH, -0.25, 0.25, 1 / 6),
    (ZERO_ALONE, -0.25, 0.25, 0.5),
    (CUSTOM, -INF, 3, 0.4),
    (CUSTOM, 1, 6, 0.6),
    (CUSTOM, 100, INF, 0.2),
    (CUSTOM, -5, 0, 0),
    (CUSTOM_BELOW, -INF, -3, 0.5),
    (CUSTOM_BELOW, -1, 1, 0.25),
    (WITH_NAN, -INF, INF, 0.8),
    (WITH_NAN, 1, 2, 0.4),
]

VARIANCES = [
    # Mean 2.5; geometric means of the buckets are 2 ** 0.5 and 2 ** 1.5.
    (TWO, 2.5, ((math.sqrt(2) - 2.5) ** 2 + (2 * math.sqrt(2) - 2.5) ** 2) / 2),
    (ZERO_BOTH, 0, 4 * 2 / 6),
    ("{{schema:-53 count:4 sum:8 custom_values:[2 4] buckets:[0 4]}}", 2, 1),
    (CUSTOM, 4, INF),
    (EMPTY, NAN, NAN),
    ("{{count:2 sum:-3 n_buckets:[2] n_offset:1}}", -1.5, (1.5 - math.sqrt(2)) ** 2),
]


def test_quantiles() -> None:
    """Each by itself, all at once; infos only where NaN was observed."""
    found = quantiles(histograms(*(case[0] for case in QUANTILES)), np.array([case[1] for case in QUANTILES], float))
    for case, value in zip(QUANTILES, found.values.tolist(), strict=True):
        assert value == pytest.approx(case[2], nan_ok=True, abs=1e-12), case
    told = list(zip(found.is_nan_observed.tolist(), found.is_skewed.tolist(), strict=True))
    nan_cases = {(WITH_NAN, 0.2): (False, True), (WITH_NAN, 0.9): (True, False)}
    assert told == [nan_cases.get(case[:2], (False, False)) for case in QUANTILES]


def test_fractions() -> None:
    """The inverse of quantiles; NaN observations are in no bucket, but counted."""
    limits = np.array([case[1:3] for case in FRACTIONS], float)
    found = fractions(histograms(*(case[0] for case in FRACTIONS)), limits[:, 0], limits[:, 1])
    for case, value in zip(FRACTIONS, found.values.tolist(), strict=True):
        assert value == pytest.approx(case[3], nan_ok=True, abs=1e-12), case
    assert found.is_nan_observed.tolist() == [case[0] is WITH_NAN for case in FRACTIONS]


def test_mean_and_variance() -> None:
    """Of the means of the buckets around the true mean."""
    rows = histograms(*(case[0] for case in VARIANCES))
    assert averages(rows).tolist() == pytest.approx([case[1] for case in VARIANCES], nan_ok=True)
    assert variances(rows).tolist() == pytest.approx([case[2] for case in VARIANCES], nan_ok=True)


TRIMMED = [
    # Query side, limit, what is kept of it: count and sum, estimated from the middles of what is left.
    (TWO, "</", 2, 4, 4 * math.sqrt(2)),
    (TWO, ">/", 2, 4, 4 * 2 * math.sqrt(2)),
    (TWO, "</", math.sqrt(2), 2, 2 * 2**0.25),
    (TWO, ">/", 2 * math.sqrt(2), 2, 2 * 2**1.75),
    (TWO, "</", 10, 8, 20),
    (TWO, ">/", 1, 8, 20),
    (TWO, "</", 1, 0, 0),
    (TWO, ">/", NAN, 0, 0),
    (ZERO_ABOVE, "</", 0.25, 1, 0.125),
    (ZERO_ABOVE, ">/", 0.25, 3, 0.375 + 2 * math.sqrt(2)),
    (ZERO_BELOW, ">/", -0.25, 1, -0.125),
    (ZERO_BELOW, "</", -1, 2, -2 * math.sqrt(2)),
    (ZERO_BOTH, "</", 0, 3, -0.25 - 2 * math.sqrt(2)),
    (ZERO_BOTH, ">/", 0, 3, 0.25 + 2 * math.sqrt(2)),
    (ZERO_ALONE, ">/", 0.25, 1, 0.375),
    (CUSTOM, "</", 3, 4, 2 * 1 + 2 * 2.5),
    (CUSTOM, "</", 1, 1, 0.5),
    (CUSTOM, "</", 10, 8, 2 * 1 + 4 * 3 + 2 * 6),
    (CUSTOM, ">/", 1, 9, 1 * 1.5 + 4 * 3 + 2 * 6 + 2 * 8),
    (CUSTOM, ">/", 8, 2, 16),
    (CUSTOM, ">/", 10, 2, 20),
    (CUSTOM_BELOW, "</", -3, 2, -6),
    (CUSTOM_BELOW, ">/", 1, 1, 2),
]


@pytest.mark.parametrize(("text", "side", "limit", "count", "total"), TRIMMED)
def test_histograms_are_cut_at_a_number(text: str, side: str, limit: float, count: float, total: float) -> None:
    """A bucket is split as for fractions; a histogram of which nothing is cut off keeps its sum."""
    out = trimmed(histograms(text), np.array([limit], float), is_upper=side == "</")
    assert (out.count[0], out.sum[0]) == (pytest.approx(count), pytest.approx(total))
    assert out.zero_count[0] + out.positive.count.sum() + out.negative.count.sum() == pytest.approx(count)
