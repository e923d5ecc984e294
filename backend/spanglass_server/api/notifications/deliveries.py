"""Routes about what was delivered, and about test messages and previews."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass_server.api.errors import ApiError
from spanglass_server.api.notifications import answers, shown
from spanglass_server.api.notifications.bodies import refusals
from spanglass_server.api.params import CURSOR_PARAM, Param, limit_param
from spanglass_server.api.routing import Route
from spanglass_server.api.schema import schema_of
from spanglass_server.notifications.model import State
from spanglass_server.notifications.ports import DeliveryFilter
from spanglass_server.query.window import parse_window

if TYPE_CHECKING:
    from spanglass_server.api.params import Params
    from spanglass_server.notifications.desk import NotificationDesk
    from spanglass_server.store.ports import QuerySession

_ID = Param("id", "text", help="The delivery's id.")
_PARAMETERS = (
    Param("state", "keys", help=f"{', '.join(State)}, comma-separated; all unless said."),
    Param("channel", "text", help="Only those over this channel."),
    Param("alert", "text", help="Only those that tell of the alert with this id."),
    Param("text", "text", help="Only those whose title, reason, error or addresses hold this, in any case of letters."),
    Param("start", "time", help="Only those decided from here on: RFC 3339, Unix time, or relative like now-15m."),
    Param("end", "time", help="And before here; now unless said."),
    Param("last", "time", help="Instead of start: a duration before the end, like 7d. Without any: of all time."),
)


@dataclass(frozen=True, slots=True)
class Deliveries:
    """The handlers. They ask SQLite, so they run in the threads of queries."""

    desk: NotificationDesk

    def list_(self, _: QuerySession, params: Params) -> answers.DeliveryList:
        """Return a page of those that match."""
        limit = params["limit"]
        try:
            found = self.desk.store.deliveries(_filter(params), limit=limit + 1, after=params["cursor"] or "")
        except KeyError as error:
            message = "the delivery that the page before ended with is deleted"
            raise ApiError("bad_request", message, field="cursor", hint="begin again without cursor") from error
        page = found[:limit]
        return {
            "deliveries": [shown.delivery_json(delivery) for delivery in page],
            "next_cursor": page[-1].notification.id if len(found) > limit else None,
        }

    def get(self, _: QuerySession, params: Params) -> answers.DeliveryPage:
        """Return one with its attempts."""
        return self._page(params["id"])

    def retry(self, _: QuerySession, params: Params) -> answers.DeliveryPage:
        """Try one anew."""
        with refusals("delivery"):
            try:
                self.desk.retry(params["id"])
            except ValueError as error:
                raise ApiError("conflict", str(error), field="id") from error
        return self._page(params["id"])

    def _page(self, delivery_id: str) -> answers.DeliveryPage:
        store = self.desk.store
        with refusals("delivery"):
            delivery = store.delivery(delivery_id)
            log = [shown.attempt_json(attempt) for attempt in store.attempts(delivery_id)]
        return {**shown.delivery_json(delivery), "log": log}


def _filter(params: Params) -> DeliveryFilter:
    states = {state.value: state for state in State}
    for word in params["state"] or ():
        if word.lower() not in states:
            message = f"{word!r} is not one of the choices"
            raise ApiError("bad_request", message, field="state", expected=list(states))
    start_ns, end_ns = 0, 0
    if any(params[name] for name in ("start", "end", "last")):
        window = parse_window(params["now_ns"], start=params["start"] or None, end=params["end"], last=params["last"])
        start_ns, end_ns = (window.start_ns if params["start"] or params["last"] else 0), window.end_ns
    return DeliveryFilter(
        states=tuple(states[word.lower()] for word in params["state"] or ()),
        channel=params["channel"] or "",
        alert_id=params["alert"] or "",
        text=(params["text"] or "").strip(),
        start_ns=start_ns,
        end_ns=end_ns,
    )


def delivery_routes(desk: NotificationDesk) -> tuple[Route, ...]:
    """Return the routes about deliveries."""
    ask = Deliveries(desk)
    page = schema_of(answers.DeliveryPage)
    return (
        Route(
            path="/deliveries",
            summary="What was told, over which channel, and what became of it, newest first.",
            parameters=(*_PARAMETERS, limit_param(100), CURSOR_PARAM),
            response=schema_of(answers.DeliveryList),
            query=ask.list_,
        ),
        Route(
            path="/deliveries/{id}",
            summary="One delivery with all attempts.",
            parameters=(_ID,),
            response=page,
            query=ask.get,
        ),
        Route(
            method="POST",
            path="/deliveries/{id}/retry",
            summary="Try a delivery anew, now.",
            parameters=(_ID,),
            response=page,
            query=ask.retry,
        ),
    )
