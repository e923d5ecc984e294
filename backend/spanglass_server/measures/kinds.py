"""Kinds of measures: how the PromQL of each is put together from what senders send.

Texts of selectors have places: ``<m>`` for conditions (with a comma before them), ``<w>`` for the window of rates,
``<o>`` for an offset, ``<ids>`` for the labels that are kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a measure: PromQL of conditions, of the rates' window and offset; labels to group by."""

    aggregate: str
    by: tuple[str, ...]
    conditions: str
    window: str
    offset: str

    def filled(self, text: str, ids: Sequence[str]) -> str:
        """Fill the places of a selector's text."""
        places = {"<m>": self.conditions, "<w>": self.window, "<o>": self.offset, "<ids>": ", ".join(ids)}
        for place, value in places.items():
            text = text.replace(place, value)
        return text

    def kept(self, ids: Sequence[str], *more: str) -> list[str]:
        """Labels that are kept until sources are joined."""
        return list(dict.fromkeys([*ids, *self.by, *more]))


@dataclass(frozen=True, slots=True)
class Values:
    """Values as they are sent, or rates: ``sources`` are alternatives, the first that a service or host has counts.

    ``otherwise`` counts where there is none of them at all.
    """

    sources: tuple[str, ...]
    ids: tuple[str, ...]
    usual: str = "avg"
    otherwise: Values | None = None

    def promql(self, asked: Asked) -> str:
        """The expression."""
        kept = asked.kept(self.ids)
        first = _over(asked.aggregate or self.usual, asked.by, _joined(asked, self.sources, self.ids, kept))
        if self.otherwise is None:
            return first
        return f"{first} or on({', '.join(asked.by)}) {self.otherwise.promql(asked)}"


@dataclass(frozen=True, slots=True)
class Share:
    """One count over another: of everything together, or the largest or smallest of each service or host.

    ``events`` are what is counted, where ``wholes`` are not: that is what ``min_samples`` of a rule means.
    """

    parts: tuple[str, ...]
    wholes: tuple[str, ...]
    ids: tuple[str, ...]
    events: tuple[str, ...] = ()

    def promql(self, asked: Asked) -> str:
        """The expression."""
        kept = asked.kept(self.ids)
        # nothing failed is 0, not nothing
        tops = tuple(f"({top} or 0 * {bottom})" for top, bottom in zip(self.parts, self.wholes, strict=True))
        top = _joined(asked, tops, self.ids, kept)
        bottom = _joined(asked, self.wholes, self.ids, kept)
        if asked.aggregate in {"", "avg", "sum"}:
            return f"{_over('sum', asked.by, top)} / {_over('sum', asked.by, bottom)}"
        return _over(asked.aggregate, asked.by, f"({top}) / ({bottom})")


@dataclass(frozen=True, slots=True)
class Durations:
    """Histograms of seconds, and of milliseconds where a service has only these (names before the unit was fixed)."""

    seconds: tuple[str, ...]
    ids: tuple[str, ...]
    milliseconds: tuple[str, ...] = ()

    def promql(self, asked: Asked) -> str:
        """The expression."""
        first = self._of(asked, self.seconds)
        if not self.milliseconds or asked.aggregate == "count":
            return first
        return f"({first}) or on({', '.join(asked.by)}) ({self._of(asked, self.milliseconds)}) / 1000"

    def _of(self, asked: Asked, histograms: tuple[str, ...]) -> str:
        quantile = quantile_of(asked.aggregate)
        if quantile is not None:
            buckets = self._rates(asked, histograms, "bucket")
            return f"histogram_quantile({quantile:g}, {_over('sum', ('le', *asked.by), buckets)})"
        count = _over("sum", asked.by, self._rates(asked, histograms, "count"))
        if asked.aggregate == "count":
            return count
        total = _over("sum", asked.by, self._rates(asked, histograms, "sum"))
        return total if asked.aggregate == "sum" else f"{total} / {count}"

    def _rates(self, asked: Asked, histograms: tuple[str, ...], part: str) -> str:
        kept = asked.kept(self.ids, *(("le",) if part == "bucket" else ()))
        rates = tuple(f"sum by (<ids>) (rate({_suffixed(text, part)}[<w>]<o>))" for text in histograms)
        return _joined(asked, rates, self.ids, kept)


Kind = Values | Share | Durations

_PERCENT = 100
_EXTREMES = {"min": 0.0, "max": 1.0}


def quantile_of(aggregate: str) -> float | None:
    """The quantile of p95, min and max; None for another word."""
    if aggregate in _EXTREMES:
        return _EXTREMES[aggregate]
    digits = aggregate[1:]
    if not aggregate.startswith("p") or not digits.replace(".", "", 1).isdigit() or float(digits) > _PERCENT:
        return None
    return float(digits) / _PERCENT


def _suffixed(text: str, part: str) -> str:
    """``name{...}`` with the histogram's suffix."""
    name, brace, rest = text.partition("{")
    return f"{name}_{part}{brace}{rest}"


def _joined(asked: Asked, sources: Sequence[str], ids: Sequence[str], kept: Sequence[str]) -> str:
    texts = [asked.filled(source, kept) for source in sources]
    return f" or on({', '.join(ids)}) ".join(texts)


def _over(aggregate: str, by: Sequence[str], text: str) -> str:
    quantile = None if aggregate in _EXTREMES else quantile_of(aggregate)
    name, first = ("quantile", f"{quantile:g}, ") if quantile is not None else (aggregate, "")
    grouping = f" by ({', '.join(by)}) " if by else ""
    return f"{name}{grouping}({first}{text})"
