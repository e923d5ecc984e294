"""Running the unit tests of a file: ``run_tests``, which the command line calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_core.units import format_duration
from spanglass_server.alerting.rules.testing.comparing import alerts_differ, samples_differ
from spanglass_server.alerting.rules.testing.firing import FiringAlert, Scene
from spanglass_server.alerting.rules.testing.loading import Loaded, load
from spanglass_server.alerting.rules.testing.model import Checked, FileResult
from spanglass_server.alerting.rules.testing.series import series_of
from spanglass_server.promql.engine import PromqlError, instant
from spanglass_server.promql.notation import read_labels
from spanglass_server.promql.series.vectors import Scalar, Steps, Vector
from spanglass_server.query.errors import BadQuestionError
from spanglass_server.times import NS_PER_MS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from spanglass_server.alerting.rules.testing.model import (
        AlertTest,
        ExpressionTest,
        RuleTest,
        TestFile,
    )
    from spanglass_server.forms.nodes import Node
    from spanglass_server.promql.ports import SeriesSource

MOST_STEPS = 200_000
_MINUTE_NS = 60 * 10**9


def run_tests(path: Path) -> FileResult:
    """Run the tests of a file. Never raises for what stands in it, or in the files of rules that it names."""
    loaded = load(path)
    if loaded.problems or loaded.file is None:
        return FileResult(str(path), (), tuple(loaded.problems))
    checked: list[Checked] = []
    listed = loaded.tree.named("tests") if loaded.tree is not None else None
    for place, (test, node) in enumerate(zip(loaded.file.tests, listed.items if listed else (), strict=True)):
        name = test.name or f"tests[{place}]"
        checked.extend(_Run(loaded, loaded.file, test, node, name).checks())
    return FileResult(str(path), tuple(checked))


class _Run:
    """One test on its way."""

    def __init__(self, loaded: Loaded, file: TestFile, test: RuleTest, node: Node, name: str) -> None:
        self._loaded = loaded
        self._test = test
        self._node = node
        self._name = name
        interval_ns = file.evaluation_interval_ns or _MINUTE_NS
        times = [each.eval_time_ns for each in test.alert_rule_test]
        times += [each.eval_time_ns for each in test.promql_expr_test]
        self._steps = Steps(0, interval_ns // NS_PER_MS, max(times, default=0) // interval_ns + 1)
        self._interval_ns = interval_ns

    def checks(self) -> Iterator[Checked]:
        """Every expectation, in order."""
        if self._steps.size > MOST_STEPS:
            yield self._whole(f"{self._steps.size} evaluations are too many: choose a longer evaluation_interval")
            return
        try:
            source, failures = series_of(self._test, self._loaded.groups, self._steps)
        except PromqlError as error:
            yield self._whole(str(error))
            return
        for failure in failures:
            yield self._whole(failure)
        scene = Scene(self._test, self._loaded.rules, source, self._steps, self._interval_ns)
        places = [each.eval_time_ns // self._interval_ns for each in self._test.alert_rule_test]
        firing = scene.firing(frozenset(places))
        for test, line, place in zip(self._test.alert_rule_test, self._lines("alert_rule_test"), places, strict=True):
            yield self._checked(test.alertname, test.eval_time_ns, line, self._alerts(test, firing[place]))
        for asked, line in zip(self._test.promql_expr_test, self._lines("promql_expr_test"), strict=True):
            yield self._checked(asked.expr, asked.eval_time_ns, line, _samples(asked, source))

    def _whole(self, failure: str) -> Checked:
        return Checked(self._name, "the test", self._node.line, failure)

    def _checked(self, what: str, time_ns: int, line: int, failure: str) -> Checked:
        return Checked(self._name, f"{what} at {format_duration(time_ns) if time_ns else '0s'}", line, failure)

    def _lines(self, key: str) -> list[int]:
        listed = self._node.named(key)
        return [node.line for node in listed.items] if listed is not None else []

    def _alerts(self, test: AlertTest, fires: Sequence[tuple[str, FiringAlert | str]]) -> str:
        if not any(rule.name == test.alertname for rule in self._loaded.rules):
            names = ", ".join(sorted({rule.name for rule in self._loaded.rules})) or "none"
            return f"there is no rule {test.alertname!r}; there are: {names}"
        mine = [alert for name, alert in fires if name == test.alertname]
        broken = [alert for alert in mine if isinstance(alert, str)]
        if broken:
            return f"the evaluation failed: {broken[0]}"
        return alerts_differ(test, [alert for alert in mine if isinstance(alert, FiringAlert)])


def _samples(asked: ExpressionTest, source: SeriesSource) -> str:
    try:
        value = instant(source, asked.expr, asked.eval_time_ns // NS_PER_MS).value
    except (PromqlError, BadQuestionError) as error:
        return f"the expression failed: {error}"
    got = _rows(value)
    wanted = [(read_labels(each.labels), each.value) for each in asked.exp_samples]
    return samples_differ(wanted, got)


def _rows(value: object) -> list[tuple[dict[str, str], float]]:
    if isinstance(value, Scalar):
        return [({}, float(value.values[0]))]
    if not isinstance(value, Vector):
        return []
    rows = zip(value.labels.rows(), value.values[:, 0].tolist(), value.present[:, 0].tolist(), strict=True)
    return [(labels, number) for labels, number, is_present in rows if is_present]
