"""What the parts of notifications give each other: channels, routes, silences, notifications, messages, outcomes."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass_core.alerting.severity import Severity
    from spanglass_server.alerting.model import Alert

#: settings: the settings file; kept: made in pages or over the API.
Origin = Literal["settings", "kept"]


@dataclass(frozen=True, slots=True)
class Matcher:
    """A condition on one label, as Alertmanager has it; a label that is not there has the value ""."""

    name: str
    operator: Literal["=", "!=", "=~", "!~"]
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """At most so many messages in so long; what comes above is told in one digest at the end of the time."""

    messages: int
    per_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A way to tell people. ``options`` is the dataclass of its kind (``channels/``), secrets in it are ``Secret``."""

    name: str
    kind: str
    options: Any
    send_resolved: bool = True
    fallback: str = ""  # the channel that is told when this one has given up
    limit: Limit | None = None
    title: str = ""  # templates (Jinja2) in the place of those of the kind
    text: str = ""
    html: str = ""
    origin: Origin = "kept"
    file: str = ""
    line: int = 0
    version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A node of the routing tree, with what it inherits filled in.

    ``key`` names it by the matchers on the way to it, so that it stays the same when other routes change. Without
    ``channels``, alerts go to those that they name themselves. ``group_by`` is None for all labels.
    """

    key: str
    matchers: tuple[Matcher, ...] = ()
    channels: tuple[str, ...] = ()
    group_by: tuple[str, ...] | None = ()
    group_wait_ns: int
    group_interval_ns: int
    repeat_interval_ns: int
    continues: bool = False
    mute_during: tuple[str, ...] = ()
    active_during: tuple[str, ...] = ()
    escalation: str = ""
    routes: tuple[Route, ...] = ()


@dataclass(frozen=True, slots=True)
class Inhibition:
    """While an alert fires that ``source`` matches, those that ``target`` matches are not told of."""

    source: tuple[Matcher, ...]
    target: tuple[Matcher, ...]
    equal: tuple[str, ...] = ()  # labels in which both have to agree


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """Nobody is told of alerts that match all matchers, from ``starts_ns`` until ``ends_ns``."""

    id: str
    matchers: tuple[Matcher, ...]
    starts_ns: int
    ends_ns: int
    created_by: str
    comment: str
    updated_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """An alert as routing sees it. ``ends_ns`` is 0 while it is open."""

    alert_id: str
    fingerprint: str
    labels: Mapping[str, str]
    severity: Severity
    title: str
    starts_ns: int
    ends_ns: int = 0
    acknowledged: bool = False
    channels: tuple[str, ...] = ()  # that it names itself


class Reason(StrEnum):
    """Why somebody is told."""

    FIRING = "firing"  # there are alerts in the group of which the channel has not been told
    RESOLVED = "resolved"
    REPEAT = "repeat"  # nothing new, and repeat_interval has passed
    ESCALATION = "escalation"
    DIGEST = "digest"
    INCIDENT = "incident"
    RESPONSE = "response"  # an alert fired whose rule names the channel under ``responses``
    REPORT = "report"  # a report of a schedule is there
    TEST = "test"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """What one channel is to be told. ``id`` is the idempotency key: the same at every attempt, also after a crash.

    ``thread`` is the same for all notifications about one group, incident or escalation at one channel. ``alerts`` are
    as they were at the decision, without evidence. ``about`` holds title, text, severity, link of what is no alert.
    """

    id: str
    channel: str
    reason: Reason
    thread: str
    created_ns: int
    alerts: tuple[Alert, ...] = ()
    group_labels: Mapping[str, str] = field(default_factory=dict)
    why: str = ""  # in words: the route, the step of an escalation
    addresses: tuple[str, ...] = ()  # of people, in the place of the channel's own
    about: Mapping[str, Any] = field(default_factory=dict)
    not_before_ns: int = 0
    fallback_of: str = ""  # the notification that could not be delivered
    failed: str = ""  # in words, of a fallback: the channels that could not be told, and why


@dataclass(frozen=True, slots=True)
class Action:
    """Something that can be done from a message, by a signed link."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that a mail has with it."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A notification in words, for a channel. All texts are ready; ``problem`` says which template failed, if one did.

    ``alerts`` carry their evidence. ``previous`` is the reference that the last message of the thread was given by the
    channel: what it can update in place of sending another.
    """

    notification: Notification
    status: Literal["firing", "resolved", "info"]
    severity: Severity
    title: str
    text: str
    html: str
    link: str
    actions: tuple[Action, ...] = ()
    alerts: tuple[Alert, ...] = ()
    chart_png: bytes = b""
    chart_alt: str = ""
    attachment: Attachment | None = None
    previous: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one attempt. Not ``sent`` and not ``retryable``: the sink has refused, and will again."""

    sent: bool
    retryable: bool = False
    answer: str = ""  # what the sink said, cut to 500 characters, without secrets
    error: str = ""  # what went wrong and what to do, in words for people
    reference: str = ""  # by which the channel can update the message
    retry_after_s: float = 0.0  # the sink's own wish


class State(StrEnum):
    """Of a notification in the outbox."""

    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"  # given up
    DIGESTED = "digested"  # above the limit of its channel: told in a digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt to deliver, as the log keeps it."""

    number: int
    started_ns: int
    latency_ns: int
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A notification with what became of it. ``attempts`` counts them, ``next_ns`` is when the next one is due."""

    notification: Notification
    state: State
    attempts: int = 0
    next_ns: int = 0
    done_ns: int = 0
    error: str = ""
    reference: str = ""
    begun_ns: int = 0  # the first attempt, or the first since somebody had it tried anew
