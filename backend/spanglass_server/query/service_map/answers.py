"""Types of the answer of the service map."""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

from spanglass_server.query.answers import JsonSchema, Nanoseconds, SampledShare, Slot, TimeRange

NodeKind = Literal["service", "database", "queue", "external"]
NodeId = Annotated[str, JsonSchema({"description": "its kind, a colon, and what tells it from others of its kind"})]


class CallFigures(TypedDict):
    """Calls of a range: how many, how many failed, and their 95th percentile; ratio and percentile null without any."""

    calls: int
    rate_per_s: float
    errors: int
    error_ratio: float | None
    p95_ns: Nanoseconds | None


class MapNode(CallFigures):
    """What calls or is called. Of services the requests they answered are measured, of others the calls they got.

    ``before`` is the same of the earlier range: null where none was asked for, or nothing was seen in it.
    """

    id: NodeId
    kind: NodeKind
    name: str
    system: Annotated[str, JsonSchema({"description": "of databases and queues what they are, postgresql for example"})]
    slot: Slot | None
    before: CallFigures | None


class MapEdge(CallFigures):
    """Calls from one node to another, as the caller measured them; a queue's to its consumers as they did."""

    caller: NodeId
    callee: NodeId
    before: CallFigures | None


class ServiceMap(TypedDict):
    """The answer of ``GET /api/v1/service-map``: busiest nodes and edges first."""

    window: TimeRange
    before: TimeRange | None
    nodes: list[MapNode]
    edges: list[MapEdge]
    left_out: Annotated[int, JsonSchema({"description": "nodes that were too many, those with the fewest calls"})]
    sampled_callees: Annotated[
        bool, JsonSchema({"description": "whom an address belongs to is known from slices of the range"})
    ]
    sampled_share: SampledShare
