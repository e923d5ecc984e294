"""Names that follow from others: short ones for addresses and files, numbered where they are taken."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_NO_WORD = re.compile(r"[^a-z0-9]+")
MAX_SLUG = 60
#: What a uid, which is a file's name too, may be.
SLUG_PATTERN = r"[a-z0-9][a-z0-9_-]{0,99}"
#: By kind the words that stand where a uid does in addresses of pages and API, such as ``/slos/new``: of nothing new.
TAKEN: Final[Mapping[str, frozenset[str]]] = {
    "rule": frozenset({"backtest", "check", "completions", "new", "preview", "templates"}),
    "check": frozenset({"check", "new", "try"}),
    "slo": frozenset({"changes", "check", "import", "new", "try"}),
    "dashboard": frozenset({"check", "import", "panel-data", "variables"}),
    "channel": frozenset({"new"}),
}


def uid_of(name: str, kind: str, *, stands: bool = False) -> str:
    """The uid of something of a kind that has a name, and no uid of its own; one that ``stands`` keeps what it had."""
    uid = slug(name, kind)
    return f"{uid}-{kind}" if uid in TAKEN[kind] and not stands else uid


def follows(uid: str, name: str, kind: str) -> bool:
    """Whether a uid follows from a name, of what is new and of what stands alike, so that it can be left out."""
    return uid == slug(name, kind) == uid_of(name, kind)


def slug(text: str, otherwise: str) -> str:
    """A name for addresses: small letters, digits and dashes."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return _NO_WORD.sub("-", plain).strip("-")[:MAX_SLUG].strip("-") or otherwise


def unused(name: str, taken: Iterable[str]) -> str:
    """The name, with a number after it if it is taken."""
    known = set(taken)
    chosen, number = name, 1
    while chosen in known:
        number += 1
        chosen = f"{name}-{number}"
    return chosen
