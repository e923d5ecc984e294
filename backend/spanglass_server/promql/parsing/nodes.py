"""The syntax tree of PromQL. ``position`` is where a node begins in the text, counted from 0."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from spanglass_server.promql.ports import Matcher

#: A time in milliseconds, or the start or end of the query.
At = int | Literal["start", "end"]
Thinned = Literal["", "samples", "totals"]
Mode = Literal["", "anchored", "smoothed"]


@dataclass(frozen=True, slots=True)
class Number:
    """A number literal."""

    value: float
    position: int = 0


@dataclass(frozen=True, slots=True)
class String:
    """A string literal."""

    value: str
    position: int = 0


@dataclass(frozen=True, slots=True)
class VectorSelector:
    """Series by name and labels, a sample each. ``any_of`` are alternatives of matchers (``or``)."""

    name: str
    matchers: tuple[Matcher, ...]
    any_of: tuple[tuple[Matcher, ...], ...] = ()
    offset: int | Expr = 0
    at: At | None = None
    mode: Mode = ""
    position: int = 0


@dataclass(frozen=True, slots=True)
class MatrixSelector:
    """Series with all samples of a range before each step.

    ``thinned`` says that some of the samples will do, or some with the totals of the others. ``summed_by``: only sums
    of rates by these labels are asked for.
    """

    selector: VectorSelector
    range: int | Expr
    position: int = 0
    thinned: Thinned = ""
    summed_by: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Subquery:
    """An expression evaluated at steps of its own, for a range before each step."""

    expr: Expr
    range: int | Expr
    step: int | Expr | None
    offset: int | Expr = 0
    at: At | None = None
    position: int = 0


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a function."""

    function: str
    args: tuple[Expr, ...]
    position: int = 0


@dataclass(frozen=True, slots=True)
class Aggregate:
    """An aggregation by labels, or without them."""

    op: str
    expr: Expr
    param: Expr | None = None
    labels: tuple[str, ...] = ()
    without: bool = False
    position: int = 0


@dataclass(frozen=True, slots=True)
class Matching:
    """How series of two vectors find one another. ``many`` is the side of which several may match one of the other."""

    on: bool = False
    labels: tuple[str, ...] = ()
    many: Literal["", "left", "right"] = ""
    include: tuple[str, ...] = ()
    fill_left: float | None = None
    fill_right: float | None = None


@dataclass(frozen=True, slots=True)
class Binary:
    """An operator between two expressions. ``is_bool``: a comparison gives 0 or 1 instead of filtering."""

    op: str
    left: Expr
    right: Expr
    matching: Matching = Matching()
    is_bool: bool = False
    position: int = 0


@dataclass(frozen=True, slots=True)
class Negation:
    """The unary minus."""

    expr: Expr
    position: int = 0


@dataclass(frozen=True, slots=True)
class Paren:
    """An expression in parentheses."""

    expr: Expr
    position: int = 0


@dataclass(frozen=True, slots=True)
class Nothing:
    """A vector without any series; nobody writes it, it stands for what is known to select none."""

    position: int = 0


Expr = (
    Number
    | String
    | VectorSelector
    | MatrixSelector
    | Subquery
    | Call
    | Aggregate
    | Binary
    | Negation
    | Paren
    | Nothing
)


def children(expr: Expr) -> tuple[Expr, ...]:  # noqa: PLR0911 - a case a kind of node
    """The expressions inside an expression, in the order of the text."""
    match expr:
        case Call(args=args):
            return args
        case Aggregate(expr=inner, param=None):
            return (inner,)
        case Aggregate(expr=inner, param=param) if param is not None:
            return (param, inner)
        case Binary(left=left, right=right):
            return (left, right)
        case Negation(expr=inner) | Paren(expr=inner) | Subquery(expr=inner):
            return (inner,)
        case MatrixSelector(selector=selector):
            return (selector,)
        case _:
            return ()


#: The functions that give a scalar.
_SCALAR_FUNCTIONS = ("scalar", "time", "pi", "start", "end", "step", "range", "min_of", "max_of")


def is_scalar(expr: Expr) -> bool:
    """Whether an expression has one number at each step."""
    match expr:
        case Number():
            return True
        case Paren(expr=inner) | Negation(expr=inner):
            return is_scalar(inner)
        case Binary(left=left, right=right):
            return is_scalar(left) and is_scalar(right)
        case Call(function=function):
            return function in _SCALAR_FUNCTIONS
        case _:
            return False


def unwrapped(expr: Expr) -> Expr:
    """The expression without parentheses around it."""
    while isinstance(expr, Paren):
        expr = expr.expr
    return expr
