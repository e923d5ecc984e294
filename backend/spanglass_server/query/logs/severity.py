"""The severity of a log record as one of seven words (logs.proto, ``SeverityNumber``)."""

from __future__ import annotations

from spanglass_server.query.language.intrinsics import SEVERITIES, SEVERITY_STEP, SEVERITY_SYNONYMS

UNSET = "unset"
#: All severities, the least severe first, and last what has none.
WORDS = (*SEVERITIES, UNSET)

#: What a record's own text means where its number is missing.
_TEXTS = {word: word for word in SEVERITIES} | SEVERITY_SYNONYMS | {"notice": "info", "crit": "fatal", "emerg": "fatal"}

COLUMNS = ("severity_number", "severity_text")


def severity_of(number: int | None, text: str | None) -> str:
    """Name a severity: by its number, 1 to 24, or where that is missing by its text."""
    if number and number < next(reversed(SEVERITIES.values())) + SEVERITY_STEP:
        return WORDS[(number - 1) // SEVERITY_STEP]
    return _TEXTS.get((text or "").lower(), UNSET)


def severity_sql() -> str:
    """Write the same over the stored columns; every text in it is of this module."""
    numbers = " ".join(
        f"WHEN severity_number BETWEEN {first} AND {first + SEVERITY_STEP - 1} THEN '{word}'"
        for word, first in SEVERITIES.items()
    )
    texts = " ".join(f"WHEN '{text}' THEN '{word}'" for text, word in _TEXTS.items())
    return f"CASE {numbers} ELSE CASE lower(severity_text) {texts} ELSE '{UNSET}' END END"
