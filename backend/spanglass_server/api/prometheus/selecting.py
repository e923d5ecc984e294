"""The parameter ``match[]``: selectors of series, one of which a series must match."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.api.prometheus.problems import BadParameterError
from spanglass_server.promql.errors import PromqlError
from spanglass_server.promql.parsing.nodes import VectorSelector
from spanglass_server.promql.parsing.parse import parse
from spanglass_server.promql.ports import Selector

if TYPE_CHECKING:
    from spanglass_server.api.prometheus.params import Form


def selectors_of(form: Form, *, is_required: bool = False) -> list[Selector]:
    """The selectors given, for the range given; one that matches every series where there is none."""
    texts = form.texts("match[]")
    if not texts and is_required:
        raise BadParameterError("match[]", "no match[] parameter provided")
    start_ms, end_ms = form.range_ms()
    if not texts:
        return [Selector((), start_ms - 1, end_ms)]
    return [selector for text in texts for selector in parsed_selectors("match[]", text, start_ms, end_ms)]


def parsed_selectors(name: str, text: str, start_ms: int, end_ms: int) -> list[Selector]:
    """Read one selector; with ``or`` it is several."""
    try:
        expr = parse(text)
    except PromqlError as error:
        raise BadParameterError(name, error.message) from None
    if not isinstance(expr, VectorSelector) or expr.offset or expr.at is not None:
        raise BadParameterError(name, f'{text!r} is not a selector of series such as up or {{job="web"}}')
    return [selector_of(expr, start_ms, end_ms)]


def selector_of(expr: VectorSelector, start_ms: int, end_ms: int) -> Selector:
    """The series that a selector of an expression names, with their samples of a range, both ends included."""
    named = frozenset(matcher.name for each in (expr.matchers, *expr.any_of) for matcher in each)
    return Selector(expr.matchers, start_ms - 1, end_ms, named, expr.any_of)
