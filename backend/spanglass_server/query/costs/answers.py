"""The answer of ``GET /api/v1/costs``."""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

from spanglass_server.query.answers import JsonSchema, Slot, TimeRange

SignalName = Literal["spans", "logs", "metrics", "occurrences", "rollups_5m", "rollups_1h"]
Bytes = Annotated[float, JsonSchema({"description": "bytes on disk"})]
Share = Annotated[float, JsonSchema({"description": "of all bytes of the range"})]
Price = Annotated[
    float | None, JsonSchema({"description": "of a month at the pace of the range; null without a price"})
]
#: Of an attribute, within each service: one value, a new one in nearly every record, or neither; null: not looked at.
Values = Literal["constant", "unique", "repeated"]
SavingKind = Literal["attribute", "debug_logs", "health_checks"]


class SignalPrices(TypedDict):
    """What a signal's GiB costs a month, one that is received, and a million records; null without a price."""

    stored: float | None
    received: float | None
    records: float | None


class SignalCost(TypedDict):
    """A signal: its bytes and records in the range, a day, and once they come at this pace for as long as is kept.

    ``stored_bytes`` are all that are stored now, of whatever time. ``kept_days`` is null where they are kept for ever,
    ``received_a_day``, bytes over the wire, where that was not counted.
    """

    signal: SignalName
    stored_bytes: int
    bytes: Bytes
    records: float
    share: Share
    attribute_bytes: Bytes
    bytes_a_day: Bytes
    records_a_day: float
    received_a_day: float | None
    kept_days: float | None
    bytes_at_pace: Bytes | None
    prices: SignalPrices
    price: Price


class ServiceCost(TypedDict):
    """A service: its records in the range by signal, and its part of the bytes."""

    service: str
    slot: Slot
    spans: float
    logs: float
    metrics: float
    bytes: Bytes
    share: Share
    bytes_a_day: Bytes
    price: Price


class AttributeSender(TypedDict):
    """A service's part of an attribute's bytes, as sampled."""

    service: str
    slot: Slot
    bytes: Bytes


class AttributeCost(TypedDict):
    """An attribute, or a column of the signal itself, which has no position."""

    signal: SignalName
    position: str | None
    key: str
    bytes: Bytes
    share: Share
    bytes_a_day: Bytes
    values: Values | None
    services: list[AttributeSender]
    price: Price


class Saving(TypedDict):
    """Something that could be dropped; ``service`` is null where several send it (``services``).

    ``remedy`` is a line that drops it, to be put where ``place`` says. ``price`` is what a month would cost less.
    """

    kind: SavingKind
    signal: SignalName
    position: str | None
    key: str | None
    values: Values | None
    services: list[AttributeSender]
    bytes: Bytes
    share: Share
    bytes_a_month: Bytes
    price: Price
    place: Literal["application", "collector"]
    remedy: str


class Costs(TypedDict):
    """The answer of ``GET /api/v1/costs``; ``days`` are those of the range since the first record."""

    window: TimeRange
    days: float
    currency: str
    priced: bool
    bytes: Bytes
    stored_bytes: int
    bytes_a_day: Bytes
    price: Price
    signals: list[SignalCost]
    services: list[ServiceCost]
    services_total: int
    attributes: list[AttributeCost]
    attributes_total: int
    savings: list[Saving]
    sampled_records: int
