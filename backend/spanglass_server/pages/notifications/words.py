"""How pages say what the API says of notifications: states of deliveries and silences, reasons, kinds of channels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_server.pages.alerts.words import Level

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: The state of a delivery: class, icon and word.
STATES: Mapping[str, Level] = {
    "failed": Level("err", "errors", "Not delivered"),
    "waiting": Level("warn", "clock", "Waiting"),
    "digested": Level("", "more", "In a digest"),
    "sent": Level("", "check", "Sent"),
}
#: Why somebody is told.
REASONS = {
    "firing": "Firing", "resolved": "Resolved", "repeat": "Repeated", "escalation": "Escalation", "digest": "Digest",
    "incident": "Incident", "test": "Test", "response": "Response",
}  # fmt: skip
#: The state of a silence, in the order in which they are listed.
SILENCES: Mapping[str, Level] = {
    "active": Level("on", "pause", "Active"),
    "pending": Level("", "clock", "Pending"),
    "expired": Level("", "check", "Ended"),
}
#: Kinds of channels that are not called as they are written.
KINDS = {
    "email": "Email", "slack": "Slack", "webhook": "Webhook", "pagerduty": "PagerDuty", "sms": "SMS",
    "command": "Command", "apprise": "Service", "teams": "Microsoft Teams", "telegram": "Telegram", "ntfy": "ntfy",
    "discord": "Discord", "alertmanager": "Alertmanager webhook",
}  # fmt: skip
#: What a kind is, for those who choose one.
KIND_SAYS = {
    "email": "over an SMTP server, HTML and plain text, with the chart",
    "slack": "a webhook, or a bot that updates its message and answers in a thread",
    "webhook": "JSON of ours, signed, or in the shape of Alertmanager's",
    "pagerduty": "Events API v2: opens and resolves incidents",
    "sms": "through any HTTP gateway",
    "command": "a program that the settings allow, with the alerts as JSON",
    "apprise": "Teams, Telegram, ntfy, Discord and others, by their address",
}
#: Where something is written, as it is said behind its name.
ORIGINS = {"kept": "made here", "settings": "settings file"}


def state(name: str) -> Level:
    """Return how the state of a delivery looks."""
    return STATES.get(name, Level("", "info", name.capitalize()))


def kind(name: str) -> str:
    """Return the name of a kind of channels."""
    return KINDS.get(name, name.replace("_", " ").capitalize())


def reason(name: str) -> str:
    """Return why somebody was told, in a word."""
    return REASONS.get(name, name.replace("_", " ").capitalize())


def matcher(one: Mapping[str, Any] | str) -> str:
    """Return a condition on a label as Alertmanager writes it: ``team="db"``."""
    if isinstance(one, str):
        return one
    value = str(one["value"]).replace("\\", "\\\\").replace('"', '\\"')
    return f'{one["name"]}{one["operator"]}"{value}"'


def matchers(many: Sequence[Mapping[str, Any] | str]) -> str:
    """Return conditions as a form holds them, with commas between."""
    return ", ".join(matcher(one) for one in many)
