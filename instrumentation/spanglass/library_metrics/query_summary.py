"""A short name of an SQL statement, the same for all values in it: ``SELECT orders customers``.

By the rules of OpenTelemetry's ``db.query.summary``: the operation and what it works on, in the order of the text. A
label, read off the words without parsing: what cannot be told so is left out.
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
_WORD = lazy_pattern(r"[A-Za-z]+")
_TARGET = lazy_pattern(
    rf"\b(?:FROM|JOIN|INTO|UPDATE|TABLE(?:\s+IF\s+(?:NOT\s+)?EXISTS)?|CALL)\s+(?:ONLY\s+)?({_NAME}(?:\.{_NAME})*)",
    re.IGNORECASE,
)
_QUOTES = str.maketrans("", "", '"`[]')
_NOT_TARGETS = frozenset({"SELECT", "SET", "LATERAL", "UNNEST", "VALUES"})


def query_summary(text: str) -> str:
    """Summarise a statement; an empty text if there is no word in it."""
    bare = _NOISE.sub(" ", text[:_MOST_CHARACTERS])
    operation = _WORD.search(bare)
    if operation is None:
        return ""
    targets: dict[str, None] = {}
    for found in _TARGET.finditer(bare):
        name = found[1].translate(_QUOTES)
        if name.upper() not in _NOT_TARGETS:
            targets[name] = None
    return " ".join((operation[0].upper(), *list(targets)[:_MOST_TARGETS]))
