"""What a rule asks for, worked out once: its condition, the source of each quantity, levels, units, warnings."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from spanglass_core.alerting.conditions.nodes import (
    Arithmetic,
    Comparison,
    Forecast,
    IssueEvent,
    Number,
    Quantity,
    Usual,
    principal,
    walk,
)
from spanglass_core.alerting.conditions.parse import parse_condition
from spanglass_core.alerting.conditions.problems import ConditionError, did_you_mean
from spanglass_core.alerting.conditions.writing import write_condition
from spanglass_core.alerting.levels import MIRRORED, levels_of
from spanglass_server.alerting.evaluation import units
from spanglass_server.alerting.evaluation.problems import RuleProblem
from spanglass_server.alerting.evaluation.quantities.expressions import Asked, Source, milliseconds
from spanglass_server.alerting.evaluation.quantities.measures import combined, measure_source
from spanglass_server.alerting.evaluation.quantities.metrics import metric_source
from spanglass_server.alerting.evaluation.quantities.promql import promql_source
from spanglass_server.alerting.evaluation.quantities.records import EVENT_WINDOW_MS, event_expression, record_source
from spanglass_server.alerting.model import NOT_STORED
from spanglass_server.measures.grammar import named_measure
from spanglass_server.measures.table import MEASURES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from spanglass_core.alerting.conditions.nodes import Condition, Value
    from spanglass_core.alerting.levels import Levels
    from spanglass_core.alerting.rule import Rule
    from spanglass_server.alerting.evaluation.quantities.expressions import Expression
    from spanglass_server.promql.stored.discovery.kinds import MetricKind

_LEVELS = ("warning", "error", "critical", "recovery")
_COMPUTE = {"+": float.__add__, "-": float.__sub__, "*": float.__mul__, "/": float.__truediv__}


@dataclass(frozen=True, slots=True)
class Guard:
    """How many samples of a quantity there must be for a comparison, and how many of those that make a share too large.

    ``samples`` counts them.
    """

    samples: Expression
    column: int
    least: int
    least_part: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """A rule that can be evaluated.

    ``main`` is the comparison whose value people see; None if there is no comparison. ``levels`` are None where it
    compares with no plain number. ``guards`` are of comparisons that do not hold with few samples.
    """

    rule: Rule
    condition: Condition
    main: Comparison | None
    levels: Levels | None
    sources: Mapping[Quantity, Source]
    events: Mapping[IssueEvent, Expression]
    unit: str
    guards: Mapping[Comparison, Guard]
    warnings: tuple[str, ...]

    @property
    def is_counted(self) -> bool:
        """Whether all that people see of it is counted: without any of it there are no keys, and no data is missing."""
        side = shown(self.main) if self.main is not None else self.condition
        sources = [self.sources[node] for node in walk(side) if isinstance(node, Quantity)]
        return bool(sources or self.events) and all(source.is_counted for source in sources)

    @property
    def expressions(self) -> Iterator[Expression]:
        """What is evaluated in any case."""
        for source in self.sources.values():
            yield source.value
        for guard in self.guards.values():
            yield guard.samples


def condition_of(rule: Rule) -> Condition:
    """The condition of a rule; raises ``RuleProblem``."""
    try:
        return parse_condition(rule.condition)
    except ConditionError as error:
        raise RuleProblem(error.message, error.column, error.hint) from error


def metrics_of(condition: Condition) -> tuple[str, ...]:
    """The metrics that a condition names, of which has to be known what they are."""
    quantities = (node for node in walk(condition) if isinstance(node, Quantity) and node.kind == "measure_or_metric")
    return tuple(dict.fromkeys(each.text for each in quantities if named_measure(each.text) is None))


def plan_of(rule: Rule, kinds: Mapping[str, MetricKind | None], window_ms: int) -> Plan:
    """Work out a rule. ``kinds`` are of the metrics that it names; raises ``RuleProblem``."""
    return _Planning(rule, condition_of(rule), kinds, window_ms).plan()


@dataclass(slots=True)
class _Planning:
    rule: Rule
    condition: Condition
    kinds: Mapping[str, MetricKind | None]
    window_ms: int
    warnings: list[str] = field(default_factory=list)
    sources: dict[Quantity, Source] = field(default_factory=dict)

    def plan(self) -> Plan:
        asked = Asked(milliseconds(self.rule.window_ns) if self.rule.window_ns else self.window_ms, self.rule.by)
        for node in walk(self.condition):
            if isinstance(node, Quantity) and node not in self.sources:
                self.sources[node] = self._moved(node, self._source(node, asked))
        events = {
            node: event_expression(node, asked, self._event_window_ms, self.rule.condition)
            for node in walk(self.condition)
            if isinstance(node, IssueEvent)
        }
        for node in walk(self.condition):
            if isinstance(node, Comparison):
                self._check_comparison(node)
        main = self._main()
        return Plan(
            self.rule,
            self.condition,
            main,
            self._levels(main),
            self.sources,
            events,
            (self._unit(shown(main)) or "") if main is not None else "",
            self._guards(main),
            tuple(dict.fromkeys(self.warnings)),
        )

    @property
    def _event_window_ms(self) -> int:
        return milliseconds(self.rule.window_ns) if self.rule.window_ns else EVENT_WINDOW_MS

    def _source(self, node: Quantity, asked: Asked) -> Source:
        if node.kind == "promql":
            return promql_source(node, self.rule.condition)
        if node.kind in ("spans", "logs"):
            return record_source(node, asked, self.rule.condition)
        found = named_measure(node.text)
        if found is not None:
            return measure_source(node, found[0], combined(found[1], node.aggregate, node.column), asked)
        kind = self.kinds.get(node.text)
        if kind is None:
            hint = did_you_mean(node.text, MEASURES)
            self.warnings.append(f"{NOT_STORED} {node.text}" + (f"; {hint}" if hint else ""))
        return metric_source(node, kind, asked)

    def _moved(self, node: Quantity, source: Source) -> Source:
        """The source at the time that ``offset`` says."""
        if not node.offset_ns:
            return source
        offset_ms = milliseconds(node.offset_ns)
        samples = source.samples.before(offset_ms) if source.samples is not None else None
        events = source.events.before(offset_ms) if source.events is not None else None
        return replace(source, value=source.value.before(offset_ms), samples=samples, events=events)

    def _main(self) -> Comparison | None:
        """The comparison whose value people see."""
        main = principal(self.condition)
        if main is None:
            main = next((node for node in walk(self.condition) if isinstance(node, Comparison)), None)
        return main

    def _levels(self, main: Comparison | None) -> Levels | None:
        given = [name for name in _LEVELS if getattr(self.rule, name) is not None]
        number = None
        if main is not None and principal(self.condition) is main:
            left, right = constant(main.left), constant(main.right)
            number = right if right is not None else left
        if main is None or number is None:
            if not given or (given == ["recovery"] and main is not None):
                return None
            message = f"{given[0]}: levels replace the number that a condition compares with, and there is none here"
            raise RuleProblem(message, 0, "write one rule a level")
        what = shown(main)
        operator = MIRRORED[main.operator] if what is main.right else main.operator
        unit = self._unit(what)
        for name in given:
            units.check_level(unit, getattr(self.rule, name), name, write_condition(what))
        try:
            return levels_of(self.rule, operator, number, unit=unit or "")
        except ValueError as error:
            raise RuleProblem(str(error)) from None

    def _guards(self, main: Comparison | None) -> dict[Comparison, Guard]:
        """What comparisons need of samples: the rule's number where people see them, else the usual ones."""
        seen = _first(shown(main)) if main is not None else None
        if self.rule.min_samples and (seen is None or self.sources[seen].samples is None):
            message = "min_samples: what this condition compares has no samples that can be counted"
            raise RuleProblem(message, 0, "leave it out, or add a comparison with a count: and request_rate > 1")
        guards = {}
        for node in walk(self.condition):
            quantity = _first(shown(node)) if isinstance(node, Comparison) else None
            source = self.sources[quantity] if quantity is not None else None
            if not isinstance(node, Comparison) or source is None or source.samples is None:
                continue
            if self.rule.min_samples and quantity == seen:
                guards[node] = Guard(source.events or source.samples, source.column, self.rule.min_samples)
            elif source.least or source.least_part:
                part = source.least_part if shown(node) is quantity else 0
                guards[node] = Guard(source.samples, source.column, source.least, part)
        return guards

    def _check_comparison(self, node: Comparison) -> None:
        left, right = self._unit(node.left), self._unit(node.right)
        for side, other, unit in ((node.left, node.right, right), (node.right, node.left, left)):
            if isinstance(side, Number):
                warning = units.check(unit, side, write_condition(other))
                self.warnings += [warning] if warning else []
        if not isinstance(node.left, Number) and not isinstance(node.right, Number):
            units.combined("-", left, right, node.column)

    def _unit(self, node: Value) -> str | None:
        match node:
            case Number(unit=unit):
                return unit
            case Quantity():
                return self.sources[node].unit
            case Usual(of=Quantity() as of) | Forecast(of=of):
                return self.sources[of].unit
            case Arithmetic(operator, left, right):
                return units.combined(operator, self._unit(left), self._unit(right), node.column)
        return None  # of the quantity on the left, whatever that is


def _first(value: Value) -> Quantity | None:
    """The first quantity in a value."""
    return next((node for node in walk(value) if isinstance(node, Quantity)), None)


def shown(main: Comparison) -> Value:
    """The side of a comparison whose value people see: the left, if that is no plain number."""
    return main.right if constant(main.left) is not None else main.left


def constant(node: Value) -> float | None:
    """The number that a value always is; None if it depends on data."""
    match node:
        case Number(value=value):
            return value
        case Arithmetic(operator, left, right):
            first, second = constant(left), constant(right)
            if first is None or second is None:
                return None
            if operator == "/" and second == 0:
                raise RuleProblem("division by zero", right.column)
            return _COMPUTE[operator](first, second)
    return None
