"""When a call is tried again, and how long is waited before: longer each time, and never in step with other clients."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass.client.errors import ServerError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanglass.client.errors import ClientError

#: Answers of the server that another attempt does not change.
_FINAL = frozenset({501, 505, 507})


@dataclass(frozen=True, slots=True)
class Retrying:
    """``attempts`` in all; before the second one up to ``first_s`` seconds are waited, then up to twice as long.

    A wait is a random part of that (full jitter), so that clients which lost one server do not come back together. What
    the server asks for (``Retry-After``) is waited at least, up to ``longest_s``.
    """

    attempts: int = 4
    first_s: float = 0.25
    longest_s: float = 8.0
    random: Callable[[], float] = random.random

    def wait_s(self, error: ClientError, tried: int, asked_s: float = 0.0) -> float | None:
        """How long to wait before the next attempt, after ``tried`` of them; None when there is none."""
        if tried >= self.attempts or not _is_passing(error):
            return None
        most_s = min(self.first_s * 2.0 ** (tried - 1), self.longest_s)
        return min(max(self.random() * most_s, asked_s), self.longest_s)


def _is_passing(error: ClientError) -> bool:
    """Whether another attempt may end otherwise."""
    if isinstance(error, ServerError):
        return error.status not in _FINAL
    return isinstance(error, UnreachableError)
