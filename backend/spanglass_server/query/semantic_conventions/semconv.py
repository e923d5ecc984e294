"""Old and new names of OpenTelemetry's semantic conventions (up to v1.44.0), so that each finds the other's data.

Stored data is never rewritten; a reader looks for all names. ``aliases`` follows renames in both directions but never
from one old name to its siblings: ``net.peer.name`` finds ``server.address`` and not ``net.host.name``.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING

from spanglass_server.query.semantic_conventions.semconv_names import ATTRIBUTES, METRICS, METRICS_MS_TO_S, VALUES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MS_PER_S = 1000


@dataclass(frozen=True, slots=True)
class MetricAlias:
    """A metric's other name; its values times ``factor`` are in the unit of the name that was asked for."""

    name: str
    factor: Fraction


@lru_cache(maxsize=1024)
def aliases(key: str) -> tuple[str, ...]:
    """All attribute names that hold what ``key`` does, newest first; only ``key`` itself when it was never renamed."""
    return tuple(_chain(key, ATTRIBUTES, _OLD_ATTRIBUTES))


def metric_aliases(name: str) -> tuple[MetricAlias, ...]:
    """All names of a metric, newest first, with factors between milliseconds and seconds where the unit changed."""
    asked_per_s = _units_per_second(name)
    names = _chain(name, {**METRICS, **METRICS_MS_TO_S}, _OLD_METRICS)
    return tuple(MetricAlias(other, Fraction(asked_per_s, _units_per_second(other))) for other in names)


def value_aliases(key: str, text: str) -> tuple[str, ...]:
    """All spellings of a value of ``key`` (under any of its names), the asked one first."""
    for name in aliases(key):
        for spellings in VALUES.get(name, ()):
            if text in spellings:
                return (text, *(spelling for spelling in spellings if spelling != text))
    return (text,)


def _chain(name: str, successors: Mapping[str, str], predecessors: Mapping[str, list[str]]) -> Iterator[str]:
    newer = []
    successor = successors.get(name)
    while successor is not None:
        newer.append(successor)
        successor = successors.get(successor)
    yield from reversed(newer)
    yield from _with_older(name, predecessors)


def _with_older(name: str, predecessors: Mapping[str, list[str]]) -> Iterator[str]:
    yield name
    for older in predecessors.get(name, ()):
        yield from _with_older(older, predecessors)


def _units_per_second(metric: str) -> int:
    return _MS_PER_S if metric in METRICS_MS_TO_S else 1


def _predecessors(*tables: Mapping[str, str]) -> dict[str, list[str]]:
    olds = defaultdict(list)
    for table in tables:
        for old, new in table.items():
            olds[new].append(old)
    return dict(olds)


_OLD_ATTRIBUTES = _predecessors(ATTRIBUTES)
_OLD_METRICS = _predecessors(METRICS, METRICS_MS_TO_S)
