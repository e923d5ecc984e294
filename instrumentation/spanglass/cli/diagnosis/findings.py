"""A finding: one sentence, how bad it is, and the command or setting that mends it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Severity(StrEnum):
    """How bad a finding is, from nothing to telemetry that does not arrive."""

    OK = "ok"
    NOTE = "note"  # good to know
    WARNING = "warning"  # some telemetry is missing
    PROBLEM = "problem"  # telemetry does not arrive, or not what was asked for


_ORDER = list(Severity)


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding. ``area`` is the heading it stands under; ``remedy`` is empty when there is nothing to mend."""

    area: str
    severity: Severity
    text: str
    remedy: str = ""


def worst(findings: Iterable[Finding]) -> Severity:
    """Return the worst severity; ok if there is none."""
    return max((each.severity for each in findings), key=_ORDER.index, default=Severity.OK)
