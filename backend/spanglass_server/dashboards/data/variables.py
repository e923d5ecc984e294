"""Values that variables can have, and what stands for them where a reader chose nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.dashboards.data.failing import QueryFailedError, failing
from spanglass_server.dashboards.data.lines import Grid
from spanglass_server.dashboards.data.substitution import ALL, Chosen, Substitution
from spanglass_server.forms.problems import Problem
from spanglass_server.promql.engine import Options, instant
from spanglass_server.promql.parsing.nodes import VectorSelector
from spanglass_server.promql.parsing.parse import parse
from spanglass_server.promql.ports import Matcher, Selector
from spanglass_server.promql.series.labels import NAME
from spanglass_server.promql.series.vectors import Scalar, Vector
from spanglass_server.query.attributes.facets import complete_values, count_facets
from spanglass_server.query.sql_console.read import run_sql
from spanglass_server.signals import Signal
from spanglass_server.times import NS_PER_MS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from spanglass_server.dashboards.model import Variable
    from spanglass_server.promql.ports import SeriesSource
    from spanglass_server.store.ports import QuerySession, Window

MAX_VALUES = 1000
_CALL = re.compile(r"\s*(?P<function>label_values|label_names|metrics|query_result)\s*\((?P<inside>.*)\)\s*", re.DOTALL)
_HINT = (
    "write label_values(metric, label), label_values(label), metrics(pattern), label_names() or query_result(promql)"
)


@dataclass(frozen=True, slots=True)
class Values:
    """The values of a variable; ``is_cut`` if there are more."""

    values: tuple[str, ...]
    is_cut: bool = False


@dataclass(slots=True)
class VariableValues:
    """Resolves the variables of one dashboard for one reader; a source may use the variables before it.

    ``options`` are those of all PromQL of the reader's question.
    """

    session: QuerySession
    source: SeriesSource
    window: Window
    variables: Sequence[Variable]
    given: Mapping[str, tuple[str, ...]]
    options: Options = field(default_factory=Options)
    _resolved: dict[str, Values] = field(default_factory=dict)

    def values(self, name: str) -> Values:
        """The values that a variable can have. Raises ``QueryFailedError``."""
        if name not in self._resolved:
            place = next(place for place, variable in enumerate(self.variables) if variable.name == name)
            variable = self.variables[place]
            before = Substitution(self._chosen(self.variables[:place]), self.window, _instant(self.window))
            with failing(name):
                found = list(dict.fromkeys(_matching(_found(self, variable, before), variable.regex)))
            self._resolved[name] = Values(tuple(found[:MAX_VALUES]), len(found) > MAX_VALUES)
        return self._resolved[name]

    @property
    def chosen(self) -> Chosen:
        """What stands for every variable. Raises ``QueryFailedError``."""
        return self._chosen(self.variables)

    def _chosen(self, variables: Sequence[Variable]) -> Chosen:
        values = {variable.name: self.chosen_of(variable) for variable in variables}
        # values given for names that nobody declared count too
        values |= {name: value for name, value in self.given.items() if name not in values}
        return Chosen(
            values,
            frozenset(variable.name for variable in variables if variable.multi),
            frozenset(variable.name for variable in variables if variable.source != "values" and not variable.regex),
            lambda name: self.values(name).values,
        )

    def chosen_of(self, variable: Variable) -> tuple[str, ...]:
        """What stands for one variable. Raises ``QueryFailedError``."""
        given = self.given.get(variable.name)
        if given:
            return given
        if variable.default:
            return variable.default
        if variable.all:
            return (ALL,)
        return self.values(variable.name).values[:1] or ("",)


def _instant(window: Window) -> Grid:
    return Grid(window.end_ns // NS_PER_MS, max(1, (window.end_ns - window.start_ns) // NS_PER_MS), 1)


def _matching(values: Iterable[str], regex: str) -> Iterable[str]:
    """Those that a variable's pattern finds; its first group, or the one named value, is the value."""
    if not regex:
        yield from values
        return
    pattern = re.compile(regex)
    for value in values:
        found = pattern.search(value)
        if found is not None:
            groups = found.groupdict()
            yield groups.get("value") or (found[1] if pattern.groups else value) or ""


def _found(asked: VariableValues, variable: Variable, before: Substitution) -> Iterable[str]:
    return _SOURCES[variable.source](asked, variable, before)


def _of_key(asked: VariableValues, variable: Variable, before: Substitution) -> Iterable[str]:
    signal, text = Signal(variable.signal), before.filter(variable.filter)
    if not text.strip():
        values = complete_values(asked.session, signal, asked.window, variable.key, limit=MAX_VALUES + 1)["values"]
        return sorted(str(value["value"]) for value in values)
    facets = count_facets(
        asked.session, signal, asked.window, filter_text=text, keys=[variable.key], limit=MAX_VALUES + 1
    )["facets"]
    return sorted(str(value["value"]) for facet in facets for value in facet["values"])


def _of_sql(asked: VariableValues, variable: Variable, before: Substitution) -> Iterable[str]:
    rows = run_sql(asked.session, before.sql(variable.sql), limit=MAX_VALUES + 1)["rows"]
    return [str(row[0]) for row in rows if row and row[0] is not None]


def _of_query(asked: VariableValues, variable: Variable, before: Substitution) -> Iterable[str]:
    text = before.promql(variable.query)
    call = _CALL.fullmatch(text)
    if call is None:
        raise QueryFailedError(Problem(f"{variable.query!r} has no values", variable.name, hint=_HINT))
    return _FUNCTIONS[call["function"]](asked, call["inside"].strip())


def _label_values(asked: VariableValues, inside: str) -> Iterable[str]:
    selector_text, comma, label = inside.rpartition(",")
    label = label.strip().strip("\"'")
    selector = selector_of(asked.window, selector_text if comma else "", label)
    return asked.source.label_values(label, [selector])


def _metrics(asked: VariableValues, inside: str) -> Iterable[str]:
    pattern = re.compile(inside.strip("\"'") or ".*")
    return [
        name for name in asked.source.label_values(NAME, [selector_of(asked.window, "", NAME)]) if pattern.search(name)
    ]


def _label_names(asked: VariableValues, inside: str) -> Iterable[str]:
    return asked.source.label_names([selector_of(asked.window, inside, NAME)])


def _query_result(asked: VariableValues, inside: str) -> Iterable[str]:
    """Series as texts, from which a regex takes a part: ``name{label="value"} 1``."""
    value = instant(asked.source, inside, asked.window.end_ns // NS_PER_MS, asked.options).value
    if isinstance(value, Scalar):
        return [f"{value.values[-1]:g}"]
    if not isinstance(value, Vector):
        return []
    present = np.flatnonzero(value.present[:, -1])
    rows = value.labels.take(present).rows()
    return [_as_text(row, number) for row, number in zip(rows, value.values[present, -1].tolist(), strict=True)]


def _as_text(labels: Mapping[str, str], value: float) -> str:
    inside = ",".join(f'{name}="{text}"' for name, text in labels.items() if name != NAME)
    return f"{labels.get(NAME, '')}{{{inside}}} {value:g}"


def selector_of(window: Window, text: str, label: str) -> Selector:
    """The series of a selector's text, all of them for none."""
    start_ms, end_ms = window.start_ns // NS_PER_MS, window.end_ns // NS_PER_MS
    if not text.strip():
        every = (Matcher(NAME, "!=", ""),)
        return Selector(every, start_ms, end_ms, frozenset({label}))
    node = parse(text)
    if not isinstance(node, VectorSelector):
        raise QueryFailedError(Problem(f"{text!r} is no selector", hint='write a metric, or metric{label="value"}'))
    named = {label, *(matcher.name for group in (node.matchers, *node.any_of) for matcher in group)}
    return Selector(node.matchers, start_ms, end_ms, frozenset(named), node.any_of)


_FUNCTIONS: dict[str, Callable[[VariableValues, str], Iterable[str]]] = {
    "label_values": _label_values,
    "label_names": _label_names,
    "metrics": _metrics,
    "query_result": _query_result,
}
_SOURCES: dict[str, Callable[[VariableValues, Variable, Substitution], Iterable[str]]] = {
    "query": _of_query,
    "sql": _of_sql,
    "key": _of_key,
    "values": lambda _, variable, __: variable.values,
    "text": lambda _, __, ___: (),
}
