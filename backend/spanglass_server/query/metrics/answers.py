"""Types of the answers about metrics."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired, TypedDict

from spanglass_server.query.answers import Attributes, HexId, JsonSchema, Time, UnixSeconds
from spanglass_server.query.rows.answers import Scope

MetricType = Literal["gauge", "sum", "histogram", "exponential_histogram", "summary"]
Temporality = Literal["delta", "cumulative"]
Aggregate = Literal["raw", "rate", "increase", "avg", "sum", "min", "max", "count", "quantile"]
SeriesOrder = Literal["points", "value", "time"]
Value = Annotated[Any, JsonSchema({"description": "a number; an integer past 2^53 as text; null where there is none"})]


class ListedMetric(TypedDict):
    """A metric of one name, type, unit and temporality."""

    name: str
    type: MetricType
    unit: str
    description: str
    temporality: Temporality | None
    is_monotonic: bool | None
    points: int
    services: list[str]


class MetricList(TypedDict):
    """The answer of ``GET /api/v1/metrics``."""

    metrics: list[ListedMetric]


class MetricIdentity(TypedDict):
    """Which metric an answer is about."""

    name: str
    type: MetricType
    unit: str


class LabelSet(TypedDict):
    """A series of a metric; the last value of a histogram or summary is its sum."""

    attributes: Attributes
    resource: Attributes
    scope: Scope
    points: int
    last_value: Value
    last_time: Time


class SeriesPage(TypedDict):
    """Series, and how many there are in all."""

    series: list[LabelSet]
    total: int


class SeriesList(MetricIdentity, SeriesPage):
    """The answer of ``GET /api/v1/metrics/series``."""


class Quantile(TypedDict):
    """A quantile that a summary was sent with."""

    q: float
    value: Value


class Exemplar(TypedDict):
    """A measurement that a point was sent with."""

    time: Time
    value: Value
    trace_id: HexId | None
    span_id: HexId | None
    attributes: Attributes


class Point(TypedDict):
    """A value; all but the time and the value only of points as they were sent."""

    t: UnixSeconds
    value: Value
    time: NotRequired[Time]
    count: NotRequired[int]
    sum: NotRequired[Value]
    min: NotRequired[Value]
    max: NotRequired[Value]
    quantiles: NotRequired[list[Quantile]]
    exemplars: NotRequired[list[Exemplar]]


class PointSeries(TypedDict):
    """The points of a group; resource and scope only of points as they were sent."""

    by: Attributes
    points: list[Point]
    resource: NotRequired[Attributes]
    scope: NotRequired[Scope]


class RangeAnswer(MetricIdentity):
    """The answer of ``GET /api/v1/metrics/query``."""

    aggregate: Aggregate
    step_s: float
    series: list[PointSeries]
    notes: list[str]
