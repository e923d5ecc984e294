"""What comes of looking once: a status, why, and figures."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from spanglass_core.units import format_duration
from spanglass_server.health.model import Status

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Characters of what a person is told.
MAX_DETAIL: Final = 500


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it is. ``detail`` says why in a line, without secrets."""

    status: Status
    detail: str = ""
    figures: Mapping[str, float] = field(default_factory=dict)


def healthy(detail: str = "", **figures: float) -> Outcome:
    """All is well."""
    return Outcome(Status.HEALTHY, shortened(detail), figures)


def degraded(detail: str, **figures: float) -> Outcome:
    """It works, and not well."""
    return Outcome(Status.DEGRADED, shortened(detail), figures)


def unhealthy(detail: str, **figures: float) -> Outcome:
    """It does not work."""
    return Outcome(Status.UNHEALTHY, shortened(detail), figures)


def unless_slow(outcome: Outcome, took_ns: int, slower_than_ns: int) -> Outcome:
    """The outcome, degraded where it is a good one that took too long."""
    if not slower_than_ns or took_ns <= slower_than_ns or outcome.status is not Status.HEALTHY:
        return outcome
    text = f"it took {took_ns / 1e6:.0f} ms, more than {format_duration(slower_than_ns)}"
    return Outcome(Status.DEGRADED, text, outcome.figures)


def shortened(text: str) -> str:
    """A text as one line of what can be printed, not too long."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return line if len(line) <= MAX_DETAIL else f"{line[: MAX_DETAIL - 1]}…"
