"""The route that reads a filter without running it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_server.api.errors import problem_of
from spanglass_server.api.facets import SIGNAL
from spanglass_server.api.params import FILTER
from spanglass_server.api.routing import Route
from spanglass_server.api.schema import ANYTHING, BOOLEAN, INTEGER, array, choice, record
from spanglass_server.query.language import FilterError, compile_filter, parse_filter, tokens
from spanglass_server.signals import Signal

if TYPE_CHECKING:
    from spanglass_server.api.params import Params

_TOKEN = record(start=INTEGER, end=INTEGER, kind=choice("key", "operator", "string", "number", "word", "bad"))


def _check(params: Params) -> dict[str, Any]:
    text = params["filter"] or ""
    error = None
    try:
        compile_filter(parse_filter(text), Signal(params["signal"]), ())
    except FilterError as wrong:
        error = problem_of(wrong).as_json()["error"]
    found = [{"start": start, "end": end, "kind": kind} for start, end, kind in tokens(text)]
    return {"ok": error is None, "tokens": found, "error": error}


ROUTES = (
    Route(
        path="/filter/check",
        summary="Parse a filter: tokens for colouring, or the error.",
        description="Positions count characters from 0, the error's column from 1.",
        parameters=(SIGNAL, FILTER),
        response=record(
            ok=BOOLEAN, tokens=array(_TOKEN), error={**ANYTHING, "description": "null, or an error as of any route"}
        ),
        reply=_check,
    ),
)
