"""Formulas: arithmetic over the series of other queries, matched by their labels."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np
from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedInput, UnexpectedToken

from spanglass_server.dashboards.data.lines import Lines
from spanglass_server.forms.problems import meant

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

Floats = Any  # NDArray[np.float64], or a number that stands for one

_OPERATORS: dict[str, Callable[[Floats, Floats], Floats]] = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "divide": np.divide,
    "modulo": np.fmod,
    "power": np.power,
}
_EACH: dict[str, Callable[[Floats], Floats]] = {
    "abs": np.abs,
    "sqrt": np.sqrt,
    "ln": np.log,
    "log10": np.log10,
    "log2": np.log2,
    "exp": np.exp,
    "round": np.round,
    "floor": np.floor,
    "ceil": np.ceil,
}
_PAIRS: dict[str, Callable[[Floats, Floats], Floats]] = {
    "clamp_min": np.fmax,
    "clamp_max": np.fmin,
    "default": lambda values, otherwise: np.where(np.isnan(values), otherwise, values),
}
_OVER: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "sum": lambda values: np.nansum(values, axis=0),
    "avg": lambda values: np.nansum(values, axis=0) / np.maximum((~np.isnan(values)).sum(axis=0), 1),
    "min": lambda values: np.fmin.reduce(values, axis=0),
    "max": lambda values: np.fmax.reduce(values, axis=0),
    "count": lambda values: (~np.isnan(values)).sum(axis=0).astype(np.float64),
}
FUNCTIONS = (*_EACH, *_PAIRS, *_OVER)


class FormulaError(ValueError):
    """A formula that can't be read or computed; ``column`` counts from 1."""

    def __init__(self, message: str, column: int, hint: str = "") -> None:
        super().__init__(message)
        self.column = column
        self.hint = hint


def evaluate_formula(text: str, queries: Mapping[str, Lines], size: int) -> Lines:
    """Compute a formula at ``size`` times over the series of queries. Raises ``FormulaError``.

    Series of two sides that have equal values of the labels that both sides have are computed with each other, and
    those without a partner are left out; a side of one series is computed with each series of the other.
    """
    with np.errstate(all="ignore"):
        return _Formula(queries, size).value(parse_formula(text))


def parse_formula(text: str) -> Tree[Token]:
    """Read a formula."""
    try:
        tree: Tree[Token] = _parser().parse(text)
    except UnexpectedInput as error:
        is_end = isinstance(error, UnexpectedToken) and error.token.type == "$END"
        column = len(text) + 1 if is_end else error.column
        message = "the formula ends too early" if is_end else "this can't stand here"
        raise FormulaError(message, column, "write numbers, ids of queries, + - * / % ^ and brackets") from None
    return tree


@cache
def _parser() -> Lark:
    grammar = (files(__package__) / "formula.lark").read_text()
    return Lark(grammar, parser="lalr", propagate_positions=True)


class _Formula:
    def __init__(self, queries: Mapping[str, Lines], size: int) -> None:
        self._queries = queries
        self._size = size

    def value(self, tree: Tree[Token]) -> Lines:
        """The series of a part of the formula."""
        match tree.data, tree.children:
            case ("start", [Tree() as part]):
                return self.value(part)
            case ("number", [Token() as token]):
                return Lines(({},), np.full((1, self._size), float(token)))
            case ("query", [Token() as token]):
                return self._query(token)
            case ("negate", [Tree() as part]):
                return self._each(part, np.negative)
            case ("call", [Token() as name, *parts]):
                return self._call(name, [part for part in parts if isinstance(part, Tree)])
            case (operator, [Tree() as left, Tree() as right]):
                return self._both(left, right, _OPERATORS[operator])
        raise AssertionError(tree.data)  # the grammar has no other parts

    def _query(self, token: Token) -> Lines:
        if token not in self._queries:
            hint = meant(str(token), self._queries)
            raise FormulaError(f"no query {token!s} has series to compute with", token.column or 1, hint)
        return self._queries[token]

    def _call(self, name: Token, parts: Sequence[Tree[Token]]) -> Lines:
        wanted = 2 if name in _PAIRS else 1
        if name not in FUNCTIONS:
            raise FormulaError(f"there is no function {name!s}", name.column or 1, meant(str(name), FUNCTIONS))
        if len(parts) != wanted:
            raise FormulaError(f"{name!s} takes {wanted} of them, not {len(parts)}", name.column or 1)
        if name in _PAIRS:
            return self._both(parts[0], parts[1], _PAIRS[name])
        if name in _EACH:
            return self._each(parts[0], _EACH[name])
        lines = self.value(parts[0])
        return Lines(({},), _OVER[name](lines.values)[None, :]) if len(lines.labels) else lines

    def _each(self, part: Tree[Token], compute: Callable[[Floats], Floats]) -> Lines:
        lines = self.value(part)
        return Lines(lines.labels, compute(lines.values))

    def _both(self, left: Tree[Token], right: Tree[Token], compute: Callable[[Floats, Floats], Floats]) -> Lines:
        first, second = self.value(left), self.value(right)
        if len(first.labels) == len(second.labels) == 1:
            return Lines((max(first.labels[0], second.labels[0], key=len),), compute(first.values, second.values))
        if len(second.labels) == 1:
            return Lines(first.labels, compute(first.values, second.values))
        if len(first.labels) == 1:
            return Lines(second.labels, compute(first.values, second.values))
        return _matched(first, second, compute, getattr(right.meta, "column", 1))


def _matched(first: Lines, second: Lines, compute: Callable[[Floats, Floats], Floats], column: int) -> Lines:
    """Each series with the one of the other side that has its labels; one side may have several for one."""
    common = sorted(_names(first) & _names(second))
    keys = [_key(labels, common) for labels in first.labels], [_key(labels, common) for labels in second.labels]
    many, one = (0, 1) if len(set(keys[1])) == len(keys[1]) else (1, 0)
    places = {key: place for place, key in enumerate(keys[one])}
    if len(places) < len(keys[one]):
        hint = "group both queries by the same labels, or add up one of them: sum(B)"
        raise FormulaError(f"several series of both sides have the same {', '.join(common) or 'labels'}", column, hint)
    pairs = [(row, places[key]) for row, key in enumerate(keys[many]) if key in places]
    rows = {many: np.array([row for row, _ in pairs], np.intp), one: np.array([place for _, place in pairs], np.intp)}
    labels = (first, second)[many].take(rows[many]).labels
    return Lines(labels, compute(first.values[rows[0]], second.values[rows[1]]))


def _names(lines: Lines) -> set[str]:
    return {name for labels in lines.labels for name in labels if name != "__name__"}


def _key(labels: Mapping[str, str], names: Sequence[str]) -> tuple[str, ...]:
    return tuple(labels.get(name, "") for name in names)
