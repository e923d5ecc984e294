"""Cells of CSV files that strangers' texts go into."""

from __future__ import annotations

from typing import Any, Final

from spanglass_core.lazy_patterns import lazy_pattern

#: A spreadsheet takes a cell that begins so for a formula (OWASP, "CSV Injection"); some the full-width signs, too.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
#: A negative number that JSON has as a text, as it has more than the 15 digits that every float keeps: no formula.
_LONG_NUMBER: Final = lazy_pattern(r"-(?=(?:\.?[0-9]){16})[0-9]+(?:\.[0-9]+)?")


def csv_cell(value: Any) -> Any:
    """Return a value for a CSV cell; a text that a spreadsheet would run gets an apostrophe in front."""
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS) and not _LONG_NUMBER.fullmatch(value):
        return "'" + value
    return value
