"""Routes about a filter itself: whether it can be read, and which of its keys no record has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, TypedDict

from spanglass_server.api.errors import problem_of
from spanglass_server.api.params import FILTER, RANGE, Param
from spanglass_server.api.routes.facets import SIGNAL
from spanglass_server.api.routing import Route
from spanglass_server.api.schema import schema_of
from spanglass_server.query.answers import JsonSchema
from spanglass_server.query.attributes.unknown_keys import UnknownKeys, unknown_keys
from spanglass_server.query.language import FilterError, parse_filter, tokens
from spanglass_server.query.language.parsing.tokens import TokenKind
from spanglass_server.query.structure.compiling import check_filter
from spanglass_server.signals import Signal

if TYPE_CHECKING:
    from spanglass_server.api.params import Params
    from spanglass_server.store.ports import QuerySession

#: Signals whose keys are those of their own records: occurrences have those of the spans and logs that told them.
_STORED = (Signal.SPANS, Signal.LOGS, Signal.METRICS)


class Token(TypedDict):
    """A piece of a filter's text, for colouring."""

    start: int
    end: int
    kind: TokenKind


class FilterCheck(TypedDict):
    """The answer of ``GET /api/v1/filter/check``."""

    ok: bool
    tokens: list[Token]
    error: Annotated[Any, JsonSchema({"description": "null, or an error as of any route"})]


def _check(params: Params) -> FilterCheck:
    text = params["filter"] or ""
    error = None
    try:
        check_filter(parse_filter(text), Signal(params["signal"]))
    except FilterError as wrong:
        error = problem_of(wrong).as_json()["error"]
    found: list[Token] = [{"start": start, "end": end, "kind": kind} for start, end, kind in tokens(text)]
    return {"ok": error is None, "tokens": found, "error": error}


def _unknown(session: QuerySession, params: Params) -> UnknownKeys:
    return unknown_keys(session, Signal(params["signal"]), params["window"], params["filter"] or "")


ROUTES = (
    Route(
        path="/filter/check",
        summary="Parse a filter: tokens for colouring, or the error.",
        description="Positions count characters from 0, the error's column from 1.",
        parameters=(SIGNAL, FILTER),
        response=schema_of(FilterCheck),
        reply=_check,
    ),
    Route(
        path="/filter/unknown",
        summary="Keys of a filter that no record of the range has, with the nearest ones.",
        description="For a filter that finds nothing: it may be misspelled.",
        parameters=(*RANGE, Param("signal", "choice", "spans", "Which records.", choices=_STORED), FILTER),
        response=schema_of(UnknownKeys),
        query=_unknown,
    ),
)
