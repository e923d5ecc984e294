"""Prices of language models: how they are written, and what a call costs by them."""

from __future__ import annotations

import pytest

from spanglass_core.model_prices import ModelPrice, Prices, parse_prices


def test_the_first_row_that_matches_counts():
    """By hand: a million tokens in and half a million out; cached input has its own price where it has one."""
    prices = Prices(parse_prices("gpt-4o-mini*=0.15/0.6, GPT-4*=2.5/10, claude-*=3/15/0.3"))
    assert prices.cost(["gpt-4o-mini-2024"], 1_000_000, 500_000) == pytest.approx(0.45)
    assert prices.cost(["", "gpt-4o"], 1_000_000, 500_000, 100_000) == pytest.approx(7.5)
    assert prices.cost(["claude-x"], 1_000_000, 0, 400_000) == pytest.approx(0.6 * 3 + 0.4 * 0.3)
    assert prices.cost(["claude-x"], 10, 0, 400_000) == pytest.approx(10 * 0.3 / 1e6)
    assert prices.cost(["llama"], 1, 1) is None
    assert Prices().cost(["gpt-4o"], 1, 1) is None


def test_rows_are_written_as_they_are_read():
    """A row as text is the row again."""
    rows = (ModelPrice("a=b*", 0.15, 0.6), ModelPrice("c", 3, 15, 0.3))
    assert parse_prices(", ".join(map(str, rows))) == rows


@pytest.mark.parametrize(
    "entry", ["gpt", "gpt=1", "gpt=1/x", "=1/2", "gpt=1/2/3/4", "gpt=-1/2", "gpt=nan/1", "gpt=1e9/1"]
)
def test_what_is_no_price_is_named(entry):
    """The message names the entry and says what was expected."""
    with pytest.raises(ValueError, match="MODEL=INPUT/OUTPUT") as caught:
        parse_prices(f"ok=1/2, {entry}")
    assert repr(entry) in str(caught.value)
