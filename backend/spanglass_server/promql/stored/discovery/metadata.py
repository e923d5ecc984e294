"""What is told of metrics besides their samples: type, help and unit by the name of Prometheus."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

import orjson

from spanglass_server.promql.stored.naming.identity import Form, catalogue, names_of
from spanglass_server.promql.stored.naming.names import unit_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spanglass_server.promql.stored.choice import Share
    from spanglass_server.promql.stored.counting.families import Counted
    from spanglass_server.promql.stored.naming.identity import Listed
    from spanglass_server.store.part_cache import PartCache
    from spanglass_server.store.ports import QuerySession


class Metadata(TypedDict):
    """One entry of ``/api/v1/metadata``."""

    type: str
    help: str
    unit: str


_SUFFIXES = {
    "histogram": ("_bucket", "_count", "_sum"),
    "gaugehistogram": ("_bucket", "_gcount", "_gsum"),
    "summary": ("_count", "_sum"),
}
_TYPES = {"gauge": "gauge", "histogram": "histogram", "exponential_histogram": "histogram", "summary": "summary"}


def metadata(session: QuerySession, cache: PartCache, shares: Iterable[Share]) -> dict[str, list[Metadata]]:
    """Metadata by metric, names sorted; several entries where senders differ."""
    found: dict[str, list[Metadata]] = {}
    for share in shares:
        for listed in catalogue(session, share.part, cache).listed:
            name, entry = _told(listed)
            entries = found.setdefault(name, [])
            if entry not in entries:
                entries.append(entry)
    return {name: found[name] for name in sorted(found)}


def counted_metadata(metric: Counted) -> tuple[str, Metadata]:
    """The family and metadata of a metric that is counted from records."""
    name = metric.name
    for suffix in _SUFFIXES.get(metric.type, ()):
        name = name.removesuffix(suffix)
    return name, {"type": metric.type, "help": metric.help, "unit": "seconds" if metric.type == "histogram" else ""}


def _told(listed: Listed) -> tuple[str, Metadata]:
    identity = listed.identity
    if identity.is_verbatim:
        kind = _sent_type(listed.metadata)
        name = identity.name
        for suffix in _SUFFIXES.get(kind, ()):
            name = name.removesuffix(suffix)
        return name, {"type": kind, "help": listed.description, "unit": identity.unit}
    kind = _TYPES.get(identity.type) or ("counter" if identity.is_monotonic else "gauge")
    forms = names_of(identity)
    name = next(named.name for named in forms if named.form in {Form.VALUE, Form.NATIVE, Form.QUANTILE})
    return name, {"type": kind, "help": listed.description, "unit": unit_name(identity.unit)}


def _sent_type(metadata_json: str) -> str:
    told = orjson.loads(metadata_json) if metadata_json else {}
    return str(told.get("prometheus.type", "unknown"))
