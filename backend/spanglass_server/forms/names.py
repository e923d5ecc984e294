"""Names that follow from others: short ones for addresses and files, numbered where they are taken."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from spanglass_server.forms.nodes import Entry, Node

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping

    from spanglass_server.forms.problems import Report

    #: Whether what is read stands already; or the uids of what does, where that is to be seen by them.
    Stands = bool | Container[str]

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


def may_be(uid: str, kind: str, stands: Stands) -> bool:
    """Whether something of a kind may have a uid: none of the words that are taken, but for what stands."""
    return uid not in TAKEN[kind] or (stands if isinstance(stands, bool) else uid in stands)


def uid_of(name: str, kind: str, *, stands: Stands = False) -> str:
    """The uid of something of a kind that has a name, and no uid of its own; one that ``stands`` keeps what it had."""
    uid = slug(name, kind)
    return uid if may_be(uid, kind, stands) else f"{uid}-{kind}"


def follows(uid: str, name: str, kind: str) -> bool:
    """Whether a uid follows from a name, of what is new and of what stands alike, so that it can be left out."""
    return uid == slug(name, kind) == uid_of(name, kind)


def with_uid(node: Node, report: Report, kind: str) -> Node:
    """What is written of something of a kind, with the uid that follows from its name where it is left out."""
    if node.sort != "mapping" or node.named("uid") is not None:
        return node
    at = node.named("name") or node
    text = uid_of(at.text, kind, stands=report.stands)
    uid = Node("text", f"{node.path}.uid".removeprefix("."), at.line, at.column, text=text)
    return replace(node, entries=(*node.entries, Entry("uid", at.line, at.column, uid)))


def without_uid(written: dict[str, Any], kind: str) -> dict[str, Any]:
    """What is written of something of a kind, without a uid that follows from its name."""
    return {key: value for key, value in written.items() if key != "uid" or not follows(value, written["name"], kind)}


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
