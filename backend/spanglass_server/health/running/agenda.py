"""When each check is due: at its own place within its interval, so that they are spread and keep their places."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(slots=True)
class _Place:
    """Where a check stands. ``number`` is that of its entry in the heap which counts."""

    interval_ns: int
    phase_ns: int
    due_ns: int
    number: int


class Agenda:
    """Checks by uid with their intervals, on a clock that never goes back."""

    def __init__(self) -> None:
        self._places: dict[str, _Place] = {}
        self._heap: list[tuple[int, int, str]] = []
        self._number = 0

    def sync(self, intervals_ns: Mapping[str, int], now_ns: int) -> None:
        """Take these checks with their intervals; those that are new, or have another interval, get a place."""
        for uid in [uid for uid in self._places if uid not in intervals_ns]:
            del self._places[uid]
        for uid, interval_ns in intervals_ns.items():
            place = self._places.get(uid)
            if place is None or place.interval_ns != interval_ns:
                self._places[uid] = _Place(interval_ns, _phase_ns(uid, interval_ns), 0, 0)
                self.at(uid, self.following_ns(uid, now_ns))

    def following_ns(self, uid: str, after_ns: int) -> int:
        """The next time of a check on its grid."""
        place = self._places[uid]
        behind_ns = (after_ns - place.phase_ns) % place.interval_ns
        return after_ns - behind_ns + place.interval_ns

    def at(self, uid: str, due_ns: int) -> None:
        """Have a check due at a time, in the place of the one that it had; nothing for one that is gone."""
        place = self._places.get(uid)
        if place is None:
            return
        self._number += 1
        place.due_ns, place.number = due_ns, self._number
        heapq.heappush(self._heap, (due_ns, self._number, uid))

    def due(self, now_ns: int) -> Iterator[tuple[str, int]]:
        """Take what is due by now, each with the time it was due; it is not due again before ``at``."""
        while self._heap and self._heap[0][0] <= now_ns:
            due_ns, number, uid = heapq.heappop(self._heap)
            place = self._places.get(uid)
            if place is not None and place.number == number:
                yield uid, due_ns

    def next_ns(self) -> int | None:
        """When something is due next, None if nothing is."""
        while self._heap:
            due_ns, number, uid = self._heap[0]
            place = self._places.get(uid)
            if place is not None and place.number == number:
                return due_ns
            heapq.heappop(self._heap)
        return None

    def due_ns(self, uid: str) -> int:
        """When a check is due, 0 for one that is not here."""
        place = self._places.get(uid)
        return place.due_ns if place is not None else 0


def _phase_ns(uid: str, interval_ns: int) -> int:
    """Where in its interval a check stands: the same after every start."""
    return int.from_bytes(blake2b(uid.encode(), digest_size=8).digest()) % interval_ns
