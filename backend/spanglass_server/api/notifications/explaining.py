"""Routes about the tree of routes: as it counts, and who hears of an alert that is there, or that could be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spanglass_core.alerting.lifecycle import OPEN, Status
from spanglass_core.alerting.severity import Severity
from spanglass_core.units import format_duration
from spanglass_server.alerting.model import Alert
from spanglass_server.api.alerting.bodies import labels_of, word_of
from spanglass_server.api.errors import ApiError
from spanglass_server.api.fields import body_schema, fields_of, text_of
from spanglass_server.api.notifications import answers
from spanglass_server.api.notifications.bodies import refusals
from spanglass_server.api.notifications.shown import recipient_json
from spanglass_server.api.routing import Route as ApiRoute
from spanglass_server.api.schema import STRING, array, choice, schema_of, table
from spanglass_server.notifications.people.telling import recipients
from spanglass_server.notifications.routing.matchers import matcher_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from spanglass_server.api.params import Params
    from spanglass_server.notifications.desk import NotificationDesk
    from spanglass_server.notifications.model import Route
    from spanglass_server.notifications.routing.explaining import Explanation, Hearing
    from spanglass_server.notifications.routing.muting import Muted
    from spanglass_server.store.ports import QuerySession

_EXPLAIN = body_schema(
    {
        "alert": {**STRING, "description": "the id of an alert that is there; the other fields make one up"},
        "labels": {**table(STRING), "description": "its labels"},
        "severity": choice(*Severity),
        "title": STRING,
        "source": {**STRING, "description": "rule unless said"},
        "channels": {**array(STRING), "description": "that it names itself; left out: alerting.channels"},
    }
)
_MADE_UP = "what-if"
_OVER = "It is over. If it fired now:"


@dataclass(frozen=True, slots=True)
class Explaining:
    """The handlers."""

    desk: NotificationDesk

    def tree(self, _: QuerySession, params: Params) -> answers.RouteJson:
        """Return the tree of routes with what each inherits."""
        del params
        return _route(self.desk.book.configuration().route)

    def explain(self, _: QuerySession, params: Params) -> answers.Explained:
        """Return who hears of an alert, and why."""
        fields = fields_of(params["body"], _EXPLAIN)
        with refusals("alert", "alert"):
            alert = self._alert(fields, params["now_ns"])
            return self.explained(alert, params["now_ns"])

    def explained(self, alert: Alert, now_ns: int) -> answers.Explained:
        """Who hears of an alert, and why."""
        explanation: Explanation = self.desk.explain_subject(self.desk.subject(alert))
        return {
            "labels": dict(explanation.labels),
            "text": [*([_OVER] if alert.status not in OPEN else []), *explanation.text],
            "muted": _muted(explanation.muted),
            "silences": list(explanation.silences),
            "steps": [
                {
                    "route": step.route,
                    "depth": step.depth,
                    "result": step.result,
                    "matchers": list(step.matchers),
                    "failing": step.failing or None,
                    "value": step.value if step.failing else None,
                }
                for step in explanation.steps
            ],
            "hearings": [self._hearing(hearing, alert.severity, now_ns) for hearing in explanation.hearings],
        }

    def _hearing(self, hearing: Hearing, severity: Severity, now_ns: int) -> answers.HearingJson:
        return {
            "route": hearing.route,
            "channels": list(hearing.channels),
            "unknown_channels": list(hearing.unknown),
            "group_labels": dict(hearing.group_labels),
            "group_wait": format_duration(hearing.group_wait_ns),
            "group_interval": format_duration(hearing.group_interval_ns),
            "repeat_interval": format_duration(hearing.repeat_interval_ns),
            "muted": _muted(hearing.muted),
            "escalation": hearing.escalation or None,
            "escalation_steps": list(self._steps(hearing.escalation, severity, now_ns)),
            "text": hearing.text,
        }

    def _steps(self, escalation: str, severity: Severity, now_ns: int) -> Iterator[answers.StepJson]:
        """Whom each step of an escalation that begins now would tell."""
        configured = self.desk.book.configuration()
        policy = configured.escalations.get(escalation)
        for step in policy.steps if policy is not None else ():
            at_ns = now_ns + step.after_ns
            reached = recipients(step.tell, step.by, configured, severity, at_ns)
            yield {
                "after": format_duration(step.after_ns) if step.after_ns else "0s",
                "tell": [str(target) for target in step.tell],
                "recipients": [recipient_json(each) for each in reached],
            }

    def _alert(self, fields: Mapping[str, Any], now_ns: int) -> Alert:
        """The alert that is meant, or one as it would be."""
        if fields.get("alert") is not None:
            if len(fields) > 1:
                hint = "send the id alone, or labels and severity of an alert that could be"
                raise ApiError("bad_request", "alert goes with no other field", field="alert", hint=hint)
            return self.desk.alert(text_of(fields, "alert"))
        labels = labels_of(fields) or {}
        severity = word_of(fields, "severity", Severity) or word_of(labels, "severity", Severity) or Severity.WARNING
        title = text_of(fields, "title") or labels.get("alertname", "")
        return Alert(
            id=_MADE_UP,
            rule_uid=labels.get("rule", ""),
            rule_name=labels.get("alertname", ""),
            fingerprint=_MADE_UP,
            key=(),
            title=title,
            description="",
            severity=severity,
            status=Status.ACTIVE,
            source=text_of(fields, "source") or labels.get("source", "") or "rule",
            labels=labels,
            value=None,
            unit="",
            created_ns=now_ns,
            updated_ns=now_ns,
            firing=True,
            owner=labels.get("owner", ""),
            channels=_channels(fields),
        )


def _channels(fields: Mapping[str, Any]) -> tuple[str, ...]:
    given = fields.get("channels") or []
    if not isinstance(given, list) or not all(isinstance(name, str) for name in given):
        raise ApiError("bad_request", "channels is no list of names", field="channels", hint='send ["mail"]')
    return tuple(given)


def _muted(muted: Muted | None) -> answers.MutedJson | None:
    if muted is None:
        return None
    return {
        "by": muted.by,
        "silence": muted.silence_id or None,
        "alert": muted.alert_id or None,
        "interval": muted.interval or None,
    }


def _route(route: Route) -> answers.RouteJson:
    return {
        "key": route.key,
        "matchers": [matcher_text(matcher) for matcher in route.matchers],
        "channels": list(route.channels),
        "group_by": list(route.group_by) if route.group_by is not None else None,
        "group_wait": format_duration(route.group_wait_ns),
        "group_interval": format_duration(route.group_interval_ns),
        "repeat_interval": format_duration(route.repeat_interval_ns),
        "continue": route.continues,
        "mute_during": list(route.mute_during),
        "active_during": list(route.active_during),
        "escalation": route.escalation or None,
        "routes": [dict(_route(child)) for child in route.routes],
    }


def explaining_routes(desk: NotificationDesk) -> tuple[ApiRoute, ...]:
    """Return the routes about the tree of routes."""
    ask = Explaining(desk)
    return (
        ApiRoute(
            path="/notifications/route",
            summary="The tree of routes as it counts: each route with what it inherits.",
            response=schema_of(answers.RouteJson),
            query=ask.tree,
        ),
        ApiRoute(
            method="POST",
            path="/notifications/explain",
            summary="Who hears of an alert that is there, or that could be, and why.",
            body=_EXPLAIN,
            response=schema_of(answers.Explained),
            query=ask.explain,
        ),
    )
