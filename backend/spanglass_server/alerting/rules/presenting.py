"""What an alert of a rule says: its labels and annotations, with their templates filled in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass_server.alerting.rules.templates.expanding import expand_or_say
from spanglass_server.alerting.rules.templates.nodes import TemplateError
from spanglass_server.alerting.rules.templates.values import Sample
from spanglass_server.promql.engine import PromqlError, instant
from spanglass_server.promql.series.vectors import Scalar, Vector
from spanglass_server.query.errors import BadQuestionError
from spanglass_server.times import NS_PER_MS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from spanglass_core.alerting.rule import Rule
    from spanglass_server.alerting.rules.templates.values import Filling
    from spanglass_server.promql.ports import SeriesSource


@dataclass(frozen=True, slots=True)
class Presented:
    """Labels of an alert without its name, and annotations; labels without a value are none."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]


def presented(rule: Rule, filling: Filling) -> Presented:
    """Fill in the templates of a rule; ``filling.labels`` are those of the key, over which the rule's come."""
    own = {name: expand_or_say(text, filling) for name, text in rule.labels.items()}
    labels = {name: value for name, value in {**filling.labels, **own}.items() if value}
    return Presented(labels, {name: expand_or_say(text, filling) for name, text in rule.annotations.items()})


def asking(source: SeriesSource, time_ns: int) -> Callable[[str], Sequence[Sample]]:
    """What answers ``query`` in templates, at the time of the alert."""

    def query(text: str) -> Sequence[Sample]:
        try:
            value = instant(source, text, time_ns // NS_PER_MS).value
        except (PromqlError, BadQuestionError) as error:
            raise TemplateError(f"query {text!r}: {error}") from None
        if isinstance(value, Scalar):
            return [Sample({}, float(value.values[0]))]
        if not isinstance(value, Vector):
            raise TemplateError(f"query {text!r} gives no series")
        rows = zip(value.labels.rows(), value.values[:, 0].tolist(), value.present[:, 0].tolist(), strict=True)
        return [Sample(labels, number) for labels, number, is_present in rows if is_present]

    return query
