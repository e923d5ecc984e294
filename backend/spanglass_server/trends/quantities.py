"""The quantities that are watched, each a measure by what it is of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from spanglass_server.measures.grammar import parse_measure


@dataclass(frozen=True, slots=True)
class Quantity:
    """A measure that is watched, with a series for each value of the keys in its text.

    ``bound`` is where it is used up, None where nothing says so. ``weight`` is how much its changes matter beside those
    of others. ``window`` is the time that rates are of. Of one that ``doubles`` is told when it is twice of what it is,
    or meets its threshold, as nothing says where it is used up.
    """

    name: str
    title: str
    measure: str
    bound: float | None = None
    weight: float = 1.0
    window: str = "5m"
    doubles: bool = False

    @property
    def is_bounded(self) -> bool:
        """Whether its series have a bound."""
        return self.bound is not None or self.doubles

    @property
    def promql(self) -> str:
        """The measure as PromQL."""
        asked = parse_measure(self.measure)
        return asked.promql(self.window, by=asked.by or asked.measure.kind.ids)

    @property
    def unit(self) -> str:
        """The base unit of its values: ``ratio``, ``bytes``, ``s``, ``/s``, or none."""
        asked = parse_measure(self.measure)
        return "/s" if asked.aggregate == "count" else asked.measure.unit


#: In the order in which they are read. Those that can be used up come first.
QUANTITIES: Final[tuple[Quantity, ...]] = (
    Quantity("disk", "Disk", "max(disk_usage) by (host, system.filesystem.mountpoint, mountpoint)", 1.0, 3.0),
    Quantity("memory", "Memory of a host", "max(memory_usage) by (host)", 1.0, 2.0),
    Quantity("swap", "Swap", "max(swap_usage) by (host)", 1.0),
    Quantity("processors", "Processors", "avg(cpu_usage) by (host)", 1.0),
    Quantity("pool", "Connection pool", "max(pool_usage) by (service, pool)", 1.0, 2.0),
    Quantity("process-memory", "Memory of a service", "max(process_memory) by (service)", None, 2.0),
    Quantity("open-files", "Open files", "max(open_files) by (service)"),
    Quantity("threads", "Threads", "sum(threads) by (service)"),
    Quantity("queue", "Queue", "max(queue_size) by (service, queue)", None, 2.0),
    Quantity("database-size", "Size of a database", "max(database_size) by (service)"),
    Quantity("requests", "Requests", "sum(request_rate) by (service, operation)", doubles=True),
    Quantity("errors", "Failed requests", "avg(error_rate) by (service, operation)", None, 2.0),
    Quantity("duration", "Duration, p95", "p95(response_time) by (service, operation)", None, 1.5, doubles=True),
)
BY_NAME: Final = {quantity.name: quantity for quantity in QUANTITIES}
