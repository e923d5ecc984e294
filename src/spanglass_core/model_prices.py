"""What calls of language models cost, by a table of prices for a million tokens."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_MILLION = 1_000_000
_PARTS = (2, 3)
_FORM = "expected MODEL=INPUT/OUTPUT, prices of a million tokens such as gpt-4o*=2.5/10, or a third one of cached input"


@dataclass(frozen=True, slots=True)
class ModelPrice:
    """The prices of models whose name matches ``pattern``, in which ``*`` stands for anything, for a million tokens.

    ``cached`` is that of input that the provider had in its cache, None where it is not told apart.
    """

    pattern: str
    input: float
    output: float
    cached: float | None = None

    def __str__(self) -> str:
        figures = [self.input, self.output, *([] if self.cached is None else [self.cached])]
        return f"{self.pattern}={'/'.join(f'{figure:g}' for figure in figures)}"


@dataclass(frozen=True, slots=True)
class Prices:
    """A table of prices; of several rows that match, the first counts."""

    rows: Sequence[ModelPrice] = ()
    currency: str = "USD"

    def cost(self, models: Iterable[str], tokens_in: int, tokens_out: int, tokens_cached: int = 0) -> float | None:
        """Return what a call cost; None when no row matches any name of its model.

        ``tokens_in`` are all tokens of the input, those of the cache among them.
        """
        row = next((row for model in models for row in self.rows if _matches(row.pattern, model)), None)
        if row is None:
            return None
        cached = min(tokens_cached, tokens_in) if row.cached is not None else 0
        total = (tokens_in - cached) * row.input + tokens_out * row.output + cached * (row.cached or 0.0)
        return total / _MILLION


def _matches(pattern: str, model: str) -> bool:
    return bool(model) and fnmatchcase(model.lower(), pattern.lower())


def parse_prices(text: str) -> tuple[ModelPrice, ...]:
    """Read ``gpt-4o-mini*=0.15/0.6, claude-*=3/15/0.3``; ValueError naming the entry that is none."""
    return tuple(_price(part.strip()) for part in text.split(",") if part.strip())


def _price(entry: str) -> ModelPrice:
    pattern, _, figures = entry.rpartition("=")
    try:
        prices = [float(figure) for figure in figures.split("/")]
    except ValueError:
        prices = []
    if not pattern.strip() or len(prices) not in _PARTS or not all(0 <= price < _MILLION for price in prices):
        raise ValueError(f"{_FORM}; {entry!r} is none")
    return ModelPrice(pattern.strip(), *prices)
