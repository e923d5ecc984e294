"""The routes about anomalies: listed, one, and what people say is fine."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from spanglass_server.anomalies import answers
from spanglass_server.anomalies.desk import WHICH, Wanted
from spanglass_server.anomalies.model import Kind, UnknownAnomalyError
from spanglass_server.api.errors import ApiError, refusals
from spanglass_server.api.fields import (
    MAX_NAME,
    NOBODY_NAMED,
    body_schema,
    checked_text,
    fields_of,
    reason_and_actor,
    reasoned,
)
from spanglass_server.api.params import Param, id_param, limit_param
from spanglass_server.api.routing import Route
from spanglass_server.api.schema import STRING, schema_of
from spanglass_server.times import parse_kept_time

if TYPE_CHECKING:
    from spanglass_server.anomalies.desk import AnomalyDesk
    from spanglass_server.api.params import Params
    from spanglass_server.store.ports import QuerySession

_ANOMALY: Final = id_param("anomaly")
_FEEDBACK: Final = id_param("feedback")
_FINE: Final = body_schema(
    {
        **reasoned("why there is nothing to be told of", "who says so"),
        "until": {**STRING, "description": "until when: a time, now+7d for example; for good without"},
    },
    ("reason",),
)
#: What the store of anomalies refuses, by where an unknown id stands.
_refusals: Final = partial(
    refusals, UnknownAnomalyError, "anomalies", "anomaly", "GET /api/v1/anomalies?state=all lists them"
)
_feedback_refusals: Final = partial(
    refusals, UnknownAnomalyError, "anomalies", "feedback", "GET /api/v1/anomaly-feedback lists them"
)


@dataclass(frozen=True, slots=True)
class _Handlers:
    desk: AnomalyDesk

    def list(self, _: QuerySession, params: Params) -> answers.AnomalyList:
        """Anomalies that match."""
        service, operation, kind, text = (params[name] or "" for name in ("service", "operation", "kind", "text"))
        since_ns, until_ns = (_time_of(params, name) for name in ("start", "end"))
        wanted = Wanted(params["state"], service, operation, kind, text, since_ns or 0, until_ns)
        with _refusals():
            return self.desk.listing(wanted, params["limit"])

    def one(self, session: QuerySession, params: Params) -> answers.OneAnomaly:
        """One anomaly."""
        with _refusals():
            return self.desk.one(session, params["anomaly"])

    def call_fine(self, _: QuerySession, params: Params) -> answers.Feedback:
        """Tell no more of its series."""
        fields = fields_of(params["body"], _FINE)
        reason, actor = reason_and_actor(fields)
        until = checked_text(fields.get("until", ""), "until", MAX_NAME)
        if not reason:
            hint = "say why it is fine, for those who miss it later"
            raise ApiError("bad_request", "an anomaly is called fine with a reason", field="reason", hint=hint)
        with _refusals():
            return self.desk.call_fine(params["anomaly"], reason, actor, _until(until, params["now_ns"]))

    def feedback(self, _: QuerySession, params: Params) -> answers.FeedbackList:
        """What people said is fine."""
        del params
        with _feedback_refusals():
            return self.desk.feedback()

    def undo(self, _: QuerySession, params: Params) -> answers.FeedbackList:
        """Tell of a series again."""
        with _feedback_refusals():
            return self.desk.undo(params["feedback"], params["actor"] or NOBODY_NAMED)


def _time_of(params: Params, name: str) -> int | None:
    if not params[name]:
        return None
    try:
        return parse_kept_time(params[name], params["now_ns"])
    except ValueError as error:
        raise ApiError("bad_request", str(error), field=name, hint="now-7d, or 2027-01-31T00:00:00Z") from error


def _until(text: str, now_ns: int) -> int | None:
    if not text:
        return None
    try:
        until_ns = parse_kept_time(text, now_ns)
    except ValueError as error:
        raise ApiError("bad_request", str(error), field="until", hint="now+7d, or 2027-01-31T00:00:00Z") from error
    if until_ns <= now_ns:
        raise ApiError("bad_request", "that time is over", field="until", hint="give a time to come: now+7d")
    return until_ns


def anomaly_routes(desk: AnomalyDesk) -> tuple[Route, ...]:
    """Return the routes."""
    handlers = _Handlers(desk)
    return (
        Route(
            path="/anomalies",
            summary="What is unusual for its time, the most important first: by surprise and by how much is affected.",
            description=(
                "Operations, metrics and patterns of log lines are watched in the background, by five minutes. "
                "watching says how much of the past is known."
            ),
            parameters=(
                Param("state", "choice", "lately", "open: they go on; lately: those of a day as well.", choices=WHICH),
                Param("service", "text", help="Only of this service."),
                Param("operation", "text", help="Only of requests of this name."),
                Param("kind", "choice", help="Only of this kind.", choices=tuple(kind.value for kind in Kind)),
                Param("start", "time", help="Only those that still went on at this time, or began later."),
                Param("end", "time", help="Only those that began before this time."),
                Param("text", "text", help="Only with this in the title or in the value of a label."),
                limit_param(50, 500),
            ),
            response=schema_of(answers.AnomalyList),
            query=handlers.list,
        ),
        Route(
            path="/anomalies/{anomaly}",
            summary="One anomaly with the attributes that set its requests apart, and traces that show it.",
            parameters=(_ANOMALY,),
            response=schema_of(answers.OneAnomaly),
            query=handlers.one,
        ),
        Route(
            method="POST",
            path="/anomalies/{anomaly}/fine",
            summary="Say that this is fine: its series is not told of for this kind, for good or until a time.",
            parameters=(_ANOMALY,),
            body=_FINE,
            response=schema_of(answers.Feedback),
            query=handlers.call_fine,
        ),
        Route(
            path="/anomaly-feedback",
            summary="What people said is fine, with who and why, the newest first; with what was undone.",
            response=schema_of(answers.FeedbackList),
            query=handlers.feedback,
        ),
        Route(
            method="DELETE",
            path="/anomaly-feedback/{feedback}",
            summary="Take back that something is fine: it is told of again. Who did stays in the list.",
            parameters=(_FEEDBACK, Param("actor", "text", help="Who does it, a free name.")),
            response=schema_of(answers.FeedbackList),
            query=handlers.undo,
        ),
    )
