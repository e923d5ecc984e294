"""Instrumentations of libraries: which there are, how each is turned on, and what became of it in this process."""

from __future__ import annotations

from spanglass.instrumentors.status import InstrumentationStatus, State, states

__all__ = ["InstrumentationStatus", "State", "states"]
