"""What is wrong with a written file: every problem with its place, all of them at once."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spanglass_server.forms.names import Stands
    from spanglass_server.forms.nodes import Node

#: A file in which everything is wrong is told of by its first problems.
MAX_PROBLEMS = 100


class ProblemJson(TypedDict):
    """One thing that is wrong, as the API writes it."""

    message: str
    path: str
    line: int | None
    column: int | None
    hint: str | None
    file: str | None


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. ``path`` is written as in ``panels[2].type``; ``line`` and ``column`` are 0 for JSON."""

    message: str
    path: str = ""
    line: int = 0
    column: int = 0
    hint: str = ""
    file: str = ""

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part)
        return ": ".join(part for part in (place, self.path, self.message) if part) + (
            f"; {self.hint}" * bool(self.hint)
        )

    def as_json(self) -> ProblemJson:
        """As the API writes it."""
        return {
            "message": self.message,
            "path": self.path,
            "line": self.line or None,
            "column": self.column or None,
            "hint": self.hint or None,
            "file": self.file or None,
        }


@dataclass(slots=True)
class Report:
    """Collects problems while a tree is read. What stands, as all of files does, may keep what new ones may not."""

    file: str = ""
    problems: list[Problem] = field(default_factory=list)
    stands: Stands = False

    def __post_init__(self) -> None:
        if self.file:
            self.stands = True

    def add(self, node: Node, message: str, hint: str = "") -> None:
        """Note a problem at a node."""
        self.add_at(node.path, (node.line, node.column), message, hint)

    def add_at(self, path: str, place: tuple[int, int], message: str, hint: str = "") -> None:
        """Note a problem at a place."""
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(message, path, *place, hint, self.file))


def meant(word: str, known: Iterable[str]) -> str:
    """A hint: what was probably meant, else what there is."""
    names = list(known)
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(names)}"
