"""An escalation as it runs: how far it is, whom it has told, and whom it tells when their quiet hours end."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from spanglass_server.notifications.people.model import Recipient

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass_server.notifications.people.model import Escalation


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """The row of one escalation, by the key of its group. ``step`` is the next one of the ``round``, both from 0.

    ``since_ns`` is where the times of the steps count from: it moves by as long as the alerts were muted, and
    with every round. ``paused_ns`` is since when they are, 0 if they are not.
    """

    key: str
    escalation: str
    begun_ns: int
    since_ns: int
    round: int = 0
    step: int = 0
    told: tuple[Recipient, ...] = ()
    held: tuple[Recipient, ...] = ()
    alert_ids: tuple[str, ...] = ()
    acknowledged: bool = False
    paused_ns: int = 0

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Running:
        """Read a row."""
        lists = {name: tuple(Recipient(**_recipient(each)) for each in row[name]) for name in ("told", "held")}
        return cls(**{**row, **lists, "alert_ids": tuple(row["alert_ids"])})

    def row(self) -> dict[str, Any]:
        """Write a row: what JSON can hold."""
        return asdict(self)


def _recipient(raw: Mapping[str, Any]) -> dict[str, Any]:
    return {**raw, "addresses": tuple(raw["addresses"])}


def next_ns(running: Running, policy: Escalation) -> int:
    """When the next step is due, 0 if there is none: it is the last one, or somebody has acknowledged."""
    if running.acknowledged or running.paused_ns:
        return 0
    if running.step < len(policy.steps):
        return running.since_ns + policy.steps[running.step].after_ns
    if running.round < policy.repeat:
        return running.since_ns + policy.steps[-1].after_ns + policy.repeat_every_ns
    return 0
