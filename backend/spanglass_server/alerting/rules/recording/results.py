"""What a recording rule gives at some steps: series of its name, with its labels over their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.engine import PromqlError, range_query
from spanglass_server.promql.parsing import nodes
from spanglass_server.promql.parsing.parse import parse
from spanglass_server.promql.series.labels import LabelColumn, LabelSets
from spanglass_server.promql.series.vectors import Scalar, Vector
from spanglass_server.query.errors import BadQuestionError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from spanglass_server.alerting.rules.prometheus.model import Recording
    from spanglass_server.promql.engine import Options
    from spanglass_server.promql.ports import SeriesSource
    from spanglass_server.promql.series.vectors import Steps

_NAME = "__name__"


def reads_later_ones(recordings: Sequence[Recording]) -> bool:
    """Whether a rule reads what it, or one behind it, recorded at the step before: then steps go one by one."""
    unknown = {recording.record for recording in recordings}
    for recording in recordings:
        if unknown & _metrics(parse(recording.expr)):
            return True
        unknown.discard(recording.record)
    return False


def _metrics(expr: nodes.Expr) -> set[str]:
    """The metrics that an expression names."""
    found: set[str] = set()
    if isinstance(expr, nodes.VectorSelector):
        found.update(each.value for each in expr.matchers if each.name == _NAME and each.operator == "=")
    return found.union(*map(_metrics, nodes.children(expr)))


class RecordingError(ValueError):
    """A recording rule that can't be evaluated; the text says why."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """n series at m steps: ``values`` and ``present`` have the shape (n, m). Each has a value at one step at least."""

    labels: LabelSets
    values: NDArray[np.float64]
    present: NDArray[np.bool_]

    def keys(self) -> list[tuple[tuple[str, str], ...]]:
        """The labels of each series, sorted by name; none is empty."""
        return [tuple(sorted((name, value) for name, value in row.items() if value)) for row in self.labels.rows()]


def recorded(
    source: SeriesSource, recording: Recording, steps: Steps, *, limit: int = 0, options: Options | None = None
) -> Recorded:
    """Evaluate a recording rule. Raises ``RecordingError``; ``limit`` is the most series at one step, 0 for any."""
    try:
        value = range_query(source, recording.expr, steps, options).value
    except (PromqlError, BadQuestionError) as error:
        raise RecordingError(f"{recording.record}: {error}") from None
    vector = _vector(value, recording.record)
    labels = _labelled(vector.labels, recording.record, recording.labels)
    if labels.groups().size < labels.size:
        raise RecordingError(f"{recording.record}: two series have the same labels once those of the rule are theirs")
    most = int(vector.present.sum(axis=0).max(initial=0))
    if limit and most > limit:
        raise RecordingError(f"{recording.record}: {most} series are more than the group's limit of {limit}")
    return Recorded(labels, vector.values, vector.present)


def _vector(value: object, record: str) -> Vector:
    if isinstance(value, Scalar):
        values = value.values[np.newaxis, :]
        return Vector(LabelSets.of([{}]), values, np.ones_like(values, np.bool_))
    if not isinstance(value, Vector):
        raise RecordingError(f"{record}: the expression gives no series")
    if value.histogram is not None and (value.histogram >= 0).any():
        raise RecordingError(f"{record}: native histograms can't be recorded; record a figure of theirs")
    return value


def _labelled(labels: LabelSets, record: str, more: Mapping[str, str]) -> LabelSets:
    """A label that the rule gives no value is taken away."""
    dropped = [name for name, value in more.items() if not value]
    given = {_NAME: record} | {name: value for name, value in more.items() if value}
    columns = {name: LabelColumn.constant(value, labels.size) for name, value in given.items()}
    return labels.drop(dropped).replace(columns)
