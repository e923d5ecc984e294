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
    "incident": "Incident", "report": "Report", "test": "Test", "response": "Response",
}  # fmt: skip
#: The state of a silence, in the order in which they are listed.
SILENCES: Mapping[str, Level] = {
    "active": Level("on", "pause", "Active"),
    "pending": Level("", "clock", "Pending"),
    "expired": Level("", "check", "Ended"),
}
#: Kinds of channels that are not called as they are written.
KINDS = {
    "pagerduty": "PagerDuty", "sms": "Text message", "teams": "Microsoft Teams", "ntfy": "ntfy",
}  # fmt: skip
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
