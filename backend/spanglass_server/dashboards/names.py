"""Ids of panels and queries that follow from titles and places."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.forms.names import slug, unused

if TYPE_CHECKING:
    from collections.abc import Sequence

_LETTERS = 26


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
