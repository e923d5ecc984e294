"""What people and alerts do with an incident: open, acknowledged, recovered, resolved, dismissed."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """The status of an incident."""

    OPEN = "open"  # nobody has said that they see to it
    ACKNOWLEDGED = "acknowledged"
    RECOVERED = "recovered"  # its effects have ended; it is watched until it is resolved
    RESOLVED = "resolved"
    DISMISSED = "dismissed"  # it was none: it counts in no figure


#: Which status may follow which. One that is over may be opened again: its story goes on.
LEGAL: dict[Status, frozenset[Status]] = {
    Status.OPEN: frozenset({Status.ACKNOWLEDGED, Status.RECOVERED, Status.RESOLVED, Status.DISMISSED}),
    Status.ACKNOWLEDGED: frozenset({Status.OPEN, Status.RECOVERED, Status.RESOLVED, Status.DISMISSED}),
    Status.RECOVERED: frozenset({Status.OPEN, Status.ACKNOWLEDGED, Status.RESOLVED, Status.DISMISSED}),
    Status.RESOLVED: frozenset({Status.OPEN}),
    Status.DISMISSED: frozenset({Status.OPEN}),
}
#: Those that are not over.
LIVE = frozenset({Status.OPEN, Status.ACKNOWLEDGED, Status.RECOVERED})


class IllegalChangeError(ValueError):
    """A status that can't follow the present one; the message says which can."""

    def __init__(self, before: Status, after: Status) -> None:
        possible = ", ".join(sorted(LEGAL[before]))
        super().__init__(f"an incident that is {before} can't become {after}; possible: {possible}")
        self.before = before
        self.after = after


def change(before: Status, after: Status) -> Status:
    """The status after a change; raises ``IllegalChangeError``."""
    if after not in LEGAL[before]:
        raise IllegalChangeError(before, after)
    return after
