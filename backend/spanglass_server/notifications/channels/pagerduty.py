"""PagerDuty, Events API v2: one incident there for each thread here, triggered, acknowledged and resolved."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson

from spanglass_core.alerting.lifecycle import OPEN, Status
from spanglass_server.egress.http import Request, host_of
from spanglass_server.forms.kinds import Text
from spanglass_server.forms.shapes import Shape
from spanglass_server.notifications.channels.http_options import check_url
from spanglass_server.notifications.channels.sending import Sending, judged
from spanglass_server.notifications.config.secrets import SecretText
from spanglass_server.times import format_time

if TYPE_CHECKING:
    from spanglass_server.forms.nodes import Node
    from spanglass_server.forms.problems import Report
    from spanglass_server.forms.secrets import SecretSource
    from spanglass_server.notifications.model import Message, Outcome

_EVENTS: Final = "https://events.pagerduty.com/v2/enqueue"
_MOST_SUMMARY, _MOST_TEXT, _MOST_ALERTS = 1_024, 8_000, 20


@dataclass(frozen=True, slots=True, kw_only=True)
class PagerDutyOptions:
    """``routing_key`` is that of an integration of a service there; ``url`` that of another region's events."""

    routing_key: SecretSource
    url: str = _EVENTS


def _check(value: Any, node: Node, report: Report) -> None:
    check_url(value.url, "url", node, report)


PAGERDUTY: Final = Shape(PagerDutyOptions, {"routing_key": SecretText(), "url": Text()}, check=_check)


class PagerDutySender(Sending):
    """Sends events. The deduplication key follows from the thread, so an event that comes twice changes nothing."""

    async def deliver(self, message: Message) -> Outcome:
        """See ``Sending``."""
        options: PagerDutyOptions = self.channel.options
        url, key = options.url, options.routing_key.reveal()
        body = orjson.dumps({"routing_key": key, **event(message, self.context.base_url())})
        answer = await self.ask(Request(url=url, headers={"content-type": "application/json"}, body=body))
        return judged(answer, host_of(url), [key], self.context.clock_ns())


def event(message: Message, base_url: str) -> dict[str, Any]:
    """The event of a message, without its routing key."""
    key = hashlib.sha256(message.notification.thread.encode()).hexdigest()
    made: dict[str, Any] = {"event_action": _action(message), "dedup_key": key}
    if made["event_action"] == "resolve":
        return made
    links = [{"href": message.link, "text": "Spanglass"}] if message.link else []
    links += [{"href": action.url, "text": action.label} for action in message.actions]
    return {
        **made,
        "client": "Spanglass",
        **({"client_url": message.link} if message.link else {}),
        "links": links,
        "payload": {
            "summary": message.title[:_MOST_SUMMARY],
            "source": _source(message) or base_url or "spanglass",
            "severity": str(message.severity),
            "timestamp": format_time(message.notification.created_ns),
            "custom_details": {
                "text": message.text[:_MOST_TEXT],
                "why": message.notification.why,
                "group": dict(message.notification.group_labels),
                "alerts": [
                    f"{alert.title}: {alert.severity}, {alert.status}" for alert in message.alerts[:_MOST_ALERTS]
                ],
            },
        },
    }


def _action(message: Message) -> str:
    if message.status == "resolved":
        return "resolve"
    still = [alert.status for alert in message.alerts if alert.status in OPEN]
    return "acknowledge" if still and all(each is Status.ACKNOWLEDGED for each in still) else "trigger"


def _source(message: Message) -> str:
    """The service or host that it is about."""
    labels = [alert.labels for alert in message.alerts]
    names = (each.get(key, "") for key in ("service_name", "host_name") for each in labels)
    return next(filter(None, names), "")
