"""Which metrics are stored, and the names by which each is a series of Prometheus."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING

from spanglass_server.promql.stored.naming.names import metric_name
from spanglass_server.query.language.compiling.sql import Sql
from spanglass_server.query.metrics.identity import DELTA
from spanglass_server.query.statements import rows, statement

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spanglass_server.store.part_cache import PartCache
    from spanglass_server.store.ports import Part, QuerySession

#: The scope of series that came from Prometheus: their names and labels are as they were sent.
VERBATIM_SCOPE = "prometheus"
_COLUMNS = (
    *("metric_name", "metric_unit", "metric_type", "temporality", "is_monotonic", "scope_name"),
    *("metric_description", "metric_metadata"),
)
_BYTES = 500  # about what an entry takes


#: The type of what is no stored metric: the resources that send any.
TARGET = "target"


class Form(StrEnum):
    """Which series of a metric: one with its values, or one of several that a histogram or summary has."""

    VALUE = "value"
    BUCKET = "bucket"
    COUNT = "count"
    SUM = "sum"
    NATIVE = "native"
    QUANTILE = "quantile"


@dataclass(frozen=True, slots=True)
class Identity:
    """A stored metric: name, unit, type, temporality (0 for none), whether a sum only grows, whether from Prometheus.

    Of metrics from Prometheus the name and the kind of value tell all, whatever was known of type and unit.
    """

    name: str
    unit: str
    type: str
    temporality: int
    is_monotonic: bool
    is_verbatim: bool

    @property
    def is_delta(self) -> bool:
        """Whether its points are increases."""
        return self.temporality == DELTA

    @property
    def has_writers(self) -> bool:
        """Whether its points count since a start, which tells the processes apart that send them."""
        is_counter = self.is_monotonic or self.type in {"histogram", "exponential_histogram"}
        return is_counter and not self.is_delta and not self.is_verbatim

    @property
    def is_number(self) -> bool:
        """Whether a point is one number."""
        return self.type in {"gauge", "sum"}

    def condition(self) -> Sql:
        """Whether a stored point is of this metric."""
        types = "metric_type IN ('gauge', 'sum')" if self.is_verbatim and self.is_number else "metric_type = ?"
        parameters = () if self.is_verbatim and self.is_number else (self.type,)
        if self.is_verbatim:
            return Sql(f"metric_name = ? AND {types} AND scope_name = '{VERBATIM_SCOPE}'", (self.name, *parameters))
        return Sql(
            f"metric_name = ? AND {types} AND coalesce(metric_unit, '') = ? AND coalesce(temporality, 0) = ? "
            f"AND coalesce(is_monotonic, false) = ? AND scope_name IS DISTINCT FROM '{VERBATIM_SCOPE}'",
            (self.name, *parameters, self.unit, self.temporality, self.is_monotonic),
        )

    def canonical(self) -> Identity:
        """The same for all points that are read together."""
        if not self.is_verbatim:
            return self
        kind = "gauge" if self.is_number else self.type
        return replace(self, unit="", type=kind, temporality=0, is_monotonic=False)


TARGET_INFO = Identity("target_info", "", TARGET, 0, is_monotonic=False, is_verbatim=False)


@dataclass(frozen=True, slots=True)
class Listed:
    """A stored identity in one part, with what is told of it."""

    identity: Identity
    points: int
    description: str
    metadata: str


@dataclass(frozen=True, slots=True)
class Named:
    """A name under which a form of a metric is found.

    ``is_listed``: a name of Prometheus, found by every matcher. The ``is_original`` name is found by a matcher that
    wants it and not the listed one; what is neither, a form that Prometheus does not have, by its exact name only.
    """

    identity: Identity
    form: Form
    name: str
    is_listed: bool
    is_original: bool = False


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The metrics of one part, by the names of their series."""

    listed: tuple[Listed, ...]
    by_name: dict[str, list[Named]] = field(default_factory=dict)

    @classmethod
    def of(cls, listed: tuple[Listed, ...]) -> Catalogue:
        """Index what is listed."""
        by_name: dict[str, list[Named]] = {}
        identities = [each.identity.canonical() for each in listed]
        if not all(identity.is_verbatim for identity in identities):
            identities.append(TARGET_INFO)
        for identity in dict.fromkeys(identities):
            for named in names_of(identity):
                by_name.setdefault(named.name, []).append(named)
        return cls(listed, by_name)


def catalogue(session: QuerySession, part: Part, cache: PartCache) -> Catalogue:
    """What one part holds."""
    return cache.kept(
        ("catalogue", part.key), lambda: _read(session, part), lambda found: _BYTES * (len(found.listed) + 1)
    )


def _read(session: QuerySession, part: Part) -> Catalogue:
    relation = Sql(session.part_relation(part, _COLUMNS))
    found = rows(session, statement("promql/identities", relation=relation, scope=VERBATIM_SCOPE))
    return Catalogue.of(
        tuple(
            Listed(
                Identity(
                    *(row[name] for name in ("name", "unit", "type", "temporality", "is_monotonic", "is_verbatim"))
                ),
                row["points"],
                row["description"],
                row["metadata"],
            )
            for row in found
        )
    )


@lru_cache(maxsize=8192)
def names_of(identity: Identity) -> tuple[Named, ...]:
    """All names of a metric's series, those of Prometheus first."""
    if identity.is_verbatim:
        form = Form.VALUE if identity.is_number else Form.NATIVE
        return (Named(identity, form, identity.name, is_listed=True),)
    return tuple(_translated(identity))


#: Forms of the types that have several, with their suffixes, and whether Prometheus has them.
_FORMS = {
    "histogram": (
        (Form.BUCKET, "_bucket", True),
        (Form.COUNT, "_count", True),
        (Form.SUM, "_sum", True),
        (Form.NATIVE, "", False),
    ),
    "exponential_histogram": ((Form.NATIVE, "", True), (Form.COUNT, "_count", False), (Form.SUM, "_sum", False)),
    "summary": ((Form.QUANTILE, "", True), (Form.COUNT, "_count", True), (Form.SUM, "_sum", True)),
}
_PLAIN = ((Form.VALUE, "", True),)


def _translated(identity: Identity) -> Iterator[Named]:
    is_counter = identity.type == "sum" and identity.is_monotonic
    base = metric_name(identity.name, identity.unit, is_gauge=identity.type == "gauge", is_counter=is_counter)
    for form, suffix, is_listed in _FORMS.get(identity.type, _PLAIN):
        yield Named(identity, form, base + suffix, is_listed=is_listed)
        if identity.name != base:
            yield Named(identity, form, identity.name + suffix, is_listed=False, is_original=is_listed)
