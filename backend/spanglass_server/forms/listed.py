"""Things of one shape that a file lists below a key, or below ``monitoring``, or of which it holds one by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spanglass_server.forms.kinds import FAILED
from spanglass_server.forms.problems import meant

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spanglass_server.forms.nodes import Node
    from spanglass_server.forms.problems import Report
    from spanglass_server.forms.shapes import Shape

_SETTINGS = "monitoring"


@dataclass(frozen=True, slots=True)
class Listed:
    """How they are found and read. Each has a ``uid``; ``one`` and ``many`` are what people call them."""

    shape: Shape
    key: str
    one: str
    many: str

    def of_file(self, root: Node, report: Report) -> tuple[tuple[Any, int], ...]:
        """Those of a file that holds nothing else, each with its line."""
        keys = (self.key, _SETTINGS)
        if root.sort != "mapping":
            hint = f"begin the file with `{self.key}:`, or with the keys of one {self.one}"
            report.add(root, f"expected {self.many}", hint)
            return ()
        if not any(root.named(key) for key in keys):
            return self.read((root,), report)
        nodes: list[Node] = []
        for entry in root.entries:
            if entry.key not in keys:
                place = (entry.line, entry.column)
                report.add_at(entry.key, place, f"unknown key {entry.key!r}", meant(entry.key, keys))
                continue
            listed = entry.value.named(self.key) if entry.key == _SETTINGS else entry.value
            nodes.extend(self._items(listed, report) if listed is not None else ())
        return self.read(nodes, report)

    def of_settings(self, root: Node | None, report: Report) -> tuple[tuple[Any, int], ...]:
        """Those below ``monitoring`` of a settings file, whatever else it holds."""
        monitoring = root.named(_SETTINGS) if root is not None else None
        listed = monitoring.named(self.key) if monitoring is not None else None
        return () if listed is None else self.read(self._items(listed, report), report)

    def read(self, nodes: Iterable[Node], report: Report) -> tuple[tuple[Any, int], ...]:
        """Read each by itself: what is wrong with one leaves the others."""
        found: dict[str, tuple[Any, int]] = {}
        for node in nodes:
            value = self.shape.read(node, report)
            if value is FAILED:
                continue
            if value.uid in found:
                line = found[value.uid][1]
                where = f", the first in line {line}" if line else ""
                hint = "give one of them another name, or a uid"
                report.add(node, f"two {self.one}s have the uid {value.uid!r}{where}", hint)
                continue
            found[value.uid] = (value, node.line)
        return tuple(found.values())

    def _items(self, node: Node, report: Report) -> tuple[Node, ...]:
        if node.sort not in {"list", "null"}:
            report.add(node, f"expected a list of {self.many}", "begin each with a dash")
        return node.items
