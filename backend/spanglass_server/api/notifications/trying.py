"""Routes that try a channel: a test message, and what it would be told of an alert."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass_server.api.alerting.bodies import ACTOR_HEADER, BY, actor_of
from spanglass_server.api.errors import ApiError
from spanglass_server.api.fields import body_schema, fields_of, text_of
from spanglass_server.api.notifications import answers, shown
from spanglass_server.api.notifications.bodies import refusals
from spanglass_server.api.notifications.settings import refusals as settings_refusals
from spanglass_server.api.routing import Route
from spanglass_server.api.schema import STRING, schema_of
from spanglass_server.forms.problems import meant
from spanglass_server.notifications.config.channels import CHANNELS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from spanglass_server.api.params import Params
    from spanglass_server.notifications.config.book import Book
    from spanglass_server.notifications.desk import NotificationDesk
    from spanglass_server.notifications.model import Channel
    from spanglass_server.store.ports import QuerySession

_CHANNEL = {
    "channel": {**STRING, "description": "its name"},
    "value": {"description": "the channel as it would be kept; left out: as it is"},
}
_TEST = body_schema({**_CHANNEL, "by": BY}, ["channel"])
_PREVIEW = body_schema(
    {**_CHANNEL, "alert": {**STRING, "description": "the id of the alert; left out: the newest one"}}, ["channel"]
)


@dataclass(frozen=True, slots=True)
class Trying:
    """The handlers."""

    desk: NotificationDesk
    book: Book

    def test(self, _: QuerySession, params: Params) -> answers.Tested:
        """Send a test message, and wait for what comes of it."""
        fields = fields_of(params["body"], _TEST)
        channel = self._channel(fields)
        with refusals("channel", "channel"):
            message, outcome = self.desk.test(channel, actor_of(fields, params))
        return {
            "sent": outcome.sent,
            "answer": outcome.answer,
            "error": outcome.error or None,
            "delivery": message.notification.id,
            "message": shown.message_json(message),
        }

    def preview(self, _: QuerySession, params: Params) -> answers.MessageJson:
        """Return what a channel would be told."""
        fields = fields_of(params["body"], _PREVIEW)
        channel = self._channel(fields)
        with refusals("channel", "alert"):
            return shown.message_json(self.desk.preview(channel, text_of(fields, "alert")))

    def _channel(self, fields: Mapping[str, Any]) -> Channel:
        """The channel that is meant, kept or as it would be."""
        name = text_of(fields, "channel")
        if fields.get("value") is not None:
            with settings_refusals(CHANNELS):
                channel: Channel = self.book.check(CHANNELS, name, fields["value"])
                return channel
        channels = self.book.configuration().channels
        if name not in channels:
            hint = meant(name, channels) if channels else "no channel is configured: PUT one, or send value"
            raise ApiError("not_found", f"there is no channel {name!r}", field="channel", hint=hint)
        return channels[name]


def trying_routes(desk: NotificationDesk, book: Book) -> tuple[Route, ...]:
    """Return the routes that try a channel."""
    ask = Trying(desk, book)
    return (
        Route(
            method="POST",
            path="/notifications/test",
            summary="Send a test message over a channel, kept or as it would be, and wait for what comes of it.",
            parameters=(ACTOR_HEADER,),
            body=_TEST,
            response=schema_of(answers.Tested),
            query=ask.test,
        ),
        Route(
            method="POST",
            path="/notifications/preview",
            summary="What a channel would be told of an alert; nothing is sent.",
            body=_PREVIEW,
            response=schema_of(answers.MessageJson),
            query=ask.preview,
        ),
    )
