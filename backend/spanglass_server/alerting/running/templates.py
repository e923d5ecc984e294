"""Labels, titles and descriptions of alerts from the templates of their rules; their PromQL asks what is stored."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from spanglass_server.alerting.rules.templates.expanding import expand_or_say
from spanglass_server.alerting.rules.templates.nodes import TemplateError
from spanglass_server.alerting.rules.templates.values import Filling, Sample, no_query
from spanglass_server.alerting.running.texts import PlainTexts
from spanglass_server.promql.engine import PromqlError, instant
from spanglass_server.promql.series.vectors import Scalar, Vector
from spanglass_server.times import NS_PER_MS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spanglass_server.alerting.running.texts import Told
    from spanglass_server.promql.ports import SeriesSource

#: Annotations of Prometheus' rules that are shown as title and description.
_TITLES = ("summary", "title", "message")
_DESCRIPTIONS = ("description", "message")


class TemplateTexts:
    """Texts of rules with templates; those of others are plain. ``source`` answers PromQL in templates."""

    def __init__(self, source: SeriesSource | None = None) -> None:
        self._source = source
        self._plain = PlainTexts()

    def labels(self, told: Told) -> Mapping[str, str]:
        """The labels of the key, and over them those of the rule, whose values are templates."""
        own = {name: self._expanded(template, told) for name, template in told.rule.labels.items()}
        return {name: value for name, value in {**dict(told.key), **own}.items() if value}

    def title(self, told: Told) -> str:
        """One line."""
        template = told.rule.title or _first(told, _TITLES)
        return " ".join(self._expanded(template, told).split()) if template else self._plain.title(told)

    def description(self, told: Told) -> str:
        """One line or more."""
        template = told.rule.description or _first(told, _DESCRIPTIONS)
        return self._expanded(template, told) if template else self._plain.description(told)

    def _expanded(self, template: str, told: Told) -> str:
        query = no_query if self._source is None else partial(_asked, self._source, told.time_ns)
        filling = Filling(labels=dict(told.key), value=float("nan") if told.value is None else told.value, query=query)
        return expand_or_say(template, filling)


def _first(told: Told, names: tuple[str, ...]) -> str:
    return next((told.rule.annotations[name] for name in names if told.rule.annotations.get(name)), "")


def _asked(source: SeriesSource, time_ns: int, text: str) -> Sequence[Sample]:
    """The samples of an expression at the time of the alert."""
    try:
        value = instant(source, text, time_ns // NS_PER_MS).value
    except PromqlError as error:
        raise TemplateError(f"query {text!r}: {error}") from error
    if isinstance(value, Scalar):
        return [Sample({}, float(value.values[0]))]
    if not isinstance(value, Vector):
        raise TemplateError(f"query {text!r} gives no samples")
    present = value.present[:, 0].tolist()
    return [
        Sample(labels, float(value.values[place, 0]))
        for place, labels in enumerate(value.labels.rows())
        if present[place]
    ]
