"""Which segments somebody has asked for lately: only of these are columns worth keeping."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spanglass_server.store.part_cache import PartCache
    from spanglass_server.store.segments import Segment

#: Reading columns of more rows to keep them takes up to twice the time of a statement. Only who asks again gains by it.
_NEW_ROWS: Final = 250_000
_BYTES_A_KEY: Final = 200
_ASKED: Final = True


def are_asked_first(segments: Iterable[Segment], kept: PartCache) -> bool:
    """Whether many rows lie in segments that nobody has asked for lately; from now on somebody has."""
    new = [each for each in segments if not kept.has(("row groups", each.key)) and not kept.get(("asked", each.key))]
    if sum(each.rows for each in new) <= _NEW_ROWS:
        return False
    for each in new:
        kept.put(("asked", each.key), _ASKED, _BYTES_A_KEY)
    return True
