"""Consistent probability sampling: how likely a trace was to be kept, as the W3C tracestate carries it.

OpenTelemetry's "TraceState: Probability Sampling" (OTEP 235): a trace has 56 random bits, its *randomness*; a sampler
has a *threshold*, and keeps the traces whose randomness is not below it. `ot=th:e66` says that one in ten was kept:
th are the threshold's hex digits without the zeros at its end. Services with the same ratio keep the same traces.
"""

from __future__ import annotations

import string
from typing import TYPE_CHECKING

from opentelemetry.trace import TraceState

if TYPE_CHECKING:
    from collections.abc import Mapping

KEY = "ot"  # of OpenTelemetry in the tracestate
_BITS = 56
_ALL = 1 << _BITS
_DIGITS = _BITS // 4
_HEX = frozenset(string.digits + "abcdef")
_CACHED = 256
_thresholds: dict[str, int | None] = {}  # by the text of `ot`: a process sees few


def threshold_of(probability: float) -> int:
    """Return the threshold that keeps this share of traces, 0 to 2**56."""
    return _ALL - round(probability * _ALL)


def probability_of(threshold: int) -> float:
    """Return the share of traces that a threshold keeps; 0.1 for the threshold of 0.1."""
    return float(f"{(_ALL - threshold) / _ALL:.12g}")


def randomness(trace_id: int, trace_state: Mapping[str, str] | None = None) -> int:
    """Return a trace's random bits: `rv` of its tracestate, else the last 56 bits of its id."""
    given = _member(trace_state.get(KEY, ""), "rv:") if trace_state else ""
    if len(given) == _DIGITS and _HEX.issuperset(given):
        return int(given, 16)
    return trace_id & (_ALL - 1)


def threshold_in(trace_state: Mapping[str, str] | None) -> int | None:
    """Read the threshold that a trace was kept with; None if nobody says."""
    text = trace_state.get(KEY) if trace_state else None
    if not text:
        return None
    try:
        return _thresholds[text]
    except KeyError:
        digits = _member(text, "th:")
        threshold = int(digits.ljust(_DIGITS, "0"), 16) if digits and _HEX.issuperset(digits) else None
        threshold = threshold if len(digits) <= _DIGITS else None
        if len(_thresholds) >= _CACHED:
            _thresholds.clear()
        _thresholds[text] = threshold
        return threshold


def with_threshold(trace_state: TraceState | None, threshold: int) -> TraceState:
    """Write the threshold into a tracestate; what else is in it stays."""
    th = f"th:{threshold:0{_DIGITS}x}".rstrip("0") if threshold else "th:0"
    others = [each for each in (trace_state.get(KEY) or "").split(";") if each] if trace_state else []
    value = ";".join([th, *(each for each in others if not each.startswith("th:"))])
    if not trace_state:
        return TraceState([(KEY, value)])
    return trace_state.update(KEY, value) if KEY in trace_state else trace_state.add(KEY, value)


def _member(text: str, name: str) -> str:
    return next((each[len(name) :] for each in text.split(";") if each.startswith(name)), "")
