"""When a message that did not arrive is tried again, and when it is given up; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from spanglass_server.notifications.model import Attempt, Channel, Delivery, Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrying:
    """How long a message is tried, and the pauses between: they double from ``first_ns`` up to ``most_ns``.

    ``jitter`` is the share by which a pause is longer or shorter, so that a sink that is back is not met by all at
    once. Over a channel that has a fallback a message is tried for ``fallback_after_ns``.
    """

    for_ns: int
    fallback_after_ns: int
    first_ns: int = 2 * NS_PER_SECOND
    most_ns: int = 120 * NS_PER_SECOND
    jitter: float = 0.2

    def pause_ns(self, attempts: int, outcome: Outcome, chance: float) -> int:
        """The pause after so many attempts, the first being 1; ``chance`` from 0 to 1. At least what the sink wants."""
        doubled_ns = min(self.first_ns * 2 ** min(attempts - 1, 30), self.most_ns)
        wanted_ns = int(outcome.retry_after_s * NS_PER_SECOND)
        return max(int(doubled_ns * (1 + self.jitter * (2 * chance - 1))), wanted_ns)

    def end_ns(self, delivery: Delivery, channel: Channel, now_ns: int) -> int:
        """Until when it is tried: with a fallback from the decision on, else from the first attempt on.

        What waited while the server was down is so tried as long as anything else, and what waits behind many others
        at a sink that hangs is told over the fallback in time.
        """
        notification = delivery.notification
        if channel.fallback:
            return max(notification.created_ns, notification.not_before_ns) + self.fallback_after_ns
        return (delivery.begun_ns or now_ns) + self.for_ns

    def next_ns(self, delivery: Delivery, channel: Channel, attempt: Attempt, chance: float) -> int:
        """When the next attempt is due after this one; 0: it is given up."""
        if not attempt.outcome.retryable:
            return 0
        ended_ns = attempt.started_ns + attempt.latency_ns
        next_ns = ended_ns + self.pause_ns(attempt.number, attempt.outcome, chance)
        return next_ns if next_ns <= self.end_ns(delivery, channel, attempt.started_ns) else 0
