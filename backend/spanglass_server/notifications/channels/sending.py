"""What all senders have in common: whatever happens at a sink becomes an ``Outcome``, without secrets."""

from __future__ import annotations

from abc import ABC, abstractmethod
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from spanglass_server.egress.http import host_of
from spanglass_server.egress.policy import RefusedError
from spanglass_server.error_text import one_line
from spanglass_server.forms.secrets import SecretError
from spanglass_server.notifications.model import Outcome
from spanglass_server.supervision import in_words
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spanglass_server.egress.http import Answer, Request
    from spanglass_server.forms.secrets import SecretSource
    from spanglass_server.notifications.channels.context import Context
    from spanglass_server.notifications.model import Channel, Message

MOST_ANSWER = 500
_MOST_WAIT_S = 3600.0
_SHORT = 5  # what is shorter is no secret that could be told from other text
_OK, _MORE = 200, 300
_CLIENT, _SERVER = 400, 500
#: Answers below 500 after which the same request may well be taken: time-out, too early, too many requests.
_LATER = frozenset({408, 425, 429})


class Sending(ABC):
    """A ``Sender`` whose ``deliver`` may raise what connections and secrets raise."""

    def __init__(self, channel: Channel, context: Context) -> None:
        self.channel = channel
        self.context = context

    async def send(self, message: Message) -> Outcome:
        """See ``Sender``."""
        try:
            return await self.deliver(message)
        except RefusedError as error:
            return Outcome(sent=False, error=str(error))
        except SecretError as error:
            return Outcome(sent=False, retryable=True, error=str(error))
        except OSError as error:
            return Outcome(sent=False, retryable=True, error=in_words(error))

    @abstractmethod
    async def deliver(self, message: Message) -> Outcome:
        """Make one attempt."""

    async def ask(self, request: Request, own: str = "") -> Answer:
        """Send a request. ``own`` is the address that the channel names, where the request goes to another one."""
        return await self.context.way_to(self.channel, host_of(own or request.url)).send(request)

    async def close(self) -> None:  # noqa: B027 - most have nothing to close
        """See ``Sender``: connections end with their request."""


def text_of(secret: SecretSource | None) -> str:
    """A secret as it is now, "" for none. Raises ``SecretError``."""
    return "" if secret is None else secret.reveal()


def parts_of(url: str) -> list[str]:
    """The URL, and what in it may be a secret: login, path, values of its query."""
    given = urlsplit(url)
    login = given.netloc.rpartition("@")[0]
    words = [*login.split(":"), *given.path.split("/"), *(pair.partition("=")[2] for pair in given.query.split("&"))]
    return [url, *(word for word in words if word)]


def judged(answer: Answer, sink: str, hide: Iterable[str], now_ns: int) -> Outcome:
    """What an answer means by its status: 2xx is sent, 408, 425, 429 and 5xx may be tried again, others not."""
    said = cut(answer.text, hide)
    shown = f"{answer.status} {said}".strip()
    if _OK <= answer.status < _MORE:
        return Outcome(sent=True, answer=shown)
    if answer.status in _LATER or answer.status >= _SERVER:
        wait_s = retry_after_s(answer, now_ns)
        error = f"{sink} answered {answer.status}; it is tried again"
        return Outcome(sent=False, retryable=True, answer=shown, error=error, retry_after_s=wait_s)
    if answer.status < _CLIENT:
        error = f"{sink} answered {answer.status}, which takes no message: give the address that it redirects to"
        return Outcome(sent=False, answer=shown, error=error)
    why = f": {one_line(said)}" if said else ""
    return Outcome(sent=False, answer=shown, error=f"{sink} refused the message with {answer.status}{why}")


def retry_after_s(answer: Answer, now_ns: int) -> float:
    """The seconds that a sink asks to wait, at most an hour; 0.0 where it says nothing."""
    text = answer.headers.get("retry-after", "").strip()
    try:
        wait_s = float(text) if text.replace(".", "", 1).isdigit() else _until(text, now_ns)
    except ValueError:
        return 0.0
    return min(max(wait_s, 0.0), _MOST_WAIT_S)


def _until(date: str, now_ns: int) -> float:
    return parsedate_to_datetime(date).timestamp() - now_ns / NS_PER_SECOND if date else 0.0


def cut(text: str, hide: Iterable[str]) -> str:
    """What a sink said as one text of at most 500 characters, without these secrets."""
    shown = "".join(letter if letter.isprintable() else " " for letter in text[: 4 * MOST_ANSWER])
    for secret in hide:
        if len(secret) > _SHORT:
            shown = shown.replace(secret, "***")
    shown = " ".join(shown.split())
    return shown if len(shown) <= MOST_ANSWER else f"{shown[: MOST_ANSWER - 1]}…"
