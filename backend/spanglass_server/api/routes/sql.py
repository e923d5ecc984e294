"""The route for read-only SQL."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from spanglass_server.api.errors import ApiError
from spanglass_server.api.routing import Route
from spanglass_server.api.schema import INTEGER, STRING, schema_of
from spanglass_server.query.sql_console.read import DEFAULT_LIMIT, MAX_LIMIT, TimedResult, run_sql

if TYPE_CHECKING:
    from spanglass_server.api.params import Params
    from spanglass_server.store.ports import QuerySession

_BODY = {
    "type": "object",
    "properties": {
        "sql": {**STRING, "description": "one SELECT over the views spans, logs and metrics"},
        "limit": {**INTEGER, "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
    },
    "required": ["sql"],
    "additionalProperties": False,
}
_NS_PER_MS = 1_000_000


def _run(session: QuerySession, params: Params) -> TimedResult:
    sql, limit = _read(params["body"])
    started_ns = time.perf_counter_ns()
    answer = run_sql(session, sql, limit=limit)
    return {**answer, "elapsed_ms": (time.perf_counter_ns() - started_ns) // _NS_PER_MS}


def _read(body: Any) -> tuple[str, int]:
    """Read the request's body; ApiError naming the field at fault."""
    hint = 'send {"sql": "SELECT ...", "limit": 10000}'
    if not isinstance(body, dict):
        raise ApiError("bad_request", "the body is not a JSON object", field="body", hint=hint)
    unknown = sorted(set(body) - {"sql", "limit"})
    if unknown:
        raise ApiError("bad_request", f"there is no field {unknown[0]!r}", field=unknown[0], hint=hint)
    sql, limit = body.get("sql"), body.get("limit", DEFAULT_LIMIT)
    if not isinstance(sql, str):
        raise ApiError("bad_request", "sql is missing or no text", field="sql", hint=hint)
    if not isinstance(limit, int) or isinstance(limit, bool):
        raise ApiError("bad_request", "limit is no whole number", field="limit", hint=hint)
    return sql, limit


ROUTES = (
    Route(
        method="POST",
        path="/sql",
        summary="Read-only SQL over the views spans, logs and metrics.",
        description="DuckDB's SQL. docs/data-layout.md describes the views.",
        body=_BODY,
        response=schema_of(TimedResult),
        query=_run,
    ),
)
