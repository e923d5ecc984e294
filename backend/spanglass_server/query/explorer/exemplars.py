"""Exemplars of a metric that know their trace: the dots of a chart."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from spanglass_server.query.answers import HexId, Time
from spanglass_server.query.metrics.answers import Value
from spanglass_server.query.metrics.points import Selection, Values
from spanglass_server.query.rows.json_values import json_value
from spanglass_server.query.statements import rows, statement
from spanglass_server.times import format_time

if TYPE_CHECKING:
    from spanglass_server.query.metrics.question import Question
    from spanglass_server.store.ports import QuerySession

_COLUMNS = frozenset(
    {"exemplar_time_ns", "exemplar_value_double", "exemplar_value_int", "exemplar_trace_id", "exemplar_span_id"}
)
#: Of each step so many are named.
MOST_OF_A_STEP = 3


class TracedExemplar(TypedDict):
    """A measurement, and the span in which it was made."""

    time: Time
    value: Value
    trace_id: HexId
    span_id: HexId | None


class ExemplarList(TypedDict):
    """The answer of ``GET /api/v1/metrics/exemplars``, by time; of each step the largest."""

    exemplars: list[TracedExemplar]


def list_exemplars(session: QuerySession, question: Question) -> ExemplarList:
    """Answer ``GET /api/v1/metrics/exemplars``; ``BadQuestionError`` when the name is unknown or ambiguous."""
    selection = Selection.of(session, question)
    values = Values(statement("explorer/values_exemplars", factor=selection.factor), _COLUMNS)
    found = rows(
        session,
        statement(
            "explorer/exemplars",
            points=selection.points(values, selection.window),
            start_ns=selection.window.start_ns,
            end_ns=selection.window.end_ns,
            step_ns=selection.buckets.step_ns,
            most=MOST_OF_A_STEP,
            limit=question.limit,
        ),
    )
    return {
        "exemplars": [
            {
                "time": format_time(row["exemplar_ns"]),
                "value": json_value(row["exemplar_value"]),
                "trace_id": row["trace_id"].hex(),
                "span_id": row["span_id"].hex() if row["span_id"] else None,
            }
            for row in found
        ]
    }
