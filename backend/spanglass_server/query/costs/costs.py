"""What telemetry takes and costs: by signal, service and attribute, at the pace of a range."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass_server.query.costs.pricing import DAY_NS, CostTerms, added, kept_days, price_of
from spanglass_server.query.costs.reading import weigh
from spanglass_server.query.costs.sampling import Look, looked_at, sample
from spanglass_server.query.costs.savings import find_savings
from spanglass_server.query.window import describe
from spanglass_server.signals import SENT, AttributeColumn, Signal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.query.costs.answers import AttributeCost, AttributeSender, Costs, ServiceCost, SignalCost
    from spanglass_server.query.costs.pricing import SignalPrice
    from spanglass_server.query.costs.reading import Weighed
    from spanglass_server.query.costs.sampling import Sample
    from spanglass_server.store.ports import QuerySession, Window

#: Columns of a signal that are looked at, the largest.
LOOKED_AT = 12
#: A range of less is taken for as long: what came in a second says nothing of a day.
_SHORTEST_DAYS = 1 / 1440
_MOST_SENDERS = 5


@dataclass(frozen=True, slots=True)
class Weighing:
    """Everything that was found about a range; ``bytes`` are those of all signals in it, ``received`` of a day."""

    session: QuerySession
    days: float
    bytes: float
    signals: Sequence[Weighed]
    prices: dict[Signal, SignalPrice]
    received: dict[Signal, float | None]
    samples: dict[Signal, Sample]

    def share(self, size: float) -> float:
        """A part of all bytes."""
        return size / self.bytes if self.bytes else 0.0

    def senders(self, sizes: dict[str, float], size: float) -> list[AttributeSender]:
        """Who sends something of so many bytes, by what was seen of each, the largest first."""
        seen = sum(sizes.values())
        ranked = sorted(sizes.items(), key=lambda pair: (-pair[1], pair[0])) if seen else []
        return [
            {"service": name, "slot": self.session.service_slot(name), "bytes": size * part / seen}
            for name, part in ranked[:_MOST_SENDERS]
        ]


def weigh_costs(session: QuerySession, window: Window, limit: int, terms: CostTerms) -> Costs:
    """Answer ``GET /api/v1/costs``: at most ``limit`` services and attributes, the largest first."""
    found = _weighing(session, window, terms)
    services, attributes = _services(found), _attributes(found)
    return {
        "window": describe(window),
        "days": found.days,
        "currency": terms.prices.currency,
        "priced": bool(terms.prices.rows),
        "bytes": found.bytes,
        "stored_bytes": sum(each.stored for each in found.signals),
        "bytes_a_day": found.bytes / found.days,
        "price": added(*(price.whole for price in found.prices.values())),
        "signals": [_signal(found, each, terms) for each in found.signals if each.stored],
        "services": services[:limit],
        "services_total": len(services),
        "attributes": attributes[:limit],
        "attributes_total": len(attributes),
        "savings": find_savings(found, attributes),
        "sampled_records": sum(each.records for each in found.samples.values()),
    }


def _weighing(session: QuerySession, window: Window, terms: CostTerms) -> Weighing:
    signals = [weigh(session, signal, window) for signal in Signal]
    firsts = [first for first in map(session.first_ns, SENT) if first is not None]
    start_ns = max(window.start_ns, min(firsts, default=window.start_ns))
    days = max(_SHORTEST_DAYS, (window.end_ns - start_ns) / DAY_NS)
    came = terms.received(window.start_ns, window.end_ns)
    received = {signal: came.a_day(signal, window.end_ns) for signal in Signal}
    return Weighing(
        session=session,
        days=days,
        bytes=sum(each.bytes for each in signals),
        signals=signals,
        prices={each.signal: price_of(each, days, terms, received[each.signal]) for each in signals},
        received=received,
        samples={
            each.signal: sample(session, each.signal, each.parts, looked_at(each.columns, LOOKED_AT))
            for each in signals
            if each.signal in SENT
        },
    )


def _signal(found: Weighing, weighed: Weighed, terms: CostTerms) -> SignalCost:
    signal, a_day = weighed.signal, weighed.bytes / found.days
    kept = kept_days(terms, signal)
    return {
        "signal": signal.value,
        "stored_bytes": weighed.stored,
        "bytes": weighed.bytes,
        "records": weighed.records,
        "share": found.share(weighed.bytes),
        "attribute_bytes": sum(size for name, size in weighed.columns.items() if AttributeColumn.parse(name)),
        "bytes_a_day": a_day,
        "records_a_day": weighed.records / found.days,
        "received_a_day": found.received[signal],
        "kept_days": kept,
        "bytes_at_pace": None if kept is None else a_day * kept,
        "prices": {
            "stored": terms.prices.of(signal, "stored"),
            "records": terms.prices.of(signal, "records"),
            "received": terms.prices.of(signal, "received"),
        },
        "price": found.prices[signal].whole,
    }


def _services(found: Weighing) -> list[ServiceCost]:
    names = {name for each in found.signals for name in each.bytes_of}
    services = [_service(found, name) for name in names]
    return sorted(services, key=lambda each: (-each["bytes"], each["service"]))


def _service(found: Weighing, name: str) -> ServiceCost:
    sizes = {each.signal: each.bytes_of.get(name, 0.0) for each in found.signals}
    records = {each.signal: each.records_of.get(name, 0.0) for each in found.signals}
    prices = [
        found.prices[each.signal].part(
            sizes[each.signal] / each.bytes, records[each.signal] / each.records if each.records else 0.0
        )
        for each in found.signals
        if each.bytes
    ]
    size = sum(sizes.values())
    return {
        "service": name,
        "slot": found.session.service_slot(name),
        "spans": records[Signal.SPANS],
        "logs": records[Signal.LOGS],
        "metrics": records[Signal.METRICS],
        "bytes": size,
        "share": found.share(size),
        "bytes_a_day": size / found.days,
        "price": added(*prices),
    }


def _attributes(found: Weighing) -> list[AttributeCost]:
    """All columns, those of an attribute's types added up."""
    attributes = [
        _attribute(found, each, names, position, key)
        for each in found.signals
        for (position, key), names in _by_key(each).items()
    ]
    return sorted(attributes, key=lambda each: (-each["bytes"], each["signal"], each["key"], each["position"] or ""))


def _by_key(weighed: Weighed) -> dict[tuple[str | None, str], list[str]]:
    names: dict[tuple[str | None, str], list[str]] = {}
    for name in weighed.columns:
        column = AttributeColumn.parse(name)
        key = (None, name) if column is None else (column.position, column.key)
        names.setdefault(key, []).append(name)
    return names


def _attribute(
    found: Weighing, weighed: Weighed, names: Sequence[str], position: str | None, key: str
) -> AttributeCost:
    size = sum(weighed.columns[name] for name in names)
    largest = max(names, key=lambda name: weighed.columns[name])
    seen = found.samples.get(weighed.signal)
    look = seen.looks.get(largest, Look()) if seen is not None else Look()
    return {
        "signal": weighed.signal.value,
        "position": position,
        "key": key,
        "bytes": size,
        "share": found.share(size),
        "bytes_a_day": size / found.days,
        "values": look.values,
        "services": found.senders(look.sizes, size),
        "price": found.prices[weighed.signal].part(size / weighed.bytes if weighed.bytes else 0.0),
    }
