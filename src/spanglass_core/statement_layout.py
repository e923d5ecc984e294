"""An SQL statement over several lines: clauses begin lines, subqueries are indented, nothing else changes.

Only blanks between words are changed, and comments, strings and quoted names stay as they are, so the result means
what the statement did. Each character is read once: statements come from outside and may be anything.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from spanglass_core.lazy_patterns import lazy_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Longer statements are left as they are: nobody reads them.
MOST_CHARACTERS = 20_000
#: Subqueries below this depth are not indented further, and statements with more open parentheses are left as they are:
#: each line of twenty thousand characters would have an indent as long as the text.
MOST_INDENTS, MOST_NESTED = 20, 100
#: A line that is longer than this goes on in the next one after a comma.
WIDTH = 88

# what is not closed goes to the end; a doubled quote ends one string and begins the next, without a blank between
_TOKEN = lazy_pattern(
    r"""'[^']*(?:'|\Z)|"[^"]*(?:"|\Z)|`[^`]*(?:`|\Z)|\$([A-Za-z_]\w*|)\$.*?(?:\$\1\$|\Z)"""
    r"""|--[^\n]*|/\*.*?(?:\*/|\Z)|\w+|\s+|.""",
    re.DOTALL,
)
#: The words with which statements begin that are laid out.
_STATEMENTS = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "MERGE", "REPLACE", "CREATE"})
_JOINS = frozenset({"JOIN", "LEFT", "RIGHT", "INNER", "FULL", "CROSS", "NATURAL"})
_CLAUSES = _JOINS | {
    "FROM", "WHERE", "GROUP", "ORDER", "HAVING", "LIMIT", "OFFSET", "UNION", "INTERSECT", "EXCEPT", "VALUES", "SET",
    "RETURNING", "WINDOW", "SELECT",
}  # fmt: skip
#: Words after which these clauses are part of something else: ``LEFT JOIN``, ``DELETE FROM``, ``UNION ALL SELECT``.
_NO_BREAK_AFTER = {
    "FROM": {"DELETE", "DISTINCT"},
    "SET": {"CHARACTER"},
    "VALUES": {"DEFAULT"},
    "SELECT": {"("},
} | {word: {*_JOINS, "OUTER"} for word in _JOINS}
_INDENT = "  "


@lru_cache(maxsize=64)  # spans of one trace ask for the same ones
def lay_out(text: str) -> str:
    """Return a statement over several lines; one that is short, very long or no SQL as it is, without outer blanks."""
    text = text.strip()
    first = re.match(r"[\s(]*([A-Za-z]+)", text)
    if len(text) > MOST_CHARACTERS or first is None or first[1].upper() not in _STATEMENTS:
        return text
    if "\\'" in text or '\\"' in text:  # an escaped quote for some databases, the end of a string for others
        return text
    layout = _Layout()
    for found in _TOKEN.finditer(text):
        layout.take(found[0])
        if len(layout.nested) > MOST_NESTED:
            return text
    return layout.text()


@dataclass(slots=True)
class _Layout:
    """The lines so far. ``nested`` has for each open parenthesis how deep the subquery in it stands, else None."""

    lines: list[str] = field(default_factory=list)
    line: list[str] = field(default_factory=list)
    width: int = 0
    depth: int = 0  # of the line
    nested: list[int | None] = field(default_factory=list)
    before: str = ""  # the last word or sign, in capitals
    blank: bool = False  # whether blanks stood before what comes
    between: bool = False  # whether the next AND belongs to a BETWEEN

    def take(self, token: str) -> None:
        """Add one token of the statement."""
        if token.isspace():
            self.blank = True
            return
        word = token.upper()
        if word == ")" and self.nested:
            depth = self.nested.pop()
            if depth is not None:
                self._break(depth - 1)
        elif self._is_subquery(word):
            self.nested[-1] = self.depth + 1
            self._break(self.depth + 1)
        elif self._begins_line(word):
            self._break(self._clause_depth + (word in ("AND", "OR")))
        elif self.before == "," and self.width > WIDTH and self.blank:
            self._break(self._clause_depth + 1)
        self._write(token)
        if word == "(":
            self.nested.append(None)
        self.between = word == "BETWEEN" or (self.between and word != "AND")
        if token.startswith("--"):
            self._break(self._clause_depth + 1)
        self.before = word

    def _is_subquery(self, word: str) -> bool:
        return self.before == "(" and word in ("SELECT", "WITH") and bool(self.nested)

    def _begins_line(self, word: str) -> bool:
        if not self.before or not self.blank or (self.nested and self.nested[-1] is None):
            return False
        if word in ("AND", "OR"):
            return not self.between
        return word in _CLAUSES and self.before not in _NO_BREAK_AFTER.get(word, ())

    @property
    def _clause_depth(self) -> int:
        """How deep the clauses of the innermost subquery stand."""
        return next((depth for depth in reversed(self.nested) if depth is not None), 0)

    def _break(self, depth: int) -> None:
        """Go on in a new line of some depth; nothing is lost if the line is empty."""
        if any(part.strip() for part in self.line):
            self.lines.append("".join(self.line))
        indent = _INDENT * min(depth, MOST_INDENTS)
        self.line, self.width, self.depth, self.blank = [indent], len(indent), depth, False

    def _write(self, token: str) -> None:
        if self.blank and self.width and self.line[-1].strip():
            token = f" {token}"
        self.line.append(token)
        self.width += len(token)
        self.blank = False

    def text(self) -> str:
        """Return all lines."""
        return "\n".join(part.rstrip() for part in _filled([*self.lines, "".join(self.line)]))


def _filled(lines: Iterable[str]) -> Iterable[str]:
    return (line for line in lines if line.strip())
