"""A span as the tree of its trace sees it, and its place there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence


class Span(NamedTuple):
    """What the tree needs to know of a span; a tuple, as a hundred thousand are made at once.

    ``clock`` names whose clock measured it: a host, else a service.
    ``kind`` is one of ``internal``, ``client``, ``server``, ``producer``, ``consumer`` and ``unspecified``.
    """

    span_id: bytes
    parent_id: bytes | None
    clock: str
    start_ns: int
    duration_ns: int
    service: str = ""
    kind: str = "internal"
    failed: bool = False
    first_event_ns: int | None = None  # only needed of spans whose start is unknown


@dataclass(slots=True, eq=False)
class Node:
    """A span's place in the tree. ``index`` counts in the spans given; times have the clock skew taken out."""

    index: int
    span: Span
    start_ns: int
    duration_ns: int = 0  # the span's own, but for one whose start is unknown
    depth: int = 0
    orphan: bool = False  # its parent has not arrived, or is one of its own descendants
    skew_ns: int = 0  # what was added to the span's own start
    start_unknown: bool = False  # it was placed where its parent begins
    awaited: bool = True  # whether its parent waited for it: not for the consumer of a message
    self_time_ns: int = 0
    #: When the trace waited for this span itself: (start, end) pairs, the earliest first.
    critical: Sequence[tuple[int, int]] = ()
    parent: Node | None = field(default=None, repr=False)
    children: list[Node] = field(default_factory=list, repr=False)

    @property
    def end_ns(self) -> int:
        """When the span ended."""
        return self.start_ns + self.duration_ns
