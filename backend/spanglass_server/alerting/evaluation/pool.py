"""The expressions of many rules, each evaluated once, in one session at the same steps."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.alerting.evaluation.problems import RuleProblem, evaluating
from spanglass_server.alerting.evaluation.tables import Table, rounded
from spanglass_server.promql.engine import Options, range_query
from spanglass_server.promql.series.labels import NAME, LabelSets
from spanglass_server.promql.series.vectors import Scalar, Steps, Vector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from spanglass_server.alerting.evaluation.ports import Baselines, Forecasts, RuleSeries
    from spanglass_server.alerting.evaluation.quantities.expressions import Expression

    Floats = NDArray[np.float64]


@dataclass(slots=True)
class Grid:
    """All series of an expression, with values (n, m), NaN for none; rows by the value of a label when asked for."""

    labels: LabelSets
    values: Floats
    notes: tuple[str, ...] = ()
    _places: dict[str, dict[str, NDArray[np.intp]]] = field(default_factory=dict)

    def rows(self, label: str, value: str) -> NDArray[np.intp]:
        """The rows in which a label has a value."""
        if label not in self._places:
            column = self.labels.column(label)
            order = np.argsort(column.codes, kind="stable")
            ends = np.cumsum(np.bincount(column.codes, minlength=len(column.values)))
            starts = ends - np.diff(ends, prepend=0)
            self._places[label] = {
                text: order[start:end]
                for text, start, end in zip(column.values, starts.tolist(), ends.tolist(), strict=True)
            }
        return self._places[label].get(value, _NONE)


_NONE = np.empty(0, np.intp)


@dataclass(slots=True)
class Pool:
    """Evaluates expressions at ``steps``, each once; ``look`` says at which steps anything was stored around them."""

    source: RuleSeries
    steps: Steps
    options: Options
    baselines: Baselines | None = None
    look: Callable[[Steps], NDArray[np.bool_]] | None = None
    forecasts: Forecasts | None = None
    evaluated: int = 0  # how many evaluations of PromQL there were
    _shared: frozenset[str] = frozenset()
    _grids: dict[tuple[str, int, int, bool], Grid | RuleProblem] = field(default_factory=dict)
    _watched: dict[int, NDArray[np.bool_]] = field(default_factory=dict)
    _usual: dict[tuple[str, int], tuple[Grid, Grid] | RuleProblem] = field(default_factory=dict)
    _forecasts: dict[tuple[str, int, int], Grid | RuleProblem] = field(default_factory=dict)

    def share(self, expressions: Iterable[Expression]) -> None:
        """Let expressions that differ in one value only be evaluated together, where there are several."""
        expressions = list(expressions)
        different = {(each.shared, each.promql) for each in expressions if each.shared}
        wanted = Counter(shared for shared, _ in different)
        plain = {each.promql for each in expressions if not each.shared}
        self._shared = frozenset(text for text, number in wanted.items() if number > 1 or text in plain)
        self.source.announce((self._text(each) for each in expressions), self.steps, self.options)

    def table(self, expression: Expression, column: int, *, is_exact: bool = False) -> tuple[Table, tuple[str, ...]]:
        """The values of an expression, and what is to be told of it; raises ``RuleProblem``.

        Values that nothing is compared with may have all their digits (``is_exact``).
        """
        is_shared = expression.shared in self._shared
        grid = self._grid(self._text(expression), expression, column, is_exact=is_exact)
        labels, values = grid.labels, grid.values
        if is_shared:
            rows = grid.rows(*expression.picked)
            labels, values = labels.take(rows), values[rows]
        labels = labels.drop({NAME}) if expression.labels is None else labels.keep(expression.labels)
        if expression.factor != 1.0:
            values = rounded(values * expression.factor)
        return Table(labels, values, expression.labels), grid.notes

    def _text(self, expression: Expression) -> str:
        return expression.shared if expression.shared in self._shared else expression.promql

    def watched(self, before_ms: int) -> NDArray[np.bool_]:
        """For each step whether anything was stored around the time so long before it."""
        if before_ms not in self._watched:
            steps = self._shifted(before_ms)
            self._watched[before_ms] = self.look(steps) if self.look is not None else np.ones(steps.size, np.bool_)
        return self._watched[before_ms]

    def usual(self, expression: Expression, column: int) -> tuple[Table, Table]:
        """What is usual for an expression: value and spread."""
        key = (expression.promql, expression.offset_ms)
        if key not in self._usual:
            self._usual[key] = self._computed_usual(expression, column)
        found = self._usual[key]
        if isinstance(found, RuleProblem):
            raise RuleProblem(str(found), column)
        names = expression.labels
        value, spread = (Table(grid.labels, rounded(grid.values * expression.factor), names) for grid in found)
        return value, spread

    def _computed_usual(self, expression: Expression, column: int) -> tuple[Grid, Grid] | RuleProblem:
        if self.baselines is None:
            return RuleProblem("there are no baselines here", column, "compare with a number")
        try:
            with evaluating(column):
                steps = self._shifted(expression.offset_ms)
                keys, value, spread = self.baselines.usual(
                    self.source, expression.promql, expression.labels or (), steps
                )
        except RuleProblem as problem:
            return problem
        labels = LabelSets.of([dict(key) for key in keys])
        return Grid(labels, value), Grid(labels, spread)

    def forecast(self, expression: Expression, ahead_ms: int, column: int) -> Table:
        """What an expression is expected to be so long after each step; raises ``RuleProblem``."""
        key = (expression.promql, expression.offset_ms, ahead_ms)
        if key not in self._forecasts:
            self._forecasts[key] = self._computed_forecast(expression, ahead_ms, column)
        found = self._forecasts[key]
        if isinstance(found, RuleProblem):
            raise RuleProblem(str(found), column)
        return Table(found.labels, rounded(found.values * expression.factor), expression.labels)

    def _computed_forecast(self, expression: Expression, ahead_ms: int, column: int) -> Grid | RuleProblem:
        if self.forecasts is None:
            return RuleProblem("there are no forecasts here", column, "compare the quantity itself")
        try:
            with evaluating(column):
                steps = self._shifted(expression.offset_ms)
                keys, values = self.forecasts.ahead(
                    self.source, expression.promql, expression.labels or (), steps, ahead_ms
                )
        except RuleProblem as problem:
            return problem
        return Grid(LabelSets.of([dict(key) for key in keys]), values)

    def _grid(self, text: str, expression: Expression, column: int, *, is_exact: bool) -> Grid:
        key = (text, expression.offset_ms, expression.lookback_ms, is_exact)
        if key not in self._grids:
            try:
                grid = self._evaluated(text, expression, column)
                self._grids[key] = grid if is_exact else replace(grid, values=rounded(grid.values))
            except RuleProblem as problem:
                self._grids[key] = problem
        found = self._grids[key]
        if isinstance(found, RuleProblem):
            raise RuleProblem(str(found), column)
        return found

    def _evaluated(self, text: str, expression: Expression, column: int) -> Grid:
        options = self.options
        if expression.lookback_ms:
            options = replace(options, lookback_ms=expression.lookback_ms)
        with evaluating(column):
            answer = range_query(self.source, text, self._shifted(expression.offset_ms), options)
        self.evaluated += 1
        value = answer.value
        if isinstance(value, Scalar):
            return Grid(LabelSets(1), value.values[None, :], answer.warnings)
        if not isinstance(value, Vector):
            raise RuleProblem("this is no number", column)
        if value.histogram is not None and (value.histogram >= 0).any():
            hint = "take a quantile, a mean or a count of it"
            raise RuleProblem("native histograms can't be compared", column, hint)
        return Grid(value.labels, np.where(value.present, value.values, np.nan), answer.warnings)

    def _shifted(self, offset_ms: int) -> Steps:
        return replace(self.steps, start_ms=self.steps.start_ms - offset_ms)
