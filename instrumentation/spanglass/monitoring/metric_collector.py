"""The pipeline of metrics in an application: collect, aggregate, store, return."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from spanglass.api.analysis.figures import Figures
from spanglass.api.config import MonitoringConfig
from spanglass.clock import NS_PER_S, SYSTEM
from spanglass.errors import CollectionError
from spanglass.monitoring.measurements import Aggregator
from spanglass.monitoring.routing import call, function_of
from spanglass.monitoring.storage import MemoryStorage
from spanglass.monitoring.strategies import measurements_of, of_operations, usage_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from spanglass.clock import Clock
    from spanglass.monitoring.measurements import Aggregate, Measurement
    from spanglass.monitoring.storage import MetricStorage
    from spanglass.monitoring.strategies import CollectStrategy

__all__ = ["Collected", "MetricCollector", "Stage"]


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of a cycle: collect, aggregate or store; how long it took, and how many it gave to the next."""

    name: str
    duration_s: float
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """What one cycle led to. ``errors`` are of strategies that failed, by type, and of the storage, by ``storage``."""

    measurements: tuple[Measurement, ...] = ()
    aggregates: tuple[Aggregate, ...] = ()
    stages: tuple[Stage, ...] = ()
    errors: Mapping[str, CollectionError] = field(default_factory=dict)
    time_ns: int = 0

    @property
    def figures(self) -> Figures:
        """The newest value of each name; of several dimensions the largest."""
        numbers: dict[str, float] = {}
        for each in self.aggregates:
            numbers[each.name] = max(each.last, numbers.get(each.name, each.last))
        return Figures(numbers, {each.name: each.unit for each in self.aggregates if each.unit}, {}, self.time_ns)


class MetricCollector:
    """Collects by a strategy for each type of metric, aggregates, stores, and gives what it found.

    Without ``strategies`` these are cpu, memory, disk and network of the host, and ``operation`` for the statistics of
    this process's operations. ``config`` is the part ``monitoring`` of a configuration: ``metrics.enabled`` and
    ``collection_interval``, which is the window that one cycle's measurements are aggregated over.
    """

    def __init__(
        self,
        config: MonitoringConfig | Mapping[str, Any] | None = None,
        *,
        strategies: Mapping[str, Any] | None = None,
        aggregator: Aggregator | None = None,
        storage: MetricStorage | None = None,
        clock: Clock = SYSTEM,
    ) -> None:
        self._config = MonitoringConfig.of(config)
        self._clock = clock
        window_ns = round(self._config.collection_interval_s * NS_PER_S)
        self._aggregator = aggregator or Aggregator(window_ns=window_ns)
        self.storage: MetricStorage = storage or MemoryStorage()
        self._strategies: dict[str, CollectStrategy] = {}
        for metric_type, strategy in (_usual(clock) if strategies is None else strategies).items():
            self.register(metric_type, strategy)

    def register(self, metric_type: str, strategy: Any) -> None:
        """Measure a type by a strategy, in place of the one that it has.

        A strategy is a function, an object with a method ``collect``, or a class of such objects. ``CollectionError``
        for what is none.
        """
        function = function_of(strategy, "collect")
        if function is None:
            raise CollectionError(f"{metric_type}: {strategy!r} is no function to call, and has no method collect")
        self._strategies[metric_type] = function

    def unregister(self, metric_type: str) -> None:
        """Measure a type no more."""
        self._strategies.pop(metric_type, None)

    async def collect(self, *metric_types: str) -> Collected:
        """Run one cycle for some types, or all. A strategy that fails is in ``errors``, and in the way of no other.

        ``CollectionError`` for a type that has no strategy.
        """
        unknown = [each for each in metric_types if each not in self._strategies]
        if unknown:
            raise CollectionError(f"{unknown[0]!r} has no strategy: there are {', '.join(self._strategies)}")
        now_ns = self._clock.unix_ns()
        if not self._config.metrics_enabled:
            return Collected(time_ns=now_ns)
        errors: dict[str, CollectionError] = {}
        stages: list[Stage] = []
        began = time.monotonic()
        gathered = await asyncio.gather(*(self._measured(each, errors) for each in metric_types or self._strategies))
        measurements = [each for found in gathered for each in found]
        began = _ended("collect", began, len(measurements), stages)
        aggregates = self._aggregator.aggregate(measurements)
        began = _ended("aggregate", began, len(aggregates), stages)
        try:
            await asyncio.to_thread(self.storage.store, aggregates)
            _ended("store", began, len(aggregates), stages)
        except Exception as cause:  # noqa: BLE001 - whatever a storage raises
            errors["storage"] = _error("storage", cause)
            _ended("store", began, 0, stages)
        return Collected(
            measurements=tuple(measurements),
            aggregates=tuple(aggregates),
            stages=tuple(stages),
            errors=errors,
            time_ns=now_ns,
        )

    async def query(
        self, name: str, *, last_s: float = 3600.0, window_s: float | None = None, by: Sequence[str] | None = None
    ) -> list[Aggregate]:
        """What is stored of a name, over time and dimensions: windows of ``window_s``, the dimensions ``by``, or all.

        Without ``window_s`` everything of the last ``last_s`` is one window.
        """
        end_ns = self._clock.unix_ns()
        found = await asyncio.to_thread(self.storage.read, name, end_ns - round(last_s * NS_PER_S), end_ns + 1)
        window_ns = None if window_s is None else round(window_s * NS_PER_S)
        return Aggregator(window_ns=window_ns, by=by).merge(found)

    async def run(self, stop: asyncio.Event, on_cycle: Callable[[Collected], Any] | None = None) -> None:
        """Collect every ``collection_interval`` until ``stop`` is set; ``on_cycle`` is called with each result."""
        while not stop.is_set():
            collected = await self.collect()
            if on_cycle is not None:
                await call(on_cycle, collected)
            try:
                await asyncio.wait_for(stop.wait(), self._config.collection_interval_s)
            except TimeoutError:
                continue

    async def _measured(self, metric_type: str, errors: dict[str, CollectionError]) -> list[Measurement]:
        try:
            found = await call(self._strategies[metric_type])
            return measurements_of(metric_type, found, self._clock.unix_ns())
        except Exception as cause:  # noqa: BLE001 - whatever a strategy raises
            errors[metric_type] = _error(metric_type, cause)
            return []


def _usual(clock: Clock) -> dict[str, CollectStrategy]:
    from spanglass.api.analysis.usage import KINDS, HostUsage  # noqa: PLC0415 - not where strategies are given
    from spanglass.api.operations import default_monitor  # noqa: PLC0415

    usage = HostUsage(clock)
    return {**{kind: usage_of(usage, kind) for kind in KINDS}, "operation": of_operations(default_monitor)}


def _ended(name: str, began: float, count: int, stages: list[Stage]) -> float:
    now = time.monotonic()
    stages.append(Stage(name, now - began, count))
    return now


def _error(what: str, cause: Exception) -> CollectionError:
    if isinstance(cause, CollectionError):
        return cause
    error = CollectionError(f"{what}: {type(cause).__name__}: {cause}")
    error.__cause__ = cause
    return error
