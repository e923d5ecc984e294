"""Routes about how notifications stand: all of them, the bell of the pages, and who was told of one alert."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass_core.alerting.lifecycle import OPEN, Status
from spanglass_server.alerting.ports import AlertFilter
from spanglass_server.api.alerting.shown import alert_json
from spanglass_server.api.notifications import answers, shown
from spanglass_server.api.notifications.bodies import refusals
from spanglass_server.api.notifications.explaining import Explaining
from spanglass_server.api.notifications.on_call import OnCall
from spanglass_server.api.notifications.silences import Silences
from spanglass_server.api.params import Param, limit_param
from spanglass_server.api.routing import Route
from spanglass_server.api.schema import schema_of
from spanglass_server.notifications.model import State
from spanglass_server.notifications.people.running import Running
from spanglass_server.notifications.ports import DeliveryFilter

if TYPE_CHECKING:
    from spanglass_server.alerting.ports import AlertStore
    from spanglass_server.api.params import Params
    from spanglass_server.notifications.desk import NotificationDesk
    from spanglass_server.store.ports import QuerySession

_ID = Param("id", "text", help="The alert's id.")
_MOST_DELIVERIES = 200


@dataclass(frozen=True, slots=True)
class Stands:
    """The handlers. They ask SQLite, so they run in the threads of queries."""

    desk: NotificationDesk
    alerts: AlertStore

    def status(self, _: QuerySession, params: Params) -> answers.Standing:
        """Return how everything stands."""
        del params
        with refusals("channel"):
            return shown.standing_json(self.desk.status())

    def bell(self, _: QuerySession, params: Params) -> answers.Bell:
        """Return the newest open alerts, one for each problem."""
        wanted = AlertFilter(statuses=tuple(OPEN), part_of="")
        with refusals("alert"):
            version = self.alerts.version()  # before the alerts: what changes meanwhile is asked for once more
            counts = self.alerts.counts(wanted)
            found = self.alerts.alerts(wanted, limit=params["limit"])
            failed = sum(count for (_, state), count in self.desk.store.counts().items() if state is State.FAILED)
        return {
            "version": version,
            "open": sum(count for (status, _), count in counts.items() if status in OPEN),
            "unacknowledged": sum(count for (status, _), count in counts.items() if status is Status.ACTIVE),
            "failed": failed,
            "alerts": [alert_json(alert) for alert in found],
        }

    def told(self, session: QuerySession, params: Params) -> answers.Told:
        """Return who was told of one alert, and what holds it back."""
        with refusals("alert"):
            alert = self.desk.alert(params["id"])
            store = self.desk.store
            deliveries = store.deliveries(DeliveryFilter(alert_id=alert.id), limit=_MOST_DELIVERIES)
            running = [Running.of(row) for row in store.escalations().values() if alert.id in row["alert_ids"]]
            silences = Silences(self.desk).list_(session, {**params, "alert": alert.id, "state": "all", "limit": 100})
        return {
            "alert": shown.alert_name(alert),
            "explained": Explaining(self.desk).explained(alert, params["now_ns"]),
            "deliveries": [shown.delivery_json(delivery) for delivery in deliveries],
            "silences": silences["silences"],
            "escalations": OnCall(self.desk).shown(running),
        }


def standing_routes(desk: NotificationDesk, alerts: AlertStore) -> tuple[Route, ...]:
    """Return the routes about how notifications stand."""
    ask = Stands(desk, alerts)
    return (
        Route(
            path="/notifications",
            summary="How channels and the outbox stand, what runs, and what is wrong.",
            response=schema_of(answers.Standing),
            query=ask.status,
        ),
        Route(
            path="/notifications/bell",
            summary="Open alerts, the newest first, one for each problem, whatever the routes say.",
            parameters=(limit_param(20, 100),),
            response=schema_of(answers.Bell),
            query=ask.bell,
        ),
        Route(
            path="/notifications/alerts/{id}",
            summary="Who was told of an alert, what hides it, the escalations that run for it, who would be told now.",
            parameters=(_ID,),
            response=schema_of(answers.Told),
            query=ask.told,
        ),
    )
