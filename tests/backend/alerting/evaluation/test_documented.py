"""docs/alert-rules.md: its examples are conditions that can be evaluated."""

from __future__ import annotations

import re
from pathlib import Path

from rule_series import evaluator, rule
from test_steps import START_MS, random_series

from spanglass_core.alerting.conditions.parse import parse_condition
from spanglass_core.alerting.conditions.writing import write_condition
from spanglass_server.alerting.baselines.ahead import StoredForecasts
from spanglass_server.alerting.baselines.baselines import Baselines
from spanglass_server.alerting.model import Readings
from spanglass_server.promql.series.vectors import Steps
from spanglass_server.promql.stored.discovery.kinds import MetricKind

DOCS = Path(__file__).parents[4] / "docs" / "alert-rules.md"
KINDS = {"http.server.request.duration": MetricKind("native", "s"), "process.memory.usage": MetricKind("gauge", "By")}


def test_every_example_can_be_evaluated():
    """Each condition on the page is right, can be evaluated, and means the same when it is written anew."""
    blocks = re.findall(r"^```condition\n(.*?)^```", DOCS.read_text(), re.MULTILINE | re.DOTALL)
    examples = [line for block in blocks for line in block.splitlines()]
    series = random_series(2)
    series.known.update(KINDS)
    checked = evaluator(series, baselines=Baselines(), forecasts=StoredForecasts())
    rules = [rule(text, uid=text) for text in examples]
    found = checked.evaluate(None, rules, Steps(START_MS, 0, 1))

    assert len(examples) > 30
    for one in rules:
        assert checked.check(one) is None, one.condition
        assert isinstance(found[one.uid], Readings), (one.condition, found[one.uid])
        assert parse_condition(write_condition(parse_condition(one.condition))) == parse_condition(one.condition)
    assert found["error_rate > 0.05"].keys == ((("service_name", "a"),), (("service_name", "b"),))
