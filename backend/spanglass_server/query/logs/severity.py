"""The severity of a log record, by one rule for lists, filters, facets, counts and SQL.

The number that was sent decides, 1 to 24 (logs.proto, ``SeverityNumber``). Where it is missing, or is none of these,
the text does: what frameworks and daemons call their levels, in any case. Anything else is ``unset``.
"""

from __future__ import annotations

from typing import Literal, get_args

#: All severities, the least severe first, and last what has none.
Severity = Literal["trace", "debug", "info", "warn", "error", "fatal", "unset"]
WORDS: tuple[Severity, ...] = get_args(Severity)
UNSET: Severity = "unset"

#: The severities in order; each has four numbers, the first of them here.
SEVERITIES = {"trace": 1, "debug": 5, "info": 9, "warn": 13, "error": 17, "fatal": 21}
SEVERITY_STEP = 4
HIGHEST = 24

COLUMNS = ("severity_number", "severity_text")

#: Names of levels, by the number that OpenTelemetry has for them (logs data model, appendix B), where it has one.
_NAMES = {
    1: "trace trc trce verbose vrb vrbs finest silly t v",
    5: "debug dbg dbug finer d",
    6: "fine",
    7: "config",
    9: "info inf information informational log note i",
    10: "notice success",
    13: "warn wrn warning w",
    17: "error err eror severe fail failure e",
    18: "dpanic",
    21: "fatal ftl f critical crit alert emergency emerg panic",
}

#: Levels that are numbers in their texts: those of pino and bunyan, and syslog's (RFC 5424).
_PINO = {"10": 1, "20": 5, "30": 9, "40": 13, "50": 17, "60": 21}
_SYSLOG = {"0": 21, "1": 21, "2": 21, "3": 17, "4": 13, "5": 10, "6": 9, "7": 5}

#: What a name in any text or filter means, in small letters: ``warn2`` and the like too.
NUMBERS_OF_NAMES = {
    **{f"{word}{step + 1}": first + step for word, first in SEVERITIES.items() for step in range(SEVERITY_STEP)},
    **{name: number for number, names in _NAMES.items() for name in names.split()},
}
_NUMBERS_OF_TEXTS = NUMBERS_OF_NAMES | _PINO | _SYSLOG


def severity_of(number: int | None, text: str | None) -> Severity:
    """Name a record's severity."""
    if not number or number > HIGHEST:
        number = _NUMBERS_OF_TEXTS.get((text or "").lower())
    return WORDS[(number - 1) // SEVERITY_STEP] if number else UNSET


def severity_sql() -> str:
    """SQL for the severity's word over the stored columns; every text in it is of this module."""
    words = " ".join(
        f"WHEN severity_number BETWEEN {first} AND {first + SEVERITY_STEP - 1} THEN '{word}'"
        for word, first in SEVERITIES.items()
    )
    texts = " ".join(
        f"WHEN {_is_text(first, first + SEVERITY_STEP - 1)} THEN '{word}'" for word, first in SEVERITIES.items()
    )
    return f"CASE {words} {texts} ELSE '{UNSET}' END"


def severity_between(low: int, high: int) -> str:
    """SQL condition: the severity's number is in a range. The text is looked at only where there is no number."""
    text = _is_text(low, high)
    numbers = f"severity_number >= {low:d} AND severity_number <= {high:d}"
    return f"({numbers}) OR ({_HAS_NO_NUMBER} AND {text})" if text else numbers


def is_unset() -> str:
    """SQL condition: the record has no severity."""
    return f"{_HAS_NO_NUMBER} AND ({_is_text(1, HIGHEST)}) IS NOT TRUE"


_HAS_NO_NUMBER = f"(severity_number IS NULL OR severity_number = 0 OR severity_number > {HIGHEST})"


def _is_text(low: int, high: int) -> str:
    """SQL: the text means a number of this range; empty when none does.

    A list, because DuckDB makes a join of ``IN``, which then runs for all rows, and tries a ``CASE`` one by one: for a
    million records with a number 12 ms instead of 270, for a million without one 104 instead of 1275.
    """
    texts = ", ".join(f"'{text}'" for text, number in _NUMBERS_OF_TEXTS.items() if low <= number <= high)
    return f"list_contains([{texts}], lower(severity_text))" if texts else ""
