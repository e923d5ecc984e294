"""Types of the API's answers about objectives."""

from __future__ import annotations

from typing import Any, Literal, TypedDict

from spanglass_server.forms.book import Origin
from spanglass_server.query.answers import Time, TimeRange
from spanglass_server.slo.standing import Status


class BudgetJson(TypedDict):
    """The events of a window and its error budget.

    ``good`` is the share of good events, ``left`` the share of the budget that is left, below 0 when more events were
    bad than may be; null without events. ``allowed`` is how many may be bad, of as many as there were.
    """

    total: float
    bad: float
    allowed: float
    good: float | None
    left: float | None


class ForecastJson(TypedDict):
    """When the budget is used up if all goes on as in the last day; null: not within a window's length.

    It was also worked out with the last six hours and three days: ``earliest_time`` and ``latest_time``. Where it is
    ``exhausted`` the times are those at which some of it is there again.
    """

    exhausted: bool
    time: Time | None
    earliest_time: Time | None
    latest_time: Time | None


class SloRuleJson(TypedDict):
    """One of the alert rules of an objective; ``rate`` is how many times too fast the budget burns."""

    uid: str
    rate: float
    long: str
    short: str
    severity: str


class SloJson(TypedDict):
    """An objective with how it stands.

    ``burn_rates`` are by window, null without events: at 1 the budget lasts just as long as the window. ``since_time``
    is when counting begins, ``partial`` whether that is within the window. ``last_event_time`` is that of the newest
    event in three days. ``lacking`` says what it asks for that is not there: a health check; null if nothing.
    """

    uid: str
    name: str
    status: Status
    service: str
    target: float
    window: str
    source: Literal["spans", "check"]
    what: str
    window_range: TimeRange
    budget: BudgetJson
    burn_rates: dict[str, float | None]
    forecast: ForecastJson | None
    since_time: Time | None
    partial: bool
    last_event_time: Time | None
    enabled: bool
    alerts: bool
    lacking: str | None


class SloPage(SloJson):
    """One with everything; ``editable`` where it was made over pages or the API.

    ``bad_filter`` finds the bad spans; "" for an objective over a check.
    """

    slo: dict[str, Any]
    yaml: str
    version: str
    origin: Origin
    file: str
    line: int | None
    editable: bool
    rules: list[SloRuleJson]
    spans_filter: str
    bad_filter: str
    description: str
    owner: str
    runbook: str


class SloList(TypedDict):
    """All objectives, what is worst first; ``problems`` are those of their files."""

    slos: list[SloJson]
    problems: list[str]


class DayJson(TypedDict):
    """A day of UTC: its own events and budget, and the share of the budget of the window that was left at its end."""

    start_time: Time
    budget: BudgetJson
    left: float | None


class SloHistory(TypedDict):
    """The course of a budget. Lists have an entry for each hour: events, bad ones, and what was left at its end.

    ``range`` is of whole hours; ``counted`` are the events of the minutes that begin in the range that was asked for.
    """

    range: TimeRange
    counted: BudgetJson
    times: list[Time]
    total: list[float]
    bad: list[float]
    left: list[float | None]
    days: list[DayJson]


class EpisodeJson(TypedDict):
    """A stretch of time in which the budget burned faster than it may; ``share`` of the budget of the whole range."""

    start_time: Time
    end_time: Time
    total: float
    bad: float
    share: float


class SloEpisodes(TypedDict):
    """What used most of the budget of a range, most first."""

    range: TimeRange
    episodes: list[EpisodeJson]


class KeptSlo(TypedDict):
    """An objective that was kept; ``lacking`` as in the list: it is kept nevertheless."""

    uid: str
    version: str
    slo: dict[str, Any]
    lacking: str | None


class DeletedSlo(TypedDict):
    """The objective that was deleted."""

    uid: str


class CheckedSlos(TypedDict):
    """Objectives that were typed: those that are right, and what is wrong with the others."""

    slos: list[dict[str, Any]]
    yaml: str
    problems: list[dict[str, Any]]


class ImportedSlos(CheckedSlos):
    """Objectives of OpenSLO as ours; ``notes`` is what is left out."""

    notes: list[dict[str, Any]]


class TriedSlo(TypedDict):
    """What an objective that is typed would have had in the last day."""

    range: TimeRange
    budget: BudgetJson
    burn_rate: float | None
    episodes: list[EpisodeJson]


class SloVersion(TypedDict):
    """What an objective was before."""

    version: str
    replaced_time: Time
    slo: dict[str, Any]


class SloVersions(TypedDict):
    """What an objective was before, newest first."""

    versions: list[SloVersion]


class SloChangeJson(TypedDict):
    """A change that somebody made; ``before`` and ``after`` are YAML, empty for none."""

    time: Time
    uid: str
    by: str
    kind: str
    before: str
    after: str


class SloChanges(TypedDict):
    """Changes, newest first."""

    changes: list[SloChangeJson]
