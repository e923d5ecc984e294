"""What people and rules do with an alert: active, acknowledged, resolved, dismissed, and which change is legal."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """The status of an alert."""

    ACTIVE = "active"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    DISMISSED = "dismissed"


#: Which status may follow which. Resolved and dismissed alerts are over: what comes next is a new alert.
LEGAL: dict[Status, frozenset[Status]] = {
    Status.ACTIVE: frozenset({Status.ACKNOWLEDGED, Status.RESOLVED, Status.DISMISSED}),
    Status.ACKNOWLEDGED: frozenset({Status.ACTIVE, Status.RESOLVED, Status.DISMISSED}),
    Status.RESOLVED: frozenset(),
    Status.DISMISSED: frozenset(),
}
OPEN = frozenset({Status.ACTIVE, Status.ACKNOWLEDGED})


class IllegalChangeError(ValueError):
    """A status that can't follow the present one; the message says which can."""

    def __init__(self, before: Status, after: Status) -> None:
        possible = ", ".join(sorted(LEGAL[before])) or "none: it is over, and a new alert comes if it happens again"
        super().__init__(f"an alert that is {before} can't become {after}; possible: {possible}")
        self.before = before
        self.after = after


def change(before: Status, after: Status) -> Status:
    """The status after a change; raises ``IllegalChangeError``."""
    if after not in LEGAL[before]:
        raise IllegalChangeError(before, after)
    return after
