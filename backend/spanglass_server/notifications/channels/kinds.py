"""All kinds of channels by name: how each is written, and what delivers over it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from spanglass_server.notifications.channels.command import COMMAND, CommandSender
from spanglass_server.notifications.channels.email.options import EMAIL
from spanglass_server.notifications.channels.email.sender import EmailSender
from spanglass_server.notifications.channels.pagerduty import PAGERDUTY, PagerDutySender
from spanglass_server.notifications.channels.services.options import DISCORD, NTFY, SERVICE, TEAMS, TELEGRAM
from spanglass_server.notifications.channels.services.sender import ServiceSender
from spanglass_server.notifications.channels.slack.options import SLACK
from spanglass_server.notifications.channels.slack.sender import SlackSender
from spanglass_server.notifications.channels.sms import SMS, SmsSender
from spanglass_server.notifications.channels.webhook.sender import WEBHOOK, WebhookSender
from spanglass_server.notifications.config.channels import ChannelKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from spanglass_server.forms.shapes import Shape
    from spanglass_server.notifications.channels.context import Context
    from spanglass_server.notifications.model import Channel
    from spanglass_server.notifications.ports import Sender


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of channels. ``shape`` is of its options; ``title`` and ``summary`` are what pages call it.

    ``addressed``: whether ``Notification.addresses`` of people can be told over it, in the place of the channel's own.
    ``destination``: the options that say who gets its secrets.
    """

    name: str
    title: str
    summary: str
    shape: Shape
    make: Callable[[Channel, Context], Sender]
    destination: tuple[str, ...] = ()
    addressed: bool = False


_SMTP: Final = ("smtp_server", "tls", "verify", "ca_file")
_HTTP: Final = ("url", "verify", "ca_file")
_BOT: Final = ("api_url",)

KINDS: Final[Mapping[str, Kind]] = {
    kind.name: kind
    for kind in (
        Kind("email", "Email", "Mail over SMTP, with chart and links", EMAIL, EmailSender, _SMTP, addressed=True),
        Kind(
            "slack", "Slack", "A webhook, or a bot that updates its messages", SLACK, SlackSender, _BOT, addressed=True
        ),
        Kind("webhook", "Webhook", "Signed JSON to any address, or Alertmanager's", WEBHOOK, WebhookSender, _HTTP),
        Kind("pagerduty", "PagerDuty", "Events that open incidents there", PAGERDUTY, PagerDutySender, ("url",)),
        Kind("sms", "Text message", "Over the HTTP gateway of any provider", SMS, SmsSender, _HTTP, addressed=True),
        Kind("teams", "Microsoft Teams", "A workflow that posts to a conversation", TEAMS, ServiceSender),
        Kind("telegram", "Telegram", "A bot that writes to a conversation", TELEGRAM, ServiceSender),
        Kind("discord", "Discord", "A webhook of a conversation", DISCORD, ServiceSender),
        Kind("ntfy", "ntfy", "A topic that phones subscribe to", NTFY, ServiceSender, ("url",)),
        Kind("service", "Another service", "One of some fifty, by its URL", SERVICE, ServiceSender),
        Kind("command", "Command", "A program that gets the alert as JSON", COMMAND, CommandSender, ("command",)),
    )
}


def make_sender(channel: Channel, context: Context) -> Sender:
    """What delivers over a channel; ``KeyError`` for a kind that there is not."""
    return KINDS[channel.kind].make(channel, context)


def channel_kinds() -> list[ChannelKind]:
    """The kinds as the configuration book takes them."""
    return [ChannelKind(kind.name, kind.shape, kind.destination, kind.title, kind.summary) for kind in KINDS.values()]
