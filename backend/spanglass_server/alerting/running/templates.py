"""Labels, titles and descriptions of alerts from the templates of their rules; their PromQL asks what is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.alerting.rules.presenting import asking, presented
from spanglass_server.alerting.rules.templates.expanding import expand_or_say
from spanglass_server.alerting.rules.templates.values import Filling, no_query
from spanglass_server.alerting.running.texts import PlainTexts

if TYPE_CHECKING:
    from collections.abc import Mapping

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
        return presented(told.rule, self._filling(told)).labels

    def title(self, told: Told) -> str:
        """One line."""
        template = told.rule.title or _first(told, _TITLES)
        return " ".join(self._expanded(template, told).split()) if template else self._plain.title(told)

    def description(self, told: Told) -> str:
        """One line or more."""
        template = told.rule.description or _first(told, _DESCRIPTIONS)
        return self._expanded(template, told) if template else self._plain.description(told)

    def _expanded(self, template: str, told: Told) -> str:
        return expand_or_say(template, self._filling(told))

    def _filling(self, told: Told) -> Filling:
        query = no_query if self._source is None else asking(self._source, told.time_ns)
        return Filling(labels=dict(told.key), value=float("nan") if told.value is None else told.value, query=query)


def _first(told: Told, names: tuple[str, ...]) -> str:
    return next((told.rule.annotations[name] for name in names if told.rule.annotations.get(name)), "")
