"""Things of one shape that a file lists below a key, or below ``monitoring``, or of which it holds one by itself."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from spanglass_server.forms.dumping import dump
from spanglass_server.forms.kinds import FAILED
from spanglass_server.forms.nodes import TreeError, json_tree, yaml_tree
from spanglass_server.forms.problems import Problem, Report, meant

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from spanglass_server.forms.names import Stands
    from spanglass_server.forms.nodes import Node
    from spanglass_server.forms.shapes import Shape

_SETTINGS = "monitoring"


class Named(Protocol):
    """Something that has a uid."""

    @property
    def uid(self) -> str:
        """What tells it apart from others of its sort."""


T = TypeVar("T", bound=Named)


@dataclass(frozen=True)
class Read(Generic[T]):
    """The things of a text that are right, each with its line, and what is wrong with the others."""

    found: tuple[tuple[T, int], ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def values(self) -> tuple[T, ...]:
        """Those that are right, without their lines."""
        return tuple(value for value, _ in self.found)


@dataclass(frozen=True)
class Listed(Generic[T]):
    """How they are read and written. ``one`` and ``many`` are what people call them.

    ``is_setting``: they are written below ``monitoring``, as the settings file has them; read they are from both.
    """

    shape: Shape
    key: str
    one: str
    many: str
    is_setting: bool = True

    def read_yaml(self, text: str, file: str = "", *, stands: Stands = False) -> Read[T]:
        """Read ``monitoring: KEY:``, ``KEY:``, or one by itself; see ``Report`` for what stands."""
        try:
            root = yaml_tree(text)
        except TreeError as error:
            return self.unreadable(error, file)
        return Read() if root is None else self.read_tree(root, Report(file, stands=stands))

    def read_tree(self, root: Node, report: Report) -> Read[T]:
        """Read the tree of such a text."""
        return Read(self._of_file(root, report), tuple(report.problems))

    def read_settings_yaml(self, text: str, file: str) -> Read[T]:
        """Read ``monitoring: KEY:`` of a settings file, whatever else it holds."""
        try:
            root = yaml_tree(text)
        except TreeError as error:
            return self.unreadable(error, file)
        report = Report(file)
        return Read(self._of_settings(root, report), tuple(report.problems))

    def read_json(self, value: Any, *, stands: Stands = False) -> Read[T]:
        """Read one from JSON."""
        report = Report(stands=stands)
        try:
            return Read(self._read((json_tree(value),), report), tuple(report.problems))
        except TreeError as error:
            return self.unreadable(error, "")

    def unreadable(self, error: TreeError, file: str) -> Read[T]:
        """What a text that is no YAML says."""
        return Read((), (Problem(str(error), "", error.line, error.column, file=file),))

    def to_yaml(self, values: Sequence[T]) -> str:
        """Write them as files have them: what has its default is left out, and keys keep one order."""
        listed = {self.key: [self.to_json(value, full=False) for value in values]}
        return dump({_SETTINGS: listed} if self.is_setting else listed)

    def to_json(self, value: T, *, full: bool = True) -> dict[str, Any]:
        """Write one as JSON; ``full`` with all defaults, numbers in base units, secrets that are texts hidden."""
        written: dict[str, Any] = self.shape.write(value, full=full)
        return written

    def version_of(self, value: T) -> str:
        """The version of one: a digest of its written form."""
        return hashlib.blake2b(self.to_yaml([value]).encode(), digest_size=8).hexdigest()

    def _of_file(self, root: Node, report: Report) -> tuple[tuple[T, int], ...]:
        """Those of a file that holds nothing else, each with its line."""
        keys = (self.key, _SETTINGS)
        if root.sort != "mapping":
            hint = f"begin the file with `{self.key}:`, or with the keys of one {self.one}"
            report.add(root, f"expected {self.many}", hint)
            return ()
        if not any(root.named(key) for key in keys):
            return self._read((root,), report)
        nodes: list[Node] = []
        for entry in root.entries:
            if entry.key not in keys:
                place = (entry.line, entry.column)
                report.add_at(entry.key, place, f"unknown key {entry.key!r}", meant(entry.key, keys))
                continue
            listed = entry.value.named(self.key) if entry.key == _SETTINGS else entry.value
            nodes.extend(self._items(listed, report) if listed is not None else ())
        return self._read(nodes, report)

    def _of_settings(self, root: Node | None, report: Report) -> tuple[tuple[T, int], ...]:
        """Those below ``monitoring`` of a settings file, whatever else it holds."""
        monitoring = root.named(_SETTINGS) if root is not None else None
        listed = monitoring.named(self.key) if monitoring is not None else None
        return () if listed is None else self._read(self._items(listed, report), report)

    def _read(self, nodes: Iterable[Node], report: Report) -> tuple[tuple[T, int], ...]:
        """Read each by itself: what is wrong with one leaves the others."""
        found: dict[str, tuple[T, int]] = {}
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
