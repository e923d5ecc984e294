"""What objectives ask of others, and errors about keeping them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from spanglass_server.slo.counting.minutes import Minutes


class CheckTimes(Protocol):
    """How long health checks were up and down."""

    def minutes(self, uid: str, first: int, last: int) -> Minutes:
        """Of each minute from ``first`` to before ``last`` the part that a check's status is known, and it was down."""


class SloConflictError(Exception):
    """An objective has another version than the one that was changed; ``current`` is "" for one that is gone."""

    def __init__(self, uid: str, current: str) -> None:
        super().__init__(f"the objective {uid!r} was changed in the meantime" if current else f"{uid!r} was deleted")
        self.uid = uid
        self.current = current


class TooManySlosError(Exception):
    """There are as many objectives as a server may have; a new one would not count."""

    def __init__(self, most: int) -> None:
        super().__init__(f"there are {most} objectives, and no more can be kept")


class SloElsewhereError(Exception):
    """An objective stands in a file, and is changed there."""

    def __init__(self, uid: str, file: str) -> None:
        super().__init__(f"the objective {uid!r} stands in {file}, and is changed there")
        self.uid = uid
        self.file = file
