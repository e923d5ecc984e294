"""A mapping that becomes a dataclass: which keys it has, which it must have, and how it may be written shorter."""

from __future__ import annotations

from dataclasses import MISSING, Field, dataclass, fields
from typing import TYPE_CHECKING, Any

from spanglass_server.forms.kinds import FAILED
from spanglass_server.forms.problems import meant

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from spanglass_server.forms.kinds import Kind
    from spanglass_server.forms.nodes import Entry, Node
    from spanglass_server.forms.problems import Report


def _same(node: Node, _: Report) -> Node:
    return node


def _as_it_is(value: Any) -> Any:
    return value


@dataclass(frozen=True, slots=True)
class Shape:
    """Reads and writes a dataclass by the kinds of its fields, a key each.

    A key lacks the unit of a duration (``for_ns``), and the underscore after a keyword of Python (``from_``).

    ``unfold`` turns what may be written shorter into the mapping of all keys, ``fold`` shortens it again; ``finish``
    fills in what follows from other values; ``check`` reports values that are each fine and together are not.
    Keys that are ``always`` written are so with their defaults too; ``shorter`` are those that only ``unfold`` knows.
    """

    owner: type[Any]
    kinds: Mapping[str, Kind]
    unfold: Callable[[Node, Report], Node] = _same
    fold: Callable[[Any], Any] = _as_it_is
    finish: Callable[[Any], Any] = _as_it_is
    check: Callable[[Any, Node, Report], None] = lambda _, __, ___: None
    always: frozenset[str] = frozenset()
    shorter: tuple[str, ...] = ()

    @property
    def schema(self) -> dict[str, Any]:
        """See ``Kind``."""
        return {
            "type": "object",
            "properties": {key: kind.schema for key, kind in self.kinds.items()},
            "required": [key for key, entry in self._fields.items() if _is_required(entry)],
            "additionalProperties": False,
        }

    @property
    def _fields(self) -> dict[str, Field[Any]]:
        return {entry.name.removesuffix("_ns").removesuffix("_"): entry for entry in fields(self.owner)}

    def read(self, node: Node, report: Report) -> Any:
        """See ``Kind``."""
        before = len(report.problems)
        node = self.unfold(node, report)
        if node.sort != "mapping":
            report.add(node, f"expected a mapping with {', '.join(self.kinds)}")
            return FAILED
        values = self._values(node, report)
        for key, entry in self._fields.items():
            if _is_required(entry) and entry.name not in values and not node.named(key):
                report.add(node, f"{key} is missing")
        if len(report.problems) > before:
            return FAILED
        value = self.finish(self.owner(**values))
        self.check(value, node, report)
        return FAILED if len(report.problems) > before else value

    def _values(self, node: Node, report: Report) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for entry in node.entries:
            value = self._value(entry, report)
            name = self._fields[entry.key].name if entry.key in self.kinds else entry.key
            if name in values:
                report.add_at(entry.value.path, (entry.line, entry.column), f"{entry.key} is given twice")
            elif value is not FAILED:
                values[name] = value
        return values

    def _value(self, entry: Entry, report: Report) -> Any:
        kind = self.kinds.get(entry.key)
        if kind is None:
            place = (entry.line, entry.column)
            report.add_at(
                entry.value.path, place, f"unknown key {entry.key!r}", meant(entry.key, (*self.shorter, *self.kinds))
            )
            return FAILED
        return kind.read(entry.value, report)

    def write(self, value: Any, *, full: bool) -> Any:
        """See ``Kind``."""
        written = {}
        for key, kind in self.kinds.items():
            entry = self._fields[key]
            own = getattr(value, entry.name)
            if full or key in self.always or _is_required(entry) or own != _default(entry):
                written[key] = kind.write(own, full=full)
        return written if full else self.fold(written)


def _is_required(entry: Field[Any]) -> bool:
    return entry.default is MISSING and entry.default_factory is MISSING


def _default(entry: Field[Any]) -> Any:
    return entry.default if entry.default_factory is MISSING else entry.default_factory()
