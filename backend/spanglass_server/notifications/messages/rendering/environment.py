"""The Jinja2 environment of messages, and how what telemetry says is escaped: for HTML, for Slack, or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from jinja2 import ChainableUndefined, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup, escape

if TYPE_CHECKING:
    from collections.abc import Callable

    from jinja2 import BaseLoader

#: html: mails; slack: Slack's mrkdwn, where ``<!channel>`` of an alert's title would call everybody; plain: the rest.
Escaping = Literal["html", "slack", "plain"]


class _Written(str):
    """A text in Slack's mrkdwn that is escaped already."""

    __slots__ = ()


def make_environment(escaping: Escaping, loader: BaseLoader | None = None) -> ImmutableSandboxedEnvironment:
    """An environment. Names that are not there fail in templates of the server, and are empty in those of people."""
    environment = ImmutableSandboxedEnvironment(
        loader=loader,
        autoescape=escaping == "html",
        finalize=_slack if escaping == "slack" else None,
        undefined=ChainableUndefined if loader is None else StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters["link"] = _LINKS[escaping]
    return environment


def _slack(value: Any) -> Any:
    return value if isinstance(value, _Written) else _Written(_escaped_for_slack(str(value)))


def _escaped_for_slack(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _slack_link(url: str, text: str) -> str:
    address = _escaped_for_slack(str(url)).replace("|", "%7C")
    return _Written(f"<{address}|{_escaped_for_slack(str(text)).replace('|', '/')}>") if url else _slack(text)


def _html_link(url: str, text: str) -> str:
    return Markup('<a href="{}">{}</a>').format(url, text) if url else escape(text)


def _plain_link(url: str, text: str) -> str:
    return f"{text}: {url}" if url else text


_LINKS: dict[str, Callable[[str, str], str]] = {"html": _html_link, "slack": _slack_link, "plain": _plain_link}
