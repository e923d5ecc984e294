"""A message as Slack's blocks: title, text, buttons that open links, with the colour of its severity beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from spanglass_server.notifications.model import Message

_MOST_TITLE, _MOST_TEXT, _MOST_URL, _MOST_BUTTONS = 150, 3_000, 3_000, 5
_COLORS: Final = {"info": "#4c7fb8", "warning": "#d9a514", "error": "#d9631e", "critical": "#c4314b"}
_RESOLVED: Final = "#2e8b57"


def escaped(text: str) -> str:
    """A text in which nothing is a link, a mention or markup of Slack."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def content(message: Message) -> dict[str, Any]:
    """``text`` is the title, also in notifications of the desktop; the writer has escaped the message's own text."""
    blocks: list[dict[str, Any]] = [
        {"type": "section", "text": {"type": "mrkdwn", "text": _cut(message.text, _MOST_TEXT) or "\u200b"}},
    ]
    buttons = _buttons(message)
    if buttons:
        blocks.append({"type": "actions", "elements": buttons})
    color = _RESOLVED if message.status == "resolved" else _COLORS[message.severity]
    attachment = {"color": color, "fallback": _cut(message.title, _MOST_TITLE), "blocks": blocks}
    return {
        "text": f"*{escaped(message.title)}*",
        "attachments": [attachment],
        "unfurl_links": False,
        "unfurl_media": False,
    }


def _buttons(message: Message) -> list[dict[str, Any]]:
    links = [("Open", message.link)] if message.link else []
    links += [(action.label, action.url) for action in message.actions]
    return [
        {
            "type": "button",
            "action_id": f"link-{number}",
            "text": {"type": "plain_text", "text": label[:75], "emoji": False},
            "url": url,
        }
        for number, (label, url) in enumerate(links[:_MOST_BUTTONS])
        if len(url) <= _MOST_URL and url.startswith(("http://", "https://"))
    ]


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
