"""Routes about silences, below ``/api/v1/silences``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass_server.api.alerting.bodies import ACTOR_HEADER, actor_of
from spanglass_server.api.alerting.shown import alert_json
from spanglass_server.api.fields import fields_of
from spanglass_server.api.notifications import answers, bodies, shown
from spanglass_server.api.notifications.bodies import refusals
from spanglass_server.api.params import Param, limit_param
from spanglass_server.api.routing import Route
from spanglass_server.api.schema import schema_of
from spanglass_server.notifications.routing.matchers import matchers_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.api.params import Params
    from spanglass_server.notifications.desk import NotificationDesk
    from spanglass_server.notifications.model import Silence
    from spanglass_server.store.ports import QuerySession

_ID = Param("id", "text", help="The silence's id.")
_STATES = ("open", "pending", "active", "expired", "all")


@dataclass(frozen=True, slots=True)
class Silences:
    """The handlers. They ask SQLite, so they run in the threads of queries."""

    desk: NotificationDesk

    def list_(self, _: QuerySession, params: Params) -> answers.SilenceList:
        """Return those in a state, or those that hide an alert."""
        state = params["state"]
        now_ns = params["now_ns"]
        with refusals("silence", "alert"):
            if params["alert"]:
                found = self.desk.silences_of(self.desk.alert(params["alert"]))
            else:
                found = self.desk.silences(ended_after_ns=None if state in {"open", "active", "pending"} else 0)
            wanted = {"open": ("pending", "active"), "all": ("pending", "active", "expired")}.get(state, (state,))
            wanted_ones = [silence for silence in found if shown.silence_state(silence, now_ns) in wanted]
            return {"silences": self._shown(wanted_ones[: params["limit"]], now_ns)}

    def get(self, _: QuerySession, params: Params) -> answers.SilenceJson:
        """Return one."""
        with refusals("silence"):
            found = {silence.id: silence for silence in self.desk.silences(ended_after_ns=0)}
            return self._one(found[params["id"]], params)

    def create(self, _: QuerySession, params: Params) -> answers.SilenceJson:
        """Make one."""
        fields = fields_of(params["body"], bodies.SILENCE)
        new = bodies.silence_of(fields, params["now_ns"])
        with refusals("silence"):
            return self._one(self.desk.silence(new, actor_of(fields, params)), params)

    def change(self, _: QuerySession, params: Params) -> answers.SilenceJson:
        """Change one."""
        fields = fields_of(params["body"], bodies.SILENCE)
        new = bodies.silence_of(fields, params["now_ns"])
        with refusals("silence"):
            return self._one(self.desk.silence(new, actor_of(fields, params), params["id"]), params)

    def expire(self, _: QuerySession, params: Params) -> answers.SilenceJson:
        """End one."""
        with refusals("silence"):
            return self._one(self.desk.expire(params["id"], actor_of({}, params)), params)

    def preview(self, _: QuerySession, params: Params) -> answers.Hidden:
        """Return what a silence would hide."""
        matchers = bodies.matchers_of(fields_of(params["body"], bodies.HIDDEN))
        with refusals("silence"):
            hidden = self.desk.hidden_by(matchers)
        return {
            "matchers": shown.matchers_json(matchers),
            "text": matchers_text(matchers),
            "total": len(hidden),
            "alerts": [alert_json(alert) for alert in hidden[: params["limit"]]],
        }

    def _shown(self, found: Sequence[Silence], now_ns: int) -> list[answers.SilenceJson]:
        counts = self.desk.hidden_counts([silence.matchers for silence in found])
        return [shown.silence_json(silence, hides, now_ns) for silence, hides in zip(found, counts, strict=True)]

    def _one(self, silence: Silence, params: Params) -> answers.SilenceJson:
        # it was made after the request came: what begins now has begun
        return self._shown([silence], max(params["now_ns"], silence.updated_ns))[0]


def silence_routes(desk: NotificationDesk) -> tuple[Route, ...]:
    """Return the routes about silences."""
    ask = Silences(desk)
    one = schema_of(answers.SilenceJson)
    return (
        Route(
            path="/silences",
            summary="Silences, the latest end first.",
            parameters=(
                Param("state", "choice", "open", "open are pending and active ones.", choices=_STATES),
                Param("alert", "text", help="Only those that hide the alert with this id now."),
                limit_param(100),
            ),
            response=schema_of(answers.SilenceList),
            query=ask.list_,
        ),
        Route(
            method="POST",
            path="/silences",
            summary="Silence alerts.",
            parameters=(ACTOR_HEADER,),
            body=bodies.SILENCE,
            response=one,
            status=201,
            query=ask.create,
        ),
        Route(
            method="POST",
            path="/silences/preview",
            summary="The open alerts that a silence with these matchers would hide.",
            parameters=(limit_param(100),),
            body=bodies.HIDDEN,
            response=schema_of(answers.Hidden),
            query=ask.preview,
        ),
        Route(path="/silences/{id}", summary="One silence.", parameters=(_ID,), response=one, query=ask.get),
        Route(
            method="PUT",
            path="/silences/{id}",
            summary="Change a silence. Other matchers make another silence, with an id of its own, and end this one.",
            parameters=(_ID, ACTOR_HEADER),
            body=bodies.SILENCE,
            response=one,
            query=ask.change,
        ),
        Route(
            method="DELETE",
            path="/silences/{id}",
            summary="End a silence now. It stays to be seen until it is purged.",
            parameters=(_ID, ACTOR_HEADER),
            response=one,
            query=ask.expire,
        ),
    )
