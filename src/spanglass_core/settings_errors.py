"""The one error of settings, and the suggestion it carries."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class SettingsError(ValueError):
    """A setting can't be used; the message gives its place and what to do. It never holds a secret."""


def suggest(name: str, known: Iterable[str]) -> str:
    """End a message with what was probably meant, or where the list is."""
    import difflib  # noqa: PLC0415 - 1 ms that a configuration without mistakes need not pay

    names = list(known)
    # the last word may be right and its group wrong or missing
    close = [full for full in names if full.rpartition(".")[2] == name.rpartition(".")[2]]
    close = close or difflib.get_close_matches(name, names, n=1, cutoff=0.75)
    return f"; did you mean {close[0]!r}?" if close else "; docs/settings.md lists all settings"
