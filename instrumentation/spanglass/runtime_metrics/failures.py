"""How often code of ours failed inside the application: ``guard.failures`` as a metric, which ``doctor`` reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass.guard import failures
from spanglass.runtime_metrics.groups import Group, Kind, Metric, install_group
from spanglass_core.attribute_names import FAILURE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.metrics import Meter

    from spanglass.runtime_metrics.groups import Reading, Undo

FAILURES = Metric(
    "spanglass.internal.failures",
    Kind.COUNTER,
    "{failure}",
    "Failures of Spanglass itself inside the application, by what could not be done.",
)


def observe_failures(meter: Meter) -> Undo:
    """Have ``meter`` collect the failures; returns what ends that."""
    return install_group(meter, Group("failures", (FAILURES,), {"failures": _readings}))


def _readings() -> Iterator[Reading]:
    for doing, count in failures.copy().items():
        yield FAILURES, count, {FAILURE: doing}
