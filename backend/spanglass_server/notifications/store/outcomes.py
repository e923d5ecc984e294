"""How a delivery stands by what is logged of it; pure, the same for every store."""

from __future__ import annotations

from dataclasses import dataclass
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


def after(attempts: int, reference: str, tried: Tried) -> Standing:
    """How it stands after an attempt, or after it ended without one; attempts and reference are those before."""
    attempt = tried.attempt
    next_ns = tried.next_ns if tried.state is State.WAITING else 0
    if attempt is None:
        return Standing(tried.state, attempts, next_ns, 0 if next_ns else tried.done_ns, tried.error, reference)
    return Standing(
        tried.state,
        max(attempts, attempt.number),
        next_ns,
        0 if tried.state is State.WAITING else attempt.started_ns + attempt.latency_ns,
        attempt.outcome.error,
        attempt.outcome.reference or reference,
    )


def again(before: Standing, now_ns: int) -> Standing:
    """How it stands when it is tried anew; ``ValueError`` if there is nothing to try."""
    if before.state is State.SENT:
        raise ValueError("it is delivered: only deliveries that failed, wait or were told in a digest are tried again")
    return Standing(State.WAITING, before.attempts, now_ns, 0, before.error, before.reference)
