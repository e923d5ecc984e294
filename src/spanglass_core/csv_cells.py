"""Cells of CSV files that strangers' texts go into."""

from __future__ import annotations

from typing import Any

#: A spreadsheet takes a cell that begins so for a formula (OWASP, "CSV Injection"); some the full-width signs, too.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def csv_cell(value: Any) -> Any:
    """Return a value for a CSV cell; a text that a spreadsheet would run gets an apostrophe in front."""
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS):
        return "'" + value
    return value
