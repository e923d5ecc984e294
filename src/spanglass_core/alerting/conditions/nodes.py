"""What conditions are made of. Two nodes are equal if they mean the same, wherever they stand.

``column`` counts from 1 and is where the text of a node begins.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What a number is of, its value being in it: seconds, bytes, a share of 1, so many a second.
Unit = Literal["", "s", "bytes", "ratio", "/s", "bytes/s"]
Source = Literal["measure_or_metric", "promql", "spans", "logs"]
ArithmeticOperator = Literal["+", "-", "*", "/"]
ComparisonOperator = Literal[">", ">=", "<", "<=", "==", "!="]


def _column() -> int:
    return field(default=1, compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Number:
    """A number in base units: ``1000ms`` is 1.0 of ``s``, ``90%`` is 0.9 of ``ratio``."""

    value: float
    unit: Unit = ""
    column: int = _column()


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number that is asked of what is stored, for each key.

    ``text`` is the name of a measure or metric as it was written (``avg_response_time`` too), PromQL, or a filter.
    ``conditions`` are matchers of PromQL such as ``service="shop"``, and ``by`` keys, both with the keys that were
    written: short words, dots or underscores. ``window_ns`` is 0 where no ``over`` was written.
    """

    kind: Source
    text: str
    aggregate: str = ""  # avg, min, max, sum, count, rate, or a quantile such as p95
    conditions: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    window_ns: int = 0
    offset_ns: int = 0
    column: int = _column()


@dataclass(frozen=True, slots=True)
class Usual:
    """What a quantity usually is at this time, or how far it usually is from that.

    ``of`` is None for the quantity on the left of the comparison.
    """

    what: Literal["baseline", "spread"]
    of: Quantity | None = None
    column: int = _column()


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a quantity is expected to be after a time."""

    of: Quantity
    ahead_ns: int
    column: int = _column()


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """Two values computed with each other."""

    operator: ArithmeticOperator
    left: Value
    right: Value
    column: int = _column()


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two values compared."""

    operator: ComparisonOperator
    left: Value
    right: Value
    column: int = _column()


@dataclass(frozen=True, slots=True)
class And:
    """All of them hold; at least two."""

    items: tuple[Condition, ...]
    column: int = _column()


@dataclass(frozen=True, slots=True)
class Or:
    """One of them holds at least; at least two."""

    items: tuple[Condition, ...]
    column: int = _column()


@dataclass(frozen=True, slots=True)
class Not:
    """It does not hold."""

    item: Condition
    column: int = _column()


@dataclass(frozen=True, slots=True)
class Absent:
    """There is no data of it. ``over_ns`` is 0 where no ``over`` was written."""

    of: Quantity
    over_ns: int = 0
    column: int = _column()


@dataclass(frozen=True, slots=True)
class Present:
    """There is data of it, whatever its value: what an alert of Prometheus' rule files means."""

    of: Quantity
    column: int = _column()


@dataclass(frozen=True, slots=True)
class IssueEvent:
    """Something became of an issue of the error tracker; ``filter`` in the filter language, "" for all."""

    kind: Literal["new_issue", "regression", "escalation"]
    filter: str = ""
    column: int = _column()


Value = Number | Quantity | Usual | Forecast | Arithmetic
Condition = Comparison | And | Or | Not | Absent | Present | IssueEvent
Node = Value | Condition


def parts(node: Node) -> tuple[Node, ...]:
    """The nodes right under a node, from the left."""
    match node:
        case Arithmetic() | Comparison():
            return node.left, node.right
        case And() | Or():
            return node.items
        case Not():
            return (node.item,)
        case Absent() | Present() | Forecast():
            return (node.of,)
        case Usual(of=Quantity() as of):
            return (of,)
    return ()


def walk(node: Node) -> Iterator[Node]:
    """A node and all that is under it, from the left."""
    waiting: list[Node] = [node]
    while waiting:
        current = waiting.pop()
        yield current
        waiting.extend(reversed(parts(current)))


def principal(condition: Condition) -> Comparison | None:
    """The comparison whose number the levels of a rule replace: the first from the left that is under no ``not``."""
    match condition:
        case Comparison():
            return condition
        case And() | Or():
            return next((found for item in condition.items if (found := principal(item)) is not None), None)
    return None
