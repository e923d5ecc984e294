"""Words for the types of answers: JSON values with keywords of their schema.

An answer is a ``TypedDict`` next to the query that makes it; ``api.schema.schema_of`` makes its JSON schema.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypedDict


@dataclass(frozen=True, eq=False, slots=True)
class JsonSchema:
    """Keywords of JSON schema for an ``Annotated`` type. Compared by identity: unions hash what they join."""

    keywords: dict[str, Any]


#: The largest whole number that readers of answers take.
_LARGEST = 2**63 - 1


def whole(figure: float) -> int:
    """Return a figure as the whole number that answers have: a sum or an estimate may be larger, and ends there.

    So does what is not finite.
    """
    return round(
        max(-_LARGEST, min(_LARGEST, figure))
    )  # in this order: as a float of NumPy, the largest is the same as one more


SpanKind = Literal["unspecified", "internal", "server", "client", "producer", "consumer"]
SpanStatus = Literal["unset", "ok", "error"]
#: Of a span that has not ended, and of any span.
OpenState = Literal["running", "lost"]
SpanState = Literal["running", "lost", "ended"]

Time = Annotated[str, JsonSchema({"format": "date-time", "description": "RFC 3339 in UTC with nanoseconds"})]
HexId = Annotated[str, JsonSchema({"pattern": "^[0-9a-f]*$"})]
Nanoseconds = Annotated[int, JsonSchema({"description": "nanoseconds"})]
UnixSeconds = Annotated[float, JsonSchema({"description": "seconds since 1970"})]
#: The service's colour.
Slot = Annotated[int, JsonSchema({"minimum": 0, "maximum": 9, "description": "the service's colour"})]
Attributes = Annotated[dict[str, Any], JsonSchema({"description": "keys with plain JSON values"})]
#: Of figures that are scaled up because a sampler kept only some spans.
SampledShare = Annotated[float | None, JsonSchema({"description": "share of what is counted that was kept; null: all"})]
NextCursor = Annotated[
    str | None, JsonSchema({"description": "pass back as cursor for the next page; null on the last"})
]


class TimeRange(TypedDict):
    """The range that an answer is about."""

    start_time: Time
    end_time: Time


class Percentiles(TypedDict):
    """Percentiles of durations; null without spans."""

    p50_ns: Nanoseconds | None
    p95_ns: Nanoseconds | None
    p99_ns: Nanoseconds | None
