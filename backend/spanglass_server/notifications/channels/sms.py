"""Text messages over the HTTP gateway of any provider: the settings say how its request looks."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import orjson

from spanglass_server.egress.http import Request, host_of
from spanglass_server.forms.kinds import FAILED, Choice, Many, Number, Text, described
from spanglass_server.forms.shapes import Shape
from spanglass_server.notifications.channels.doubles import Recipients
from spanglass_server.notifications.channels.http_options import HTTP_KINDS, HttpOptions, check_http, tls_of
from spanglass_server.notifications.channels.sending import Sending, judged
from spanglass_server.notifications.model import Outcome
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass_server.forms.nodes import Node
    from spanglass_server.forms.problems import Report
    from spanglass_server.notifications.channels.context import Context
    from spanglass_server.notifications.model import Channel, Message

_PLACE = re.compile(r"\{(to|from|text|id)\}")
_PHONE = r"\+?[0-9][0-9 ()./-]{2,30}"
_BETWEEN = re.compile(r"[ ()./-]")  # people write them, gateways don't take them
_MOST_RECIPIENTS = 50
_FIELDS: Final = {"to": "{to}", "from": "{from}", "text": "{text}"}


class _Tree:
    """Any JSON value; its texts may hold places such as ``{to}``. A ``Kind``."""

    schema: Final[dict[str, Any]] = {"type": "object"}

    def read(self, node: Node, report: Report) -> Any:
        """See ``Kind``."""
        if node.sort != "mapping":
            report.add(node, f"expected names with their values, not {described(node)}", "such as To: '{to}'")
            return FAILED
        return _value(node)

    def write(self, value: Any, *, full: bool) -> Any:
        """See ``Kind``."""
        del full
        return value


def _value(node: Node) -> Any:
    if node.sort == "mapping":
        return {entry.key: _value(entry.value) for entry in node.entries}
    if node.sort == "list":
        return [_value(item) for item in node.items]
    if node.sort == "null":
        return None
    if node.sort == "bool":
        return node.text.lower() in {"true", "yes", "on"}
    if node.sort == "number" and re.fullmatch(r"-?[0-9]{1,15}", node.text):
        return int(node.text)
    return node.text


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsOptions(HttpOptions):
    """``fields`` are what the gateway is sent, with ``{to}``, ``{from}``, ``{text}``, ``{id}`` in them."""

    to: tuple[str, ...] = ()
    from_: str = ""
    format: str = "json"
    fields: Mapping[str, Any] = field(default_factory=lambda: dict(_FIELDS))
    max_length: int = 480


def _check(value: Any, node: Node, report: Report) -> None:
    check_http(value, node, report)
    place = node.named("fields") or node
    written = orjson.dumps(value.fields).decode()
    for name in ("{to}", "{text}"):
        if name not in written:
            report.add(place, f"no field has {name}", "the gateway would not know it")
    if value.format == "form" and any(isinstance(each, dict | list) for each in value.fields.values()):
        report.add(place, "a form has no values within values", "write format: json")


SMS: Final = Shape(
    SmsOptions,
    {
        **HTTP_KINDS,
        "to": Many(Text(_PHONE, "write a number such as +491701234567"), most=_MOST_RECIPIENTS, alone=True),
        "from": Text(),
        "format": Choice("json", "form"),
        "fields": _Tree(),
        "max_length": Number(20, 10_000, whole=True),
    },
    check=_check,
)


class SmsSender(Sending):
    """Asks the gateway once for each recipient; those who got the text are left out at another attempt."""

    def __init__(self, channel: Channel, context: Context) -> None:
        super().__init__(channel, context)
        self._recipients = Recipients()

    async def deliver(self, message: Message) -> Outcome:
        """See ``Sending``."""
        everybody = message.notification.addresses or self.channel.options.to
        if not everybody:
            return Outcome(sent=False, error="there is nobody to send to: give `to`")
        outcomes: list[Outcome] = []
        for recipient in self._recipients.left(message.notification.id, everybody):
            outcome = await self._tell(recipient, message)
            if outcome.sent:
                self._recipients.add(message.notification.id, [recipient])
            outcomes.append(outcome)
        if not outcomes:
            return Outcome(sent=True, answer="sent at an earlier attempt")
        # one that may get it later is worth another attempt; then one who got it
        return min(outcomes, key=lambda each: (not each.retryable, not each.sent))

    async def _tell(self, recipient: str, message: Message) -> Outcome:
        options: SmsOptions = self.channel.options
        values = {
            "to": _BETWEEN.sub("", recipient),
            "from": options.from_,
            "text": shortened(message.text or message.title, options.max_length),
            "id": message.notification.id,
        }
        filled = _filled(dict(options.fields), values)
        is_form = options.format == "form"
        kind = "application/x-www-form-urlencoded" if is_form else "application/json"
        url = options.url.reveal()
        answer = await self.ask(
            Request(
                url=url,
                headers={"content-type": kind, **options.credentials()},
                body=urlencode(filled).encode() if is_form else orjson.dumps(filled),
                timeout_s=options.timeout_ns / NS_PER_SECOND,
                tls=tls_of(options),
            )
        )
        return judged(answer, host_of(url), options.secrets(), self.context.clock_ns())


def _filled(value: Any, values: Mapping[str, str]) -> Any:
    """The fields with what their places stand for; what is filled in is not looked at again."""
    if isinstance(value, str):
        return _PLACE.sub(lambda found: values[found[1]], value)
    if isinstance(value, dict):
        return {name: _filled(each, values) for name, each in value.items()}
    return [_filled(each, values) for each in value] if isinstance(value, list) else value


def shortened(text: str, most: int) -> str:
    """A text of at most so many characters."""
    return text if len(text) <= most else f"{text[: most - 1]}…"
