"""Channels out of YAML, and messages, for tests of senders."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from made_for_messages import BASE_URL, NOW_NS, alert, notification

from spanglass_core.alerting.severity import Severity
from spanglass_server.egress.egress import Egress
from spanglass_server.forms.nodes import yaml_tree
from spanglass_server.forms.problems import Report
from spanglass_server.notifications.channels.context import Context
from spanglass_server.notifications.channels.kinds import channel_kinds, make_sender
from spanglass_server.notifications.config.channels import channel_section
from spanglass_server.notifications.config.sections import Sections
from spanglass_server.notifications.model import Action, Channel, Message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.notifications.model import Outcome
    from spanglass_server.notifications.ports import Sender

_SECTIONS = Sections([channel_section(channel_kinds())])


def read(written: str) -> tuple[list[Channel], list[str]]:
    """Channels as the settings file has them below ``channels:``, and what is wrong with them."""
    indented = "\n".join(f"    {line}" for line in written.strip().splitlines())
    report = Report()
    root = yaml_tree(f"monitoring:\n  channels:\n{indented}")
    assert root is not None
    section = _SECTIONS.by_name["channels"]
    found = [section.placed(each.value, each) for each in _SECTIONS.read(root, report)]
    return found, [f"{problem.path}: {problem.message}" for problem in report.problems]


def channel(written: str) -> Channel:
    """The one channel that is written."""
    found, problems = read(written)
    assert problems == []
    return found[0]


def context(**given: Any) -> Context:
    """What channels need, at a time that stands still."""
    whole: dict[str, Any] = {"egress": Egress(), "clock_ns": lambda: NOW_NS, "base_url": lambda: BASE_URL}
    return Context(**(whole | given))


def sender(written: str, **given: Any) -> Sender:
    """The sender of a channel of the settings file."""
    return make_sender(channel(written), context(**given))


def message(**changed: Any) -> Message:
    """A message about one alert that fires."""
    told = changed.pop("notification", None) or notification(alert())
    whole: dict[str, Any] = {
        "notification": told,
        "status": "firing",
        "severity": Severity.CRITICAL,
        "title": "High error rate: <checkout> & more",
        "text": "8.2 % of requests fail.\nSince 11:28.",
        "html": '<p>8.2 % fail.</p><img src="cid:chart">',
        "link": f"{BASE_URL}/alerts/a-1",
        "actions": (Action("Acknowledge", f"{BASE_URL}/n/t1"),),
        "alerts": told.alerts,
    }
    return Message(**(whole | changed))


def send(one: Sender, *messages: Message) -> Sequence[Outcome]:
    """Send messages one after the other, in a loop of their own."""

    async def run() -> list[Outcome]:
        outcomes = [await one.send(each) for each in messages]
        await one.close()
        return outcomes

    return asyncio.run(run())
