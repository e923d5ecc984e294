"""Names that follow from others: addresses of dashboards, ids of panels and queries."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_NO_WORD = re.compile(r"[^a-z0-9]+")
_LETTERS = 26
MAX_SLUG = 60
#: What the uid of a dashboard, which is a file's name too, and the id of a panel may be.
SLUG_PATTERN = r"[a-z0-9][a-z0-9_-]{0,99}"


def slug(text: str, otherwise: str = "dashboard") -> str:
    """A name for addresses: small letters, digits and dashes."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return _NO_WORD.sub("-", plain).strip("-")[:MAX_SLUG].strip("-") or otherwise


def query_id(place: int) -> str:
    """The id of a panel's query at a place, unless it has its own: A, B ... Z, A1 ..."""
    letter = chr(ord("A") + place % _LETTERS)
    return letter if place < _LETTERS else f"{letter}{place // _LETTERS}"


def panel_ids(given: Sequence[tuple[str, str]]) -> list[str]:
    """The ids of panels by their own ids and titles: without one it is made from the title, numbered if need be."""
    taken = {own for own, _ in given if own}
    ids = []
    for own, title in given:
        chosen = own or unused(slug(title, "panel"), taken)
        taken.add(chosen)
        ids.append(chosen)
    return ids


def unused(name: str, taken: Iterable[str]) -> str:
    """The name, with a number after it if it is taken."""
    known = set(taken)
    chosen, number = name, 1
    while chosen in known:
        number += 1
        chosen = f"{name}-{number}"
    return chosen
