"""Expressions laid out to be read."""

from __future__ import annotations

from spanglass_server.promql.parsing import syntax
from spanglass_server.promql.parsing.parse import parse


def formatted(text: str) -> str:
    """Lay an expression out, a level of it a line where it is long; one that only we understand stays as it is.

    Raises ``PromqlError`` of the kind ``bad_data`` for what is no expression.
    """
    parse(text)
    try:
        laid_out: str = syntax.parse(text).prettify()
    except ValueError:  # syntax newer than the library
        return text.strip()
    return laid_out
