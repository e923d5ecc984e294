"""Regular expressions, judged by DuckDB before a query runs, since it is DuckDB that will run them."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING

import duckdb

from spanglass_server.query.errors import FilterError

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
    with _judge().cursor() as cursor:
        try:
            cursor.execute("SELECT regexp_matches('', ?)", [pattern])
        except duckdb.Error as error:
            return str(error).partition("Error: ")[2] or str(error)
    return ""


@cache
def _judge() -> duckdb.DuckDBPyConnection:
    """Open the empty database that patterns are tried in, without worker threads."""
    return duckdb.connect(config={"threads": 1})
