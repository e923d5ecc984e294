"""How bad an alert is: the same four levels everywhere."""

from __future__ import annotations

from enum import StrEnum


class Severity(StrEnum):
    """A level; ``rank`` orders them, 1 to 4."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """1 for info up to 4 for critical; 0 stands for no level at all."""
        return RANKS[self]


#: The levels by rank, the first being rank 1.
SEVERITIES: tuple[Severity, ...] = tuple(Severity)
RANKS = {severity: rank for rank, severity in enumerate(SEVERITIES, start=1)}
