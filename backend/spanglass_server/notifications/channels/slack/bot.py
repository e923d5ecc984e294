"""The methods of Slack's Web API that a bot needs."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import orjson

from spanglass_server.egress.http import Request, host_of
from spanglass_server.notifications.channels.sending import cut, judged, text_of
from spanglass_server.notifications.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from spanglass_server.egress.http import Answer
    from spanglass_server.notifications.channels.slack.options import SlackOptions

_LOG = logging.getLogger(__name__)
_OK = 200
#: Errors of Slack that are over after a while.
_LATER = frozenset(
    {"ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"}
)
_HINTS = {
    "not_in_channel": "invite the bot to the conversation",
    "channel_not_found": "look at channel: give its id, or invite the bot",
    "invalid_auth": "look at bot_token",
    "not_authed": "look at bot_token",
    "token_revoked": "make a new bot_token",
    "missing_scope": "give the bot the scope chat:write, and files:write for charts",
}


class SlackError(Exception):
    """Slack did not do it; ``code`` is its word for why."""

    def __init__(self, outcome: Outcome, code: str = "") -> None:
        super().__init__(outcome.error)
        self.outcome = outcome
        self.code = code


class Bot:
    """Calls methods of Slack. What fails raises ``SlackError``, or what connections raise."""

    def __init__(
        self, options: SlackOptions, ask: Callable[[Request, str], Awaitable[Answer]], clock_ns: Callable[[], int]
    ) -> None:
        self._api = options.api_url.rstrip("/")
        self._token = text_of(options.bot_token)
        self._ask = ask
        self._clock_ns = clock_ns

    async def post(self, conversation: str, message: Mapping[str, Any]) -> tuple[str, str]:
        """Write a message; the conversation's id and the message's time, which together name it."""
        said = await self._call("chat.postMessage", {**message, "channel": conversation})
        return str(said.get("channel", conversation)), str(said.get("ts", ""))

    async def update(self, conversation: str, time: str, message: Mapping[str, Any]) -> None:
        """Put another content into a message."""
        await self._call("chat.update", {**message, "channel": conversation, "ts": time})

    async def upload(self, png: bytes, alt: str, conversation: str, time: str) -> None:
        """Put a chart into a message's thread. One that fails is logged: the message has arrived."""
        try:
            form = {"filename": "chart.png", "length": str(len(png)), "alt_txt": alt[:1000]}
            place = await self._call("files.getUploadURLExternal", form, is_form=True)
            answer = await self._ask(
                Request(url=str(place["upload_url"]), headers={"content-type": "image/png"}, body=png), self._api
            )
            if answer.status == _OK:
                files = [{"id": place["file_id"], "title": "Chart"}]
                done = {"files": files, "channel_id": conversation, "thread_ts": time}
                await self._call("files.completeUploadExternal", done)
        except (SlackError, OSError, KeyError) as error:
            _LOG.warning("a chart could not be put into a thread of Slack: %s", error)

    async def _call(self, method: str, arguments: Mapping[str, Any], *, is_form: bool = False) -> dict[str, Any]:
        kind = "application/x-www-form-urlencoded" if is_form else "application/json; charset=utf-8"
        answer = await self._ask(
            Request(
                url=f"{self._api}/{method}",
                headers={"authorization": f"Bearer {self._token}", "content-type": kind},
                body=urlencode(arguments).encode() if is_form else orjson.dumps(arguments),
            ),
            self._api,
        )
        judgement = judged(answer, host_of(self._api), [self._token], self._clock_ns())
        if not judgement.sent:
            raise SlackError(judgement)
        said = _json(answer)
        if said.get("ok") is True:
            return said
        code = cut(str(said.get("error", "an answer that is no JSON")), [self._token])
        hint = f"; {_HINTS[code]}" if code in _HINTS else ""
        is_later = code in _LATER
        raise SlackError(
            Outcome(sent=False, retryable=is_later, answer=code, error=f"Slack refused the message: {code}{hint}"), code
        )


def _json(answer: Answer) -> dict[str, Any]:
    try:
        said = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return {}
    return said if isinstance(said, dict) else {}
