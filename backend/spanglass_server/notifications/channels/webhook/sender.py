"""Posts messages as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from spanglass_server.egress.http import Request, host_of
from spanglass_server.forms.kinds import Choice
from spanglass_server.forms.shapes import Shape
from spanglass_server.notifications.channels.http_options import HTTP_KINDS, HttpOptions, check_http, tls_of
from spanglass_server.notifications.channels.sending import Sending, judged, text_of
from spanglass_server.notifications.channels.webhook.alertmanager import alertmanager_body
from spanglass_server.notifications.channels.webhook.body import message_body
from spanglass_server.notifications.channels.webhook.signing import signature
from spanglass_server.notifications.config.secrets import SecretText
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from spanglass_server.forms.secrets import SecretSource
    from spanglass_server.notifications.model import Message, Outcome

_FORMS: Final = {"spanglass": message_body, "alertmanager": alertmanager_body}
_REDIRECTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookOptions(HttpOptions):
    """``format`` is one of ours or Alertmanager's; ``secret`` signs."""

    format: str = "spanglass"
    secret: SecretSource | None = None


WEBHOOK: Final = Shape(
    WebhookOptions, {**HTTP_KINDS, "format": Choice(*_FORMS), "secret": SecretText()}, check=check_http
)


class WebhookSender(Sending):
    """Posts to the channel's address. The same notification has the same ``Idempotency-Key`` at every attempt."""

    async def deliver(self, message: Message) -> Outcome:
        """See ``Sending``."""
        options: WebhookOptions = self.channel.options
        body = _FORMS[options.format](message, self.context.base_url())
        url = options.url.reveal()
        answer = await self.ask(
            Request(
                url=url,
                headers={**options.credentials(), **self._about(message, body)},
                body=body,
                timeout_s=options.timeout_ns / NS_PER_SECOND,
                redirects=_REDIRECTS,
                tls=tls_of(options),
            )
        )
        return judged(answer, host_of(url), [*options.secrets(), text_of(options.secret)], self.context.clock_ns())

    def _about(self, message: Message, body: bytes) -> dict[str, Any]:
        key, now_s = message.notification.id, self.context.clock_ns() // NS_PER_SECOND
        headers = {"content-type": "application/json", "idempotency-key": key}
        secret = text_of(self.channel.options.secret)
        if secret:
            headers["webhook-id"] = key
            headers["webhook-timestamp"] = str(now_s)
            headers["webhook-signature"] = signature(secret, key, now_s, body)
        return headers
