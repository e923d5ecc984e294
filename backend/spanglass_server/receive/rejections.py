"""What was rejected or refused lately, in words: most exporters do not show their users what a receiver answered."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanglass_server.signals import Signal

#: Different rejections that are remembered; the one that was repeated longest ago goes first.
CAPACITY: Final = 50
#: Texts are cut here: senders may put anything into a header, and a message may quote them.
MESSAGE_CHARACTERS: Final = 500
SENDER_CHARACTERS: Final = 120
#: The reason of records left out of a request that was stored; a refused one has a value of ``receive.status.Reason``.
PARTIAL: Final = "partial"

_NUMBER: Final = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sent a request, by what it says of itself (User-Agent) and by where it comes from; empty if unknown."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Rejection:
    """A request refused whole, or records left out of one. ``records`` is 0 where the whole request was refused.

    With ``retryable`` the sender was told to come back, otherwise what it sent is lost.
    """

    signal: Signal
    transport: str
    reason: str
    message: str
    sender: Sender
    records: int = 0
    retryable: bool = False


@dataclass(frozen=True, slots=True)
class Repeated:
    """One rejection, how often it came, when first and last (nanoseconds since 1970), and the records of all times."""

    rejection: Rejection
    times: int
    first_ns: int
    last_ns: int


class Rejections:
    """A bounded memory of rejections for any thread; those alike are kept once, with the latest message."""

    def __init__(self, clock_ns: Callable[[], int], capacity: int = CAPACITY) -> None:
        self._clock_ns = clock_ns
        self._capacity = capacity
        self._lock = threading.Lock()
        self._entries: OrderedDict[Rejection, Repeated] = OrderedDict()

    def add(self, rejection: Rejection) -> None:
        """Remember a rejection; texts that are too long are cut."""
        sender = replace(rejection.sender, name=rejection.sender.name[:SENDER_CHARACTERS])
        cut = replace(rejection, message=rejection.message[:MESSAGE_CHARACTERS], sender=sender)
        # the same fault in batches of other sizes is the same: numbers do not tell rejections apart
        key = replace(cut, records=0, message=_NUMBER.sub("#", cut.message))
        now_ns = self._clock_ns()
        with self._lock:
            known = self._entries.pop(key, None)
            if known is None:
                self._entries[key] = Repeated(cut, 1, now_ns, now_ns)
            else:
                together = replace(cut, records=known.rejection.records + cut.records)
                self._entries[key] = Repeated(together, known.times + 1, known.first_ns, now_ns)
            if len(self._entries) > self._capacity:
                self._entries.popitem(last=False)

    def newest(self) -> list[Repeated]:
        """Return what is remembered, that of the latest time first."""
        with self._lock:
            return list(reversed(self._entries.values()))
