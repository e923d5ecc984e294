"""What a target answered, as series: text format 0.0.4 and OpenMetrics 1.0, read by prometheus_client's parsers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from prometheus_client import parser as text_format
from prometheus_client.openmetrics import parser as openmetrics

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What is asked for, the better first.
ACCEPT: Final = "application/openmetrics-text;version=1.0.0;q=0.9,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
_OPENMETRICS: Final = "application/openmetrics-text"
_COUNTERS: Final = re.compile(r"^#[ \t]+TYPE[ \t]+(\S+)[ \t]+counter[ \t]*$", re.MULTILINE)
_TOTAL, _CREATED = "_total", "_created"
#: Types by the names that the parsers give them.
_UNKNOWN: Final = frozenset({"untyped", "unknown"})

Labels = dict[str, str]


class ExpositionError(ValueError):
    """An answer is neither of the two formats."""


@dataclass(frozen=True, slots=True)
class Exemplar:
    """One exemplar; without a time it is of the scrape."""

    labels: Labels
    value: float
    time_ms: int | None


@dataclass(frozen=True, slots=True)
class Family:
    """What a target says of a metric family."""

    type: str
    help: str
    unit: str


@dataclass(slots=True)
class Scraped:
    """One sample; without a time it is of the scrape."""

    name: str
    labels: Labels
    value: float
    family: Family
    time_ms: int | None = None
    start_ms: int = 0
    exemplar: Exemplar | None = None


def parse(body: bytes, content_type: str) -> list[Scraped]:
    """The samples of an answer. Raises ``ExpositionError``."""
    try:
        text = body.decode()
        if content_type.partition(";")[0].strip().lower() == _OPENMETRICS:
            return list(_open_metrics(text))
        return list(_text_format(text))
    except (ValueError, KeyError, IndexError, TypeError) as error:  # what the parsers raise
        raise ExpositionError(
            f"the answer is not in Prometheus' text format: {error or 'a line can not be read'}"
        ) from None


def _text_format(text: str) -> Iterator[Scraped]:
    """Samples of format 0.0.4. The parser adds ``_total`` to counters that have none, which is taken off again.

    Families come in the order of the text, and all of one name look alike: which had it is known by their turn.
    """
    declared = iter(_COUNTERS.findall(text))
    for metric in text_format.text_string_to_metric_families(text):
        family = _family(metric)
        is_bare = metric.type == "counter" and metric.name == next(
            (name for name in declared if name in (metric.name, metric.name + _TOTAL)), ""
        )
        for sample in metric.samples:
            name = sample.name.removesuffix(_TOTAL) if is_bare else sample.name
            yield Scraped(name, sample.labels, float(sample.value), family, _milliseconds(sample.timestamp))


def _open_metrics(text: str) -> Iterator[Scraped]:
    """Samples of OpenMetrics. Created times are samples of their own there; here they belong to the others."""
    for metric in openmetrics.text_string_to_metric_families(text):  # type: ignore[no-untyped-call]
        family = _family(metric)
        created = {
            _own_labels(sample.labels): round(sample.value * 1000)
            for sample in metric.samples
            if sample.name == metric.name + _CREATED
        }
        for sample in metric.samples:
            if sample.name == metric.name + _CREATED:
                continue
            yield Scraped(
                sample.name,
                sample.labels,
                float(sample.value),
                family,
                _milliseconds(sample.timestamp),
                created.get(_own_labels(sample.labels), 0) if created else 0,
                _exemplar(sample.exemplar),
            )


def _own_labels(labels: Labels) -> frozenset[tuple[str, str]]:
    """The labels that tell metrics of a family apart."""
    return frozenset(item for item in labels.items() if item[0] not in ("le", "quantile"))


def _family(metric: Any) -> Family:
    return Family("unknown" if metric.type in _UNKNOWN else metric.type, metric.documentation, metric.unit)


def _milliseconds(timestamp: Any) -> int | None:
    return None if timestamp is None else round(float(timestamp) * 1000)


def _exemplar(exemplar: Any) -> Exemplar | None:
    if exemplar is None:
        return None
    return Exemplar(exemplar.labels, float(exemplar.value), _milliseconds(exemplar.timestamp))
