"""The route about what functions threads were in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.api.params import FILTER, RANGE, Param, limit_param
from spanglass_server.api.routing import Route
from spanglass_server.api.schema import schema_of
from spanglass_server.query.errors import BadQuestionError
from spanglass_server.query.profiles.answering import ProfileAnswer, profile
from spanglass_server.query.profiles.reading import CPU_TIME, WALL_TIME, ProfileQuestion
from spanglass_server.query.traces.identity import id_in_key

if TYPE_CHECKING:
    from spanglass_server.api.params import Params
    from spanglass_server.store.ports import QuerySession

_ID_BYTES = 8


def _profile(session: QuerySession, params: Params) -> ProfileAnswer:
    question = ProfileQuestion(
        params["window"],
        params["filter"] or "",
        params["service"],
        params["operation"],
        params["trace_id"],
        _span_id(params["span_id"], params["trace_id"]),
        params["measure"],
    )
    return profile(session, question, params["limit"])


def _span_id(text: str | None, trace_id: bytes | None) -> bytes | None:
    if text is None:
        return None
    if trace_id is None:
        raise BadQuestionError("span_id needs the id of its trace", field="trace_id", hint="give trace_id, too")
    found = id_in_key(text)
    if found is None or len(found) != _ID_BYTES:
        raise BadQuestionError(
            f"{text!r} is not the id of a span", field="span_id", hint="an id has 16 hexadecimal digits"
        )
    return found


ROUTES = (
    Route(
        path="/profiles",
        summary="Which functions threads were in: stacks of the profiler, folded into one tree.",
        description=(
            "From log records with the event name spanglass.profile.stack, which the profiler of applications sends. "
            "A span stands for all spans below it, too."
        ),
        parameters=(
            *RANGE,
            FILTER,
            Param("service", "text", help="Only stacks of this service."),
            Param("operation", "text", help="Only stacks of requests or tasks of this name, or of spans of it."),
            Param("trace_id", "trace_id", help="Only stacks of this trace."),
            Param("span_id", "text", help="Only stacks of this span of the trace, and of those below it."),
            Param("measure", "choice", WALL_TIME, "wall: all time, or cpu: time on a processor.",
                  choices=(WALL_TIME, CPU_TIME)),
            limit_param(2000, 20_000),
        ),
        response=schema_of(ProfileAnswer),
        query=_profile,
    ),
)  # fmt: skip
