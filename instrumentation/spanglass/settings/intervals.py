"""Intervals of collectors of metrics, as they are written: ``host=60s``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_core.units import UnitError, parse_duration_ns

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Collectors by the name that settings and the server call them.
COLLECTORS = ("host", "interpreter", "libraries", "process")


def read_intervals(entries: Iterable[str]) -> dict[str, int]:
    """Read ``host=60s`` ...: nanoseconds by collector; ValueError that says what is wrong and what can be written."""
    found = {}
    for entry in entries:
        name, equals, text = entry.partition("=")
        name = name.strip()
        if not equals or name not in COLLECTORS:
            known = ", ".join(COLLECTORS)
            raise ValueError(f"expected collector=duration such as host=60s (got {entry!r}; collectors: {known})")
        try:
            found[name] = parse_duration_ns(text.strip())
        except UnitError as error:
            raise ValueError(f"{name}: {error}") from None
        if found[name] <= 0:
            raise ValueError(f"{name}: expected more than 0 (to measure nothing set runtime_metrics to false)")
    return found
