"""Routes of what people do in an incident: notes, response steps, alerts in and out, merging, the postmortem."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spanglass_server.api.alerting.alerts import PREFIX
from spanglass_server.api.alerting.bodies import ACTOR_HEADER, actor_of, needed_text
from spanglass_server.api.errors import ApiError
from spanglass_server.api.fields import MAX_TEXT, fields_of, text_of
from spanglass_server.api.incidents import answers, bodies, shown
from spanglass_server.api.incidents.incidents import ID, incident_id, refusals
from spanglass_server.api.params import Param
from spanglass_server.api.routing import Route
from spanglass_server.api.schema import schema_of
from spanglass_server.incidents.changes import StepNotFoundError
from spanglass_server.incidents.postmortem import draft
from spanglass_server.incidents.similar import similar

if TYPE_CHECKING:
    from spanglass_server.api.params import Params
    from spanglass_server.api.schema import Schema
    from spanglass_server.incidents.desk import IncidentDesk
    from spanglass_server.incidents.model import Incident
    from spanglass_server.store.ports import QuerySession

_NUMBER = Param("number", "integer", help="The step's number, from 1.", minimum=1)
_ALERT = Param("alert", "text", help="The alert's id.")
_MOST_LINES = 5000


@dataclass(frozen=True, slots=True)
class Responding:
    """The handlers."""

    desk: IncidentDesk

    def _page(self, incident: Incident) -> answers.IncidentPage:
        return shown.incident_page(self.desk, incident, similar(self.desk.store, incident))

    def note(self, _: QuerySession, params: Params) -> answers.IncidentPage:
        """Write a note."""
        fields = fields_of(params["body"], bodies.NOTE)
        text = needed_text(fields, "text", longest=MAX_TEXT)
        with refusals():
            return self._page(self.desk.note(incident_id(params), actor_of(fields, params), text))

    def add_step(self, _: QuerySession, params: Params) -> answers.IncidentPage:
        """Add a response step."""
        fields = fields_of(params["body"], bodies.STEP)
        text = needed_text(fields, "text", longest=MAX_TEXT)
        with refusals():
            return self._page(self.desk.add_step(incident_id(params), text, actor_of(fields, params)))

    def do_step(self, _: QuerySession, params: Params) -> answers.IncidentPage:
        """Tick a step, or take that back."""
        fields = fields_of(params["body"], bodies.DONE)
        by, number, done = actor_of(fields, params), params["number"], bodies.flag_of(fields, "done")
        with refusals():
            try:
                return self._page(self.desk.do_step(incident_id(params), number, by, done=done))
            except StepNotFoundError as error:
                hint = "steps of the incident lists them"
                raise ApiError("not_found", f"there is no step {number}", field="number", hint=hint) from error

    def take_in(self, _: QuerySession, params: Params) -> answers.IncidentPage:
        """Add alerts."""
        fields = fields_of(params["body"], bodies.ALERTS)
        ids = bodies.names_of(fields, "alerts")
        if not ids:
            raise ApiError("bad_request", "alerts is empty", field="alerts", hint="send ids of alerts")
        reason = text_of(fields, "reason", longest=MAX_TEXT)
        with refusals():
            return self._page(self.desk.take_in(incident_id(params), ids, actor_of(fields, params), reason))

    def take_out(self, _: QuerySession, params: Params) -> answers.IncidentPage:
        """Remove an alert."""
        alert, by = params["alert"], actor_of({}, params)
        with refusals():
            self.desk.store.incident(incident_id(params))
            try:
                return self._page(self.desk.take_out(incident_id(params), alert, by))
            except KeyError as error:
                hint = "alerts of the incident lists them"
                raise ApiError("not_found", f"{alert!r} is no alert of it", field="alert", hint=hint) from error

    def merge(self, _: QuerySession, params: Params) -> answers.IncidentPage:
        """Merge it into another one."""
        fields = fields_of(params["body"], bodies.MERGE)
        into, reason = needed_text(fields, "into").upper(), text_of(fields, "reason", longest=MAX_TEXT)
        if into == incident_id(params):
            raise ApiError("bad_request", f"{into} is this incident", field="into", hint="name the one that stays")
        with refusals():
            return self._page(self.desk.merge(incident_id(params), into, actor_of(fields, params), reason))

    def postmortem(self, _: QuerySession, params: Params) -> answers.Postmortem:
        """Return the postmortem, or its draft."""
        with refusals():
            return self._postmortem(self.desk.store.incident(incident_id(params)))

    def write_postmortem(self, _: QuerySession, params: Params) -> answers.Postmortem:
        """Keep a postmortem."""
        fields = fields_of(params["body"], bodies.POSTMORTEM)
        text = text_of(fields, "text", longest=bodies.MAX_POSTMORTEM)
        with refusals():
            return self._postmortem(self.desk.write_postmortem(incident_id(params), text, actor_of(fields, params)))

    def _postmortem(self, incident: Incident) -> answers.Postmortem:
        store, text = self.desk.store, incident.postmortem
        if not text:
            timeline = store.timeline(incident.id, limit=_MOST_LINES)
            text = draft(incident, store.members(incident.id), timeline, similar(store, incident))
        return {"id": incident.id, "title": incident.title, "is_draft": not incident.postmortem, "text": text}


def responding_routes(desk: IncidentDesk) -> tuple[Route, ...]:
    """Return the routes."""
    ask = Responding(desk)
    page: Schema = schema_of(answers.IncidentPage)
    postmortem: Schema = schema_of(answers.Postmortem)
    rows: tuple[tuple[str, str, str, tuple[Param, ...], Schema | None, Schema, Any], ...] = (
        ("POST", "notes/", "Write a note on an incident.", (), bodies.NOTE, page, ask.note),
        ("POST", "steps/", "Add a response step to an incident.", (), bodies.STEP, page, ask.add_step),
        ("PUT", "steps/{number}/", "Say that a response step is done, or is not.", (_NUMBER,), bodies.DONE, page,
         ask.do_step),
        ("POST", "alerts/", "Add alerts to an incident.", (), bodies.ALERTS, page, ask.take_in),
        ("DELETE", "alerts/{alert}/", "Remove an alert, which is not taken in again by itself.", (_ALERT,), None, page,
         ask.take_out),
        ("POST", "merge/", "Merge an incident into another one, which is the answer.", (), bodies.MERGE, page,
         ask.merge),
        ("GET", "postmortem/", "The postmortem in Markdown: as somebody wrote it, else a draft of what is known.", (),
         None, postmortem, ask.postmortem),
        ("PUT", "postmortem/", "Keep a postmortem; an empty text goes back to the draft.", (), bodies.POSTMORTEM,
         postmortem, ask.write_postmortem),
    )  # fmt: skip
    return tuple(
        Route(
            method=method,
            prefix=PREFIX,
            path=f"/incidents/{{id}}/{path}",
            summary=summary,
            parameters=(ID, *more, *(() if method == "GET" else (ACTOR_HEADER,))),
            body=body,
            response=response,
            query=query,
        )
        for method, path, summary, more, body, response, query in rows
    )
