"""How many alerts, or incidents, there are by status and severity, beside a list of them that filters by both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypedDict, TypeVar

from spanglass_core.alerting.severity import Severity

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from enum import StrEnum

S = TypeVar("S", bound="StrEnum")


class Counts(TypedDict):
    """How many there are by status, and by severity; each without its own filter."""

    status: dict[str, int]
    severity: dict[str, int]


@dataclass(frozen=True, slots=True)
class Counted(Generic[S]):
    """How many have each status and severity, and which of these are wanted; none means any."""

    counted: Mapping[tuple[S, Severity], int]
    statuses: Collection[S]
    severities: Collection[Severity]

    @property
    def total(self) -> int:
        """How many are wanted."""
        return self._having(self.statuses, self.severities)

    def counts(self, statuses: Iterable[S]) -> Counts:
        """How many would be if another status, or severity, were wanted."""
        return {
            "status": {each.value: self._having((each,), self.severities) for each in statuses},
            "severity": {each.value: self._having(self.statuses, (each,)) for each in Severity},
        }

    def _having(self, statuses: Collection[S], severities: Collection[Severity]) -> int:
        return sum(
            count
            for (status, severity), count in self.counted.items()
            if (not statuses or status in statuses) and (not severities or severity in severities)
        )
