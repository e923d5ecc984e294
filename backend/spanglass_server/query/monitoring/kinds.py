"""The kinds of measurements, and which metrics are of which.

Those of systems and of queues, tasks and caches are data points, told by the metric's name, in the spelling of
OpenTelemetry's conventions old and new, of the Collector's receivers, and of Prometheus' exporters. What services do
for users is read off spans.
"""

from __future__ import annotations

from dataclasses import dataclass

from spanglass_server.query.language.compiling.sql import Sql
from spanglass_server.signals import quote_text


@dataclass(frozen=True, slots=True)
class MeasurementKind:
    """A kind, whether it is of a ``system`` or an ``application``, and a pattern (RE2) of names; "" for spans."""

    name: str
    group: str
    pattern: str = ""


CUSTOM = "custom"

KINDS = (
    MeasurementKind("cache", "system", r"(^|[._])cache([._]|$)|^redis[._]"),
    MeasurementKind("queue_size", "application", r"queue[._](length|size|depth|messages)"),
    MeasurementKind("task_count", "application", r"(^|[._])tasks?[._](count|active)|asyncio[._]task"),
    MeasurementKind("database", "system", r"(^|[._])db[._]|^(postgresql|mysql|mongodb|pg)[._]"),
    MeasurementKind("cpu", "system", r"(^|[._])cpu([._]|$)|(^|[._])load_average([._]|$)|^node[._]load"),
    MeasurementKind("memory", "system", r"(^|[._])(memory|paging|swap)([._]|$)"),
    MeasurementKind("disk", "system", r"(^|[._])(disk|filesystem)([._]|$)"),
    MeasurementKind("network", "system", r"(^|[._])network([._]|$)"),
    MeasurementKind("request", "application"),
    MeasurementKind("response_time", "application"),
    MeasurementKind("error_rate", "application"),
    MeasurementKind("user_count", "application"),
    MeasurementKind(CUSTOM, "application"),
)
"""In the order in which a metric's name is tried; what no pattern takes is ``custom``."""

NAMES = tuple(kind.name for kind in KINDS)
#: Kinds that are read off spans.
OF_SPANS = tuple(kind.name for kind in KINDS if not kind.pattern and kind.name != CUSTOM)


def kind_of_metric() -> Sql:
    """The kind of a data point, as SQL over ``metric_name``; without parameters, which a view can't have."""
    named = [(quote_text(kind.pattern), quote_text(kind.name)) for kind in KINDS if kind.pattern]
    cases = " ".join(f"WHEN regexp_matches(metric_name, {pattern}) THEN {name}" for pattern, name in named)
    return Sql(f"CASE {cases} ELSE {quote_text(CUSTOM)} END")
