"""Values of metrics as text, by the unit that they were sent with (UCUM, as OpenTelemetry writes it)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from spanglass_server.pages.rendering.charts import nice_ceiling
from spanglass_server.pages.rendering.format import (
    NONE,
    THIN,
    digits,
    duration_parts,
    grouped,
    percent_parts,
    size_parts,
)

if TYPE_CHECKING:
    from collections.abc import Callable

MINUS = "\u2212"
#: How many nanoseconds a unit of time has.
TIMES_NS = {"s": 1e9, "ms": 1e6, "us": 1e3, "ns": 1.0, "min": 60e9, "h": 3600e9, "d": 86_400e9}
SIZES = {"By": 1, "KiBy": 1024, "MiBy": 1024**2, "GiBy": 1024**3, "kBy": 1000, "MBy": 1e6, "bit": 1 / 8}
#: What Prometheus' names end in for want of a unit.
NAMED = (("_seconds", "s"), ("_bytes", "By"), ("_milliseconds", "ms"), ("_ratio", "1"))
LARGE, SMALL, WHOLE = 1e12, 1e-3, 1e4
#: A number without a unit that is called so is a share.
SHARES = ("utilization", "ratio", "hit_ratio")


def unit_of(name: str, unit: str) -> str:
    """Return a metric's unit, from its name where it was sent without; ``%`` for shares of one."""
    if unit in {"1", ""} and name.rpartition(".")[2].rpartition("_")[2] in SHARES:
        return "%"
    if unit:
        return unit
    base = name.removesuffix("_bucket").removesuffix("_sum").removesuffix("_total")
    return next((found for suffix, found in NAMED if base.endswith(suffix)), "")


def value_parts(value: float | None, unit: str) -> tuple[str, str]:
    """Return number and unit of a value: ``("1.94", "s")``, ``("180", "MiB")``, ``("12", "orders")``."""
    if value is None or not isinstance(value, int | float) or not math.isfinite(value):
        return (NONE if value is None else str(value)), ""
    if unit in TIMES_NS:
        number, shown = duration_parts(abs(value) * TIMES_NS[unit])
        return (MINUS if value < 0 else "") + number, shown
    if unit in SIZES:
        number, shown = size_parts(abs(value) * SIZES[unit])
        return (MINUS if value < 0 else "") + number, shown
    if unit == "%":
        return percent_parts(value)
    return number_text(value), unit_text(unit)


def value_text(value: float | None, unit: str) -> str:
    """Return a value with its unit."""
    return THIN.join(filter(None, value_parts(value, unit)))


def rate_unit_parts(value: float | None, unit: str) -> tuple[str, str]:
    """Return an increase a second: seconds a second are processors' shares and stay as they are."""
    if value is None:
        return NONE, ""
    if unit in SIZES:
        number, shown = size_parts(value * SIZES[unit])
        return number, f"{shown}/s"
    return number_text(value), f"{unit if unit in TIMES_NS else unit_text(unit)}/s"


def number_text(value: float) -> str:
    """Return any number in three or four digits: thousands are parted, the very large and small are powers of ten."""
    size = abs(value)
    if size >= LARGE or 0 < size < SMALL:
        return f"{value:.3g}"
    if size >= WHOLE or (float(value).is_integer() and size >= 1000):  # noqa: PLR2004 - thousands
        return grouped(round(value))
    return digits(value) if size >= 1 or value == 0 else f"{value:.3g}"


def unit_text(unit: str) -> str:
    """Return a unit as people write it: what is counted (``{request}``) without its braces, of one nothing."""
    return "" if unit == "1" else unit.replace("{", "").replace("}", "")


def ceiling_of(unit: str) -> Callable[[float], float]:
    """Return what rounds the top of an axis up: bytes to a round number of a binary unit, shares to 100 % at most."""
    if unit in SIZES:
        return _binary_ceiling
    if unit in TIMES_NS:
        return lambda value: nice_ceiling(value * TIMES_NS[unit]) / TIMES_NS[unit]
    return nice_ceiling


def _binary_ceiling(value: float) -> float:
    power = 1024.0 ** max(0, math.floor(math.log(value, 1024))) if value >= 1 else 1.0
    return nice_ceiling(value / power) * power


def is_number(value: Any) -> bool:
    """Whether a value of the API is a finite number; large integers come as text."""
    return isinstance(value, int | float) and math.isfinite(value)
