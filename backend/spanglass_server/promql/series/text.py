"""Label sets and numbers as Prometheus writes them."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_PLAIN_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)


def label_text(labels: Mapping[str, str]) -> str:
    """A label set: ``{__name__="up", job="a"}``."""
    return "{" + ", ".join(f"{_name(name)}={quoted(value)}" for name, value in sorted(labels.items())) + "}"


def quoted(text: str) -> str:
    """A text in double quotes."""
    return json.dumps(text, ensure_ascii=False)


def number_text(value: float) -> str:
    """A float as Prometheus writes it in JSON and in label values: the shortest digits, ``+Inf``, ``NaN``."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    digits, exponent = f"{value!r}".replace("e+", "e"), math.floor(math.log10(abs(value))) if value else 0
    if "e" in digits or exponent >= _FIRST_LONG:
        digits = _without_exponent(value)
    return digits.removesuffix(".0")


_FIRST_LONG = 16


def _without_exponent(value: float) -> str:
    mantissa, exponent = repr(value).split("e") if "e" in repr(value) else (repr(value), "0")
    sign, mantissa = ("-", mantissa[1:]) if mantissa.startswith("-") else ("", mantissa)
    whole, _, fraction = mantissa.partition(".")
    digits, point = whole + fraction, len(whole) + int(exponent)
    if point <= 0:
        return f"{sign}0.{'0' * -point}{digits.rstrip('0') or '0'}"
    digits = digits.ljust(point, "0")
    rest = digits[point:].rstrip("0")
    return f"{sign}{digits[:point]}" + (f".{rest}" if rest else "")


def _name(name: str) -> str:
    return name if _PLAIN_NAME.fullmatch(name) else quoted(name)
