"""Tells services over apprise, which runs in processes of its own."""

from __future__ import annotations

import base64
import re
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import orjson

from spanglass_server.error_text import one_line
from spanglass_server.notifications.channels.sending import Sending, cut
from spanglass_server.notifications.channels.services.workers import Workers
from spanglass_server.notifications.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.notifications.channels.context import Context
    from spanglass_server.notifications.channels.services.options import ServiceOptions
    from spanglass_server.notifications.model import Channel, Message

_CHILD = "spanglass_server.notifications.channels.services.child"
_TIMEOUT_S = 12.0  # below notifications.attempt_timeout, so that the answer says what it was
_TYPES = {"info": "info", "warning": "warning", "error": "failure", "critical": "failure"}
#: How apprise says which status a service answered with.
_STATUS = re.compile(r"\berror[ =:]*(\d{3})\b", re.IGNORECASE)
_CLIENT, _SERVER = 400, 500
_LATER = frozenset({408, 425, 429})


class ServiceSender(Sending):
    """A process that takes too long is ended. A service that is told twice shows it twice."""

    def __init__(self, channel: Channel, context: Context) -> None:
        super().__init__(channel, context)
        self._workers = Workers([sys.executable, "-I", "-m", _CHILD])

    async def close(self) -> None:
        """See ``Sender``."""
        await self._workers.close()

    async def deliver(self, message: Message) -> Outcome:
        """See ``Sending``."""
        options: ServiceOptions = self.channel.options
        url, secrets = options.service_url(), options.secrets()
        egress = self.context.way_to(self.channel, _host(url))
        policy = egress.policy.trusting(_host(egress.proxy)) if egress.proxy else egress.policy
        task = {
            "url": url,
            "schemes": list(options.schemes),
            "title": message.title,
            "text": message.text or message.title,
            "type": "success" if message.status == "resolved" else _TYPES[message.severity],
            "png": base64.b64encode(message.chart_png).decode(),
            "allow": [*sorted(policy.hosts), *map(str, policy.networks)],
            "proxy": egress.proxy,
        }
        try:
            answer = await self._workers.ask(orjson.dumps(task), _TIMEOUT_S)
        except TimeoutError:
            return Outcome(sent=False, retryable=True, error=f"the service did not answer within {_TIMEOUT_S:g} s")
        return outcome_of(answer, secrets)


def outcome_of(line: bytes, secrets: Sequence[str]) -> Outcome:
    """What the process said; one that broke may not the next time."""
    answer = _answer(line)
    if answer is None:
        return Outcome(sent=False, retryable=True, error="what tells the service broke; it is tried again")
    if answer["sent"]:
        return Outcome(sent=True, answer="the service took it")
    if answer.get("unknown"):
        return Outcome(sent=False, error="the address is none of a service that may be used; look at the documentation")
    if answer["refusal"]:
        return Outcome(sent=False, error=cut(answer["refusal"], secrets))
    said = cut(answer["log"], secrets)
    found = _STATUS.search(said)
    status = int(found[1]) if found else _SERVER
    is_later = status >= _SERVER or status in _LATER or status < _CLIENT
    error = f"the service did not take it: {one_line(said) or 'it does not say why'}"
    return Outcome(sent=False, retryable=is_later, answer=said, error=error)


def _answer(line: bytes) -> dict[str, Any] | None:
    try:
        said = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return said if isinstance(said, dict) else None


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
