"""Regular expressions, judged by DuckDB before a query runs, since it is DuckDB that will run them."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import duckdb

from spanglass_server.query.errors import FilterError
from spanglass_server.store.sessions.connections import beside

if TYPE_CHECKING:
    from spanglass_server.query.language.parsing.ast import Value


def check_regex(value: Value) -> None:
    """Refuse a value that is no regular expression of RE2, with the reason."""
    reason = regex_problem(value.text)
    if reason:
        hint = "the syntax is RE2: no look-around, no back-references; escape special characters with a backslash"
        message = f"not a regular expression: {reason}"
        raise FilterError(message, value.column, ("a regular expression",), hint)


@lru_cache(maxsize=256)
def regex_problem(pattern: str) -> str:
    """Say what is wrong with a pattern; "" for a regular expression."""
    # A cursor of its own: filters are compiled in several threads.
    with beside().cursor() as cursor:
        try:
            cursor.execute("SELECT regexp_matches('', ?)", [pattern])
        except duckdb.Error as error:
            return str(error).partition("Error: ")[2] or str(error)
    return ""
