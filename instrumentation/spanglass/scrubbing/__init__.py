"""Secrets leave the telemetry before the telemetry leaves the process: exporters around the real ones."""

from __future__ import annotations

from spanglass.scrubbing.exporters import ScrubbingLogExporter, ScrubbingSpanExporter
from spanglass_core.scrubbing import Callback, Scrubber, ScrubMatch

__all__ = ["Callback", "ScrubMatch", "Scrubber", "ScrubbingLogExporter", "ScrubbingSpanExporter"]
