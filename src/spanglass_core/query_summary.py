"""The operation of an SQL statement, ``SELECT``, and a short name of it, the same for all values in it.

The name is ``SELECT orders customers``, by the rules of OpenTelemetry's ``db.query.summary``: the operation and what
it works on, in the order of the text. Both are read off the words without parsing: what cannot be told so is left out,
and neither ever has a literal or a comment in it.
"""

from __future__ import annotations

import re

from spanglass_core.lazy_patterns import lazy_pattern

#: Enough for any statement's beginning; a list of ten thousand values is not read.
_MOST_CHARACTERS = 4096
_MOST_TARGETS = 4

_QUOTED = r"'(?:[^']|'')*'"
_COMMENT = r"--[^\n]*|/\*.*?\*/"
_NAME = r"(?:[\w$]+|\"[^\"]+\"|`[^`]+`|\[[^\]]+\])"
_NOISE = lazy_pattern(f"{_QUOTED}|{_COMMENT}", re.DOTALL)
_TARGET = lazy_pattern(
    rf"\b(?:FROM|JOIN|INTO|UPDATE|TABLE(?:\s+IF\s+(?:NOT\s+)?EXISTS)?|CALL)\s+(?:ONLY\s+)?({_NAME}(?:\.{_NAME})*)",
    re.IGNORECASE,
)
_QUOTES = str.maketrans("", "", '"`[]')
_NOT_TARGETS = frozenset({"SELECT", "SET", "LATERAL", "UNNEST", "VALUES"})

# Most statements begin with their operation; the rest is for those that do not. No pattern can backtrack far.
_FIRST_WORD = re.compile(r"[\s(;]*([A-Za-z_]+)")
_ONE_NAME = re.compile(r"\s*([A-Za-z_][\w$]*(?:\.[A-Za-z_][\w$]*)*)[\s;]*", re.ASCII)
_BLANK = lazy_pattern(r"[\s(;{?=]+|(?:--|#)[^\n]*(?:\n|\Z)")
_COMMENT_EDGE = lazy_pattern(r"/\*|\*/")
_IN_PARENTHESES = lazy_pattern(r"""'(?:[^']|'')*'|"[^"]*"|`[^`]*`|--[^\n]*|/\*|[()]|[A-Za-z_][\w$]*""")
_NAMES_A_TABLE = lazy_pattern(r"\s+AS\b", re.IGNORECASE)
_MAIN = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE", "VALUES", "TABLE"})


def query_operation(text: str) -> str:
    """Return the word that says what a statement does, as it is written; empty if there is none.

    Comments, parentheses and semicolons in front of it are passed over. Of a statement with common table expressions it
    is the word after them: ``INSERT`` for ``WITH a AS (...) INSERT ...``. A lone name, such as that of a procedure, is
    returned whole.
    """
    found = _FIRST_WORD.match(text)
    if found is None:
        text = _beginning(text[:_MOST_CHARACTERS])
        found = _FIRST_WORD.match(text)
        if found is None:
            return ""
    word = found[1]
    if word.upper() == "WITH":
        return _after_tables(text[found.end() : _MOST_CHARACTERS]) or word
    alone = _ONE_NAME.fullmatch(text, 0, _MOST_CHARACTERS) if found.end() < len(text) else None
    return alone[1] if alone else word


def query_summary(text: str) -> str:
    """Summarise a statement; an empty text if there is no operation in it."""
    operation = query_operation(text)
    if not operation:
        return ""
    bare = _NOISE.sub(" ", text[:_MOST_CHARACTERS])
    targets: dict[str, None] = {}
    for found in _TARGET.finditer(bare):
        name = found[1].translate(_QUOTES)
        if name.upper() not in _NOT_TARGETS:
            targets[name] = None
    return " ".join((operation.upper(), *list(targets)[:_MOST_TARGETS]))


def _beginning(text: str) -> str:
    """Return a statement without what comes before its first word; nothing of one that begins otherwise."""
    at = 0
    while at < len(text):
        blank = _BLANK.match(text, at)
        if blank:
            at = blank.end()
        elif text.startswith("/*", at):
            at = _comment_end(text, at)
        else:
            return text[at:]
    return ""


def _comment_end(text: str, begin: int) -> int:
    """Find the end of a comment. PostgreSQL's nest, those of others end at the first mark of an end."""
    depth, first = 0, len(text)
    for edge in _COMMENT_EDGE.finditer(text, begin):
        depth += 1 if edge[0] == "/*" else -1
        if depth < 0:
            break
        if edge[0] == "*/":
            first = min(first, edge.end())
            if depth == 0:
                return edge.end()
    return first


def _after_tables(text: str) -> str:
    """Return the word of the statement after its common table expressions, or an empty text."""
    depth = at = 0
    while found := _IN_PARENTHESES.search(text, at):
        part, at = found[0], found.end()
        if part == "/*":
            at = _comment_end(text, found.start())
        elif part in "()":
            depth += 1 if part == "(" else -1
        elif depth == 0 and part.upper() in _MAIN and not _NAMES_A_TABLE.match(text, at):
            return part
    return ""
