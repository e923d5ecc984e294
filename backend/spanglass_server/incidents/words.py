"""How long something took, in words for timelines, announcements and postmortems."""

from __future__ import annotations

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
_SECOND_NS = 10**9


def took(duration_ns: float) -> str:
    """A duration in its two largest units, whole seconds at least: ``2 h 5 min``, ``12 min``, ``40 s``."""
    left = max(0, round(duration_ns / _SECOND_NS))
    parts: list[str] = []
    for size, name in _UNITS:
        number, left = divmod(left, size)
        if number:
            parts.append(f"{number} {name}")
        elif parts:  # 2 h 0 min 7 s is 2 h
            break
    return " ".join(parts[:2]) or "0 s"


def listed(names: tuple[str, ...], most: int = 3) -> str:
    """Names in a sentence: ``shop, cart and 2 more``."""
    shown, more = names[:most], len(names) - most
    if more > 0:
        return f"{', '.join(shown)} and {more} more"
    return " and ".join(filter(None, (", ".join(shown[:-1]), shown[-1] if shown else "")))
