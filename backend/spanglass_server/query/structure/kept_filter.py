"""Filters about other spans as comparisons of stored columns, which columns that are kept can be asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from spanglass_server.query.kept_columns.terms import terms_of
from spanglass_server.query.language import compile_filter
from spanglass_server.query.language.compiling.parts import NOTHING
from spanglass_server.query.language.compiling.pins import asks_for_pins
from spanglass_server.query.language.compiling.relations import TRACE_FIGURES, TRACE_SERVICES, asks_about_others
from spanglass_server.query.language.compiling.relations import of_any_span as services_of_trace
from spanglass_server.query.language.compiling.sql import Sql, all_of
from spanglass_server.query.language.parsing.ast import (
    COMPLEMENTS,
    OPPOSITES,
    And,
    Compare,
    In,
    Not,
    Operator,
    Related,
)
from spanglass_server.query.structure.kept_figures import FIGURE_COLUMNS
from spanglass_server.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from spanglass_server.query.kept_columns.terms import Term
    from spanglass_server.query.language.compiling.parts import Part
    from spanglass_server.query.language.parsing.ast import Filter, Relation

#: What says where a span stands in its trace.
IDS = ("trace_id", "span_id", "parent_span_id")


@dataclass(frozen=True, slots=True)
class Others:
    """Other spans that stand so to a span and match, and how many of them it has to have."""

    relation: Relation
    terms: Sequence[Term]
    operator: Operator = Operator.GREATER_EQUAL
    count: int = 1


@dataclass(frozen=True, slots=True)
class KeptFilter:
    """Comparisons of spans themselves, of others in their traces, and of figures of the traces, by their names."""

    own: Sequence[Term]
    others: Sequence[Others] = ()
    figures: Mapping[str, Sequence[Term]] = field(default_factory=dict)


def kept_filter(tree: Filter, known: Mapping[str, int], more: Sequence[Sql]) -> KeptFilter | None:
    """Return a filter, and ``more`` conditions of the spans themselves, so; None if it asks for more than that."""
    if asks_for_pins(tree):  # it says ids, and which these are the table of pins has to tell
        return None
    parts = [_as_related(part) for part in (tree.terms if isinstance(tree, And) else (tree,))]
    related = [part for part in parts if isinstance(part, Related)]
    figures = [part for part in parts if isinstance(part, Compare) and _is_of_figure(part)]
    own = And(tuple(part for part in parts if part not in related and part not in figures))
    if any(asks_about_others(each, Signal.SPANS) for each in (own, *(each.term for each in related))):
        return None
    of_spans, of_figures = _compared(own, known, more), _figure_terms(figures)
    others = [_others(each, known) for each in related]
    if of_spans is None or of_figures is None or None in others:
        return None
    return KeptFilter(of_spans, [each for each in others if each is not None], of_figures)


def columns_of(wanted: KeptFilter) -> Collection[str]:
    """The stored columns that are read for a filter."""
    compared = {term.column for terms in (wanted.own, *(each.terms for each in wanted.others)) for term in terms}
    compared = compared.union(*(FIGURE_COLUMNS[name] for name in wanted.figures))
    return compared.union(IDS) if wanted.others else compared


def _as_related(node: Filter) -> Filter:
    """``not child()`` as ``child() < 1``, and services of a trace as those of its spans; all else as it is."""
    if isinstance(node, Compare | In) and not node.field.quoted and node.field.name == TRACE_SERVICES:
        node = services_of_trace(node)
    if isinstance(node, Not) and isinstance(node.term, Related):
        term = node.term
        return Related(term.relation, term.term, OPPOSITES[term.operator], term.count, term.column)
    return node


def _others(node: Related, known: Mapping[str, int]) -> Others | None:
    terms = _compared(node.term, known)
    return None if terms is None else Others(node.relation, terms, node.operator, node.count)


def _compared(tree: Filter, known: Mapping[str, int], more: Sequence[Sql] = ()) -> Sequence[Term] | None:
    compiled = compile_filter(tree, Signal.SPANS, known)
    is_all = isinstance(tree, And) and not tree.terms
    return terms_of(all_of([*([] if is_all else [Sql(compiled.sql, tuple(compiled.parameters))]), *more]), Signal.SPANS)


def _is_of_figure(node: Compare) -> bool:
    """Whether a filter compares a figure of traces, other than by ``!=``."""
    return node.operator not in COMPLEMENTS and not node.field.quoted and node.field.name in TRACE_FIGURES


class _Asked:
    """Takes down what a condition on a figure of traces says as SQL."""

    def __init__(self) -> None:
        self.conditions: list[tuple[str, Sql]] = []

    def related(self, _node: Related) -> Part:
        """See ``Relatives``; no condition on a figure asks for other spans."""
        return NOTHING

    def of_trace(self, figure: str, condition: Sql) -> Part:
        """See ``Relatives``."""
        self.conditions.append((figure, condition))
        return NOTHING


def _figure_terms(nodes: Sequence[Compare]) -> Mapping[str, Sequence[Term]] | None:
    """Return such comparisons, which all have to hold, by the figure; None if one cannot be taken apart."""
    asked = _Asked()
    for node in nodes:
        compile_filter(node, Signal.SPANS, {}, asked)
    found: dict[str, list[Term]] = {}
    for figure, condition in asked.conditions:
        (name,) = TRACE_FIGURES[figure].columns
        as_number = condition.text.replace(f'"{name}"', '"duration_ns"')  # a whole number, as they are
        terms = terms_of(Sql(as_number, condition.parameters), Signal.SPANS)
        if terms is None:
            return None
        found.setdefault(figure, []).extend(terms)
    return found if len(asked.conditions) == len(nodes) else None
