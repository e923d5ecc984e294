"""The routes about performance findings: listed, one, those of a trace, dismissed and opened again."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from spanglass_server.api.errors import ApiError, refusals
from spanglass_server.api.fields import body_schema, fields_of, reason_and_actor, reasoned
from spanglass_server.api.params import Param, id_param, limit_param
from spanglass_server.api.routing import Route
from spanglass_server.api.schema import STRING, schema_of
from spanglass_server.findings import answers
from spanglass_server.findings.desk import Wanted
from spanglass_server.findings.model import Dismissal, Kind, State, UnknownFindingError

if TYPE_CHECKING:
    from spanglass_server.api.params import Params
    from spanglass_server.findings.desk import FindingDesk
    from spanglass_server.store.ports import QuerySession

_ALL: Final = "all"
_FINDING: Final = id_param("finding")
_STATES: Final = tuple(state.value for state in State)
_CHANGE: Final = body_schema(
    {
        "state": {**STRING, "enum": list(_STATES)},
        **reasoned("why it is dismissed; needed for that", "who does it"),
    },
    ("state",),
)
#: What the store of findings refuses.
_refusals: Final = partial(
    refusals, UnknownFindingError, "findings", "finding", "GET /api/v1/findings?state=all lists findings"
)


@dataclass(frozen=True, slots=True)
class _Handlers:
    desk: FindingDesk

    def list(self, session: QuerySession, params: Params) -> answers.FindingList:
        """Findings that match."""
        state = None if params["state"] == _ALL else State(params["state"])
        wanted = Wanted(params["service"], params["operation"], params["kind"], state)
        with _refusals():
            return self.desk.listing(session, wanted, params["limit"])

    def one(self, session: QuerySession, params: Params) -> answers.OneFinding:
        """One finding."""
        with _refusals():
            return self.desk.one(session, params["finding"])

    def change(self, session: QuerySession, params: Params) -> answers.OneFinding:
        """Dismiss one, or open it again."""
        change = _change_of(params["body"])
        with _refusals():
            self.desk.change(params["finding"], change)
            return self.desk.one(session, params["finding"])

    def of_trace(self, session: QuerySession, params: Params) -> answers.TraceFindings:
        """Those of a trace."""
        with _refusals():
            return self.desk.of_trace(session, params["trace_id"])


def _change_of(body: Any) -> Dismissal:
    """Read a change; ApiError naming the field at fault."""
    fields = fields_of(body, _CHANGE)
    if fields["state"] not in _STATES:
        raise ApiError("bad_request", f"{fields['state']!r} is no state", field="state", expected=_STATES)
    reason, actor = reason_and_actor(fields)
    state = State(fields["state"])
    if state is State.DISMISSED and not reason:
        hint = "say why nothing has to be done, for those who see it later"
        raise ApiError("bad_request", "a finding is dismissed with a reason", field="reason", hint=hint)
    return Dismissal(state, reason if state is State.DISMISSED else "", actor)


def finding_routes(desk: FindingDesk) -> tuple[Route, ...]:
    """Return the routes."""
    handlers = _Handlers(desk)
    return (
        Route(
            path="/findings",
            summary="Performance findings, those that cost most first.",
            description=(
                "Figures are of the last 24 hours. state=open are those that at least 3 requests showed in that time; "
                "state=all are all that are kept, those seen less often and long ago as well. Memory leaks stand first."
            ),
            parameters=(
                Param("service", "text", help="Only of this service."),
                Param("operation", "text", help="Only of requests of this name."),
                Param("kind", "choice", help="Only of this pattern.", choices=tuple(kind.value for kind in Kind)),
                Param("state", "choice", "open", "Which of them.", choices=(*_STATES, _ALL)),
                limit_param(100),
            ),
            response=schema_of(answers.FindingList),
            query=handlers.list,
        ),
        Route(
            path="/findings/{finding}",
            summary="One performance finding with the traces that show it.",
            parameters=(_FINDING,),
            response=schema_of(answers.OneFinding),
            query=handlers.one,
        ),
        Route(
            method="PATCH",
            path="/findings/{finding}",
            summary="Dismiss a performance finding with a reason, or open it again.",
            parameters=(_FINDING,),
            body=_CHANGE,
            response=schema_of(answers.OneFinding),
            query=handlers.change,
        ),
        Route(
            path="/traces/{trace_id}/findings",
            summary="What is found in one trace, what costs most first.",
            description="Found anew in the trace's spans, also where it is no finding yet; id is null then.",
            parameters=(Param("trace_id", "trace_id", help="The trace's id in hex."),),
            response=schema_of(answers.TraceFindings),
            query=handlers.of_trace,
        ),
    )
