"""Makes a node of each rule of the grammar, and tells of what the grammar can't say."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from spanglass_core.alerting.conditions.nodes import (
    Absent,
    And,
    Arithmetic,
    Comparison,
    Forecast,
    IssueEvent,
    Not,
    Number,
    Or,
    Present,
    Quantity,
    Usual,
)
from spanglass_core.alerting.conditions.numbers import read_duration_ns, read_number
from spanglass_core.alerting.conditions.problems import ConditionError, did_you_mean
from spanglass_core.lazy_patterns import lazy_pattern

if TYPE_CHECKING:
    from lark import Token

    from spanglass_core.alerting.conditions.nodes import Condition, Source, Value

AGGREGATES = ("avg", "min", "max", "sum", "count", "rate")
#: What can be asked of log records, which have no duration.
_OF_LOGS = ("count", "rate")
_OTHER_WORDS = {"mean": "avg", "average": "avg", "median": "p50", "maximum": "max", "minimum": "min", "total": "sum"}
_QUANTILE = lazy_pattern(r"p(100|[0-9]{1,2}(\.[0-9]+)?)")
_SIMPLE_NAME = lazy_pattern(r"[A-Za-z_:][A-Za-z0-9_:]*(\.[A-Za-z0-9_:]+)*")
#: Names that are quoted, for they are words of the language.
_WORDS = {
    *("and", "or", "not", "by", "over", "offset", "absent", "present", "promql", "spans", "logs"),
    *("baseline", "spread", "new_issue", "regression", "escalation"),
}
_LEAST_AHEAD_NS, _MOST_AHEAD_NS = 300 * 10**9, 30 * 86_400 * 10**9
_MEANT_QUANTILE = lazy_pattern(r"(?:percentile|quantile|pct|perc|q)_?([0-9.]+)|p_([0-9.]+)")


class Modifier(NamedTuple):
    """What stands behind a quantity: ``by`` with its keys, ``over`` or ``offset`` with nanoseconds."""

    word: str
    value: Any
    column: int


def column_of(token: Token) -> int:
    """Where a word stands, from 1."""
    return (token.start_pos or 0) + 1


def unquoted(text: str) -> str:
    r"""What is in quotes: raw, but in double quotes ``\"``, ``\\``, ``\n`` and ``\t`` are what they are in PromQL."""
    inner = text[1:-1]
    if text[0] != '"' or "\\" not in inner:
        return inner
    return _ESCAPED.sub(lambda match: _ESCAPES.get(match[1], match[1]), inner)


_ESCAPED = lazy_pattern(r'\\(["\\nt])')
_ESCAPES = {"n": "\n", "t": "\t"}


def quoted(text: str) -> str:
    """A text in double quotes, for conditions and for PromQL alike."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def is_simple_name(text: str) -> bool:
    """Whether a name or key may stand without quotes."""
    return _SIMPLE_NAME.fullmatch(text) is not None and text.lower() not in _WORDS


def is_aggregate(word: str) -> bool:
    """Whether a word is an aggregation."""
    return word in AGGREGATES or _QUANTILE.fullmatch(word) is not None


class _Builder:
    """Called by the parser with the children of each rule that is complete."""

    def start(self, children: list[Condition]) -> Condition:
        return children[0]

    def any_of(self, children: list[Condition]) -> Condition:
        return Or(tuple(children), column=children[0].column)

    def all_of(self, children: list[Condition]) -> Condition:
        return And(tuple(children), column=children[0].column)

    def negated(self, children: list[Any]) -> Condition:
        return Not(children[1], column=column_of(children[0]))

    def comparison(self, children: list[Any]) -> Condition:
        left, operator, right = children
        if isinstance(left, Number) and isinstance(right, Number):
            hint = "compare a measure or metric, such as error_rate > 0.05"
            raise ConditionError("two numbers are compared, which is always the same", left.column, hint)
        return Comparison(str(operator), left, right, column=left.column)  # type: ignore[arg-type] # of the grammar

    def absent(self, children: list[Any]) -> Condition:
        word, of, *over = children
        return Absent(of, over[0].value if over else 0, column=column_of(word))

    def present(self, children: list[Any]) -> Condition:
        word, of = children
        return Present(of, column=column_of(word))

    def event(self, children: list[Token]) -> Condition:
        kind = str(children[0])
        text = unquoted(children[1]) if len(children) > 1 else ""
        return IssueEvent(kind, text.strip(), column=column_of(children[0]))  # type: ignore[arg-type] # of the grammar

    def arithmetic(self, children: list[Any]) -> Value:
        left, operator, right = children
        if operator == "/" and isinstance(right, Number) and right.value == 0:
            raise ConditionError("division by zero", right.column)
        return Arithmetic(str(operator), left, right, column=left.column)  # type: ignore[arg-type] # of the grammar

    def negative(self, children: list[Any]) -> Value:
        sign, value = children
        column = column_of(sign)
        if isinstance(value, Number):
            return replace(value, value=-value.value, column=column)
        return Arithmetic("*", Number(-1.0, column=column), value, column=column)

    def number(self, children: list[Token]) -> Value:
        return read_number(str(children[0]), column_of(children[0]))

    def usual(self, children: list[Any]) -> Value:
        word, *of = children
        return Usual(str(word), of[0] if of else None, column=column_of(word))  # type: ignore[arg-type] # of the grammar

    def forecast(self, children: list[Any]) -> Value:
        word, of, number = children
        ahead_ns = read_duration_ns(str(number), column_of(number), "forecast")
        if not _LEAST_AHEAD_NS <= ahead_ns <= _MOST_AHEAD_NS:
            raise ConditionError("forecast looks from 5m to 30d ahead", column_of(number), "for example 7d")
        return Forecast(of, ahead_ns, column=column_of(word))

    def plain(self, children: list[Any]) -> Value:
        return _quantity("", children[0], *_split(children[1:]))

    def aggregated(self, children: list[Any]) -> Value:
        word, *rest = children
        _check_aggregate(word)
        place = next(place for place, child in enumerate(rest) if isinstance(child, list))
        modifiers = rest[:place] + rest[place + 1 :]
        quantity = _quantity(str(word), rest[place][0], *_split([*rest[place][1:], *modifiers]))
        if quantity.kind == "logs" and word not in _OF_LOGS:
            raise ConditionError(
                f"{word} is not possible of log records", column_of(word), "they have no duration: count or rate"
            )
        return replace(quantity, column=column_of(word))

    def promql(self, children: list[Any]) -> Value:
        word, text, *modifiers = children
        for name, _, column in modifiers:
            if name != "offset":
                hint = "group inside of it" if name == "by" else "write the range inside of it: [5m]"
                raise ConditionError(f"PromQL takes no {name} from outside", column, hint)
        if not unquoted(text).strip():
            raise ConditionError("the PromQL is empty", column_of(text), 'for example promql("sum(rate(x_total[5m]))")')
        return replace(_quantity("", text, (), modifiers, "promql"), column=column_of(word))

    def bare_records(self, children: list[Token]) -> Value:
        word = children[0]
        what = f"count({word})" if len(children) == 1 else f"count({word} ...)"
        hint = f"write {what} for how many, rate({word}) for how many a second"
        raise ConditionError(f"{word} is no number", column_of(word), hint)

    def inner(self, children: list[Any]) -> list[Any]:
        return children

    def by(self, children: list[Any]) -> Modifier:
        return Modifier("by", tuple(dict.fromkeys(children[1:])), column_of(children[0]))

    def over(self, children: list[Token]) -> Modifier:
        return _duration(*children)

    def offset(self, children: list[Token]) -> Modifier:
        return _duration(*children)

    def matchers(self, children: list[str | None]) -> tuple[str, ...]:
        return tuple(child for child in children if child is not None)

    def matcher(self, children: list[Any]) -> str:
        key, operator, value = children
        name = key if is_simple_name(key) and ":" not in key else quoted(key)
        return f"{name}{operator}{quoted(unquoted(value))}"

    def key(self, children: list[Token]) -> str:
        token = children[0]
        return _name(token)


def builder() -> object:
    """What the parser calls: a method of the name of each rule."""
    return _Builder()


def _duration(word: Token, number: Token) -> Modifier:
    return Modifier(str(word), read_duration_ns(str(number), column_of(number), str(word)), column_of(word))


def _split(children: list[Any]) -> tuple[Any, list[Modifier]]:
    """What stands before the modifiers, matchers or the filter of spans or logs, and the modifiers."""
    rest = [child for child in children if not isinstance(child, Modifier)]
    return (rest[0] if rest else ()), [child for child in children if isinstance(child, Modifier)]


def _quantity(
    aggregate: str, first: Token, more: Any, modifiers: list[Modifier], kind: Source = "measure_or_metric"
) -> Quantity:
    found: dict[str, Any] = {}
    for name, value, column in modifiers:
        if name in found:
            raise ConditionError(f"{name} stands there twice", column, "leave one of them out")
        found[name] = value
    conditions: tuple[str, ...] = ()
    if first.type == "RECORDS":
        kind, text = str(first), unquoted(more).strip() if more else ""  # type: ignore[assignment] # spans or logs
    elif kind == "promql":
        text = unquoted(first).strip()
    else:
        text, conditions = _name(first), more
    return Quantity(
        kind,
        text,
        aggregate,
        conditions,
        found.get("by", ()),
        found.get("over", 0),
        found.get("offset", 0),
        column=column_of(first),
    )


def _name(token: Token) -> str:
    text = unquoted(token) if token.type == "STRING" else str(token)
    if not text.strip():
        raise ConditionError("the name is empty", column_of(token), "write the name of a measure, metric or key")
    return text


def _check_aggregate(word: Token) -> None:
    if is_aggregate(word):
        return
    meant = _MEANT_QUANTILE.fullmatch(word)
    if meant is not None:
        hint = f"did you mean p{meant[1] or meant[2]}?"
    elif word in _OTHER_WORDS:
        hint = f"write {_OTHER_WORDS[word]}"
    else:
        hint = did_you_mean(word, AGGREGATES)
    known = f"there are {', '.join(AGGREGATES)}, and quantiles such as p95"
    raise ConditionError(f"{word} is no aggregation", column_of(word), hint or f"{known}; other functions: promql(...)")
