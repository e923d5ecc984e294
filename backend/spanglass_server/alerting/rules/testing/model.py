"""What a file of unit tests holds, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass_server.forms.problems import Problem

_MINUTE_NS = 60 * 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class InputSeries:
    """A series in Prometheus' notation."""

    series: str
    values: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """What a metric of OpenTelemetry is, where a condition has it by its name: its unit is in UCUM."""

    name: str
    type: Literal["counter", "gauge", "native", "classic"] = "gauge"
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedAlert:
    """An alert that must fire. What is None is not looked at; annotations are compared as they are given."""

    exp_labels: Mapping[str, str] = field(default_factory=dict)
    exp_annotations: Mapping[str, str] = field(default_factory=dict)
    exp_severity: str | None = None
    exp_title: str | None = None
    exp_description: str | None = None
    exp_value: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertTest:
    """The alerts of one name that fire at a time."""

    alertname: str
    eval_time_ns: int = 0
    exp_alerts: tuple[ExpectedAlert, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedSample:
    """A sample of an answer."""

    labels: str
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpressionTest:
    """The answer to an expression at a time."""

    expr: str
    eval_time_ns: int = 0
    exp_samples: tuple[ExpectedSample, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleTest:
    """Series, ``interval`` apart from 0 on, and what is to come of them."""

    name: str = ""
    interval_ns: int = _MINUTE_NS
    input_series: tuple[InputSeries, ...] = ()
    metrics: tuple[Metric, ...] = ()
    alert_rule_test: tuple[AlertTest, ...] = ()
    promql_expr_test: tuple[ExpressionTest, ...] = ()
    external_labels: Mapping[str, str] = field(default_factory=dict)
    external_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TestFile:
    """Tests, and the rules that they are of: files of Prometheus' or of our form, and rules in the file itself."""

    __test__ = False  # no class of tests for pytest

    rule_files: tuple[str, ...] = ()
    alert_rules: tuple[Any, ...] = ()
    evaluation_interval_ns: int = _MINUTE_NS
    group_eval_order: tuple[str, ...] = ()
    tests: tuple[RuleTest, ...] = ()


@dataclass(frozen=True, slots=True)
class Checked:
    """One expectation: of which test, of what, and why it failed ("" if it did not)."""

    test: str
    what: str
    line: int
    failure: str = ""


@dataclass(frozen=True, slots=True)
class FileResult:
    """What came of a file. With problems nothing was run."""

    file: str
    checked: tuple[Checked, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether every expectation was met; a file without any does not pass."""
        return bool(self.checked) and not self.problems and not any(each.failure for each in self.checked)
