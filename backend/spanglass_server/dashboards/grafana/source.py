"""Grafana's JSON, of which any part may be missing or of another type, and notes of what is left out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something of Grafana's dashboard that the result lacks; ``panel`` is a title, "" for the dashboard itself."""

    panel: str
    what: str


@dataclass(slots=True)
class Told:
    """Collects what is left out; ``panel`` is the title of the panel that is read now."""

    panel: str = ""
    left_out: list[LeftOut] = field(default_factory=list)

    def say(self, what: str) -> None:
        """Note something that is left out."""
        entry = LeftOut(self.panel, what)
        if entry not in self.left_out:
            self.left_out.append(entry)


def at(value: Any, *path: str) -> Any:
    """The value at a path of keys; None where there is none."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def text(value: Any, *path: str) -> str:
    """The text at a path; "" for anything else."""
    found = at(value, *path)
    return found if isinstance(found, str) else ""


def number(value: Any, *path: str) -> float | None:
    """The finite number at a path, also one in a text; None for anything else."""
    found = at(value, *path)
    if isinstance(found, bool) or not isinstance(found, int | float | str):
        return None
    try:
        parsed = float(found)
    except ValueError:
        return None
    return parsed if abs(parsed) < float("inf") else None


def items(value: Any, *path: str) -> list[dict[str, Any]]:
    """The objects of the list at a path."""
    found = at(value, *path)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def texts(value: Any) -> list[str]:
    """One text, or several, as a list."""
    values = value if isinstance(value, list) else [value]
    return [str(item) for item in values if isinstance(item, str | int | float) and not isinstance(item, bool)]
