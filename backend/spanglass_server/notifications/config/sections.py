"""Sections: sorts of things that are configured by name, how each is written, and what it uses of others.

A section is given to the book when it is put together; packages that bring one (channels, people) need no list here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from spanglass_server.forms.kinds import FAILED
from spanglass_server.forms.problems import meant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from spanglass_server.forms.kinds import Kind
    from spanglass_server.forms.nodes import Node
    from spanglass_server.forms.problems import Report
    from spanglass_server.notifications.config.layouts import Layout
    from spanglass_server.notifications.model import Origin


class Form(Protocol):
    """How things of a section are read and written; like a ``Kind``, and knows the thing's name."""

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON schema of one thing."""

    def read(self, name: str, node: Node, report: Report) -> Any:
        """The thing, ``FAILED`` after a problem."""

    def write(self, value: Any, *, full: bool) -> Any:
        """A thing as JSON; ``full`` writes defaults too. Plain secrets are ``PlainSecret``."""


@dataclass(frozen=True, slots=True)
class Plain:
    """The form of things that don't know their names: any kind of value, such as a ``Shape``."""

    kind: Kind

    @property
    def schema(self) -> dict[str, Any]:
        """See ``Form``."""
        return self.kind.schema

    def read(self, _: str, node: Node, report: Report) -> Any:
        """See ``Form``."""
        return self.kind.read(node, report)

    def write(self, value: Any, *, full: bool) -> Any:
        """See ``Form``."""
        return self.kind.write(value, full=full)


@dataclass(frozen=True, slots=True)
class Use:
    """A name within a thing that stands for another thing, of any of some sections; ``path`` is where it is written."""

    name: str
    sections: tuple[str, ...]
    path: str


@dataclass(frozen=True, slots=True)
class Found:
    """A thing with the place that it stands in. Equal kept things have equal versions; others have none.

    ``by`` is who kept it as it is, "" where that is not known.
    """

    section: str
    name: str
    value: Any
    origin: Origin
    file: str = ""
    line: int = 0
    version: str = ""
    by: str = ""

    @property
    def uid(self) -> str:
        """What tells it apart within its file."""
        return self.name if self.origin == "kept" else f"{self.section}/{self.name}"


def _nothing(_: Any) -> Iterable[Any]:
    return ()


def _stays(_: Any, __: Any) -> Iterable[str]:
    return ()


def _as_it_is(value: Any, _: Found) -> Any:
    return value


@dataclass(frozen=True, slots=True)
class Section:
    """One sort of things. ``place`` are the keys on the way to it in a settings file; ``noun`` is what one is called.

    ``uses`` gives the names of other things within one; ``placed`` tells a thing where it stands. ``moved`` gives the
    path of what makes the secrets of a thing go to somebody else than those of the one before it, ``refused`` paths
    that may not be so where it is made in pages, with the reason.
    """

    name: str
    noun: str
    place: tuple[str, ...]
    form: Form
    layout: Layout
    uses: Callable[[Any], Iterable[Use]] = _nothing
    placed: Callable[[Any, Found], Any] = _as_it_is
    moved: Callable[[Any, Any], Iterable[str]] = _stays
    refused: Callable[[Any], Iterable[tuple[str, str]]] = _nothing


class Sections:
    """All sections of a server, by name. ``ValueError`` where two have one name."""

    def __init__(self, sections: Sequence[Section]) -> None:
        self.by_name = {section.name: section for section in sections}
        if len(self.by_name) < len(sections):
            raise ValueError("two sections have one name")

    def noun(self, name: str) -> str:
        """What a thing of a section is called, also of one that is not there."""
        section = self.by_name.get(name)
        return section.noun if section is not None else name.removesuffix("s")

    def read(self, root: Node, report: Report) -> list[Found]:
        """The things of a settings file, whatever else it holds; what is wrong with one leaves the others."""
        self._check_keys(root, report)
        found: list[Found] = []
        for section in self.by_name.values():
            node = _at(root, section.place)
            if node is None or node.sort == "null":
                continue
            for name, thing in section.layout.spread(node, report):
                value = section.form.read(name, thing, report)
                if value is not FAILED:
                    found.append(Found(section.name, name, value, "settings", report.file, thing.line))
        return found

    def _check_keys(self, root: Node, report: Report) -> None:
        """Unknown keys beside those of sections; of ``monitoring:`` itself, settings tell of them."""
        inner = {section.place[:-1] for section in self.by_name.values()} - {("monitoring",)}
        for place in inner:
            node = _at(root, place)
            if node is None or node.sort == "null":
                continue
            known = sorted(section.place[-1] for section in self.by_name.values() if section.place[:-1] == place)
            if node.sort != "mapping":
                report.add(node, f"expected a mapping with {', '.join(known)}")
            for entry in node.entries:
                if entry.key not in known:
                    where = (entry.line, entry.column)
                    report.add_at(entry.value.path, where, f"unknown key {entry.key!r}", meant(entry.key, known))


def _at(root: Node, place: tuple[str, ...]) -> Node | None:
    node: Node | None = root
    for key in place:
        node = node.named(key) if node is not None else None
    return node
