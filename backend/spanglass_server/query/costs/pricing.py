"""What a month costs: of bytes that are kept, and of records that come in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from spanglass_server.settings.storage_prices import StoragePrices
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from spanglass_server.query.costs.reading import Weighed
    from spanglass_server.signals import Signal

MINUTE_NS: Final = 60 * NS_PER_SECOND
DAY_NS: Final = 86_400 * NS_PER_SECOND
#: Days of a month.
MONTH: Final = 30
_GIB: Final = 1024**3
_MILLION: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Received:
    """Bytes over the wire by signal, since a time in the range that was asked for; None where nothing is known."""

    since_ns: int | None = None
    bytes: Mapping[Signal, float] = field(default_factory=dict)

    def a_day(self, signal: Signal, end_ns: int) -> float | None:
        """How many of a signal came a day; None where that is not known."""
        if self.since_ns is None or signal not in self.bytes or end_ns <= self.since_ns:
            return None
        return self.bytes[signal] * DAY_NS / max(MINUTE_NS, end_ns - self.since_ns)


def _nothing_received(start_ns: int, end_ns: int) -> Received:
    del start_ns, end_ns
    return Received()


@dataclass(frozen=True, slots=True)
class CostTerms:
    """Prices, and how long each signal is kept, in nanoseconds; 0 and one that is missing: for ever.

    ``received`` says what came over the wire in a range, in nanoseconds.
    """

    prices: StoragePrices = field(default_factory=StoragePrices)
    kept_ns: Mapping[Signal, int] = field(default_factory=dict)
    received: Callable[[int, int], Received] = _nothing_received


@dataclass(frozen=True, slots=True)
class SignalPrice:
    """What a month of a signal costs at the pace of a range, in three parts; None without a price."""

    of_bytes: float | None
    of_records: float | None
    of_received: float | None = None

    @property
    def whole(self) -> float | None:
        """All."""
        return added(self.of_bytes, self.of_records, self.of_received)

    def part(self, bytes_share: float, records_share: float = 0.0) -> float | None:
        """What a share of its bytes and of its records costs; what came over the wire is shared as stored bytes are."""
        return added(
            _times(self.of_bytes, bytes_share),
            _times(self.of_records, records_share),
            _times(self.of_received, bytes_share),
        )


def _times(price: float | None, share: float) -> float | None:
    return None if price is None else price * share


def added(*prices: float | None) -> float | None:
    """Add prices up; None if none is known."""
    known = [price for price in prices if price is not None]
    return sum(known) if known else None


def kept_days(terms: CostTerms, signal: Signal) -> float | None:
    """How long a signal is kept; None for ever."""
    kept_ns = terms.kept_ns.get(signal, 0)
    return kept_ns / DAY_NS if kept_ns else None


def price_of(weighed: Weighed, days: float, terms: CostTerms, received_a_day: float | None = None) -> SignalPrice:
    """What a month costs once what comes at this pace is kept as long as it is to be.

    ``received_a_day`` are bytes over the wire, None where they are not known.
    Of what is kept for ever there is no such time: it is then what is stored now and what a month adds.
    """
    kept = kept_days(terms, weighed.signal)
    a_day = weighed.bytes / days
    held = a_day * kept if kept is not None else weighed.stored + a_day * MONTH
    stored, records, received = (terms.prices.of(weighed.signal, unit) for unit in ("stored", "records", "received"))
    return SignalPrice(
        None if stored is None else held / _GIB * stored,
        None if records is None else weighed.records / days * MONTH / _MILLION * records,
        None if received is None or received_a_day is None else received_a_day * MONTH / _GIB * received,
    )
