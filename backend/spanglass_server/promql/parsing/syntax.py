"""The parser library, of which every failure becomes a ValueError."""

from __future__ import annotations

from typing import Any

import promql_parser


def parse(text: str) -> Any:
    """The syntax tree of an expression; ValueError for what is none, and for what the library fails at."""
    try:
        return promql_parser.parse(text)
    except ValueError:
        raise
    except BaseException as error:  # a panic is no Exception, and its class can't be imported
        if type(error).__name__ != "PanicException":
            raise
        raise ValueError(NOT_READ) from None


#: The library's own words where it has no reason.
NOT_READ = "invalid promql query"
