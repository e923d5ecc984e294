"""Measures as people write them: ``p95(response_time{service="shop"}) by (route)``, ``avg_response_time``."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedInput

from spanglass_server.measures.kinds import Asked, quantile_of
from spanglass_server.measures.table import MEASURES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spanglass_server.measures.table import Measure

AGGREGATES = ("avg", "min", "max", "sum", "count")
#: Short words for labels; any other key is an attribute, with dots or underscores.
LABELS = {
    "service": "service_name",
    "host": "host_name",
    "route": "http_route",
    "operation": "span_name",
    "queue": "messaging_destination_name",
    "task": "spanglass_task_name",
    "pool": "db_client_connection_pool_name",
    "database": "db_system_name",
    "environment": "deployment_environment_name",
}
_QUOTED = re.compile(r"""(["'`])(?:\\.|(?!\1).)*\1""")
_HINT = 'write a measure such as error_rate, or avg(response_time{service="shop"}) by (route)'


class MeasureError(ValueError):
    """A text that is no measure; ``column`` counts from 1. ``is_near``: it was probably meant to be one."""

    def __init__(self, message: str, column: int, hint: str = "", *, is_near: bool = False) -> None:
        super().__init__(message)
        self.column = column
        self.hint = hint
        self.is_near = is_near


@dataclass(frozen=True, slots=True)
class MeasureQuery:
    """A measure as it was asked for; ``conditions`` are matchers of PromQL."""

    measure: Measure
    aggregate: str
    by: tuple[str, ...]
    conditions: tuple[str, ...]
    offset: str

    def promql(self, window: str, *, by: tuple[str, ...] | None = None) -> str:
        """The PromQL of it, with rates over ``window``; ``by`` groups instead of what was written."""
        asked = Asked(
            self.aggregate,
            self.by if by is None else by,
            "".join(f", {condition}" for condition in self.conditions),
            window,
            f" offset {self.offset}" if self.offset else "",
        )
        return self.measure.kind.promql(asked).replace("{, ", "{")


@lru_cache(maxsize=1024)
def parse_measure(text: str) -> MeasureQuery:
    """Read a measure. Raises ``MeasureError`` with the place and what was probably meant."""
    try:
        tree = _parser().parse(text)
    except UnexpectedInput as error:
        column = error.column if error.column > 0 else len(text) + 1
        end = column > len(text.rstrip())
        raise MeasureError("the measure ends too early" if end else "this can't stand here", column, _HINT) from None
    plain = next(tree.find_data("plain"))
    written = plain.children[0]
    assert isinstance(written, Token)  # noqa: S101 - the grammar says so
    measure, prefix = _measure(written)
    aggregated = next(tree.find_data("aggregated"), None)
    aggregate = prefix
    if aggregated is not None:
        word = aggregated.children[0]
        assert isinstance(word, Token)  # noqa: S101
        aggregate = _aggregate(word, prefix)
    offset = next(tree.find_data("offset"), None)
    return MeasureQuery(
        measure,
        aggregate,
        tuple(dict.fromkeys(_label(key) for by in tree.find_data("by") for key in by.find_data("key"))),
        tuple(_conditions(tree)),
        str(offset.children[0]) if offset is not None else "",
    )


def named_measure(name: str) -> tuple[Measure, str] | None:
    """The measure of a name, and the aggregation that may stand before it: ``avg_response_time``; None for others."""
    if name in MEASURES:
        return MEASURES[name], ""
    prefix, _, rest = name.partition("_")
    return (MEASURES[rest], prefix) if rest in MEASURES and _is_aggregate(prefix) else None


def _measure(name: Token) -> tuple[Measure, str]:
    found = named_measure(name)
    if found is not None:
        return found
    close = difflib.get_close_matches(name, MEASURES, n=1, cutoff=0.75)
    hint = f"did you mean {close[0]!r}?" if close else "docs/measures.md lists all measures"
    raise MeasureError(f"there is no measure {name!s}", name.column or 1, hint, is_near=bool(close))


def measures_in(expression: str) -> list[str]:
    """The measures that an expression of PromQL names, where they are metrics of which nothing is stored."""
    return [word for word in re.findall(r"[\w:.]+", _QUOTED.sub("", expression)) if word in MEASURES]


def _aggregate(word: Token, prefix: str) -> str:
    if not _is_aggregate(word):
        hint = f"there are: {', '.join(AGGREGATES)}, and quantiles such as p95"
        raise MeasureError(f"{word!s} is no aggregation", word.column or 1, hint)
    if prefix and prefix != word:
        raise MeasureError(f"{word!s} of {prefix} is not possible", word.column or 1, "leave one of them out")
    return str(word)


def _is_aggregate(word: str) -> bool:
    return word in AGGREGATES or quantile_of(word) is not None


def _conditions(tree: Tree[Token]) -> Iterator[str]:
    for condition in tree.find_data("condition"):
        key, operator, value = condition.children
        assert isinstance(key, Tree)  # noqa: S101 - the grammar says so
        yield f"{_label(key)}{operator}{value}"


def _label(key: Tree[Token]) -> str:
    name = str(key.children[0]).strip("\"'")
    return LABELS.get(name, name.replace(".", "_"))


@cache
def _parser() -> Lark:
    grammar = (files(__package__) / "measure.lark").read_text()
    return Lark(grammar, parser="earley", propagate_positions=True, maybe_placeholders=False)
