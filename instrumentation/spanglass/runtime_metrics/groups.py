"""Metrics that are measured together: one snapshot per collection cycle for all instruments of a group.

The SDK asks each observable instrument on its own. A group answers all of them from one snapshot, so psutil is called
once and values of one point in time belong together. What fails to be measured is left out; the rest goes on.
"""

from __future__ import annotations

import contextlib
import weakref
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from opentelemetry.metrics import CallbackOptions, Meter, Observation

from spanglass.guard import guarded

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

Attributes: TypeAlias = Mapping[str, str | int]


class Kind(Enum):
    """Which observable instrument a metric is; the value completes ``Meter.create_observable_``."""

    COUNTER = "counter"
    UP_DOWN_COUNTER = "up_down_counter"
    GAUGE = "gauge"


class Metric(NamedTuple):
    """One observable metric: its name, kind, UCUM unit, and what it says."""

    name: str
    kind: Kind
    unit: str
    help: str


#: What a collector yields: the metric, the value, and the attributes.
Reading: TypeAlias = tuple[Metric, float, Attributes]
Collector: TypeAlias = Callable[[], Iterable[Reading]]
Undo: TypeAlias = Callable[[], None]


class Group:
    """Metrics and the collectors that measure them, by the name under which a failure is reported.

    ``around`` is entered for each snapshot. A collector that raises one of ``off_when`` is not there on this system or
    not allowed: it is left off without a word. The mapping may grow. Readings with equal attributes are added up.
    ``is_due`` is asked once a cycle; in one that it says no to, nothing is measured.
    """

    def __init__(
        self,
        name: str,
        metrics: Sequence[Metric],
        collectors: Mapping[str, Collector],
        *,
        around: Callable[[], AbstractContextManager[object]] = contextlib.nullcontext,
        off_when: tuple[type[Exception], ...] = (NotImplementedError,),
        is_due: Callable[[], bool] = lambda: True,
    ) -> None:
        self.name = name
        self.metrics = tuple(metrics)
        self._collectors = collectors
        self._around = around
        self._off_when = off_when
        self._is_due = is_due
        self._off: set[str] = set()
        self._unasked: set[Metric] = set()
        self._snapshot: Mapping[Metric, list[Observation]] = {}

    def observe(self, metric: Metric) -> Sequence[Observation]:
        """Return one metric's values; who asks a second time begins the next cycle.

        The SDK holds a lock while it collects, so two cycles never overlap.
        """
        if metric not in self._unasked:
            self._unasked = set(self.metrics)
            self._snapshot = self.measure() if self._is_due() else {}
        self._unasked.discard(metric)
        return self._snapshot.get(metric, ())

    def measure(self) -> dict[Metric, list[Observation]]:
        """Take a snapshot."""
        sums: defaultdict[Metric, dict[frozenset[tuple[str, str | int]], float]] = defaultdict(dict)
        with self._around():
            for name in [name for name in tuple(self._collectors) if name not in self._off]:
                for metric, value, attributes in self._readings(name):
                    of_metric, key = sums[metric], frozenset(attributes.items())
                    of_metric[key] = of_metric.get(key, 0) + value
        return {
            metric: [Observation(value, dict(key)) for key, value in of_metric.items()]
            for metric, of_metric in sums.items()
        }

    def _readings(self, name: str) -> list[Reading]:
        with guarded(f"measure {self.name}: {name}"):
            try:
                return list(self._collectors[name]())
            except self._off_when:
                self._off.add(name)
        return []


class _Slot:
    """What a meter's instruments of one group ask: the SDK never forgets an instrument, so groups come and go here."""

    group: Group | None = None

    def callback(self, metric: Metric) -> Callable[[CallbackOptions], Sequence[Observation]]:
        def observe(_: CallbackOptions) -> Sequence[Observation]:
            return self.group.observe(metric) if self.group is not None else ()

        return observe


_slots: weakref.WeakKeyDictionary[Meter, dict[str, _Slot]] = weakref.WeakKeyDictionary()


def install_group(meter: Meter, group: Group) -> Undo:
    """Have a meter ask a group; returns what ends that. A group of the same name takes an earlier one's place."""
    slots = _slots.setdefault(meter, {})
    slot = slots.get(group.name)
    if slot is None:
        slot = slots[group.name] = _Slot()
        for metric in group.metrics:
            create = getattr(meter, f"create_observable_{metric.kind.value}")
            create(metric.name, [slot.callback(metric)], unit=metric.unit, description=metric.help)
    slot.group = group

    def uninstall() -> None:
        if slot.group is group:
            slot.group = None

    return uninstall
