"""PromQL: from the text of an expression to its value at one time or at many steps."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from spanglass_server.promql.errors import PromqlError, execution_error
from spanglass_server.promql.evaluation.cells import SAME_LABELS, final_labels, finally_named, nonempty
from spanglass_server.promql.evaluation.evaluate import evaluate
from spanglass_server.promql.evaluation.extended import with_ends
from spanglass_server.promql.evaluation.preparation import check_type, prepared
from spanglass_server.promql.evaluation.pruning import without_silent
from spanglass_server.promql.evaluation.query import Notes, Options, Query
from spanglass_server.promql.evaluation.selectors import Range
from spanglass_server.promql.parsing.parse import TOO_DEEP, parse
from spanglass_server.promql.series.samples import Samples
from spanglass_server.promql.series.vectors import Steps, Value, Vector

if TYPE_CHECKING:
    from spanglass_server.promql.parsing.nodes import Expr
    from spanglass_server.promql.ports import SeriesSource
    from spanglass_server.promql.series.labels import LabelSets

__all__ = ["Answer", "Options", "PromqlError", "instant", "range_query"]


@dataclass(frozen=True, slots=True)
class Answer:
    """The value of an expression, with what there is to tell about it.

    A range vector is given as ``Samples``, of the range before the time asked for. The series of an instant vector
    are in the order that Prometheus gives; those of a range are to be sorted by their labels.
    """

    value: Value | Samples
    warnings: tuple[str, ...] = ()
    infos: tuple[str, ...] = ()


def instant(source: SeriesSource, text: str, time_ms: int, options: Options | None = None) -> Answer:
    """The value of an expression at one time. Raises ``PromqlError``, ``BadQuestionError`` and ``TooMuchError``."""
    return _answer(source, text, parse(text), Steps(time_ms, 0, 1), options or Options())


def range_query(source: SeriesSource, text: str, steps: Steps, options: Options | None = None) -> Answer:
    """The values of an expression at all steps. Raises ``PromqlError``, ``BadQuestionError`` and ``TooMuchError``."""
    expr = parse(text)
    check_type(expr)
    return _answer(source, text, expr, steps, options or Options())


def _answer(source: SeriesSource, text: str, expr: Expr, steps: Steps, options: Options) -> Answer:
    try:
        settled, named = prepared(expr, text, steps)
        if options.each_alone:
            settled = without_silent(source, text, settled, steps, options)
        query = Query(source, options, steps, named, Notes(text))
        value = evaluate(query, settled, steps)
    except RecursionError:
        raise PromqlError("bad_data", TOO_DEEP) from None
    result = _inside(value) if isinstance(value, Range) else value
    if isinstance(result, Vector):
        result = finally_named(nonempty(result))
    elif isinstance(result, Samples):
        result = replace(result, labels=_distinct(final_labels(result.labels)))
    return Answer(result, tuple(query.notes.warnings.values()), tuple(query.notes.infos.values()))


def _distinct(labels: LabelSets) -> LabelSets:
    """The labels of a range vector; raises ``PromqlError`` if two of its series have the same."""
    if labels.groups().size < labels.size:
        raise execution_error(SAME_LABELS)
    return labels


def _inside(range_: Range) -> Samples:
    return with_ends(range_) if range_.mode else range_.inside()
