"""The test kit: what an application sends, kept in memory, with assertions on it; docs/app/testing.md shows it.

``capture`` takes the spans, metrics and log records of a block, whether or not ``configure`` was called before.
"""

from __future__ import annotations

from spanglass.testing.capture import SequentialIds, capture
from spanglass.testing.clock import FakeClock
from spanglass.testing.telemetry import Telemetry

__all__ = ["FakeClock", "SequentialIds", "Telemetry", "capture"]
