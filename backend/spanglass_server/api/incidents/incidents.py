"""Routes that list, give, open and change incidents.

They ask the incident store, which is SQLite, so they run in the threads of queries.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spanglass_server.alerting.ports import AlertNotFoundError
from spanglass_server.api.alerting.alerts import PREFIX
from spanglass_server.api.alerting.bodies import ACTOR_HEADER, actor_of, word_of
from spanglass_server.api.alerting.counts import Counted
from spanglass_server.api.errors import ApiError, disk_error
from spanglass_server.api.fields import MAX_TEXT, fields_of, text_of
from spanglass_server.api.incidents import answers, bodies, shown
from spanglass_server.api.incidents.filters import PARAMETERS, filter_of
from spanglass_server.api.params import CURSOR_PARAM, Param, limit_param
from spanglass_server.api.routing import Route
from spanglass_server.api.schema import schema_of
from spanglass_server.forms.problems import meant
from spanglass_server.incidents.changes import Edit
from spanglass_server.incidents.desk import HeldElsewhereError, UnknownChannelError
from spanglass_server.incidents.lifecycle import LEGAL, IllegalChangeError, Status
from spanglass_server.incidents.ports import IncidentNotFoundError
from spanglass_server.incidents.similar import similar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spanglass_server.api.params import Params
    from spanglass_server.incidents.desk import IncidentDesk
    from spanglass_server.incidents.model import Incident
    from spanglass_server.store.ports import QuerySession

ID = Param("id", "text", help="The incident's id, such as INC-7.")
_NOTHING_CHANGES = "send a status, or title, summary, severity, services, lead, responders, cause, resolution ..."


@contextmanager
def refusals() -> Iterator[None]:
    """Turn what the incident store refuses into errors of the API."""
    try:
        yield
    except IncidentNotFoundError as error:
        message = f"there is no incident {error.args[0]!r}"
        raise ApiError("not_found", message, field="id", hint=f"GET {PREFIX}/incidents/ lists incidents") from error
    except AlertNotFoundError as error:
        message = f"there is no alert {error.args[0]!r}"
        raise ApiError("not_found", message, field="alerts", hint=f"GET {PREFIX}/alerts/ lists alerts") from error
    except IllegalChangeError as error:
        possible = [status for status in Status if status in LEGAL[error.before]]
        hint = "get it again: somebody else may have changed it meanwhile"
        raise ApiError("conflict", str(error), field="status", expected=possible, hint=hint) from error
    except HeldElsewhereError as error:
        hint = f"take it out of {error.incident_id} first, or merge the incidents"
        raise ApiError("conflict", str(error), field="alerts", hint=hint) from error
    except UnknownChannelError as error:
        hint = meant(error.channel, error.known) if error.known else "no channel is configured"
        raise ApiError("bad_request", str(error), field="channels", hint=hint) from error
    except OSError as error:
        raise disk_error(error) from error


def incident_id(params: Params) -> str:
    """Return the id in the path, in capitals."""
    return str(params["id"]).upper()


@dataclass(frozen=True, slots=True)
class Incidents:
    """The handlers."""

    desk: IncidentDesk

    def list_(self, _: QuerySession, params: Params) -> answers.IncidentList:
        """Return a page of those that match, the newest first, and how many there are."""
        wanted, limit, store = filter_of(params), params["limit"], self.desk.store
        try:
            found = store.incidents(wanted, limit=limit + 1, after=params["cursor"] or "")
        except IncidentNotFoundError as error:
            message = "the incident that the page before ended with is deleted"
            raise ApiError("bad_request", message, field="cursor", hint="begin again without cursor") from error
        page = found[:limit]
        counted = Counted(store.counts(wanted), wanted.statuses, wanted.severities)
        return {
            "incidents": [shown.incident_json(incident) for incident in page],
            "total": counted.total,
            "counts": counted.counts(Status),
            "version": store.version(),
            "next_cursor": page[-1].id if len(found) > limit else None,
        }

    def get(self, _: QuerySession, params: Params) -> answers.IncidentPage:
        """Return one with everything."""
        with refusals():
            return self.page(self.desk.store.incident(incident_id(params)))

    def open(self, _: QuerySession, params: Params) -> answers.IncidentPage:
        """Open one."""
        fields = fields_of(params["body"], bodies.CREATE)
        with refusals():
            return self.page(self.desk.open(bodies.new_incident(fields, params["now_ns"]), actor_of(fields, params)))

    def change(self, _: QuerySession, params: Params) -> answers.IncidentPage:
        """Change the status, responders, the words, or all of it."""
        fields = fields_of(params["body"], bodies.CHANGE)
        by, reason = actor_of(fields, params), text_of(fields, "reason", longest=MAX_TEXT)
        status: Status | None = word_of(fields, "status", Status)
        edit, responders = bodies.edit_of(fields, params["now_ns"]), bodies.names_of(fields, "responders")
        if status is None and edit == Edit() and responders is None:
            raise ApiError("bad_request", "nothing is to be changed", field="status", hint=_NOTHING_CHANGES)
        which = incident_id(params)
        with refusals():
            if edit != Edit():
                self.desk.edit(which, edit, by, "" if status else reason)
            if responders is not None:
                self.desk.respond(which, responders, by)
            if status is not None:
                self.desk.give(which, status, by, reason)
            return self.page(self.desk.store.incident(which))

    def delete(self, _: QuerySession, params: Params) -> answers.DeletedIncident:
        """Delete one."""
        with refusals():
            self.desk.delete(incident_id(params))
        return {"id": incident_id(params)}

    def page(self, incident: Incident) -> answers.IncidentPage:
        """Write one with everything."""
        return shown.incident_page(self.desk, incident, similar(self.desk.store, incident))


def incident_routes(desk: IncidentDesk) -> tuple[Route, ...]:
    """Return the routes."""
    ask = Incidents(desk)
    page: dict[str, Any] = schema_of(answers.IncidentPage)
    return (
        Route(
            prefix=PREFIX,
            path="/incidents/",
            summary="Incidents, the newest first, and how many there are by status and severity.",
            parameters=(*PARAMETERS, limit_param(100), CURSOR_PARAM),
            response=schema_of(answers.IncidentList),
            query=ask.list_,
        ),
        Route(
            method="POST",
            prefix=PREFIX,
            path="/incidents/",
            summary="Open an incident by hand.",
            parameters=(ACTOR_HEADER,),
            body=bodies.CREATE,
            response=page,
            status=201,
            query=ask.open,
        ),
        Route(
            prefix=PREFIX,
            path="/incidents/{id}/",
            summary="One incident with its alerts, response steps, timeline, and past ones like it.",
            parameters=(ID,),
            response=page,
            query=ask.get,
        ),
        Route(
            method="PUT",
            prefix=PREFIX,
            path="/incidents/{id}/",
            summary="Acknowledge, resolve, dismiss or reopen an incident, or write it anew.",
            description="Its open alerts are acknowledged, resolved and dismissed with it. A change of status that is "
            "not possible is a 409; what is possible stands in expected.",
            parameters=(ID, ACTOR_HEADER),
            body=bodies.CHANGE,
            response=page,
            query=ask.change,
        ),
        Route(
            method="DELETE",
            prefix=PREFIX,
            path="/incidents/{id}/",
            summary="Delete an incident with its timeline; its alerts stay.",
            parameters=(ID,),
            response=schema_of(answers.DeletedIncident),
            query=ask.delete,
        ),
    )
