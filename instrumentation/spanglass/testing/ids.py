"""Ids for tests: 1, 2, 3, so that what a test compares is the same in every run."""

from __future__ import annotations

import itertools

from opentelemetry.sdk.trace.id_generator import IdGenerator


class SequentialIds(IdGenerator):
    """Counts trace ids and span ids, each from ``first``."""

    def __init__(self, first: int = 1) -> None:
        self._trace_ids = itertools.count(first)
        self._span_ids = itertools.count(first)

    def generate_trace_id(self) -> int:
        """Return the next trace id."""
        return next(self._trace_ids)

    def generate_span_id(self) -> int:
        """Return the next span id."""
        return next(self._span_ids)

    def is_trace_id_random(self) -> bool:
        """Say that they are not random, which the flags of W3C trace context tell others."""
        return False
