"""What objectives ask of others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from spanglass_server.slo.counting.minutes import Minutes


class CheckTimes(Protocol):
    """How long health checks were up and down."""

    def minutes(self, uid: str, first: int, last: int) -> Minutes:
        """Of each minute from ``first`` to before ``last`` the part that a check's status is known, and it was down."""
