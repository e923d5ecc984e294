"""What is known of all quantities now, and the series that somebody asks for."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from spanglass_server.trends.found import is_trend
from spanglass_server.trends.quantities import QUANTITIES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from spanglass_server.trends.found import Found
    from spanglass_server.trends.history import Labels

#: Series of operations among those with a bound, rates and durations together.
MOST_OPERATIONS: Final = 100
#: What a series may be asked for: anything worth telling, or one kind of it.
Kind = Literal["any", "rising", "falling", "shifted", "seasonal", "all"]
KINDS: Final[tuple[Kind, ...]] = ("any", "rising", "falling", "shifted", "seasonal", "all")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which series are asked for; empty means all. ``text`` is part of any label's value."""

    kind: Kind = "any"
    quantity: str = ""
    service: str = ""
    host: str = ""
    text: str = ""
    operation: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """One series: the row of what was found of a quantity."""

    found: Found
    row: int


class Board:
    """The newest of each quantity; safe for any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: dict[str, Found] = {}

    def put(self, found: Found) -> None:
        """Keep what was found, instead of what was before."""
        with self._lock:
            self._found[found.quantity.name] = found

    def clear(self) -> None:
        """Forget everything: the past is read in another way from now on."""
        with self._lock:
            self._found.clear()

    @property
    def all_found(self) -> list[Found]:
        """What is known of each quantity, in their order."""
        with self._lock:
            known = dict(self._found)
        return [known[quantity.name] for quantity in QUANTITIES if quantity.name in known]

    def trends(self, wanted: Wanted) -> list[Place]:
        """Series worth telling of, the most important first."""
        places = list(self._matching(wanted, lambda found: _of_kind(found, wanted.kind)))
        return sorted(places, key=lambda place: -float(place.found.importance[place.row]))

    def capacity(self, wanted: Wanted) -> list[Place]:
        """Series with a bound: those that meet it soonest first, then the fullest.

        Of operations those that surely rise or are expected to meet their bound, of these the most used.
        """
        places = list(self._matching(wanted, _is_bounded))
        operations = [place for place in places if place.found.quantity.doubles]
        used = self._used()
        operations.sort(key=lambda place: -used.get(place.found.labels[place.row], 0.0))

        def order(place: Place) -> tuple[float, float]:
            found, row = place.found, place.row
            met = float(found.met.expected[row]) * found.course.step_ms
            return (met if met == met else np.inf, -float(found.now[row] / found.bounds.values[row]))  # noqa: PLR0124 - NaN

        whole = [place for place in places if not place.found.quantity.doubles]
        return sorted([*whole, *operations[:MOST_OPERATIONS]], key=order)

    def _used(self) -> dict[Labels, float]:
        """How many requests a second each operation usually has."""
        return {
            labels: level
            for found in self.all_found
            if found.quantity.name == "requests"
            for labels, level in zip(found.labels, found.level.tolist(), strict=True)
        }

    def _matching(self, wanted: Wanted, told: Callable[[Found], NDArray[np.bool_]]) -> Iterator[Place]:
        for found in self.all_found:
            if wanted.quantity and found.quantity.name != wanted.quantity:
                continue
            for row in np.flatnonzero(told(found)).tolist():
                if _is_wanted(dict(found.labels[row]), wanted):
                    yield Place(found, row)


def _is_bounded(found: Found) -> NDArray[np.bool_]:
    if not found.quantity.doubles:
        return np.full(len(found.now), found.quantity.bound is not None)
    rises = is_trend(found) & (found.change > 0)
    return ~np.isnan(found.bounds.values) & (rises | ~np.isnan(found.met.expected))


def _is_wanted(labels: dict[str, str], wanted: Wanted) -> bool:
    if wanted.service and labels.get("service_name") != wanted.service:
        return False
    if wanted.host and labels.get("host_name") != wanted.host:
        return False
    if wanted.operation and labels.get("span_name") != wanted.operation:
        return False
    text = wanted.text.lower()
    return not text or any(text in value.lower() for value in labels.values())


def _of_kind(found: Found, kind: Kind) -> NDArray[np.bool_]:
    number = len(found.now)
    trend = is_trend(found)
    shifted = np.array([bool(shifts) for shifts in found.trends.shifts], dtype=np.bool_)
    met = ~np.isnan(found.met.expected) & (found.quantity.bound is not None)
    return {
        "any": trend | shifted | met,
        "rising": trend & (found.change > 0),
        "falling": trend & (found.change < 0),
        "shifted": shifted,
        "seasonal": found.trends.seasons.period > 0,
        "all": np.ones(number, np.bool_),
    }[kind]
