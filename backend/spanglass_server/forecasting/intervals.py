"""Intervals around forecasts from how far off past forecasts were: conformal, with no belief in a distribution."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final

import numpy as np

from spanglass_server.forecasting.gaps import filled
from spanglass_server.forecasting.medians import ranked

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Errors of this many neighbouring shares of the time ahead are taken together.
_BANDS: Final = 4
#: The rank of a finite sample asks for one error more; past forecasts were made with the method that did best on them.
_FEW: Final = 0.8


def half_widths(
    errors: NDArray[np.float64], ahead: int, coverage: float, growth: NDArray[np.float64]
) -> tuple[NDArray[np.float64], ...]:
    """How far below and above a forecast the interval reaches, for each series and step: (series, ahead) each.

    ``errors`` (origins, series, steps) are those of past forecasts, true less forecast. Each is measured where it
    happened, in quarters of the time ahead; no quarter is narrower than the one before. Beyond the steps of ``errors``
    intervals grow with a power of the time, ``growth`` of each series.
    """
    known = errors.shape[2]
    bands = min(_BANDS, known)
    edges = np.linspace(0, known, bands + 1).round().astype(int)
    middles = (edges[:-1] + edges[1:] + 1) / 2
    low, high = [], []
    for start, stop in itertools.pairwise(edges):
        below, above = _tails(errors[:, :, start:stop].swapaxes(0, 1), coverage)
        low.append(below)
        high.append(above)
    further = np.maximum(np.arange(1.0, ahead + 1) / known, 1.0) ** growth[:, None]
    return _over_steps(low, middles, ahead) * further, _over_steps(high, middles, ahead) * further


def _tails(errors: NDArray[np.float64], coverage: float) -> tuple[NDArray[np.float64], ...]:
    """How far errors (series, origins, steps) reach below and above, by the rank that a finite sample needs.

    Half of it is what each side says, half what both say together: few errors say little about one side.
    """
    flat = errors.reshape(len(errors), -1)
    number = np.count_nonzero(~np.isnan(flat), axis=1)
    more = 1 + _FEW / np.maximum(_independent(errors), 1.0)
    both = ranked(np.abs(flat), np.minimum(coverage * more, 1.0) * (number - 1))
    side = np.minimum((1 + coverage) / 2 * more, 1.0) * (number - 1)
    below, above = ranked(-flat, side), ranked(flat, side)
    return np.maximum((below + both) / 2, 0.0), np.maximum((above + both) / 2, 0.0)


def _independent(errors: NDArray[np.float64]) -> NDArray[np.float64]:
    """How many independent errors those of each series are worth: fewer where those of one origin are alike."""
    known = ~np.isnan(errors)
    values = np.where(known, errors, 0.0)
    each = known.sum(axis=2)
    number = each.sum(axis=1)
    squares = (values * values).sum(axis=(1, 2)) / np.maximum(number, 1)
    means = values.sum(axis=2) / np.maximum(each, 1)
    size = number / np.maximum(np.count_nonzero(each, axis=1), 1)
    between = (means * means).mean(axis=1) / np.where(squares > 0, squares, 1.0)
    alike = np.clip((between * size - 1) / np.maximum(size - 1, 1), 0.0, 1.0)
    return np.asarray(number / (1 + (size - 1) * alike))


def _over_steps(widths: list[NDArray[np.float64]], middles: NDArray[np.float64], ahead: int) -> NDArray[np.float64]:
    each = filled(np.stack(widths, axis=1))  # (series, bands); where nothing is known, as beside it
    up = np.maximum.accumulate(each, axis=1)
    down = np.minimum.accumulate(each[:, ::-1], axis=1)[:, ::-1]
    table = (up + down) / 2  # both never fall; between them chance is evened out
    steps = np.arange(1.0, ahead + 1)
    at = np.clip(np.interp(steps, middles, np.arange(len(middles))), 0, len(middles) - 1)
    left = np.floor(at).astype(int)
    right = np.minimum(left + 1, len(middles) - 1)
    return np.asarray(table[:, left] + (table[:, right] - table[:, left]) * (at - left))
