"""The keys of a file of unit tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from spanglass_core.alerting.severity import Severity
from spanglass_server.alerting.rules.form.spec import RULE
from spanglass_server.alerting.rules.prometheus.kinds import Expression, PrometheusDuration
from spanglass_server.alerting.rules.testing import model
from spanglass_server.forms.kinds import FAILED, Choice, Many, Text, Texts, described
from spanglass_server.forms.shapes import Shape
from spanglass_server.promql.errors import PromqlError
from spanglass_server.promql.notation import read_labels, read_points

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanglass_server.forms.nodes import Node
    from spanglass_server.forms.problems import Report

_MOST = 10_000
_TEXT = Text()
_NAMED = Text(may_be_empty=False)
_TEXTS = Texts(_TEXT)
_DURATION = PrometheusDuration()


class Float:
    """Any number, also NaN, Inf and hexadecimal ones."""

    schema: Final = {"type": ["number", "string"]}

    def read(self, node: Node, report: Report) -> Any:
        """See ``Kind``."""
        text = node.text.strip().lower()
        text = text.replace(".nan", "nan").replace(".inf", "inf")  # as YAML writes them
        try:
            return float(int(text, 16)) if text.startswith("0x") else float(text)
        except ValueError:
            report.add(node, f"expected a number, not {described(node)}", "such as 5, 0.25, NaN or -Inf")
            return FAILED

    def write(self, value: Any, *, full: bool) -> Any:
        """See ``Kind``."""
        del full
        return value


class Notation:
    """A text that a reader of Prometheus' notation of series takes."""

    schema: Final = {"type": "string"}

    def __init__(self, read: Callable[[str], object]) -> None:
        self._read = read

    def read(self, node: Node, report: Report) -> Any:
        """See ``Kind``."""
        text = _TEXT.read(node, report)
        if text is FAILED:
            return FAILED
        try:
            self._read(text)
        except PromqlError as error:
            report.add(node, error.message)
            return FAILED
        return text

    def write(self, value: Any, *, full: bool) -> Any:
        """See ``Kind``."""
        return _TEXT.write(value, full=full)


_LABELS = Notation(read_labels)
EXPECTED_ALERT = Shape(
    model.ExpectedAlert,
    {
        "exp_labels": _TEXTS,
        "exp_annotations": _TEXTS,
        "exp_severity": Choice(*map(str, Severity)),
        "exp_title": _TEXT,
        "exp_description": _TEXT,
        "exp_value": Float(),
    },
)
ALERT_TEST = Shape(
    model.AlertTest,
    {"eval_time": _DURATION, "alertname": _NAMED, "exp_alerts": Many(EXPECTED_ALERT, most=_MOST)},
)
EXPECTED_SAMPLE = Shape(model.ExpectedSample, {"labels": _LABELS, "value": Float()})
EXPRESSION_TEST = Shape(
    model.ExpressionTest,
    {"expr": Expression(), "eval_time": _DURATION, "exp_samples": Many(EXPECTED_SAMPLE, most=_MOST)},
)
METRIC = Shape(model.Metric, {"name": _NAMED, "type": Choice("counter", "gauge", "native", "classic"), "unit": _TEXT})
RULE_TEST = Shape(
    model.RuleTest,
    {
        "name": _TEXT,
        "interval": _DURATION,
        "input_series": Many(
            Shape(model.InputSeries, {"series": _LABELS, "values": Notation(read_points)}), most=_MOST
        ),
        "metrics": Many(METRIC, most=_MOST),
        "alert_rule_test": Many(ALERT_TEST, most=_MOST),
        "promql_expr_test": Many(EXPRESSION_TEST, most=_MOST),
        "external_labels": _TEXTS,
        "external_url": _TEXT,
    },
)
TEST_FILE = Shape(
    model.TestFile,
    {
        "rule_files": Many(_NAMED, most=_MOST),
        "alert_rules": Many(RULE, most=_MOST),
        "evaluation_interval": _DURATION,
        "group_eval_order": Many(_NAMED, most=_MOST),
        "tests": Many(RULE_TEST, most=_MOST),
    },
)
