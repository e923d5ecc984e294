"""Where each series of a quantity is used up, or what it shall not reach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from spanglass_server.trends.history import Course, Labels
    from spanglass_server.trends.quantities import Quantity
    from spanglass_server.trends.thresholds import Threshold

_DAY_MS: Final = 86_400_000
#: What a series is now, where it goes up and down in a day: this share of the last day's values is not above it.
_HIGH: Final = 0.9
_TIMES: Final = 2.0
_TWICE: Final = "twice of now"


@dataclass(frozen=True, slots=True)
class Bounds:
    """The bound of each series, NaN for none, and whose it is: "" where it is the quantity's own."""

    values: NDArray[np.float64]
    of: tuple[str, ...]


def bounds_of(
    quantity: Quantity, labels: Sequence[Labels], values: NDArray[np.float64], thresholds: Sequence[Threshold]
) -> Bounds:
    """Return the bounds of series whose ``values`` (series, steps) are those of the last day, NaN where there are none.

    A quantity that doubles has those of its thresholds, else twice of what a series is now.
    """
    count = len(labels)
    if not quantity.doubles:
        bound = np.nan if quantity.bound is None else quantity.bound
        return Bounds(np.full(count, bound), ("",) * count)
    found, of = _TIMES * _high(values), [_TWICE] * count
    if quantity.unit == "s":
        for row, names in enumerate(labels):
            threshold = _first(dict(names), thresholds)
            if threshold is not None:
                found[row], of[row] = threshold.value, threshold.of
    return Bounds(np.where(found > 0, found, np.nan), tuple(of))


def last_day(values: NDArray[np.float64], course: Course) -> NDArray[np.float64]:
    """The steps of the last day."""
    return values[:, -max(1, _DAY_MS // course.step_ms) :]


def _high(values: NDArray[np.float64]) -> NDArray[np.float64]:
    known = ~np.isnan(values)
    place = np.ceil(_HIGH * known.sum(axis=1)).astype(np.intp) - 1
    ordered = np.sort(values, axis=1)  # those that are not known come last
    return np.where(known.any(axis=1), ordered[np.arange(len(values)), np.maximum(place, 0)], np.nan)


def _first(names: dict[str, str], thresholds: Sequence[Threshold]) -> Threshold | None:
    service, operation = names.get("service_name"), names.get("span_name")
    return next((one for one in thresholds if one.service == service and one.operation in {"", operation}), None)
