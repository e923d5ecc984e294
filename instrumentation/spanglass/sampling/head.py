"""Sampling at the beginning: a share of traces is recorded, and every span of them says how large the share is."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import get_current_span

from spanglass.sampling.probability import probability_of, randomness, threshold_in, threshold_of, with_threshold
from spanglass_core.attribute_names import SAMPLING_PROBABILITY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opentelemetry.context import Context
    from opentelemetry.trace import Link, SpanContext, SpanKind, TraceState
    from opentelemetry.util.types import Attributes

    from spanglass.settings.settings import Settings

SAMPLER_VARIABLE = "OTEL_TRACES_SAMPLER"
RATIO_VARIABLE = "OTEL_TRACES_SAMPLER_ARG"
_RATIOS = {"parentbased_traceidratio": True, "traceidratio": False}  # whether a parent's decision comes first

_logger = logging.getLogger("spanglass")


def head_sampler(
    settings: Settings, environ: Mapping[str, str] | None = None, *, stated: bool | None = None
) -> Sampler | None:
    """Make the sampler of these settings and of OpenTelemetry's variables.

    ``stated`` says whether the user gave ``sample_ratio``; by default, whether it is below 1. If not, a ratio in
    OTEL_TRACES_SAMPLER_ARG is taken. None: the variables name some other sampler, which is OpenTelemetry's to make.
    """
    variables = os.environ if environ is None else environ
    name = variables.get(SAMPLER_VARIABLE, "").strip().lower()
    if not name or (settings.sample_ratio < 1 if stated is None else stated):
        return RatioSampler(settings.sample_ratio)
    if name not in _RATIOS:
        return None
    return RatioSampler(_ratio(variables.get(RATIO_VARIABLE, "")), follow_parent=_RATIOS[name])


def _ratio(text: str) -> float:
    """Read the variable as the SDK does: 1 and a warning if it is no ratio."""
    try:
        ratio = float(text)
    except ValueError:
        ratio = -1
    if 0 <= ratio <= 1:
        return ratio
    _logger.warning("%s: expected a number from 0 to 1 (got %r); every trace is recorded", RATIO_VARIABLE, text)
    return 1.0


class RatioSampler(Sampler):
    """Records ``ratio`` of the traces that begin here; of others what their parent was, wherever it is.

    The decision depends on the trace id alone, so services with one ratio agree; the tracestate tells it to those that
    come after. With ``follow_parent`` false every span is decided anew, by the same rule.
    """

    def __init__(self, ratio: float, *, follow_parent: bool = True) -> None:
        """``ratio`` is from 0 to 1; ValueError otherwise."""
        if not 0 <= ratio <= 1:
            raise ValueError(f"ratio: expected a number from 0 to 1 (got {ratio!r})")
        self._ratio, self._follow_parent = ratio, follow_parent
        self._threshold = threshold_of(ratio)
        self._root_state = with_threshold(None, self._threshold) if 0 < ratio < 1 else None

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,  # noqa: ARG002 - the interface
        kind: SpanKind | None = None,  # noqa: ARG002
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,  # noqa: ARG002
        trace_state: TraceState | None = None,  # noqa: ARG002 - the parent has it
    ) -> SamplingResult:
        """Decide for one span; what is recorded gets ``spanglass.sampling.probability`` when that is below 1."""
        parent = get_current_span(parent_context).get_span_context()
        if not parent.is_valid:
            return self._decide(trace_id, attributes, None)
        if not self._follow_parent:
            return self._decide(trace_id, attributes, parent.trace_state)
        if not parent.trace_flags.sampled:
            return SamplingResult(Decision.DROP, None, parent.trace_state)
        threshold = threshold_in(parent.trace_state)
        return _kept(attributes, parent.trace_state, 1.0 if threshold is None else probability_of(threshold))

    def keeps(self, parent: SpanContext | None) -> bool:
        """Whether a span is recorded with its parent's tracestate, if there is one, and without an attribute of ours.

        It spares the tracer an object for each decision.
        """
        if parent is None:
            return self._ratio == 1
        return self._follow_parent and parent.trace_flags.sampled and not parent.trace_state

    def get_description(self) -> str:
        """Name it as the SDK names its own."""
        return f"SpanglassRatio{{{self._ratio}}}" if self._follow_parent else f"SpanglassRatioOfSpans{{{self._ratio}}}"

    def _decide(self, trace_id: int, attributes: Attributes, trace_state: TraceState | None) -> SamplingResult:
        if self._ratio == 0 or randomness(trace_id, trace_state) < self._threshold:
            return SamplingResult(Decision.DROP, None, trace_state)
        if self._root_state is None:
            return SamplingResult(Decision.RECORD_AND_SAMPLE, attributes, trace_state)
        state = with_threshold(trace_state, self._threshold) if trace_state else self._root_state
        return _kept(attributes, state, self._ratio)


def _kept(attributes: Attributes, trace_state: TraceState | None, probability: float) -> SamplingResult:
    if probability < 1:
        attributes = {**(attributes or {}), SAMPLING_PROBABILITY: probability}
    return SamplingResult(Decision.RECORD_AND_SAMPLE, attributes, trace_state)
