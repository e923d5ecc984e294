"""Routes about who is on call, and about escalations that run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass_server.alerting.ports import AlertNotFoundError
from spanglass_server.api.errors import ApiError
from spanglass_server.api.notifications import answers, shown
from spanglass_server.api.params import Param
from spanglass_server.api.routing import Route
from spanglass_server.api.schema import schema_of
from spanglass_server.forms.problems import meant
from spanglass_server.notifications.people.rota import on_call, schedule
from spanglass_server.notifications.people.running import Running
from spanglass_server.times import format_time, parse_kept_time

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spanglass_server.alerting.model import Alert
    from spanglass_server.api.params import Params
    from spanglass_server.notifications.desk import NotificationDesk
    from spanglass_server.notifications.people.model import Rota
    from spanglass_server.store.ports import QuerySession

_DAY_NS = 86_400 * 10**9
_DEFAULT_AHEAD_NS = 28 * _DAY_NS
_MOST_NS = 366 * _DAY_NS
#: The end of 2200: calendars end with 9999, and a look a few turns ahead must stay within them.
_LAST_NS = 7_289_654_400 * 10**9
#: Alerts of one escalation that are named.
_MOST_ALERTS = 20


@dataclass(frozen=True, slots=True)
class OnCall:
    """The handlers."""

    desk: NotificationDesk

    def now(self, _: QuerySession, params: Params) -> answers.OnCall:
        """Return who is on call in each rota."""
        at_ns = _time_of(params, "at", params["now_ns"])
        rotas = self.desk.book.configuration().rotas
        return {
            "time": format_time(at_ns),
            "rotas": [self._rota(name, rotas[name], at_ns) for name in sorted(rotas)],
        }

    def over(self, _: QuerySession, params: Params) -> answers.Schedule:
        """Return who is on call in one rota over a range."""
        configured = self.desk.book.configuration()
        name = params["rota"]
        if name not in configured.rotas:
            hint = meant(name, configured.rotas) if configured.rotas else "no rota is configured"
            raise ApiError("not_found", f"there is no rota {name!r}", field="rota", hint=hint)
        start_ns = _time_of(params, "start", params["now_ns"])
        end_ns = _time_of(params, "end", start_ns + _DEFAULT_AHEAD_NS)
        if not start_ns < end_ns <= start_ns + _MOST_NS:
            hint = "give an end after the start, at most 366 days later"
            raise ApiError("bad_request", "the range is empty or too long", field="end", hint=hint)
        rota = configured.rotas[name]
        duties = schedule(rota, start_ns, end_ns)
        return {
            "rota": name,
            "time_zone": rota.time_zone,
            "start": format_time(start_ns),
            "end": format_time(end_ns),
            "duties": [shown.duty_json(duty, configured.people) for duty in duties],
        }

    def escalations(self, _: QuerySession, params: Params) -> answers.EscalationList:
        """Return those that run."""
        del params
        rows = self.shown(Running.of(row) for row in self.desk.store.escalations().values())
        return {"escalations": sorted(rows, key=lambda row: (row["next_at"] is None, row["next_at"], row["key"]))}

    def shown(self, escalations: Iterable[Running]) -> list[answers.EscalationJson]:
        """Escalations with the alerts that they are about."""
        configured = self.desk.book.configuration()
        return [shown.escalation_json(running, configured, self._alerts(running.alert_ids)) for running in escalations]

    def _alerts(self, ids: Iterable[str]) -> list[Alert]:
        found = []
        for alert_id in list(ids)[:_MOST_ALERTS]:
            try:
                found.append(self.desk.alert(alert_id))
            except AlertNotFoundError:  # somebody has deleted it
                continue
        return found

    def _rota(self, name: str, rota: Rota, at_ns: int) -> answers.RotaJson:
        people = self.desk.book.configuration().people
        now = on_call(rota, at_ns)
        following = on_call(rota, now.end_ns) if now.end_ns else None
        return {
            "rota": name,
            "time_zone": rota.time_zone,
            "now": shown.duty_json(now, people),
            "next": shown.duty_json(following, people) if following is not None else None,
        }


def _time_of(params: Params, name: str, default_ns: int) -> int:
    try:
        time_ns = parse_kept_time(params[name], params["now_ns"]) if params[name] else default_ns
    except ValueError as error:
        raise ApiError("bad_request", str(error), field=name) from error
    if not 0 <= time_ns <= _LAST_NS:
        raise ApiError("bad_request", f"{params[name]!r} is too far away", field=name, hint="give a time up to 2200")
    return time_ns


def on_call_routes(desk: NotificationDesk) -> tuple[Route, ...]:
    """Return the routes about who is on call, and what escalates."""
    ask = OnCall(desk)
    return (
        Route(
            path="/on-call",
            summary="Who is on call in each rota, and who is next.",
            parameters=(Param("at", "time", help="At this time: RFC 3339, Unix time, or now+8h; now unless said."),),
            response=schema_of(answers.OnCall),
            query=ask.now,
        ),
        Route(
            path="/on-call/{rota}",
            summary="Who is on call in a rota over a range, four weeks from now unless said.",
            parameters=(
                Param("rota", "text", help="The rota's name."),
                Param("start", "time", help="From here on: RFC 3339, Unix time, or now-7d; now unless said."),
                Param("end", "time", help="To here, at most 366 days later; 28 days later unless said."),
            ),
            response=schema_of(answers.Schedule),
            query=ask.over,
        ),
        Route(
            path="/escalations",
            summary="Escalations that run: how far they are, whom they told, and when the next step is due.",
            response=schema_of(answers.EscalationList),
            query=ask.escalations,
        ),
    )
