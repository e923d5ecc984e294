"""What may be written shorter: a kind by its one most important value."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

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
