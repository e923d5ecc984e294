"""Notifications, silences and escalations as the API shows them."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Literal

from spanglass_server.api.alerting.shown import time_or_none
from spanglass_server.notifications.people.running import next_ns
from spanglass_server.notifications.routing.matchers import matchers_text
from spanglass_server.times import format_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from spanglass_server.alerting.model import Alert
    from spanglass_server.api.notifications import answers
    from spanglass_server.notifications.model import Attempt, Delivery, Matcher, Message, Silence
    from spanglass_server.notifications.people.model import Duty, Person, Recipient
    from spanglass_server.notifications.people.running import Running
    from spanglass_server.notifications.ports import Configuration
    from spanglass_server.notifications.standing import ChannelStatus, NotificationsStatus

#: Alerts of one delivery that are named.
_MOST_ALERTS = 20


def standing_json(status: NotificationsStatus) -> answers.Standing:
    """Write how everything stands."""
    return {
        "channels": [_channel(channel) for channel in status.channels],
        "groups": status.groups,
        "escalations": status.escalations,
        "silences": status.silences,
        "problems": list(status.problems),
    }


def _channel(channel: ChannelStatus) -> answers.ChannelJson:
    return {
        "name": channel.name,
        "kind": channel.kind or None,
        "origin": channel.origin or None,
        "counts": {str(state): count for state, count in channel.counts.items()},
        "oldest_waiting_at": time_or_none(channel.oldest_waiting_ns),
        "last_at": time_or_none(channel.last_ns),
        "error": channel.error or None,
    }


def alert_name(alert: Alert) -> answers.AlertName:
    """Write an alert in short."""
    return {
        "id": alert.id,
        "title": alert.title,
        "severity": alert.severity.value,
        "status": alert.status.value,
    }


def matchers_json(matchers: Iterable[Matcher]) -> list[answers.MatcherJson]:
    """Write matchers."""
    return [{"name": each.name, "operator": each.operator, "value": each.value} for each in matchers]


def silence_state(silence: Silence, now_ns: int) -> Literal["pending", "active", "expired"]:
    """Whether a silence is yet to begin, hides alerts, or has ended."""
    if silence.ends_ns <= now_ns:
        return "expired"
    return "active" if silence.starts_ns <= now_ns else "pending"


def silence_json(silence: Silence, hides: int, now_ns: int) -> answers.SilenceJson:
    """Write a silence, with how many open alerts match."""
    return {
        "id": silence.id,
        "state": silence_state(silence, now_ns),
        "matchers": matchers_json(silence.matchers),
        "text": matchers_text(silence.matchers),
        "starts_at": format_time(silence.starts_ns),
        "ends_at": format_time(silence.ends_ns),
        "created_by": silence.created_by,
        "comment": silence.comment,
        "updated_at": format_time(silence.updated_ns),
        "hides": hides,
    }


def delivery_json(delivery: Delivery) -> answers.DeliveryJson:
    """Write a delivery; of many alerts the first are named, and the title counts them."""
    told = delivery.notification
    return {
        "id": told.id,
        "channel": told.channel,
        "reason": told.reason.value,
        "why": told.why,
        "state": delivery.state.value,
        "thread": told.thread,
        "title": _title(delivery),
        "alerts": [alert_name(alert) for alert in told.alerts[:_MOST_ALERTS]],
        "group_labels": dict(told.group_labels),
        "addresses": list(told.addresses),
        "attempts": delivery.attempts,
        "created_at": format_time(told.created_ns),
        "next_at": time_or_none(delivery.next_ns) if delivery.state == "waiting" else None,
        "done_at": time_or_none(delivery.done_ns),
        "took_ns": delivery.done_ns - told.created_ns if delivery.done_ns else None,
        "error": delivery.error or None,
        "fallback_of": told.fallback_of or None,
    }


def _title(delivery: Delivery) -> str:
    """What a delivery is about, in a line."""
    told = delivery.notification
    if not told.alerts:
        return str(told.about.get("title", "")) or told.reason.value
    more = len(told.alerts) - 1
    return told.alerts[0].title + (f" and {more} more" if more else "")


def attempt_json(attempt: Attempt) -> answers.AttemptJson:
    """Write an attempt."""
    outcome = attempt.outcome
    return {
        "number": attempt.number,
        "started_at": format_time(attempt.started_ns),
        "latency_ns": attempt.latency_ns,
        "sent": outcome.sent,
        "retryable": outcome.retryable,
        "answer": outcome.answer,
        "error": outcome.error or None,
    }


def message_json(message: Message) -> answers.MessageJson:
    """Write a message."""
    return {
        "channel": message.notification.channel,
        "status": message.status,
        "severity": message.severity.value,
        "title": message.title,
        "text": message.text,
        "html": message.html,
        "link": message.link,
        "actions": [{"label": action.label, "url": action.url} for action in message.actions],
        "chart": base64.b64encode(message.chart_png).decode() if message.chart_png else None,
        "chart_alt": message.chart_alt,
        "problem": message.problem or None,
    }


def escalation_json(running: Running, configured: Configuration, alerts: Sequence[Alert]) -> answers.EscalationJson:
    """Write an escalation with the alerts that it is about."""
    policy = configured.escalations.get(running.escalation)
    due_ns = next_ns(running, policy) if policy is not None else 0
    due_ns = min(filter(None, (due_ns, *(each.until_ns for each in running.held))), default=0)
    return {
        "key": running.key,
        "escalation": running.escalation,
        "began_at": format_time(running.begun_ns),
        "step": running.step + 1,
        "steps": len(policy.steps) if policy is not None else 0,
        "round": running.round + 1,
        "next_at": time_or_none(due_ns),
        "acknowledged": running.acknowledged,
        "paused": running.paused_ns > 0,
        "told": [recipient_json(each) for each in running.told],
        "held": [recipient_json(each) for each in running.held],
        "alerts": [alert_name(alert) for alert in alerts],
    }


def recipient_json(to: Recipient) -> answers.RecipientJson:
    """Write a recipient."""
    return {"channel": to.channel, "person": to.person or None, "until": time_or_none(to.until_ns)}


def duty_json(duty: Duty, people: Mapping[str, Person]) -> answers.DutyJson:
    """Write a duty."""
    person = people.get(duty.person)
    return {
        "person": duty.person or None,
        "full_name": person.full_name or None if person is not None else None,
        "start": time_or_none(duty.start_ns),
        "end": time_or_none(duty.end_ns),
        "why": duty.why,
        "reason": duty.reason,
    }
