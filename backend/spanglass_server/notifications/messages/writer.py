"""The ``Writer``: notifications to messages. Whatever fails, there is a message, and it says what failed."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from spanglass_server.alerting.ports import AlertNotFoundError
from spanglass_server.notifications.messages import words
from spanglass_server.notifications.messages.charts.drawn import Charts, Drawn
from spanglass_server.notifications.messages.facts import (
    MOST_ALERTS,
    Material,
    facts,
    in_order,
    severity_of,
    status_of,
)
from spanglass_server.notifications.messages.rendering.sandbox import Sandbox, TemplateFailedError
from spanglass_server.notifications.messages.rendering.shipped import Shipped, escaping_of, most_of, shows_pictures
from spanglass_server.notifications.model import Message
from spanglass_server.supervision import in_words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from spanglass_server.alerting.model import Alert
    from spanglass_server.notifications.messages.rendering.shipped import Part
    from spanglass_server.notifications.model import Action, Attachment, Channel, Notification

_LOG = logging.getLogger(__name__)
_BLANK_LINES = re.compile(r"\n[ \t]*(?:\n[ \t]*)+\n")
_LINE_ENDS = re.compile(r"[ \t]+$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What messages are made from.

    ``alert`` gives an alert as it is now, with its evidence (``AlertNotFoundError``, ``OSError``); ``base_url`` the
    address of the pages, without a slash at its end; ``actions`` the signed links of a notification; ``attachment`` the
    file that its ``about`` names, None for one that is gone.
    """

    alert: Callable[[str], Alert]
    base_url: Callable[[], str]
    actions: Callable[[Notification, Sequence[Alert]], Sequence[Action]]
    clock_ns: Callable[[], int]
    attachment: Callable[[str], Attachment | None] = lambda _: None


class MessageWriter:
    """See ``Writer``; any thread may call."""

    def __init__(self, sources: Sources, sandbox: Sandbox | None = None) -> None:
        self._sources = sources
        self._sandbox = sandbox or Sandbox()
        self._shipped = Shipped()
        self._charts = Charts()

    def close(self) -> None:
        """End the process of the sandbox."""
        self._sandbox.close()

    def message(self, notification: Notification, channel: Channel, previous: str = "") -> Message:
        """See ``Writer``."""
        try:
            return self._message(notification, channel, previous)
        except Exception as error:  # noqa: BLE001 - a defect of ours must not be the reason for silence
            _LOG.exception("a message about the notification %s could not be made as usual", notification.id)
            return _plain(notification, previous, in_words(error))

    def _message(self, notification: Notification, channel: Channel, previous: str) -> Message:
        alerts = self._with_evidence(notification.alerts)
        drawn = self._charts.of(alerts) if shows_pictures(channel.kind) else Drawn()
        base_url = self._sources.base_url().rstrip("/")
        actions = tuple(self._sources.actions(notification, alerts))
        material = Material(
            notification=notification,
            channel=channel,
            alerts=alerts,
            base_url=base_url,
            link=_link(notification, alerts, base_url),
            now_ns=max(self._sources.clock_ns(), notification.created_ns),
            actions=actions,
            chart=drawn.alt,
        )
        title, text, html, problem = self._texts(channel, facts(material))
        return Message(
            notification=notification,
            status=status_of(notification, alerts),
            severity=severity_of(notification, alerts),
            title=title,
            text=text,
            html=html,
            link=material.link,
            actions=actions,
            alerts=tuple(alerts),
            chart_png=drawn.png,
            chart_alt=drawn.alt,
            attachment=self._attachment(notification, channel),
            previous=previous,
            problem=problem,
        )

    def _attachment(self, notification: Notification, channel: Channel) -> Attachment | None:
        """The file of a mail; other channels have the link."""
        named = str(notification.about.get("attachment", ""))
        return self._sources.attachment(named) if named and channel.kind == "email" else None

    def _with_evidence(self, alerts: Sequence[Alert]) -> list[Alert]:
        """The alerts as they were at the decision, the first of them with the evidence that there is now."""
        ordered = in_order(alerts)
        return [self._evidence(alert) for alert in ordered[:MOST_ALERTS]] + ordered[MOST_ALERTS:]

    def _evidence(self, alert: Alert) -> Alert:
        if alert.evidence:
            return alert
        try:
            now = self._sources.alert(alert.id)
        except (AlertNotFoundError, OSError):  # it is told without
            return alert
        return replace(alert, evidence=now.evidence, acknowledged_by=now.acknowledged_by or alert.acknowledged_by)

    def _texts(self, channel: Channel, found: Mapping[str, Any]) -> tuple[str, str, str, str]:
        """Title, text and HTML, and what is wrong with the channel's own templates."""
        problems: list[str] = []
        title = words.line(self._part(channel, "title", found, problems), most_of(channel.kind, "title"))
        text = self._part(channel, "text", found, problems)
        html = self._part(channel, "html", found, problems)
        problem = "; ".join(problems)
        if problem:
            note = f"{problem}. This is the usual message in its place."
            text = f"{note}\n\n{text}"
            html = _with_note(html, note)
        return title or str(found["headline"]), _tidy(text, most_of(channel.kind, "text")), html, problem

    def _part(self, channel: Channel, part: Part, found: Mapping[str, Any], problems: list[str]) -> str:
        own = {"title": channel.title, "text": channel.text, "html": channel.html}[part]
        if own:
            try:
                made = self._sandbox.render(own, escaping_of(channel.kind, part), found, most_of(channel.kind, part))
            except TemplateFailedError as error:
                problems.append(f"The template {part!r} of the channel {channel.name!r} failed: {error}")
            else:
                if made.strip() or part == "html":
                    return made
                problems.append(f"The template {part!r} of the channel {channel.name!r} makes an empty text")
        return self._shipped.render(channel.kind, part, found)


def _link(notification: Notification, alerts: Sequence[Alert], base_url: str) -> str:
    """The page about all of it: the alert, the list of alerts, or what the notification itself names."""
    given = str(notification.about.get("link", ""))
    if given:
        return given if given.startswith(("http://", "https://")) else f"{base_url}/{given.lstrip('/')}"
    if len(alerts) == 1:
        return f"{base_url}/alerts/{alerts[0].id}"
    return f"{base_url}/alerts"


def _tidy(text: str, most: int) -> str:
    """Without blanks at ends of lines and several empty lines in a row; whole lines are left out at the end."""
    tidy = _BLANK_LINES.sub("\n\n", _LINE_ENDS.sub("", text)).strip()
    if len(tidy) <= most:
        return tidy
    kept = tidy[: most - 2].rpartition("\n")[0] or tidy[: most - 2]
    return f"{kept}\n…"


def _with_note(html: str, note: str) -> str:
    """The HTML with a sentence at the top of its body."""
    if not html:
        return ""
    shown = f'<p style="margin:0;padding:12px;background:#fdf3dd;color:#8f5500">{words.escaped(note)}</p>'
    before, body, after = html.partition("<body")
    if not body:
        return shown + html
    tag, closed, rest = after.partition(">")
    return f"{before}{body}{tag}{closed}{shown}{rest}"


def _plain(notification: Notification, previous: str, reason: str) -> Message:
    """The message without any template, for a defect of ours."""
    alerts = in_order(notification.alerts)
    titles = [f"- {words.line(alert.title, 200)}: {alert.severity}, {alert.status}" for alert in alerts[:MOST_ALERTS]]
    more = [f"- and {len(alerts) - MOST_ALERTS} more"] if len(alerts) > MOST_ALERTS else []
    about = words.line(str(notification.about.get("title", "")), 200)
    severity = severity_of(notification, alerts)
    problem = f"the usual message could not be made: {reason}"
    first = about or (words.line(alerts[0].title, 200) if alerts else "Spanglass has a message")
    return Message(
        notification=notification,
        status=status_of(notification, alerts),
        severity=severity,
        title=f"[{str(severity).upper()}] {first}",
        text="\n".join([*titles, *more, "", f"Look at the server's alerts; {problem}."]).strip(),
        html="",
        link="",
        alerts=tuple(alerts),
        previous=previous,
        problem=problem,
    )


__all__ = ["MessageWriter", "Sources"]
