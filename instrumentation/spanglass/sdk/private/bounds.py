"""Bucket bounds of durations: the SDK's own are for milliseconds, so that all below 5 s would be in one bucket.

What an instrument advises, what a view says and what a reader's default is, other than the SDK's, is left as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.metrics import Histogram
from opentelemetry.sdk.metrics.view import Aggregation, DefaultAggregation, ExplicitBucketHistogramAggregation

from spanglass.sdk.private.features import DURATIONS, lose, optional

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Units that mean seconds; the first is UCUM's.
_SECONDS = frozenset({"s", "seconds", "second", "sec"})

#: The bounds of the semantic conventions, by the beginning of a metric's name; the first that fits. Most metrics have
#: those of HTTP.
_BY_NAME = (
    ("db.client.", (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10)),
    ("gen_ai.server.time_per_output_token", (0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5)),
    (
        "gen_ai.server.time_to_first_token",
        (0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10),
    ),
    ("gen_ai.", (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)),
    ("mcp.", (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300)),
    ("", (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)),
)


def by_unit(aggregation: dict[type, Aggregation]) -> dict[type, Aggregation]:
    """Return what a reader makes of each kind of instrument, with bounds by unit where nothing else is said."""
    if not hasattr(DefaultAggregation, "_create_aggregation"):  # the SDK would never call ours
        lose(DURATIONS, AttributeError("DefaultAggregation._create_aggregation"))
        return aggregation
    return {
        kind: _BoundsByUnit() if issubclass(kind, Histogram) and type(made) is DefaultAggregation else made
        for kind, made in aggregation.items()
    }


def bounds_of(name: str, unit: str) -> Sequence[float] | None:
    """Return the bounds of a histogram that says nothing of them; None if it is none of durations in seconds."""
    if unit.lower() not in _SECONDS:
        return None
    return next(bounds for beginning, bounds in _BY_NAME if name.startswith(beginning))


class _BoundsByUnit(DefaultAggregation):
    """The SDK's default, but for durations."""

    def _create_aggregation(self, instrument: Any, *args: Any, **kwargs: Any) -> Any:
        with optional(DURATIONS):
            if instrument._advisory.explicit_bucket_boundaries is None:  # noqa: SLF001
                bounds = bounds_of(instrument.name, instrument.unit or "")
                if bounds is not None:
                    made = ExplicitBucketHistogramAggregation(bounds)
                    return made._create_aggregation(instrument, *args, **kwargs)  # noqa: SLF001
        return super()._create_aggregation(instrument, *args, **kwargs)
