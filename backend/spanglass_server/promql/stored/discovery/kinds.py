"""What a name means as a series: a counter, a gauge, a histogram; and the unit that was sent with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import orjson

from spanglass_server.promql.stored.naming.identity import Form

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spanglass_server.promql.stored.naming.identity import Catalogue, Named

#: native: a histogram as one series, whether its buckets are exponential or not; classic: it has ``_bucket`` only.
Kind = Literal["counter", "gauge", "native", "classic"]
_COUNTER_SUFFIXES = ("_total", "_sum", "_count", "_bucket")


@dataclass(frozen=True, slots=True)
class MetricKind:
    """``unit`` is as it was sent, in UCUM; of what came from Prometheus a word such as ``seconds``."""

    kind: Kind
    unit: str


def kind_of(catalogues: Iterable[Catalogue], name: str) -> MetricKind | None:
    """What a metric of that name is in the first of the catalogues that has one; None if none has."""
    for held in catalogues:
        for named in held.by_name.get(name, ()):
            return MetricKind(_kind(named, held), _unit(named, held))
        for named in held.by_name.get(f"{name}_bucket", ()):
            return MetricKind("classic", _unit(named, held))
    return None


def _kind(named: Named, held: Catalogue) -> Kind:
    if named.form is Form.NATIVE:
        return "native"
    if named.form is not Form.VALUE:
        return "gauge" if named.form is Form.QUANTILE else "counter"
    if not named.identity.is_verbatim:
        return "counter" if named.identity.is_monotonic else "gauge"
    told = _told(named, held)
    is_counter = told == "counter" or (told != "gauge" and named.name.endswith(_COUNTER_SUFFIXES))
    return "counter" if is_counter else "gauge"


def _unit(named: Named, held: Catalogue) -> str:
    """The unit of the values: buckets and counts have none."""
    if named.form is Form.COUNT:
        return ""
    if named.identity.unit or not named.identity.is_verbatim:
        return named.identity.unit
    return next((each.identity.unit for each in held.listed if each.identity.name == named.identity.name), "")


def _told(named: Named, held: Catalogue) -> str:
    """The type that was sent with a metric of Prometheus, "" if none was."""
    texts = (each.metadata for each in held.listed if each.identity.name == named.identity.name and each.metadata)
    return next((str(orjson.loads(text).get("prometheus.type", "")) for text in texts), "")
