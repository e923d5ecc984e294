"""What was delivered in part: to which recipients of a notification a message went already."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_MOST = 1_000


class Recipients:
    """Remembers, for as long as the process lives, who got a notification, so that another attempt leaves them out."""

    def __init__(self) -> None:
        self._done: OrderedDict[str, set[str]] = OrderedDict()

    def left(self, notification_id: str, recipients: Sequence[str]) -> list[str]:
        """Those who have not got it."""
        done = self._done.get(notification_id, set())
        return [each for each in dict.fromkeys(recipients) if each not in done]

    def add(self, notification_id: str, recipients: Iterable[str]) -> None:
        """Note who got it."""
        self._done.setdefault(notification_id, set()).update(recipients)
        self._done.move_to_end(notification_id)
        while len(self._done) > _MOST:
            self._done.popitem(last=False)
