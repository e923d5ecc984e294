"""How a delivery stands by what is logged of it; pure, the same for every store."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from spanglass_server.notifications.model import State

if TYPE_CHECKING:
    from spanglass_server.notifications.ports import Tried


@dataclass(frozen=True, slots=True)
class Standing:
    """What changes of a delivery; the fields are those of ``Delivery``."""

    state: State
    attempts: int
    next_ns: int
    done_ns: int
    error: str
    reference: str
    begun_ns: int


def after(before: Standing, tried: Tried) -> Standing:
    """How it stands after an attempt, or after it ended without one."""
    attempt, waits = tried.attempt, tried.state is State.WAITING
    next_ns = tried.next_ns if waits else 0
    if attempt is None:
        done_ns = 0 if waits else tried.done_ns
        return replace(before, state=tried.state, next_ns=next_ns, done_ns=done_ns, error=tried.error)
    return Standing(
        state=tried.state,
        attempts=max(before.attempts, attempt.number),
        next_ns=next_ns,
        done_ns=0 if waits else attempt.started_ns + attempt.latency_ns,
        error=attempt.outcome.error,
        reference=attempt.outcome.reference or before.reference,
        begun_ns=before.begun_ns or attempt.started_ns,
    )


def again(before: Standing, now_ns: int) -> Standing:
    """How it stands when it is tried anew; ``ValueError`` if there is nothing to try."""
    if before.state is State.SENT:
        raise ValueError("it is delivered: only deliveries that failed, wait or were told in a digest are tried again")
    return replace(before, state=State.WAITING, next_ns=now_ns, done_ns=0, begun_ns=0)
