"""A span as the tree of its trace sees it, and its place there."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Span:
    """What the tree needs to know of a span. ``clock`` names whose clock measured it: a host, else a service.

    ``kind`` is one of ``internal``, ``client``, ``server``, ``producer``, ``consumer`` and ``unspecified``.
    """

    span_id: bytes
    parent_id: bytes | None
    clock: str
    start_ns: int
    duration_ns: int
    asynchronous: bool = False  # a consumer of messages: it may rightly run after its parent has ended
    service: str = ""
    kind: str = "internal"


@dataclass(slots=True, eq=False)
class Node:
    """A span's place in the tree. ``index`` counts in the spans given; ``start_ns`` has the clock skew taken out."""

    index: int
    span: Span
    start_ns: int
    depth: int = 0
    orphan: bool = False  # its parent has not arrived, or is one of its own descendants
    skew_ns: int = 0  # what was added to the span's own start
    self_time_ns: int = 0
    parent: Node | None = field(default=None, repr=False)
    children: list[Node] = field(default_factory=list, repr=False)

    @property
    def end_ns(self) -> int:
        """When the span ended, with the clock skew taken out."""
        return self.start_ns + self.span.duration_ns
