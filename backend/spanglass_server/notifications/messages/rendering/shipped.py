"""The templates that come with the server, a set a kind of channel; the files are in ``templates/``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from jinja2 import FileSystemLoader

from spanglass_server.notifications.messages.rendering.environment import make_environment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass_server.notifications.messages.rendering.environment import Escaping

Part = Literal["title", "text", "html"]
_FILES = Path(__file__).parent.parent / "templates"
#: Characters of a text by kind of channel, below what the services themselves take.
_MOST_TEXT = {"sms": 450, "slack": 2_900, "pagerduty": 1_000}
_MOST = {"title": 250, "text": 30_000, "html": 400_000}
_TEXTS = {"sms": "sms.text.j2", "slack": "slack.text.j2"}
#: Kinds whose messages have HTML beside the text.
_WITH_HTML = frozenset({"email"})
#: Kinds that show no pictures: none is drawn for them, which takes 30 ms.
_WITHOUT_PICTURES = frozenset({"sms", "pagerduty", "webhook", "command"})


class Shipped:
    """All of them, read once."""

    def __init__(self) -> None:
        loader = FileSystemLoader(_FILES)
        kinds: tuple[Escaping, ...] = ("html", "slack", "plain")
        self._environments = {escaping: make_environment(escaping, loader) for escaping in kinds}

    def render(self, kind: str, part: Part, facts: Mapping[str, Any]) -> str:
        """A part of the message, "" where the kind has none."""
        name = _name(kind, part)
        return self._environments[escaping_of(kind, part)].get_template(name).render(facts) if name else ""

    @staticmethod
    def source(kind: str, part: Part) -> str:
        """The template as it is written, for those who want to begin with it."""
        name = _name(kind, part)
        return (_FILES / name).read_text("utf-8") if name else ""


def _name(kind: str, part: Part) -> str:
    if part == "title":
        return "title.j2"
    if part == "html":
        return "email.html.j2" if kind in _WITH_HTML else ""
    return _TEXTS.get(kind, "plain.text.j2")


def escaping_of(kind: str, part: Part) -> Escaping:
    """How values are written into a part. Titles are plain everywhere: the channel escapes them."""
    if part == "html":
        return "html"
    return "slack" if part == "text" and kind == "slack" else "plain"


def most_of(kind: str, part: Part) -> int:
    """Characters of a part."""
    return _MOST_TEXT.get(kind, _MOST["text"]) if part == "text" else _MOST[part]


def shows_pictures(kind: str) -> bool:
    """Whether a kind of channels shows the chart."""
    return kind not in _WITHOUT_PICTURES
