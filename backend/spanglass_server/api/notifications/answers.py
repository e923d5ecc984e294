"""Types of the API's answers about notifications."""

from __future__ import annotations

from typing import Any, Literal, TypedDict

from spanglass_server.api.alerting.answers import AlertJson, SeverityName
from spanglass_server.forms.problems import ProblemJson
from spanglass_server.query.answers import NextCursor, Time

StateName = Literal["waiting", "sent", "failed", "digested"]


class ChannelJson(TypedDict):
    """A channel with what the delivery log knows of it; ``kind`` is null for one that is not configured (any more).

    ``counts`` are deliveries by state, ``error`` is that of the last attempt.
    """

    name: str
    kind: str | None
    origin: str | None
    counts: dict[str, int]
    oldest_waiting_at: Time | None
    last_at: Time | None
    error: str | None


class Standing(TypedDict):
    """The answer of ``GET /api/v1/notifications``: how everything stands."""

    channels: list[ChannelJson]
    groups: int
    escalations: int
    silences: int
    problems: list[str]


class AlertName(TypedDict):
    """An alert in short."""

    id: str
    title: str
    severity: SeverityName
    status: str


class Bell(TypedDict):
    """What the bell of the pages shows: open alerts, the newest first; ``version`` rises with every change of any."""

    version: int
    open: int
    unacknowledged: int
    failed: int
    alerts: list[AlertJson]


class MatcherJson(TypedDict):
    """A condition on one label."""

    name: str
    operator: Literal["=", "!=", "=~", "!~"]
    value: str


class SilenceJson(TypedDict):
    """A silence; ``text`` are its matchers as people write them, ``hides`` counts the open alerts that match now."""

    id: str
    state: Literal["pending", "active", "expired"]
    matchers: list[MatcherJson]
    text: str
    starts_at: Time
    ends_at: Time
    created_by: str
    comment: str
    updated_at: Time
    hides: int


class SilenceList(TypedDict):
    """Silences, the latest end first."""

    silences: list[SilenceJson]


class Hidden(TypedDict):
    """What a silence would hide: the newest of the open alerts that match, and how many there are."""

    matchers: list[MatcherJson]
    text: str
    total: int
    alerts: list[AlertJson]


class DeliveryJson(TypedDict):
    """A notification with what became of it. ``addresses`` are those of people, in the place of the channel's own."""

    id: str
    channel: str
    reason: str
    why: str
    state: StateName
    thread: str
    title: str
    alerts: list[AlertName]
    group_labels: dict[str, str]
    addresses: list[str]
    attempts: int
    created_at: Time
    next_at: Time | None
    done_at: Time | None
    took_ns: int | None
    error: str | None
    fallback_of: str | None


class AttemptJson(TypedDict):
    """One attempt to deliver."""

    number: int
    started_at: Time
    latency_ns: int
    sent: bool
    retryable: bool
    answer: str
    error: str | None


class DeliveryPage(DeliveryJson):
    """One delivery with its attempts, oldest first."""

    log: list[AttemptJson]


class DeliveryList(TypedDict):
    """Deliveries, the newest first."""

    deliveries: list[DeliveryJson]
    next_cursor: NextCursor


class ActionJson(TypedDict):
    """Something that can be done from a message."""

    label: str
    url: str


class MessageJson(TypedDict):
    """A message as a channel would say it; ``chart`` is a PNG in base64, ``problem`` says which template failed."""

    channel: str
    status: Literal["firing", "resolved", "info"]
    severity: SeverityName
    title: str
    text: str
    html: str
    link: str
    actions: list[ActionJson]
    chart: str | None
    chart_alt: str
    problem: str | None


class Tested(TypedDict):
    """What came of a test message; ``error`` says what to do, ``delivery`` is its id in the log of deliveries."""

    sent: bool
    answer: str
    error: str | None
    delivery: str
    message: MessageJson


class RecipientJson(TypedDict):
    """Whom an escalation has told, or tells when their quiet hours end (``until``)."""

    channel: str
    person: str | None
    until: Time | None


class EscalationJson(TypedDict):
    """An escalation that runs. ``step`` is the next one, from 1; ``next_at`` is null when there is none."""

    key: str
    escalation: str
    began_at: Time
    step: int
    steps: int
    round: int
    next_at: Time | None
    acknowledged: bool
    paused: bool
    told: list[RecipientJson]
    held: list[RecipientJson]
    alerts: list[AlertName]


class EscalationList(TypedDict):
    """Escalations that run, the one that is due first at the top."""

    escalations: list[EscalationJson]


class DutyJson(TypedDict):
    """Who is on call from when to when; null for nobody, and for an end that is not known."""

    person: str | None
    full_name: str | None
    start: Time | None
    end: Time | None
    why: Literal["override", "shift", "turn", "nobody"]
    reason: str


class RotaJson(TypedDict):
    """A rota with who is on call, and who is next."""

    rota: str
    time_zone: str
    now: DutyJson
    next: DutyJson | None


class OnCall(TypedDict):
    """All rotas at one time."""

    time: Time
    rotas: list[RotaJson]


class Schedule(TypedDict):
    """Who is on call in a rota over a range, without gaps."""

    rota: str
    time_zone: str
    start: Time
    end: Time
    duties: list[DutyJson]


class MutedJson(TypedDict):
    """Why people are not told: the silence, the alert that inhibits, or the interval by its name."""

    by: Literal["inhibition", "silence", "mute_during", "active_during"]
    silence: str | None
    alert: str | None
    interval: str | None


class WalkedJson(TypedDict):
    """One route on the way through the tree; ``failing`` is the matcher that does not hold of the label's ``value``."""

    route: str
    depth: int
    result: Literal["takes", "passes", "fails", "unasked"]
    matchers: list[str]
    failing: str | None
    value: str | None


class StepJson(TypedDict):
    """A step of an escalation that begins now, with whom it would reach."""

    after: str
    tell: list[str]
    recipients: list[RecipientJson]


class HearingJson(TypedDict):
    """What one route that takes the alert comes to, in words as ``text``."""

    route: str
    channels: list[str]
    unknown_channels: list[str]
    group_labels: dict[str, str]
    group_wait: str
    group_interval: str
    repeat_interval: str
    muted: MutedJson | None
    escalation: str | None
    escalation_steps: list[StepJson]
    text: str


class Explained(TypedDict):
    """Who hears of an alert, and why: in sentences as ``text``, and step by step through the tree of routes."""

    labels: dict[str, str]
    text: list[str]
    muted: MutedJson | None
    silences: list[str]
    steps: list[WalkedJson]
    hearings: list[HearingJson]


#: A route with what it inherits. ``group_by`` is null for all labels, ``routes`` are such objects again.
RouteJson = TypedDict(
    "RouteJson",
    {
        "key": str,
        "matchers": list[str],
        "channels": list[str],
        "group_by": list[str] | None,
        "group_wait": str,
        "group_interval": str,
        "repeat_interval": str,
        "continue": bool,
        "mute_during": list[str],
        "active_during": list[str],
        "escalation": str | None,
        "routes": list[dict[str, Any]],
    },
)


class Told(TypedDict):
    """Who was told of an alert, what holds it back or goes on, and who would be told now."""

    alert: AlertName
    explained: Explained
    deliveries: list[DeliveryJson]
    silences: list[SilenceJson]
    escalations: list[EscalationJson]


class Thing(TypedDict):
    """Something that is configured, with where it stands. Secrets in ``value`` are hidden."""

    section: str
    name: str
    origin: Literal["settings", "kept"]
    file: str
    line: int | None
    version: str
    editable: bool
    value: Any


class ThingList(TypedDict):
    """The things of one section, by name."""

    things: list[Thing]
    problems: list[str]


class ThingVersion(TypedDict):
    """What a kept thing was before; ``by`` is who had kept it so, null where that is not known."""

    version: str
    by: str | None
    replaced_at: Time
    value: Any


class ThingVersions(TypedDict):
    """What a kept thing was before, newest first."""

    versions: list[ThingVersion]


class CheckedThing(TypedDict):
    """Everything that is wrong with a thing, as ``value`` holds it; nothing where it can be kept."""

    problems: list[ProblemJson]


class DeletedThing(TypedDict):
    """What is gone."""

    section: str
    name: str
