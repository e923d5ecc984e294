"""What may be left out or written shorter: uids that follow from names, a kind by its one most important value."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from spanglass_server.forms.names import follows, uid_of
from spanglass_server.forms.nodes import Entry, Node

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanglass_server.forms.problems import Report


def by(key: str) -> Callable[[Node, Report], Node]:
    """Unfold a value by itself, such as ``http: https://shop.example.com``, to the mapping with this key."""

    def unfold(node: Node, _: Report) -> Node:
        if node.sort in {"mapping", "null"}:
            return node
        value = replace(node, path=f"{node.path}.{key}")
        return Node("mapping", node.path, node.line, node.column, entries=(Entry(key, node.line, node.column, value),))

    return unfold


def alone(key: str) -> Callable[[dict[str, Any]], Any]:
    """Fold a mapping that only has this key to its value."""
    return lambda written: written[key] if set(written) == {key} else written


def unfold_check(node: Node, report: Report) -> Node:
    """The uid follows from the name."""
    name = node.named("name")
    if node.sort != "mapping" or name is None or node.named("uid") is not None:
        return node
    text = uid_of(name.text, "check", stands=report.stands)
    uid = Node("text", f"{node.path}.uid".removeprefix("."), name.line, name.column, text=text)
    return replace(node, entries=(*node.entries, Entry("uid", name.line, name.column, uid)))


def fold_check(written: dict[str, Any]) -> dict[str, Any]:
    """Leave out a uid that follows from the name."""
    return {
        key: value for key, value in written.items() if key != "uid" or not follows(value, written["name"], "check")
    }
