"""What a metric may be called, and what may be measured: OpenTelemetry's rules, with errors that say which is broken.

Source: the specification's "Instrument name syntax" and "Instrument unit" (metrics/api.md, 1.x).
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from spanglass.errors import MetricError
from spanglass.values import text_of

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["SECONDS_BUCKETS", "Definition", "Number", "checked_definition", "checked_value"]

Number = int | float | Decimal | Fraction

#: Default boundaries of a histogram whose unit is s, as the HTTP conventions advise. The SDK's own suit milliseconds.
SECONDS_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)

_MAX_NAME = 255
_MAX_UNIT = 63
_WRONG_IN_NAME = re.compile(r"[^A-Za-z0-9_.\-/]")


class Definition(NamedTuple):
    """What a metric is: made once per name."""

    kind: str  # counter, up_down_counter, gauge or histogram
    name: str
    unit: str
    description: str
    buckets: tuple[float, ...] | None  # upper ends, of a histogram

    @property
    def shown(self) -> str:
        """The kind and the unit for a message."""
        return f"{self.kind.replace('_', ' ')} in {self.unit!r}" if self.unit else self.kind.replace("_", " ")


def checked_definition(
    kind: str, name: str, unit: str, description: str, buckets: Sequence[float] | None = None
) -> Definition:
    """Return the definition, or raise ``MetricError`` naming the metric and the rule that it breaks."""
    problem = _problem_of_name(name) or _problem_of_unit(unit)
    ends = None if buckets is None else tuple(buckets)
    if not problem and ends is not None:
        problem = _problem_of_buckets(ends)
    if problem:
        raise MetricError(f"metric {name!r}: {problem}")
    if ends is None and kind == "histogram" and unit == "s":
        ends = SECONDS_BUCKETS
    return Definition(kind, name, unit, text_of(description), ends)


def checked_value(value: Number, *, monotonic: bool) -> int | float:
    """Return a measured value as OpenTelemetry takes it; ``MetricError`` saying why it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        try:
            value = float(value)
        except (TypeError, ValueError):
            raise MetricError(f"{value!r} is no number") from None
    if not math.isfinite(value):
        raise MetricError(f"{value} cannot be summed up: measure finite numbers")
    if monotonic and value < 0:
        raise MetricError(f"{value} is negative, and a counter only grows: use up_down_counter")
    return value


def _problem_of_name(name: object) -> str:
    if not isinstance(name, str) or not name:
        return "a metric needs a name"
    if not (name[0].isascii() and name[0].isalpha()):
        return "a name begins with a letter from a to z"
    if len(name) > _MAX_NAME:
        return f"a name has at most {_MAX_NAME} characters, this one has {len(name)}"
    wrong = _WRONG_IN_NAME.search(name)
    return f"{wrong[0]!r} cannot be in a name; letters, digits and _ . - / can" if wrong else ""


def _problem_of_unit(unit: object) -> str:
    if not isinstance(unit, str) or not unit.isascii() or len(unit) > _MAX_UNIT:
        return f"the unit {unit!r} is not ASCII text of at most {_MAX_UNIT} characters, such as s, By or {{order}}"
    return ""


def _problem_of_buckets(ends: tuple[float, ...]) -> str:
    if not all(isinstance(end, int | float) and math.isfinite(end) for end in ends):
        return "buckets are finite numbers: the upper end of each but the last"
    return "" if sorted(set(ends)) == list(ends) else "buckets go from the smallest to the largest, each once"
