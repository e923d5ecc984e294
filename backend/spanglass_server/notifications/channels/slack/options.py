"""Options of Slack: a webhook's address, or a bot's token and a conversation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from spanglass_server.forms.kinds import Text
from spanglass_server.forms.shapes import Shape
from spanglass_server.notifications.channels.http_options import check_url
from spanglass_server.notifications.config.secrets import SecretText

if TYPE_CHECKING:
    from spanglass_server.forms.nodes import Node
    from spanglass_server.forms.problems import Report
    from spanglass_server.forms.secrets import SecretSource

_API: Final = "https://slack.com/api"


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackOptions:
    """Either ``webhook_url``, or ``bot_token`` with the ``channel`` that it writes to: an id, or ``#name``.

    ``api_url`` is where a bot asks; another one for Slack of governments.
    """

    webhook_url: SecretSource | None = None
    bot_token: SecretSource | None = None
    channel: str = ""
    api_url: str = _API


def _check(value: Any, node: Node, report: Report) -> None:
    if (value.webhook_url is None) == (value.bot_token is None):
        report.add(node, "a channel of Slack has either a webhook_url or a bot_token", "give one of them")
    if value.bot_token is not None and not value.channel:
        report.add(node, "channel is missing", "give the id of a conversation, or #name, that the bot is a member of")
    if value.webhook_url is not None and value.channel:
        hint = "leave it out, or give a bot_token"
        report.add(node.named("channel") or node, "a webhook writes to the conversation that it was made for", hint)
    check_url(value.webhook_url, "webhook_url", node, report)
    check_url(value.api_url, "api_url", node, report)


SLACK: Final = Shape(
    SlackOptions,
    {"webhook_url": SecretText(), "bot_token": SecretText(), "channel": Text(), "api_url": Text()},
    check=_check,
)
