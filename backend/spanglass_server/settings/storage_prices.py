"""A setting that lists what keeping and receiving telemetry costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from spanglass_core.settings_types import SettingType
from spanglass_server.signals import SENT, Signal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Unit = Literal["stored", "received", "records"]
_UNITS: Final[dict[str, Unit]] = {"stored": "stored", "received": "received", "records": "records"}
_LARGEST: Final = 1_000_000
_FORM: Final = (
    "expected stored=PRICE of a GiB and month, received=PRICE of a GiB, records=PRICE of a million records, or any "
    "of them of one signal, such as logs.stored=0.1"
)


@dataclass(frozen=True, slots=True)
class StoragePrice:
    """A price of a GiB stored for a month, of a GiB or a million records received; ``signal`` is None for all."""

    unit: Unit
    price: float
    signal: Signal | None = None

    def __str__(self) -> str:
        name = self.unit if self.signal is None else f"{self.signal}.{self.unit}"
        return f"{name}={self.price:g}"


@dataclass(frozen=True, slots=True)
class StoragePrices:
    """A table of prices: those of a signal count before those of all."""

    rows: Sequence[StoragePrice] = ()
    currency: str = "USD"

    def of(self, signal: Signal, unit: Unit) -> float | None:
        """Return the price of a unit of a signal, None without one. What the server makes itself was not received."""
        if unit != "stored" and signal not in SENT:
            return None
        found = {row.signal: row.price for row in self.rows if row.unit == unit}
        return found.get(signal, found.get(None))


def parse_storage_prices(text: str) -> tuple[StoragePrice, ...]:
    """Read ``stored=0.08, logs.records=0.3``; ValueError naming the entry that is none, or is there twice."""
    rows = tuple(_price(part.strip()) for part in text.split(",") if part.strip())
    names = [(row.signal, row.unit) for row in rows]
    for row, name in zip(rows, names, strict=True):
        if names.count(name) > 1:
            raise ValueError(f"expected each price once; {str(row).partition('=')[0]!r} has several")
    return rows


def _price(entry: str) -> StoragePrice:
    name, _, figure = (part.strip() for part in entry.partition("="))
    signal, _, unit = name.rpartition(".")
    try:
        price = float(figure)
        of = Signal(signal) if signal else None
    except ValueError:
        price, of = -1.0, None
    if unit not in _UNITS or not 0 <= price < _LARGEST:
        raise ValueError(f"{_FORM}; {entry!r} is none")
    return StoragePrice(_UNITS[unit], price, of)


def _format(prices: Iterable[StoragePrice]) -> str:
    return ", ".join(map(str, prices))


STORAGE_PRICES: Final = SettingType("list", parse_storage_prices, _format)
