"""What running checks works with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanglass_server.egress.egress import Egress
    from spanglass_server.health.book import Book
    from spanglass_server.health.own_checks import Defaults
    from spanglass_server.health.running.results import Results
    from spanglass_server.health.store.sqlite import HealthStore
    from spanglass_server.self_metrics.registry import Telemetry


@dataclass(frozen=True, slots=True)
class Clocks:
    """The time, in ns since 1970, and a clock that never goes back."""

    now_ns: Callable[[], int]
    steady_ns: Callable[[], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What running checks works with."""

    book: Book
    store: HealthStore
    egress: Egress
    results: Results
    defaults: Defaults
    clocks: Clocks
    telemetry: Telemetry
