"""Attributes by the name of today's conventions, also where a sender still writes an older one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_server.query.semantic_conventions.semconv import aliases

if TYPE_CHECKING:
    from collections.abc import Mapping

    Attributes = Mapping[str, Any]


def value_of(attributes: Attributes, key: str) -> Any:
    """Return the value of an attribute under any of its names, None where there is none."""
    return next((attributes[name] for name in aliases(key) if attributes.get(name) not in (None, "")), None)


def text_of(attributes: Attributes, key: str) -> str:
    """Return an attribute's value as text, empty where there is none."""
    value = value_of(attributes, key)
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


def count_of(attributes: Attributes, key: str) -> int | None:
    """Return a whole number of 63 bits, as answers can have it, that is not negative; None for anything else."""
    value = value_of(attributes, key)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = int(value)
    except (ValueError, OverflowError):
        return None
    return number if 0 <= number < 1 << 63 else None
