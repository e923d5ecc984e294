"""The delivery's counts as metrics, in the names of OpenTelemetry's conventions for SDKs (``otel.sdk.*``).

What waits in the spool is in none of the conventions' metrics until it is sent or given up, so that their sums agree
with what the server has.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from opentelemetry.metrics import Observation
from opentelemetry.semconv.attributes.error_attributes import ERROR_TYPE
from opentelemetry.semconv.attributes.server_attributes import SERVER_ADDRESS, SERVER_PORT

from spanglass.delivery.counts import QUEUE_FULL, SHUT_DOWN
from spanglass.delivery.signals import SIGNALS
from spanglass_core.attribute_names import SIGNAL, SPOOL_OUTCOME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from opentelemetry.metrics import CallbackOptions, Meter

    from spanglass.delivery.counts import DeliveryCounts, SignalCounts
    from spanglass.delivery.exporters import Exporters
    from spanglass.delivery.signals import Signal
    from spanglass.delivery.transport.targets import Target

    Rows = Iterator[tuple[int, dict[str, str | int]]]

# Of the conventions that are in development, whose modules have no public names.
OTEL_COMPONENT_NAME, OTEL_COMPONENT_TYPE = "otel.component.name", "otel.component.type"

_OF_THE_QUEUE = frozenset({QUEUE_FULL, SHUT_DOWN})


class Queue(Protocol):
    """What is looked at of a queue, such as a ``Batcher``."""

    capacity: int
    passed_on: int

    def __len__(self) -> int: ...


def observe(
    meter: Meter, counts: DeliveryCounts, exporters: Exporters, queues: Mapping[str, Queue]
) -> Callable[[], None]:
    """Have ``meter`` collect the counts; ``queues`` are by the signal's name. Returns what stops it."""
    watch = _Watch(meter, counts)
    for name, signal in SIGNALS.items():
        target, unit = exporters.targets[name], f"{{{signal.noun.replace(' ', '_')}}}"
        watch.counter(
            signal.exported,
            unit,
            f"{signal.nouns.capitalize()} whose delivery has finished, successful or failed.",
            partial(_exported, signal, target),
        )
        if (queue := queues.get(name)) is not None:  # an empty one is false
            _observe_queue(watch, signal, unit, queue)
    if exporters.keepers:
        watch.counter(
            "spanglass.spool.records",
            "{record}",
            "Records that went to the spool, came from it, or were dropped from it.",
            lambda all_counts: (row for name in SIGNALS for row in _spooled(name, all_counts[name])),
        )
        watch.level(
            "spanglass.spool.size",
            "By",
            "Bytes that wait in the spool.",
            lambda _counts: iter([(sum(keeper.size_bytes for keeper in exporters.keepers), {})]),
        )
    return watch.stop


class _Watch:
    """Makes the instruments, which give nothing once stopped: the SDK can't take instruments back."""

    def __init__(self, meter: Meter, counts: DeliveryCounts) -> None:
        self._meter = meter
        self._counts = counts
        self._stopped = False

    def stop(self) -> None:
        self._stopped = True

    def counter(self, name: str, unit: str, text: str, rows: Callable[[dict[str, SignalCounts]], Rows]) -> None:
        self._meter.create_observable_counter(name, [self._callback(rows)], unit, text)

    def level(self, name: str, unit: str, text: str, rows: Callable[[dict[str, SignalCounts]], Rows]) -> None:
        self._meter.create_observable_up_down_counter(name, [self._callback(rows)], unit, text)

    def _callback(
        self, rows: Callable[[dict[str, SignalCounts]], Rows]
    ) -> Callable[[CallbackOptions], Iterable[Observation]]:
        def callback(_options: CallbackOptions) -> Iterable[Observation]:
            if self._stopped:
                return []
            return [Observation(value, attributes) for value, attributes in rows(self._counts.snapshot())]

        return callback


def _exported(signal: Signal, target: Target, all_counts: dict[str, SignalCounts]) -> Rows:
    """What arrived, at once or from the spool, and what was given up, by cause."""
    counts, url = all_counts[signal.name], urlsplit(target.url)
    attributes = _component(signal.component.format(target.transport))
    attributes |= {SERVER_ADDRESS: url.hostname or ""} | ({SERVER_PORT: url.port} if url.port else {})
    yield counts.sent + counts.replayed, attributes
    for cause, records in (counts.failed + counts.dropped).items():
        if cause not in _OF_THE_QUEUE:
            yield records, attributes | {ERROR_TYPE: cause}


def _observe_queue(watch: _Watch, signal: Signal, unit: str, queue: Queue) -> None:
    attributes = _component(signal.processor_component)

    def processed(all_counts: dict[str, SignalCounts]) -> Rows:
        yield queue.passed_on, attributes
        for cause, records in all_counts[signal.name].dropped.items():
            if cause in _OF_THE_QUEUE:
                yield records, attributes | {ERROR_TYPE: cause}

    watch.counter(signal.processed, unit, f"{signal.nouns.capitalize()} that left the queue.", processed)
    watch.level(
        signal.queue_size,
        unit,
        f"{signal.nouns.capitalize()} in the queue.",
        lambda _counts: iter([(len(queue), attributes)]),
    )
    watch.level(
        signal.queue_capacity,
        unit,
        f"{signal.nouns.capitalize()} that the queue can hold.",
        lambda _counts: iter([(queue.capacity, attributes)]),
    )


def _spooled(name: str, counts: SignalCounts) -> Rows:
    dropped = {cause: records for cause, records in counts.dropped.items() if cause not in _OF_THE_QUEUE}
    for outcome, records in {"kept": counts.spooled, "replayed": counts.replayed, **dropped}.items():
        yield records, {SIGNAL: name, SPOOL_OUTCOME: outcome}


def _component(kind: str) -> dict[str, str | int]:
    return {OTEL_COMPONENT_TYPE: kind, OTEL_COMPONENT_NAME: f"{kind}/0"}
