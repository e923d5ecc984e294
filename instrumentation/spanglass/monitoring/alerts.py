"""Alerts of an application, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from spanglass_core.alerting.lifecycle import OPEN, Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass.errors import NotificationError
    from spanglass_core.alerting.severity import Severity

__all__ = ["Alert", "AlertEntry", "Delivery", "Processed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alert at one moment. Times are nanoseconds since 1970, 0 where there is none.

    ``count`` is how often it was raised while it was open; ``priority`` goes from 0 to 100; ``server_id`` is its id on
    the server, "" while that has none.
    """

    id: str
    title: str
    severity: Severity
    fingerprint: str
    alert_type: str = "threshold"
    status: Status = Status.ACTIVE
    rule: str = ""
    description: str = ""
    source: str = "application"
    labels: Mapping[str, str] = field(default_factory=dict)
    value: float | None = None
    unit: str = ""
    count: int = 1
    priority: int = 0
    channels: tuple[str, ...] = ()
    runbook: str = ""
    owner: str = ""
    created_ns: int = 0
    updated_ns: int = 0
    resolved_ns: int = 0
    resolved_by: str = ""
    server_id: str = ""

    @property
    def is_open(self) -> bool:
        """Whether it is active or acknowledged."""
        return self.status in OPEN

    def as_dict(self) -> dict[str, Any]:
        """The alert as JSON has it."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return values | {"labels": dict(self.labels), "channels": list(self.channels)}


@dataclass(frozen=True, slots=True)
class AlertEntry:
    """A row of history.

    ``kind``: fired, raised, lowered, counted, resolved, acknowledged, reopened, dismissed, delivered, not_delivered.
    """

    time_ns: int
    alert_id: str
    kind: str
    by: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One attempt to tell somebody: a ``handler``, a ``channel``, or the ``server``. ``error`` is None if it worked."""

    to: str
    name: str
    duration_s: float
    error: NotificationError | None = None


@dataclass(frozen=True, slots=True)
class Processed:
    """What processing an alert led to; nothing at all for one that was processed as it stands before."""

    alert: Alert
    deliveries: tuple[Delivery, ...] = ()

    @property
    def errors(self) -> tuple[NotificationError, ...]:
        """Why it did not get through, where it did not."""
        return tuple(each.error for each in self.deliveries if each.error is not None)

    def raise_for_errors(self) -> None:
        """Raise the first of the errors, if there is one."""
        if self.errors:
            raise self.errors[0]
