"""Arithmetic of native histograms: layouts brought together, resets, equality."""

from __future__ import annotations

import numpy as np
import pytest
from promql_cases import histograms

from spanglass_server.promql.histograms import arithmetic, resets
from spanglass_server.promql.histograms.merging import merged
from spanglass_server.promql.histograms.rows import take
from spanglass_server.promql.series.histograms import Histograms, ResetHint

ADDED = [
    (
        "equal layouts: bucket by bucket, also negative and zero ones",
        "{{count:7 sum:5 z_bucket:1 z_bucket_w:0.5 buckets:[1 2] n_buckets:[3]}}",
        "{{count:4 sum:1 z_bucket:2 z_bucket_w:0.5 buckets:[0 1 1]}}",
        "{{count:11 sum:6 z_bucket:3 z_bucket_w:0.5 buckets:[1 3 1] n_buckets:[3]}}",
    ),
    (
        "the lower schema: (1, 1.41] and (1.41, 2] become (1, 2]",
        "{{schema:1 count:6 sum:9 buckets:[1 2 3]}}",
        "{{schema:0 count:3 sum:4 buckets:[1 1 1]}}",
        "{{schema:0 count:9 sum:13 buckets:[2 6 1]}}",
    ),
    (
        "a negative schema: (1, 2] and (2, 4] become (1, 4], (0.5, 1] goes to (0.25, 1]",
        "{{schema:0 count:6 buckets:[1 2 3]}}",
        "{{schema:-1 count:1 buckets:[1]}}",
        "{{schema:-1 count:7 buckets:[2 5]}}",
    ),
    (
        "the wider zero bucket takes the buckets within it",
        "{{schema:0 count:6 z_bucket:1 z_bucket_w:2 buckets:[5] offset:2}}",
        "{{schema:0 count:10 z_bucket:1 z_bucket_w:0.5 buckets:[2 3 4] n_buckets:[0 0 7]}}",
        "{{schema:0 count:16 z_bucket:7 z_bucket_w:2 buckets:[9] offset:2 n_buckets:[7] n_offset:2}}",
    ),
    (
        "a zero bucket that would cut the filled bucket (1, 2] grows to its end",
        "{{schema:0 count:1 z_bucket:1 z_bucket_w:1.5}}",
        "{{schema:0 count:9 z_bucket:1 z_bucket_w:0.5 buckets:[2 3 4]}}",
        "{{schema:0 count:10 z_bucket:7 z_bucket_w:2 buckets:[4] offset:2}}",
    ),
    (
        "one that cuts an empty bucket stays",
        "{{schema:0 count:1 z_bucket:1 z_bucket_w:1.5}}",
        "{{schema:0 count:7 z_bucket:1 z_bucket_w:0.5 buckets:[2 0 4]}}",
        "{{schema:0 count:8 z_bucket:4 z_bucket_w:1.5 buckets:[4] offset:2}}",
    ),
    (
        "equal custom bounds",
        "{{schema:-53 count:3 sum:4 custom_values:[1 2] buckets:[1 1 1]}}",
        "{{schema:-53 count:2 sum:9 custom_values:[1 2] buckets:[0 0 2]}}",
        "{{schema:-53 count:5 sum:13 custom_values:[1 2] buckets:[1 1 3]}}",
    ),
    (
        "other custom bounds: those that both have are left",
        "{{schema:-53 count:10 sum:4 custom_values:[1 2 5] buckets:[1 2 3 4]}}",
        "{{schema:-53 count:6 sum:9 custom_values:[2 3 5] buckets:[1 1 1 3]}}",
        "{{schema:-53 count:16 sum:13 custom_values:[2 5] buckets:[4 5 7]}}",
    ),
    (
        "custom bounds with none in common: one bucket",
        "{{schema:-53 count:3 custom_values:[1 2] buckets:[1 1 1]}}",
        "{{schema:-53 count:2 custom_values:[3] buckets:[1 1]}}",
        "{{schema:-53 count:5 custom_values:[] buckets:[5]}}",
    ),
]


def same(left: Histograms, right: str) -> bool:
    """Whether one histogram is the one in the notation."""
    return bool(arithmetic.equal(left, histograms(right))[0])


@pytest.mark.parametrize(("what", "left", "right", "expected"), ADDED, ids=[case[0] for case in ADDED])
def test_histograms_of_unlike_layout_are_added_in_the_finest_common_one(
    what: str, left: str, right: str, expected: str
) -> None:
    """Addition does not depend on the order, and the difference of the sum and one is the other in that layout."""
    first, second = histograms(left), histograms(right)
    out = arithmetic.add(first, second)
    assert same(out.histograms, expected), (what, out)
    assert same(arithmetic.add(second, first).histograms, expected)
    assert out.reduced.tolist() == [what.startswith(("other custom", "custom bounds with none"))]
    back = arithmetic.subtract(out.histograms, second).histograms
    assert back.count.tolist() == first.count.tolist()
    assert back.reset_hint.tolist() == [ResetHint.GAUGE]


def test_custom_and_exponential_buckets_do_not_add() -> None:
    """There is no layout for both: the sum is marked, other rows are not touched."""
    left = histograms("{{count:1 buckets:[1]}}", "{{count:2 buckets:[2]}}")
    right = histograms("{{schema:-53 count:1 custom_values:[1] buckets:[1]}}", "{{count:1 buckets:[1]}}")
    out = arithmetic.add(left, right)
    assert out.incompatible.tolist() == [True, False]
    assert same(take(out.histograms, np.array([1])), "{{count:3 buckets:[3]}}")


HINTS = [
    (("unknown", "unknown"), ResetHint.UNKNOWN, False),
    (("gauge", "reset"), ResetHint.GAUGE, False),
    (("unknown", "gauge"), ResetHint.GAUGE, False),
    (("reset", "reset"), ResetHint.RESET, False),
    (("not_reset", "unknown"), ResetHint.UNKNOWN, False),
    (("not_reset", "not_reset"), ResetHint.NO_RESET, False),
    (("reset", "not_reset"), ResetHint.UNKNOWN, True),
]


@pytest.mark.parametrize(("hints", "expected", "collision"), HINTS)
def test_hints_of_a_sum(hints: tuple[str, str], expected: ResetHint, collision: bool) -> None:  # noqa: FBT001
    """A gauge makes a gauge; hints that differ are unknown; that a reset is said and denied is told."""
    out = arithmetic.add(*(histograms(f"{{{{count:1 counter_reset_hint:{hint}}}}}") for hint in hints))
    assert (out.histograms.reset_hint.tolist(), out.collision.tolist()) == ([expected], [collision])


def test_groups_are_summed_in_one_go_each_in_its_layout() -> None:
    """Rows of any order; a group without rows is blank; weights scale each row."""
    both = histograms(
        "{{count:1 sum:1 buckets:[1]}}", "{{schema:1 count:4 buckets:[0 2 2]}}", "{{count:3 buckets:[3]}}"
    )
    out = merged(both, np.array([2, 0, 2]), 3, np.array([2.0, 1.0, -1.0])).histograms
    assert same(take(out, np.array([0])), "{{schema:1 count:4 buckets:[0 2 2]}}")
    assert same(take(out, np.array([1])), "{{}}")
    assert same(take(out, np.array([2])), "{{count:-1 sum:2 buckets:[-1]}}")


def test_sums_lose_no_digits() -> None:
    """1e100 - 1e100 leaves what was added between."""
    texts = [f"{{{{sum:{value} count:{value} buckets:[{value}]}}}}" for value in ("1e100", "1", "-1e100", "2")]
    assert same(merged(histograms(*texts), np.zeros(4, np.intp), 1).histograms, "{{sum:3 count:3 buckets:[3]}}")


SCALED = [
    ("times", 2.0, "{{count:6 sum:8 z_bucket:2 buckets:[4]}}", ResetHint.RESET),
    ("times", 0.0, "{{}}", ResetHint.RESET),
    ("times", -1.0, "{{count:-3 sum:-4 z_bucket:-1 buckets:[-2]}}", ResetHint.GAUGE),
    ("by", 2.0, "{{count:1.5 sum:2 z_bucket:0.5 buckets:[1]}}", ResetHint.RESET),
    ("by", -1.0, "{{count:-3 sum:-4 z_bucket:-1 buckets:[-2]}}", ResetHint.GAUGE),
    ("by", 0.0, "{{count:inf sum:inf z_bucket:inf}}", ResetHint.RESET),
]


@pytest.mark.parametrize(("how", "factor", "expected", "hint"), SCALED)
def test_a_histogram_is_scaled(how: str, factor: float, expected: str, hint: ResetHint) -> None:
    """All its numbers are; a negative factor makes a gauge, division by 0 removes the buckets."""
    one = histograms("{{count:3 sum:4 z_bucket:1 buckets:[2] counter_reset_hint:reset}}")
    out = (arithmetic.multiply if how == "times" else arithmetic.divide)(one, np.array([factor]))
    assert same(out, expected)
    assert out.reset_hint.tolist() == [hint]


UNEQUAL = [
    "{{schema:1 count:3 sum:4 z_bucket:1 buckets:[2]}}",
    "{{count:4 sum:4 z_bucket:1 buckets:[2]}}",
    "{{count:3 sum:NaN z_bucket:1 buckets:[2]}}",
    "{{count:3 sum:4 z_bucket:2 buckets:[2]}}",
    "{{count:3 sum:4 z_bucket:1 z_bucket_w:0.1 buckets:[2]}}",
    "{{count:3 sum:4 z_bucket:1 buckets:[2 1]}}",
    "{{count:3 sum:4 z_bucket:1 buckets:[1 1]}}",
    "{{count:3 sum:4 z_bucket:1 buckets:[2] offset:1}}",
    "{{count:3 sum:4 z_bucket:1 n_buckets:[2]}}",
    "{{schema:-53 count:3 sum:4 custom_values:[1] buckets:[2]}}",
]


def test_histograms_are_equal_if_all_but_the_hint_is() -> None:
    """One difference suffices; empty buckets make none."""
    one = histograms("{{count:3 sum:4 z_bucket:1 buckets:[2]}}")
    same_one = histograms("{{count:3 sum:4 z_bucket:1 buckets:[0 2 0] offset:-1 counter_reset_hint:gauge}}")
    assert arithmetic.equal(one, same_one).tolist() == [True]
    assert arithmetic.equal(take(one, np.zeros(len(UNEQUAL), np.intp)), histograms(*UNEQUAL)).tolist() == [False] * 10


RESETS = [
    ("{{count:3 buckets:[1 2]}}", "{{count:3 buckets:[1 2]}}", False),
    ("{{count:3 buckets:[1 2]}}", "{{count:4 buckets:[1 2 1]}}", False),
    ("{{count:3 sum:5 buckets:[1 2]}}", "{{count:3 sum:4 buckets:[1 2]}}", False),
    ("{{count:3 buckets:[1 2]}}", "{{count:2 buckets:[1 2]}}", True),
    ("{{count:3 buckets:[1 2]}}", "{{count:4 buckets:[2 1 1]}}", True),
    ("{{count:3 buckets:[1 2]}}", "{{count:4 buckets:[4]}}", True),
    ("{{count:3 n_buckets:[1 2]}}", "{{count:4 n_buckets:[4]}}", True),
    ("{{count:3 z_bucket:1 buckets:[2]}}", "{{count:4 buckets:[4]}}", True),
    ("{{schema:1 count:3 buckets:[1 1 1]}}", "{{schema:0 count:3 buckets:[1 2]}}", False),
    ("{{schema:1 count:3 buckets:[1 1 1]}}", "{{schema:0 count:3 buckets:[2 1]}}", True),
    ("{{schema:0 count:3 buckets:[1 2]}}", "{{schema:1 count:3 buckets:[1 1 1]}}", True),
    ("{{count:3 z_bucket_w:0.5 buckets:[1 2]}}", "{{count:3 z_bucket:1 z_bucket_w:1 buckets:[2] offset:1}}", False),
    ("{{count:3 z_bucket_w:0.5 buckets:[1 2]}}", "{{count:3 z_bucket:3 z_bucket_w:1.5}}", True),
    ("{{count:3 z_bucket_w:1 buckets:[0 3]}}", "{{count:3 z_bucket_w:0.5 buckets:[0 3]}}", True),
    ("{{count:3 buckets:[3]}}", "{{count:1 buckets:[1] counter_reset_hint:not_reset}}", False),
    ("{{count:3 buckets:[3]}}", "{{count:4 buckets:[4] counter_reset_hint:reset}}", True),
    ("{{count:3 buckets:[3]}}", "{{schema:-53 count:4 custom_values:[1] buckets:[4]}}", True),
    ("{{schema:-53 count:3 custom_values:[1] buckets:[3]}}", "{{count:4 buckets:[4]}}", True),
    (
        "{{schema:-53 count:3 custom_values:[1 2] buckets:[1 2]}}",
        "{{schema:-53 count:3 custom_values:[2 3] buckets:[3]}}",
        False,
    ),
    (
        "{{schema:-53 count:3 custom_values:[1 2] buckets:[1 2]}}",
        "{{schema:-53 count:3 custom_values:[2 3] buckets:[2 1]}}",
        True,
    ),
]


def test_counter_resets_between_histograms() -> None:
    """Each pair by itself, all pairs at once."""
    both = histograms(*(one for case in RESETS for one in case[:2]))
    previous = np.arange(0, len(both), 2)
    found = resets.was_reset(both, previous + 1, previous).tolist()
    assert found == [case[2] for case in RESETS]
