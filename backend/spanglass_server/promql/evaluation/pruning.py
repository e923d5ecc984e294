"""Parts of an expression that select nothing, left out before it is evaluated.

Rules of what nobody sends are most rules, and most of those that are sent ask for a metric under several names, of
which one is there. Each selector, rate and sum over nothing takes 0.1 ms.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from spanglass_server.promql.evaluation.preparation import for_all_steps
from spanglass_server.promql.parsing import nodes
from spanglass_server.promql.series.labels import NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spanglass_server.promql.evaluation.query import Options
    from spanglass_server.promql.ports import SeriesSource
    from spanglass_server.promql.series.vectors import Steps

#: Functions without a result, and without anything to tell, where their vector has no series. Of ranges ``sort`` tells
#: that it does nothing, whatever it is given.
_OF_SERIES = frozenset(
    {
        "rate", "increase", "delta", "irate", "idelta", "changes", "resets", "deriv", "predict_linear",
        "avg_over_time", "count_over_time", "max_over_time", "min_over_time", "sum_over_time", "last_over_time",
        "first_over_time", "present_over_time", "stddev_over_time", "stdvar_over_time", "histogram_avg",
        "histogram_count", "histogram_sum", "histogram_quantile", "abs", "ceil", "floor", "clamp", "clamp_max",
        "clamp_min", "timestamp",
    }
)  # fmt: skip
#: Ranges are looked up to whole multiples of this, so that expressions share what is found out about one.
_REACH_MS = 600_000


@dataclass(frozen=True, slots=True)
class _Names:
    """The names of metrics that selectors of an expression ask for by name, and how far back they look at most."""

    names: frozenset[str]
    reach_ms: int


def without_silent(source: SeriesSource, text: str, expr: nodes.Expr, steps: Steps, options: Options) -> nodes.Expr:
    """The expression that ``text`` is settled to, without what selects metrics of which ``source`` has no series.

    Its value is the same, and so is all that there is to tell of it.
    """
    found = _names_of(text, options.lookback_ms)
    if found is None or not found.names:
        return expr
    lacking = source.lacking(found.names, steps.start_ms - found.reach_ms, steps.end_ms)
    return _pruned(text, lacking) if lacking else expr


@lru_cache(maxsize=4096)
def _names_of(text: str, lookback_ms: int) -> _Names | None:
    """None where an expression is settled for each query, so that it is another one each time."""
    settled = for_all_steps(text)
    if settled is None:
        return None
    found = list(_reaches(settled[0], lookback_ms))
    reach_ms = max((reach for _, reach in found), default=0)
    return _Names(frozenset(name for name, _ in found), -(-reach_ms // _REACH_MS) * _REACH_MS)


def _reaches(expr: nodes.Expr, window_ms: int) -> Iterator[tuple[str, int]]:
    match expr:
        case nodes.VectorSelector(offset=offset):
            name = _name(expr)
            if name is not None and isinstance(offset, int):
                yield name, window_ms + offset
        case nodes.MatrixSelector(selector=selector, range=length) if isinstance(length, int):
            yield from _reaches(selector, length)
        case nodes.Subquery():
            pass
        case _:
            for child in nodes.children(expr):
                yield from _reaches(child, window_ms)


def _name(node: nodes.VectorSelector) -> str | None:
    """The name of the only metric of a selector, if what it looks at lies before each step."""
    if node.any_of or node.at is not None or node.mode or not isinstance(node.offset, int) or node.offset < 0:
        return None
    if any(m.name.startswith("__") and m.name != NAME for m in node.matchers):
        return None  # they may be wrong here, which is told when they are asked for
    return next((m.value for m in node.matchers if m.name == NAME and m.operator == "="), None)


@lru_cache(maxsize=4096)
def _pruned(text: str, lacking: frozenset[str]) -> nodes.Expr:
    settled = for_all_steps(text)
    assert settled is not None  # noqa: S101 - names are known of it
    return _without(settled[0], lacking)


def _without(expr: nodes.Expr, lacking: frozenset[str]) -> nodes.Expr:
    """The expression; ``Nothing`` where it is a vector that has no series for sure."""
    match expr:
        case nodes.VectorSelector():
            return nodes.Nothing(expr.position) if _name(expr) in lacking else expr
        case nodes.Paren(expr=inner) | nodes.Negation(expr=inner):
            found = _without(inner, lacking)
            return found if isinstance(found, nodes.Nothing) else replace(expr, expr=found)
        case nodes.Aggregate(expr=inner, param=None):
            found = _without(inner, lacking)
            return found if isinstance(found, nodes.Nothing) else replace(expr, expr=found)
        case nodes.Binary():
            return _without_sides(expr, lacking)
        case nodes.Call(function=function, args=args) if function in _OF_SERIES:
            return _without_arguments(expr, args, lacking)
    return expr


def _without_sides(expr: nodes.Binary, lacking: frozenset[str]) -> nodes.Expr:
    """A side that may be something stays, for what there is to tell of it."""
    left, right = _without(expr.left, lacking), _without(expr.right, lacking)
    is_filled = expr.matching.fill_left is not None or expr.matching.fill_right is not None
    is_nothing = [isinstance(side, nodes.Nothing) for side in (left, right)]
    is_number = [isinstance(nodes.unwrapped(side), nodes.Number) for side in (left, right)]
    if (all(is_nothing) and not is_filled) or (any(is_nothing) and any(is_number)):
        return nodes.Nothing(expr.position)
    return replace(expr, left=left, right=right)


def _without_arguments(expr: nodes.Call, args: tuple[nodes.Expr, ...], lacking: frozenset[str]) -> nodes.Expr:
    """A call of a vector or range that has no series; other arguments must be numbers that nothing is wrong with."""
    vectors = [arg for arg in args if not isinstance(arg, nodes.Number)]
    if len(vectors) != 1:
        return expr
    inner = vectors[0].selector if isinstance(vectors[0], nodes.MatrixSelector) else vectors[0]
    found = _without(inner, lacking)
    is_odd = expr.function == "histogram_quantile" and not all(
        0 <= arg.value <= 1 for arg in args if isinstance(arg, nodes.Number)
    )
    if isinstance(found, nodes.Nothing) and not is_odd:
        return nodes.Nothing(expr.position)
    if isinstance(vectors[0], nodes.MatrixSelector):
        return expr
    return replace(expr, args=tuple(found if arg is vectors[0] else arg for arg in args))
