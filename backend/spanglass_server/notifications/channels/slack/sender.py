"""Writes to Slack."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from spanglass_server.egress.http import Request, host_of
from spanglass_server.notifications.channels.sending import Sending, judged, parts_of
from spanglass_server.notifications.channels.slack.blocks import content, escaped
from spanglass_server.notifications.channels.slack.bot import Bot, SlackError
from spanglass_server.notifications.model import Outcome, Reason

if TYPE_CHECKING:
    from spanglass_server.notifications.channels.slack.options import SlackOptions
    from spanglass_server.notifications.model import Message

#: Reasons for which people are to notice; an update of a message alone makes no sound.
_NOTICED = frozenset({Reason.FIRING, Reason.ESCALATION, Reason.REPEAT, Reason.RESOLVED, Reason.INCIDENT})
#: What Slack answers where the message to be updated is gone, or may not be changed any more.
_GONE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed", "channel_not_found"})


class SlackSender(Sending):
    """Over a webhook, each message is a new one. A bot updates the first of a thread, and answers below it."""

    async def deliver(self, message: Message) -> Outcome:
        """See ``Sending``."""
        options: SlackOptions = self.channel.options
        if options.bot_token is not None:
            return await self._over_bot(message, options)
        if message.notification.addresses:
            return Outcome(sent=False, error="a webhook of Slack can't write to a person; give a bot_token")
        url = options.webhook_url.reveal() if options.webhook_url is not None else ""
        request = Request(url=url, headers={"content-type": "application/json"}, body=orjson.dumps(content(message)))
        return judged(await self.ask(request), host_of(url), parts_of(url), self.context.clock_ns())

    async def _over_bot(self, message: Message, options: SlackOptions) -> Outcome:
        bot = Bot(options, self.ask, self.context.clock_ns)
        places = message.notification.addresses or (options.channel,)
        try:
            before = "" if message.notification.addresses else message.previous
            reference = await self._write(bot, places[0], message, before)
            for place in places[1:]:
                await bot.post(place, content(message))
        except SlackError as error:
            return error.outcome
        return Outcome(sent=True, answer="ok", reference=reference)

    async def _write(self, bot: Bot, place: str, message: Message, before: str) -> str:
        """Write a message, or bring the first one of its thread up to date; the reference of that."""
        conversation, _, time = before.partition("/")
        if time:
            try:
                await bot.update(conversation, time, content(message))
            except SlackError as error:
                if error.code not in _GONE:
                    raise
            else:
                if message.notification.reason in _NOTICED:
                    await bot.post(conversation, {"text": escaped(message.title), "thread_ts": time})
                return before
        conversation, time = await bot.post(place, content(message))
        if message.chart_png:
            await bot.upload(message.chart_png, message.chart_alt, conversation, time)
        return f"{conversation}/{time}"
