"""What the hooks of each library are given."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from spanglass.library_metrics.databases.pools import Pools
from spanglass.library_metrics.deferred import Deferred
from spanglass.library_metrics.polled import Polled
from spanglass.runtime_metrics.patches import Patches

if TYPE_CHECKING:
    from opentelemetry.metrics import Meter

    from spanglass.clock import Clock
    from spanglass.runtime_metrics.groups import Collector, Undo


@dataclass
class Tools:
    """One installation's meter and clock, and what its hooks share."""

    meter: Meter
    clock: Clock
    patches: Patches = field(default_factory=Patches)
    deferred: Deferred = field(default_factory=Deferred)
    polled: Polled = field(default_factory=Polled)
    collectors: dict[str, Collector] = field(default_factory=dict)
    undo: list[Undo] = field(default_factory=list)
    pools: Pools = field(init=False)

    def __post_init__(self) -> None:
        self.pools = Pools(self.meter, self.clock, self.deferred)
