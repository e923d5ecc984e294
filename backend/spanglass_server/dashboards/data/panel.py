"""The data of one panel: all its queries, in one session, in the one form that every type of panel is drawn from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from spanglass_server.dashboards.data.failing import QueryFailedError, failing
from spanglass_server.dashboards.data.formula import evaluate_formula
from spanglass_server.dashboards.data.lines import Evaluated, Grid
from spanglass_server.dashboards.data.promql import evaluate_promql
from spanglass_server.dashboards.data.records import evaluate_filter, find_records
from spanglass_server.dashboards.data.shown import Shown, as_json
from spanglass_server.dashboards.data.sql import evaluate_sql
from spanglass_server.dashboards.data.substitution import Chosen, Substitution
from spanglass_server.dashboards.form.checks import names_in
from spanglass_server.dashboards.model import RECORD_TYPES, Query
from spanglass_server.forms.problems import Problem
from spanglass_server.measures.grammar import MeasureError, measures_in, parse_measure
from spanglass_server.query.window import ROUND_STEPS_NS
from spanglass_server.times import NS_PER_MS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.dashboards.answers import PanelData
    from spanglass_server.dashboards.data.variables import VariableValues
    from spanglass_server.dashboards.model import Panel

#: Times of a series unless a caller asks for fewer or more.
DEFAULT_POINTS = 240
MAX_POINTS = 2000
_LEAST_STEP_MS = 1000
_DEFAULT_RECORDS = 50
#: Types that show one number a series, which is that of the whole range unless another calculation is asked for.
_AT_ONCE = frozenset({"top", "table", "gauge"})


@dataclass(frozen=True, slots=True)
class PanelQuestion:
    """A panel with its range, what its variables are, and how finely it is drawn."""

    panel: Panel
    variables: VariableValues
    now_ns: int
    points: int = DEFAULT_POINTS
    step_ns: int | None = None


def panel_data(question: PanelQuestion) -> PanelData:
    """Answer all queries of a panel. A query that can't be answered is told beside the others."""
    return _Panel(question).answer()


def grid_of(question: PanelQuestion) -> Grid:
    """The times of a panel, at multiples of a round step; one time for panels that show one number."""
    panel, window = question.panel, question.variables.window
    start_ms, end_ms = -(-window.start_ns // NS_PER_MS), window.end_ns // NS_PER_MS
    is_stat = panel.type == "stat" and not panel.options.sparkline
    if (panel.type in _AT_ONCE or is_stat) and panel.options.calculation == "last":
        return Grid(end_ms, max(1, end_ms - start_ms), 1)
    if question.step_ns is not None:
        step_ms = max(_LEAST_STEP_MS, question.step_ns // NS_PER_MS, (end_ms - start_ms) // MAX_POINTS)
    else:
        exact_ms = max(_LEAST_STEP_MS, (end_ms - start_ms) / min(question.points, MAX_POINTS))
        rounds = (step // NS_PER_MS for step in ROUND_STEPS_NS)
        step_ms = next((step for step in rounds if step >= exact_ms), ROUND_STEPS_NS[-1] // NS_PER_MS)
    first_ms = -(-start_ms // step_ms) * step_ms
    size = (end_ms - first_ms) // step_ms + 1
    return Grid(first_ms, step_ms, size) if size > 0 else Grid(end_ms, max(1, end_ms - start_ms), 1)


class _Panel:
    """One evaluation."""

    def __init__(self, question: PanelQuestion) -> None:
        self._question = question
        self._panel = question.panel
        self._grid = grid_of(question)
        self._errors: list[Problem] = []
        self._notes: list[str] = []
        self._texts: Substitution

    def answer(self) -> PanelData:
        """The whole answer."""
        variables = self._question.variables
        try:
            self._texts = Substitution(variables.chosen, variables.window, self._grid)
        except QueryFailedError as error:
            self._errors.append(error.problem)
            self._texts = Substitution(Chosen({}), variables.window, self._grid)
            return as_json(self._shown({}, None))
        if self._panel.type in RECORD_TYPES:
            return as_json(self._shown({}, self._records()))
        return as_json(self._shown(self._evaluated(), None))

    def _shown(self, evaluated: dict[str, Evaluated], records: list[dict[str, Any]] | None) -> Shown:
        variables = self._question.variables
        return Shown(
            self._panel,
            self._texts,
            self._grid,
            evaluated,
            records,
            tuple(dict.fromkeys(self._notes)),
            tuple(self._errors),
            variables.session.service_slot,
        )

    def _evaluated(self) -> dict[str, Evaluated]:
        """Queries in their order, formulas after those that they name."""
        found: dict[str, Evaluated] = {}
        for query in _in_order(self._panel.queries):
            try:
                with failing(query.id):
                    found[query.id] = self._one(query, found)
            except QueryFailedError as error:
                self._errors.append(error.problem)
        return {query.id: found[query.id] for query in self._panel.queries if query.id in found}

    def _one(self, query: Query, before: dict[str, Evaluated]) -> Evaluated:
        match query.kind:
            case "formula":
                named = {name: evaluated.lines for name, evaluated in before.items() if evaluated.lines is not None}
                self._check_times(query, before)
                times = next((before[name].times_ms for name in names_in(query.formula) if name in before), None)
                size = self._grid.size if times is None else len(times)
                return Evaluated(evaluate_formula(query.formula, named, size), times_ms=times)
            case "filter":
                return evaluate_filter(self._variables.session, query, self._texts.filter(query.filter), self._grid)
            case "sql":
                text = self._texts.sql(query.sql)
                return evaluate_sql(self._variables.session, text, as_table=self._panel.type == "table")
            case "promql":
                return self._promql(query.promql)
            case kind:
                return self._measure(query.text, must_be=kind == "measure")

    @property
    def _variables(self) -> VariableValues:
        return self._question.variables

    def _check_times(self, query: Query, before: dict[str, Evaluated]) -> None:
        named = [before[name] for name in sorted(names_in(query.formula)) if name in before]
        times = [evaluated.times_ms for evaluated in named]
        if any(not _equal(times[0], other) for other in times[1:]):
            hint = "bring the SQL to the same times: time_bucket($__interval, start_time)"
            raise QueryFailedError(Problem("the queries of the formula have different times", query.id, hint=hint))

    def _promql(self, text: str) -> Evaluated:
        expression = self._texts.promql(text)
        asked = self._variables
        as_heatmap = self._panel.type == "heatmap"
        return evaluate_promql(asked.source, expression, self._grid, asked.options, as_heatmap=as_heatmap)

    def _measure(self, text: str, *, must_be: bool) -> Evaluated:
        """A measure, else PromQL; of PromQL that finds nothing it is told if measures were probably meant."""
        written = self._texts.promql(text)
        try:
            measure = parse_measure(written)
        except MeasureError as error:
            if must_be:
                raise
            evaluated = self._promql(text)
            if evaluated.lines is not None and not evaluated.lines.labels:
                self._notes += _meant(written, error)
            return evaluated
        window = self._texts.promql("$__rate_interval")
        # infos of PromQL are about its text, which is ours here
        expression, asked = measure.promql(window), self._variables
        evaluated = evaluate_promql(asked.source, expression, self._grid, asked.options, with_infos=False)
        unit = "" if measure.aggregate == "count" else measure.measure.unit
        return Evaluated(evaluated.lines, notes=evaluated.notes, unit=unit)

    def _records(self) -> list[dict[str, Any]]:
        """Records of panels of logs and traces."""
        if not self._panel.queries:
            return []
        query = self._panel.queries[0]
        text = self._texts.filter(query.filter or query.query)
        limit = self._panel.options.limit or _DEFAULT_RECORDS
        signal = query.signal or RECORD_TYPES[self._panel.type]
        variables = self._variables
        try:
            with failing(query.id):
                return find_records(variables.session, signal, text, variables.window, limit, self._question.now_ns)
        except QueryFailedError as error:
            self._errors.append(error.problem)
            return []


def _meant(expression: str, error: MeasureError) -> list[str]:
    """What to say of an expression of PromQL without an answer."""
    if error.is_near:
        return [f"nothing is stored under this name, and {error}; {error.hint}"]
    advice = "a query of its own, such as avg(response_time), and a formula computes with it"
    return [
        f"{name} is a measure, which PromQL does not know; make it {advice}" for name in measures_in(expression)[:1]
    ]


def _in_order(queries: Sequence[Query]) -> list[Query]:
    """Each formula after the queries that it names; those that name each other last, where they are refused."""
    waiting, ordered = list(queries), list[Query]()
    while waiting:
        known = {query.id for query in ordered}
        ready = [query for query in waiting if not query.formula or names_in(query.formula) <= known] or waiting
        ordered += ready
        waiting = [query for query in waiting if query not in ready]
    return ordered


def _equal(one: Any, other: Any) -> bool:
    if one is None or other is None:
        return one is other
    return bool(np.array_equal(one, other))
