"""The parameter ``match[]``: selectors of series, one of which a series must match."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.api.errors import ApiError
from spanglass_server.api.prometheus.problems import BadParameterError
from spanglass_server.promql.errors import PromqlError
from spanglass_server.promql.parsing.nodes import VectorSelector, children
from spanglass_server.promql.parsing.parse import parse
from spanglass_server.promql.ports import Selector

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spanglass_server.api.prometheus.params import Form
    from spanglass_server.promql.parsing.nodes import Expr


def selectors_of(form: Form, *, is_required: bool = False) -> list[Selector]:
    """The selectors given, for the range given; one that matches every series where there is none."""
    texts = form.texts("match[]")
    if not texts and is_required:
        raise ApiError("bad_request", "no match[] parameter provided")
    start_ms, end_ms = form.range_ms()
    if not texts:
        return [Selector((), start_ms - 1, end_ms)]
    return [_selector("match[]", text, start_ms, end_ms) for text in texts]


def _selector(name: str, text: str, start_ms: int, end_ms: int) -> Selector:
    try:
        expr = parse(text)
    except PromqlError as error:
        raise BadParameterError(name, error.message) from None
    if not isinstance(expr, VectorSelector) or expr.offset or expr.at is not None:
        raise BadParameterError(name, f'{text!r} is not a selector of series such as up or {{job="web"}}')
    return selector_of(expr, start_ms, end_ms)


def vector_selectors(expr: Expr) -> Iterator[VectorSelector]:
    """All selectors of an expression."""
    if isinstance(expr, VectorSelector):
        yield expr
    for child in children(expr):
        yield from vector_selectors(child)


def selector_of(expr: VectorSelector, start_ms: int, end_ms: int) -> Selector:
    """The series that a selector of an expression names, with their samples of a range, both ends included."""
    named = frozenset(matcher.name for each in (expr.matchers, *expr.any_of) for matcher in each)
    return Selector(expr.matchers, start_ms - 1, end_ms, named, expr.any_of)
