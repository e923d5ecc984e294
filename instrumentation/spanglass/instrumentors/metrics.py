"""Our own metrics of instrumentations, so that ``doctor`` and the server see what the running processes know."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from opentelemetry.metrics import CallbackOptions, MeterProvider, Observation

from spanglass.instrumentors.status import TROUBLES, states
from spanglass.sdk.published import SCOPE
from spanglass_core.attribute_names import INSTRUMENTATION_NAME, INSTRUMENTATION_REASON, INSTRUMENTATION_STATE

if TYPE_CHECKING:
    from collections.abc import Iterable

COUNT = "spanglass.instrumentation.count"
PROBLEM = "spanglass.instrumentation.problem"


def observe(meter_provider: MeterProvider) -> None:
    """Measure how many instrumentations are in which state, and name those that are not as they should be."""
    meter = meter_provider.get_meter(SCOPE)
    meter.create_observable_gauge(COUNT, [_counts], "{instrumentation}", "Instrumentations by state.")
    meter.create_observable_gauge(
        PROBLEM, [_problems], "{instrumentation}", "1 for each instrumentation that is left out, or not whole."
    )


def _counts(_options: CallbackOptions) -> Iterable[Observation]:
    counted = Counter(each.state for each in states())
    return [Observation(count, {INSTRUMENTATION_STATE: state.value}) for state, count in counted.items()]


def _problems(_options: CallbackOptions) -> Iterable[Observation]:
    return [
        Observation(
            1,
            {
                INSTRUMENTATION_NAME: each.name,
                INSTRUMENTATION_STATE: each.state.value,
                INSTRUMENTATION_REASON: each.reason,
            },
        )
        for each in states()
        if each.state in TROUBLES
    ]
