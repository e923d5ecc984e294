"""Numbers as Go's %g writes them: in messages, in OpenMetrics, and in texts of histograms."""

from __future__ import annotations

import math
from typing import Final

_LEAST_EXPONENT: Final = -4
_FIRST_LONG: Final = 6


def go_number(value: float, digits: int | None = None) -> str:
    """The shortest digits that mean the number (or ``digits`` of them), with an exponent from a million on."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    if value == 0:
        return "-0" if math.copysign(1, value) < 0 else "0"
    text = f"{value:.16e}" if digits is None else f"{value:.{digits - 1}e}"
    if digits is None:
        # Python's shortest digits are Go's; only where the exponent begins differs.
        text = next(short for n in range(17) if float(short := f"{value:.{n}e}") == value)
    mantissa, _, exponent = text.partition("e")
    power = int(exponent)
    mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    if power < _LEAST_EXPONENT or power >= (digits or _FIRST_LONG):
        return f"{mantissa}e{power:+03d}"
    places = max(len(mantissa.lstrip("-").replace(".", "")) - 1 - power, 0)
    return f"{float(text):.{places}f}"


def openmetrics_number(value: float) -> str:
    """As the value of a label that is a number: whole numbers end in ``.0``."""
    text = go_number(value)
    return text if any(mark in text for mark in ".eNI") else f"{text}.0"
