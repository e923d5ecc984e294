"""Routes that list, give, make and change alerts, below ``/api/monitoring``.

They ask the alert store, which is SQLite, so they run in the threads of queries.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spanglass_core.alerting.lifecycle import LEGAL, IllegalChangeError, Status
from spanglass_server.alerting.desk import AlertEdit
from spanglass_server.alerting.ports import AlertNotFoundError
from spanglass_server.api.alerting import answers, bodies, shown
from spanglass_server.api.alerting.counts import Counted
from spanglass_server.api.alerting.filters import PARAMETERS, filter_of
from spanglass_server.api.errors import ApiError, disk_error
from spanglass_server.api.fields import MAX_TEXT, fields_of, text_of
from spanglass_server.api.params import CURSOR_PARAM, Param, limit_param
from spanglass_server.api.routing import Route
from spanglass_server.api.schema import schema_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from spanglass_server.alerting.desk import Desk
    from spanglass_server.alerting.model import Alert
    from spanglass_server.api.params import Params
    from spanglass_server.store.ports import QuerySession

PREFIX = "/api/monitoring"
_ID = Param("id", "text", help="The alert's id, a UUID.")
_NOTHING_CHANGES = "send a status, or title, description, severity, labels, owner or runbook"


@contextmanager
def refusals() -> Iterator[None]:
    """Turn what the alert store refuses into errors of the API."""
    try:
        yield
    except AlertNotFoundError as error:
        message = f"there is no alert {error.args[0]!r}"
        raise ApiError("not_found", message, field="id", hint=f"GET {PREFIX}/alerts/ lists alerts") from error
    except IllegalChangeError as error:
        possible = [status for status in Status if status in LEGAL[error.before]]
        hint = "get it again: somebody else, or its rule, may have changed it meanwhile" if possible else None
        raise ApiError("conflict", str(error), field="status", expected=possible, hint=hint) from error
    except OSError as error:
        raise disk_error(error) from error


@dataclass(frozen=True, slots=True)
class Alerts:
    """The handlers."""

    desk: Desk

    def list_(self, _: QuerySession, params: Params) -> answers.AlertList:
        """Return a page of those that match, the newest first, and how many there are."""
        wanted, limit, store = filter_of(params), params["limit"], self.desk.store
        try:
            found = store.alerts(wanted, limit=limit + 1, after=params["cursor"] or "")
        except AlertNotFoundError as error:
            message = "the alert that the page before ended with is deleted"
            raise ApiError("bad_request", message, field="cursor", hint="begin again without cursor") from error
        page = found[:limit]
        counted = Counted(store.counts(wanted), wanted.statuses, wanted.severities)
        return {
            "alerts": [shown.alert_json(alert) for alert in page],
            "total": counted.total,
            "counts": counted.counts(Status),
            "version": store.version(),
            "next_cursor": page[-1].id if len(found) > limit else None,
        }

    def get(self, _: QuerySession, params: Params) -> answers.AlertPage:
        """Return one with everything."""
        with refusals():
            return self._page(self.desk.store.alert(params["id"]))

    def create(self, _: QuerySession, params: Params) -> answers.AlertJson:
        """Make one, or count one more."""
        fields = fields_of(params["body"], bodies.CREATE)
        with refusals():
            return shown.alert_json(self.desk.create(bodies.new_alert(fields), bodies.actor_of(fields, params)))

    def change(self, _: QuerySession, params: Params) -> answers.AlertPage:
        """Change the status of one, and what is written of it."""
        fields = fields_of(params["body"], bodies.CHANGE)
        by, reason = bodies.actor_of(fields, params), text_of(fields, "reason", longest=MAX_TEXT)
        status, edit = bodies.word_of(fields, "status", Status), bodies.alert_edit(fields)
        if status is None and edit == AlertEdit():
            raise ApiError("bad_request", "nothing is to be changed", field="status", hint=_NOTHING_CHANGES)
        with refusals():
            alert = self._statuses[status](params["id"], by, reason) if status else None
            if edit != AlertEdit():
                alert = self.desk.edit(params["id"], edit, by, "" if status else reason)
            assert alert is not None  # noqa: S101 - one of both was asked for
            return self._page(alert)

    @property
    def _statuses(self) -> dict[Status, Callable[[str, str, str], Alert]]:
        desk = self.desk
        return {
            Status.ACTIVE: desk.reopen,
            Status.ACKNOWLEDGED: desk.acknowledge,
            Status.RESOLVED: desk.resolve,
            Status.DISMISSED: desk.dismiss,
        }

    def note(self, _: QuerySession, params: Params) -> answers.AlertPage:
        """Write a note on one."""
        fields = fields_of(params["body"], bodies.NOTE)
        text = bodies.needed_text(fields, "text", longest=MAX_TEXT)
        with refusals():
            self.desk.note(params["id"], bodies.actor_of(fields, params), text)
            return self._page(self.desk.store.alert(params["id"]))

    def delete(self, _: QuerySession, params: Params) -> answers.DeletedAlert:
        """Delete one."""
        with refusals():
            self.desk.delete(params["id"])
        return {"id": params["id"]}

    def _page(self, alert: Alert) -> answers.AlertPage:
        return shown.alert_page(alert, self.desk.store.history(alert.id))


def alert_routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes about alerts."""
    ask = Alerts(desk)
    page: dict[str, Any] = schema_of(answers.AlertPage)
    return (
        Route(
            prefix=PREFIX,
            path="/alerts/",
            summary="Alerts, the newest first, and how many there are by status and severity.",
            parameters=(*PARAMETERS, limit_param(100), CURSOR_PARAM),
            response=schema_of(answers.AlertList),
            query=ask.list_,
        ),
        Route(
            method="POST",
            prefix=PREFIX,
            path="/alerts/",
            summary="Raise an alert; an open one with the same fingerprint counts one more instead.",
            parameters=(bodies.ACTOR_HEADER,),
            body=bodies.CREATE,
            response=schema_of(answers.AlertJson),
            status=201,
            query=ask.create,
        ),
        Route(
            prefix=PREFIX,
            path="/alerts/{id}/",
            summary="One alert with its history, notes and evidence.",
            parameters=(_ID,),
            response=page,
            query=ask.get,
        ),
        Route(
            method="PUT",
            prefix=PREFIX,
            path="/alerts/{id}/",
            summary="Acknowledge, resolve, dismiss or reopen an alert, or write it anew.",
            description="A change of status that is not possible is a 409; what is possible stands in expected.",
            parameters=(_ID, bodies.ACTOR_HEADER),
            body=bodies.CHANGE,
            response=page,
            query=ask.change,
        ),
        Route(
            method="DELETE",
            prefix=PREFIX,
            path="/alerts/{id}/",
            summary="Delete an alert with its history.",
            parameters=(_ID,),
            response=schema_of(answers.DeletedAlert),
            query=ask.delete,
        ),
        Route(
            method="POST",
            prefix=PREFIX,
            path="/alerts/{id}/notes/",
            summary="Write a note on an alert.",
            parameters=(_ID, bodies.ACTOR_HEADER),
            body=bodies.NOTE,
            response=page,
            query=ask.note,
        ),
    )
