"""Writes to Slack."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from spanglass_server.egress.http import Request, host_of
from spanglass_server.notifications.channels.doubles import Recipients
from spanglass_server.notifications.channels.sending import Sending, judged, parts_of
from spanglass_server.notifications.channels.slack.blocks import content, escaped
from spanglass_server.notifications.channels.slack.bot import Bot, SlackError
from spanglass_server.notifications.model import Outcome, Reason

if TYPE_CHECKING:
    from spanglass_server.notifications.channels.context import Context
    from spanglass_server.notifications.channels.slack.options import SlackOptions
    from spanglass_server.notifications.model import Channel, Message

#: Reasons for which people are to notice; an update of a message alone makes no sound.
_NOTICED = frozenset({Reason.FIRING, Reason.ESCALATION, Reason.REPEAT, Reason.RESOLVED, Reason.INCIDENT})
#: What is shown in the conversation, too, not only in the thread.
_BROADCAST = frozenset({Reason.FIRING, Reason.ESCALATION})
_OVER = "over"
#: What Slack answers where the message to be updated is gone, or may not be changed any more.
_GONE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed", "channel_not_found"})


class SlackSender(Sending):
    """Over a webhook, each message is a new one. A bot updates the first of a thread, and answers below it."""

    def __init__(self, channel: Channel, context: Context) -> None:
        super().__init__(channel, context)
        self._people = Recipients()

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
        try:
            if message.notification.addresses:
                return await self._to_people(bot, message)
            reference = await self._write(bot, options.channel, message, message.previous)
        except SlackError as error:
            return error.outcome
        return Outcome(sent=True, answer="ok", reference=reference)

    async def _to_people(self, bot: Bot, message: Message) -> Outcome:
        """Write to each person; these messages are not updated, so that none takes the place of the conversation's."""
        for person in self._people.left(message.notification.id, message.notification.addresses):
            await bot.post(person, content(message))
            self._people.add(message.notification.id, [person])
        return Outcome(sent=True, answer="ok")

    async def _write(self, bot: Bot, place: str, message: Message, before: str) -> str:
        """Write a message, or bring the first one of its thread up to date; the reference of that.

        A thread that was over begins anew when it fires: nobody looks at a message of days ago.
        """
        is_over = message.status == "resolved"
        conversation, time, state = [*before.split("/"), "", ""][:3]
        if time and (is_over or state != _OVER):
            try:
                await bot.update(conversation, time, content(message))
            except SlackError as error:
                if error.code not in _GONE:
                    raise
            else:
                await self._answer(bot, message, conversation, time)
                return _reference(conversation, time, is_over=is_over)
        conversation, time = await bot.post(place, content(message))
        if message.chart_png:
            await bot.upload(message.chart_png, message.chart_alt, conversation, time)
        return _reference(conversation, time, is_over=is_over)

    async def _answer(self, bot: Bot, message: Message, conversation: str, time: str) -> None:
        """Tell below a message that was updated what people are to notice."""
        reason = message.notification.reason
        if reason in _NOTICED:
            title = {"text": escaped(message.title), "thread_ts": time, "reply_broadcast": reason in _BROADCAST}
            await bot.post(conversation, title)


def _reference(conversation: str, time: str, *, is_over: bool) -> str:
    return f"{conversation}/{time}/{_OVER}" if is_over else f"{conversation}/{time}"
