"""How the things of a section stand beside each other in a file: by name, in a list, or a single one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, Protocol

from spanglass_server.forms.kinds import described

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spanglass_server.forms.nodes import Node
    from spanglass_server.forms.problems import Report

MAX_THINGS = 1000
_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
_HINT = "use letters, digits, _, - and dots, at most 100 of them"


class Layout(Protocol):
    """Between the value at a section's place and its things."""

    def spread(self, node: Node, report: Report) -> Iterator[tuple[str, Node]]:
        """Each thing with its name; others are told of."""

    def gather(self, name: str, written: Any) -> Any:
        """The value at the section's place that holds one thing."""


class ByName:
    """A mapping of names."""

    def spread(self, node: Node, report: Report) -> Iterator[tuple[str, Node]]:
        """See ``Layout``."""
        if node.sort != "mapping":
            report.add(node, f"expected names, each with what it stands for, not {described(node)}")
            return
        if len(node.entries) > MAX_THINGS:
            report.add(node, f"{len(node.entries)} are too many; the most is {MAX_THINGS}")
            return
        seen: set[str] = set()
        for entry in node.entries:
            place = (entry.line, entry.column)
            if not _NAME.fullmatch(entry.key):
                report.add_at(entry.value.path, place, f"{entry.key!r} can't be a name", _HINT)
            elif entry.key in seen:
                report.add_at(entry.value.path, place, f"{entry.key!r} is given twice")
            else:
                seen.add(entry.key)
                yield entry.key, entry.value

    def gather(self, name: str, written: Any) -> Any:
        """See ``Layout``."""
        return {name: written}


class Listed:
    """A list, whose things are named by an optional key ``name``, else by their number."""

    def __init__(self, noun: str) -> None:
        self._noun = noun

    def spread(self, node: Node, report: Report) -> Iterator[tuple[str, Node]]:
        """See ``Layout``."""
        if node.sort != "list":
            report.add(node, f"expected a list, not {described(node)}", "begin each item with a dash")
            return
        if len(node.items) > MAX_THINGS:
            report.add(node, f"{len(node.items)} are too many; the most is {MAX_THINGS}")
            return
        seen: set[str] = set()
        for number, item in enumerate(node.items, 1):
            given = item.named("name")
            name = given.text if given is not None else f"{self._noun}-{number}"
            if not _NAME.fullmatch(name):
                report.add(given or item, f"{name!r} can't be a name", _HINT)
            elif name in seen:
                report.add(given or item, f"two are named {name!r}", "give one of them another name")
            else:
                seen.add(name)
                yield name, item

    def gather(self, name: str, written: Any) -> Any:
        """See ``Layout``."""
        return [{"name": name, **written}]


class Single:
    """One thing, which has always the same name."""

    def __init__(self, name: str) -> None:
        self._name = name

    def spread(self, node: Node, report: Report) -> Iterator[tuple[str, Node]]:
        """See ``Layout``."""
        del report
        yield self._name, node

    def gather(self, name: str, written: Any) -> Any:
        """See ``Layout``. ``ValueError`` for another name."""
        if name != self._name:
            raise ValueError(f"there is only one, named {self._name!r}")
        return written
