"""Types of the API's answers about rules and their thresholds."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypedDict

from spanglass_server.api.alerting.answers import SeverityName
from spanglass_server.forms.problems import ProblemJson
from spanglass_server.query.answers import JsonSchema, Nanoseconds, Time

RuleState = Literal["inactive", "pending", "firing", "no_data", "error", "disabled", "unknown"]
Health = Literal["ok", "no_data", "error", "unknown"]
Labels = Annotated[dict[str, str], JsonSchema({"description": "labels that tell the keys of one rule apart"})]


class Standing(TypedDict):
    """Where a rule is written; one that is not ``editable`` is changed in its file. ``tuned``: by a threshold."""

    origin: Literal["settings", "files", "kept", "slos", "shipped"]
    file: str
    line: int | None
    group: str
    version: str
    editable: bool
    tuned: bool


class RuleRow(Standing):
    """A rule with how it stands; ``value`` and ``level`` are those of its worst key.

    ``firing`` and ``pending`` count keys, ``keys`` those with data.
    """

    uid: str
    name: str
    condition: str
    severity: SeverityName
    enabled: bool
    labels: dict[str, str]
    owner: str
    channels: list[str]
    state: RuleState
    health: Health
    error: str
    value: float | None
    unit: str
    level: SeverityName | None
    firing: int
    pending: int
    keys: int
    last_evaluation_time: Time | None
    evaluation_ns: Nanoseconds


class AlerterJson(TypedDict):
    """The evaluation of rules as a whole, since the server started; lags are of the latest ticks.

    ``silent_since_time`` is when the last record came, while nothing comes in.
    """

    last_tick_time: Time | None
    lag_p50_ns: Nanoseconds
    lag_p99_ns: Nanoseconds
    ticks: int
    missed_ticks: int
    failed_evaluations: int
    silent_since_time: Time | None
    problems: list[str]


class RuleList(TypedDict):
    """The answer of ``GET /api/v1/rules``; ``problems`` are those of the files of rules."""

    rules: list[RuleRow]
    problems: list[str]
    alerter: AlerterJson


class KeyJson(TypedDict):
    """Where one key of a rule stands; times are null where there is none."""

    labels: Labels
    phase: Literal["inactive", "pending", "firing", "keep_firing"]
    health: Literal["ok", "no_data", "error"]
    severity: SeverityName | None
    value: float | None
    error: str
    pending_time: Time | None
    fired_time: Time | None
    no_data_time: Time | None
    evaluated_time: Time | None
    alert_id: str | None


class EvaluationJson(TypedDict):
    """One evaluation of a rule: keys with data, and keys that fire."""

    time: Time
    duration_ns: Nanoseconds
    keys: int
    firing: int
    error: str


class ThresholdJson(TypedDict):
    """The thresholds of a rule as they are in force; ``duration`` is its ``for`` in seconds.

    ``metric_type`` is the quantity that the condition compares, ``updated_by`` null for a rule that stands as written.
    """

    id: str
    rule: str
    rule_name: str
    metric_type: str
    warning_threshold: float | None
    error_threshold: float | None
    critical_threshold: float | None
    recovery_threshold: float | None
    unit: str
    duration: float
    enabled: bool
    updated_by: str | None
    updated_at: Time | None


class RuleAnswer(RuleRow):
    """One rule with everything; ``rule`` is as it is written, without what is tuned of it, with all keys."""

    rule: dict[str, Any]
    threshold: ThresholdJson
    key_states: list[KeyJson]
    evaluations: list[EvaluationJson]
    warnings: list[str]


class RuleYaml(TypedDict):
    """A rule as YAML."""

    yaml: str


class DeletedRule(TypedDict):
    """The rule that is gone."""

    uid: str


class CheckedRules(TypedDict):
    """The rules of a text that are right, as JSON and as YAML, and all that is wrong with it.

    Of a rule file of Prometheus, ``recordings`` counts recording rules, and ``notes`` say what is not as it is there.
    """

    rules: list[dict[str, Any]]
    yaml: str
    recordings: int
    problems: list[ProblemJson]
    notes: list[ProblemJson]


class Template(TypedDict):
    """A rule that comes with the product, to be taken as it is or changed."""

    rule: dict[str, Any]
    yaml: str


class TemplateList(TypedDict):
    """The answer of ``GET /api/v1/rules/templates``."""

    templates: list[Template]


class CompletionJson(TypedDict):
    """What may stand at a place of a condition."""

    text: str
    kind: str


class CompletionList(TypedDict):
    """What may replace the text from ``start`` up to ``end``, counted from 0; the likeliest first."""

    start: int
    end: int
    items: list[CompletionJson]


class ThresholdList(TypedDict):
    """The answer of ``GET /api/monitoring/thresholds/``."""

    thresholds: list[ThresholdJson]


class RuleChangeJson(TypedDict):
    """One change of a rule: ``before`` and ``after`` are its YAML, or what was tuned of it, in words."""

    time: Time
    by: str
    kind: str
    before: str
    after: str


class RuleChanges(TypedDict):
    """Changes of a rule, the newest first."""

    rule: str
    changes: list[RuleChangeJson]


class RuleVersion(TypedDict):
    """What a rule was until it was replaced or deleted."""

    version: str
    replaced_time: Time
    rule: dict[str, Any]


class RuleVersions(TypedDict):
    """The answer of ``GET /api/v1/rules/{uid}/versions``."""

    versions: list[RuleVersion]
