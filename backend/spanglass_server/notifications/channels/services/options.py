"""Options of services: a URL of apprise, or what four of them ask for by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import quote, urlsplit

from spanglass_server.forms.kinds import Text
from spanglass_server.forms.problems import meant
from spanglass_server.forms.shapes import Shape
from spanglass_server.notifications.channels.http_options import check_url
from spanglass_server.notifications.channels.sending import parts_of, text_of
from spanglass_server.notifications.channels.services.schemes import SCHEMES, SERVICES, scheme_of
from spanglass_server.notifications.config.secrets import SecretText

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.forms.nodes import Node
    from spanglass_server.forms.problems import Report
    from spanglass_server.forms.secrets import SecretSource


class ServiceOptions(Protocol):
    """What all services come to."""

    @property
    def schemes(self) -> Sequence[str]:
        """The schemes that the URL may have, or be read as."""

    def service_url(self) -> str:
        """The URL that apprise takes. Raises ``SecretError``."""

    def secrets(self) -> Sequence[str]:
        """What no answer may repeat. Raises ``SecretError``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UrlOptions:
    """Any of the services that are allowed, by its URL."""

    url: SecretSource

    @property
    def schemes(self) -> Sequence[str]:
        """See ``ServiceOptions``."""
        return sorted(SCHEMES)

    def service_url(self) -> str:
        """See ``ServiceOptions``."""
        return self.url.reveal()

    def secrets(self) -> Sequence[str]:
        """See ``ServiceOptions``: any part of the URL may be one."""
        return parts_of(self.url.reveal())


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookUrlOptions:
    """A service that gives an address of its own for each conversation: Discord, Teams."""

    webhook_url: SecretSource

    def service_url(self) -> str:
        """See ``ServiceOptions``."""
        return self.webhook_url.reveal()

    def secrets(self) -> Sequence[str]:
        """See ``ServiceOptions``."""
        return parts_of(self.webhook_url.reveal())


class DiscordOptions(WebhookUrlOptions):
    """A webhook of Discord."""

    __slots__ = ()
    schemes: Sequence[str] = SERVICES["Discord"]


class TeamsOptions(WebhookUrlOptions):
    """A workflow of Microsoft Teams."""

    __slots__ = ()
    schemes: Sequence[str] = SERVICES["Microsoft Teams"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TelegramOptions:
    """A bot's token, and the number or @name of the conversation."""

    bot_token: SecretSource
    chat: str
    schemes = SERVICES["Telegram"]

    def service_url(self) -> str:
        """See ``ServiceOptions``."""
        return f"tgram://{quote(self.bot_token.reveal(), safe=':')}/{quote(self.chat, safe='@-:')}/"

    def secrets(self) -> Sequence[str]:
        """See ``ServiceOptions``."""
        return [self.bot_token.reveal()]


@dataclass(frozen=True, slots=True, kw_only=True)
class NtfyOptions:
    """``url`` is a server with a topic: ``https://ntfy.sh/alerts``."""

    url: SecretSource
    token: SecretSource | None = None
    schemes = SERVICES["ntfy"]

    def service_url(self) -> str:
        """See ``ServiceOptions``."""
        given = urlsplit(self.url.reveal())
        scheme = "ntfy" if given.scheme == "http" else "ntfys"
        token = text_of(self.token)
        login = f"{quote(token, safe='')}@" if token else ""
        kind = "?auth=token&mode=private" if token else "?mode=private"
        return f"{scheme}://{login}{given.netloc}{given.path}{kind}"

    def secrets(self) -> Sequence[str]:
        """See ``ServiceOptions``."""
        return [text_of(self.token), *parts_of(self.url.reveal())[1:]]


def _check_service(value: Any, node: Node, report: Report) -> None:
    if value.url.kind != "text":
        return
    scheme = scheme_of(value.url.place.reveal())
    if scheme not in SCHEMES:
        what = f"{scheme!r} is no service that may be used" if scheme else "url is no URL of a service"
        report.add(node.named("url") or node, what, meant(scheme, sorted(SCHEMES)))


def _check_webhook(value: Any, node: Node, report: Report) -> None:
    check_url(value.webhook_url, "webhook_url", node, report)


def _check_ntfy(value: Any, node: Node, report: Report) -> None:
    check_url(value.url, "url", node, report)
    if value.url.kind == "text" and not urlsplit(value.url.place.reveal()).path.strip("/"):
        report.add(node.named("url") or node, "url has no topic", "write https://ntfy.sh/TOPIC")


SERVICE: Final = Shape(UrlOptions, {"url": SecretText()}, check=_check_service)
DISCORD: Final = Shape(DiscordOptions, {"webhook_url": SecretText()}, check=_check_webhook)
TEAMS: Final = Shape(TeamsOptions, {"webhook_url": SecretText()}, check=_check_webhook)
TELEGRAM: Final = Shape(TelegramOptions, {"bot_token": SecretText(), "chat": Text(may_be_empty=False)})
NTFY: Final = Shape(NtfyOptions, {"url": SecretText(), "token": SecretText()}, check=_check_ntfy)
