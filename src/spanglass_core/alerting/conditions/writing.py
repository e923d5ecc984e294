"""Conditions in the form in which they are kept and shown: ``parse_condition(write_condition(node)) == node``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_core.alerting.conditions.building import is_simple_name, quoted
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
from spanglass_core.alerting.conditions.numbers import write_number
from spanglass_core.units import format_duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_core.alerting.conditions.nodes import Condition, Node

_SUMS = ("+", "-")


def write_condition(node: Node) -> str:
    """Write a condition, or any part of one, with single spaces, no needless brackets, and numbers in good units."""
    match node:
        case Number():
            return write_number(node)
        case Quantity():
            return _quantity(node)
        case Usual(what, of):
            return f"{what}({write_condition(of)})" if of is not None else what
        case Forecast(of, ahead_ns):
            return f"forecast({write_condition(of)}, {format_duration(ahead_ns)})"
        case Arithmetic():
            return _arithmetic(node)
    return _condition(node)


def _condition(node: Condition) -> str:
    match node:
        case Or(items):
            return " or ".join(_in_brackets(item, isinstance(item, Or)) for item in items)
        case And(items):
            return " and ".join(_in_brackets(item, isinstance(item, Or | And)) for item in items)
        case Not(item):
            return f"not {_in_brackets(item, isinstance(item, Or | And | Comparison))}"
        case Comparison(operator, left, right):
            return f"{write_condition(left)} {operator} {write_condition(right)}"
        case Absent() | Present():
            return _of_data(node)
        case IssueEvent(kind, text):
            return f"{kind}({_text(text)})" if text else kind


def _of_data(node: Absent | Present) -> str:
    if isinstance(node, Present):
        return f"present({write_condition(node.of)})"
    return f"absent({write_condition(node.of)})" + _lasting("over", node.over_ns)


def _arithmetic(node: Arithmetic) -> str:
    """Brackets where the order of operations asks for them: ``a - (b - c)``, but ``a - b - c``."""
    is_sum = node.operator in _SUMS
    left = isinstance(node.left, Arithmetic) and not is_sum and node.left.operator in _SUMS
    right = isinstance(node.right, Arithmetic) and not (is_sum and node.right.operator not in _SUMS)
    return f"{_in_brackets(node.left, left)} {node.operator} {_in_brackets(node.right, right)}"


def _in_brackets(node: Node, are_needed: bool) -> str:  # noqa: FBT001 - one of two forms
    return f"({write_condition(node)})" if are_needed else write_condition(node)


def _quantity(node: Quantity) -> str:
    if node.kind == "promql":
        text = f"promql({_text(node.text)})"
    elif node.kind == "measure_or_metric":
        name = node.text if is_simple_name(node.text) else _text(node.text)
        text = name + (f"{{{', '.join(node.conditions)}}}" if node.conditions else "")
    else:
        text = f"{node.kind} {_text(node.text)}" if node.text else node.kind
    if node.aggregate:
        text = f"{node.aggregate}({text})"
    return text + _by(node.by) + _lasting("over", node.window_ns) + _lasting("offset", node.offset_ns)


def _by(keys: Sequence[str]) -> str:
    return f" by ({', '.join(key if is_simple_name(key) else quoted(key) for key in keys)})" if keys else ""


def _lasting(word: str, duration_ns: int) -> str:
    return f" {word} {format_duration(duration_ns)}" if duration_ns else ""


def _text(text: str) -> str:
    """In double quotes if nothing in it needs a backslash, else in others that need none either."""
    if '"' in text or "\\" in text:
        for quote in ("'", "`"):
            if quote not in text:
                return f"{quote}{text}{quote}"
    return quoted(text)
