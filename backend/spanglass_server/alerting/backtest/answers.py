"""Types of the answers about rules that are tried: backtests and previews."""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

from spanglass_server.query.answers import JsonSchema, Nanoseconds, Time, TimeRange, UnixSeconds

SeverityWord = Literal["info", "warning", "error", "critical"]
KeyLabels = Annotated[dict[str, str], JsonSchema({"description": "labels that tell a rule's keys apart"})]
#: ``above``: a value above its threshold is bad; ``below``: one below; "" where that can't be said.
Direction = Literal["above", "below", ""]


class ThresholdShown(TypedDict):
    """A number that the condition compares with, and the level that it stands for."""

    severity: SeverityWord
    value: float


class RuleFailure(TypedDict):
    """Why a rule could not be evaluated. ``column`` counts characters of the condition from 1; 0: no place."""

    message: str
    column: int


class FiredSpan(TypedDict):
    """One time that a key would have fired.

    ``peak`` is the worst value while it fired. ``resolved_time`` is null if it still fired at the end of the range.
    """

    pending_time: Time
    fired_time: Time
    resolved_time: Time | None
    severity: Annotated[SeverityWord, JsonSchema({"description": "the worst level that it reached"})]
    value: Annotated[float | None, JsonSchema({"description": "when it fired"})]
    peak: float | None
    firing_ns: Nanoseconds


class PendingSpan(TypedDict):
    """One time that the condition held, not for long enough."""

    start_time: Time
    end_time: Time | None


class KeyHistory(TypedDict):
    """What one key would have done; spans are the newest ones where there are too many."""

    labels: KeyLabels
    fires: int
    firing_ns: Nanoseconds
    longest_ns: Nanoseconds
    fired: list[FiredSpan]
    pending: list[PendingSpan]
    spans_left_out: int


class Totals(TypedDict):
    """Figures of all keys together."""

    keys: Annotated[int, JsonSchema({"description": "keys that had a value"})]
    keys_fired: int
    fires: int
    pending_only: Annotated[int, JsonSchema({"description": "how often the condition held, not for long enough"})]
    firing_ns: Nanoseconds
    longest_ns: Nanoseconds
    firing_at_end: int


class Day(TypedDict):
    """What a day would have brought: ``pages`` are alerts that would have fired."""

    date: Annotated[str, JsonSchema({"format": "date"})]
    pages: int
    firing_ns: Nanoseconds
    by_severity: dict[str, int]


class TestedSeries(TypedDict):
    """Values of one key for a chart, thinned: the least and the greatest of equal stretches, and those at changes.

    ``bounds`` is what each value was compared with, where that changes with time (baselines); else null.
    """

    labels: KeyLabels
    times_s: list[UnixSeconds]
    values: list[float | None]
    bounds: list[float | None] | None


class MissedSpan(TypedDict):
    """A time that would not have fired any more."""

    labels: KeyLabels
    fired_time: Time
    firing_ns: Nanoseconds
    peak: float | None


class Suggestion(TypedDict):
    """A quieter rule: what would change, how many fires would be left, and which ones would be missed.

    ``value`` is in the unit of the condition, or nanoseconds. ``missed`` holds the worst of ``missed_count``.
    """

    what: Literal["threshold", "for", "keep_firing_for"]
    value: float
    text: str
    fires: int
    firing_ns: Nanoseconds
    missed_count: int
    missed: list[MissedSpan]


class Backtest(TypedDict):
    """What a rule would have done over a range.

    ``evaluated`` is the part of the range that was evaluated; ``complete`` whether that is all of it. ``step_ns``
    is the interval of the rule unless the reader asked for a coarser one. ``keys`` are those that fired, or nearly,
    the ones that fired longest first.
    """

    window: TimeRange
    evaluated: TimeRange
    complete: bool
    interval_ns: Nanoseconds
    step_ns: Nanoseconds
    ticks: int
    unit: str
    direction: Direction
    thresholds: list[ThresholdShown]
    totals: Totals
    days: list[Day]
    keys: list[KeyHistory]
    keys_left_out: int
    series: list[TestedSeries]
    suggestions: list[Suggestion]
    warnings: list[str]
    failure: RuleFailure | None


class KeyPreview(TypedDict):
    """The value of one key now; ``severity`` is the level whose threshold it crosses, null for none."""

    labels: KeyLabels
    value: float | None
    severity: SeverityWord | None


class Preview(TypedDict):
    """What a rule says now: the worst keys first, ``keys_left_out`` more. ``crossing`` is how many have a level."""

    time: Time
    unit: str
    thresholds: list[ThresholdShown]
    keys: list[KeyPreview]
    keys_left_out: int
    crossing: int
    warnings: list[str]
    failure: RuleFailure | None
