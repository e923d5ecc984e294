"""What the tree needs of the spans of a trace as arrays, and the tree as one list a field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from spanglass_core.traces.trace_nodes import Span

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

    from spanglass_core.traces.trace_tree import Tree

    Numbers = np.ndarray[Any, np.dtype[np.int64]]
    Flags = np.ndarray[Any, np.dtype[np.bool_]]
    Ids = np.ndarray[Any, np.dtype[np.uint64]]

#: Bytes of a span's id.
ID_BYTES = 8


@dataclass(frozen=True, slots=True)
class SpanLists:
    """The spans of a trace as one list a field, in any order: those of ``spanglass_core.traces.trace_nodes.Span``."""

    ids: Sequence[bytes]
    parent_ids: Sequence[bytes | None]
    clocks: Sequence[str]
    starts_ns: Sequence[int]
    durations_ns: Sequence[int]
    services: Sequence[str]
    kinds: Sequence[str]
    failed: Sequence[bool]
    first_events_ns: Sequence[int | None]

    @classmethod
    def of(cls, spans: Sequence[Span]) -> SpanLists:
        """Make lists of spans."""
        fields = [[*field] for field in zip(*spans, strict=True)] or [[] for _ in Span._fields]
        ids, parent_ids, clocks, starts_ns, durations_ns, services, kinds, failed, first_events_ns = fields
        return cls(ids, parent_ids, clocks, starts_ns, durations_ns, services, kinds, failed, first_events_ns)

    def taken(self, places: Sequence[int]) -> SpanLists:
        """Return the spans of some places, in their order."""
        return SpanLists.of(self.spans(places))

    def spans(self, places: Iterable[int] | None = None) -> list[Span]:
        """Make spans of some places, or of all."""
        fields = (self.ids, self.parent_ids, self.clocks, self.starts_ns, self.durations_ns, self.services, self.kinds,
                  self.failed, self.first_events_ns)  # fmt: skip
        if places is None:
            return [*map(Span, *fields)]
        return [Span(*(field[place] for field in fields)) for place in places]  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class SpanArrays:
    """Spans of a trace as arrays. Clocks, services and kinds are numbers; those of services and kinds sort as their
    names do, and ids, whose bytes are read as one number, as their bytes.
    """  # noqa: D205 - one sentence

    ids: Ids
    parent_ids: Ids
    has_parent: Flags
    clocks: Numbers
    start_ns: Numbers
    duration_ns: Numbers
    services: Numbers
    kinds: Numbers
    failed: Flags
    kind_names: Sequence[str]

    @classmethod
    def of(cls, spans: SpanLists) -> SpanArrays | None:
        """Make arrays of lists; None if an id is not of 8 bytes."""
        none = bytes(ID_BYTES)
        parent_ids = [one or none for one in spans.parent_ids]
        if not set(map(len, spans.ids)) | set(map(len, parent_ids)) <= {ID_BYTES}:
            return None
        kinds, kind_names = _ranked(spans.kinds)
        return cls(
            ids=_ids(spans.ids),
            parent_ids=_ids(parent_ids),
            has_parent=np.array([one is not None for one in spans.parent_ids]),
            clocks=_ranked(spans.clocks)[0],
            start_ns=np.array(spans.starts_ns, dtype=np.int64),
            duration_ns=np.array(spans.durations_ns, dtype=np.int64),
            services=_ranked(spans.services)[0],
            kinds=kinds,
            failed=np.array(spans.failed, dtype=np.bool_),
            kind_names=kind_names,
        )

    def taken(self, places: Numbers) -> SpanArrays:
        """Return the spans of some places, in their order."""
        return SpanArrays(
            self.ids[places],
            self.parent_ids[places],
            self.has_parent[places],
            self.clocks[places],
            self.start_ns[places],
            self.duration_ns[places],
            self.services[places],
            self.kinds[places],
            self.failed[places],
            self.kind_names,
        )

    def is_kind(self, name: str) -> Flags:
        """Which spans are of a kind."""
        number = self.kind_names.index(name) if name in self.kind_names else -1
        found: Flags = self.kinds == number
        return found


@dataclass(frozen=True, slots=True)
class TreeLists:
    """The tree of a trace as one list a field, depth first; its fields are those of ``Node`` and ``Tree``.

    ``index`` counts in the spans given, ``parent`` in this order, -1 for those at the top; ``children`` are counted.
    """

    index: Sequence[int]
    parent: Sequence[int]
    depth: Sequence[int]
    start_ns: Sequence[int]
    duration_ns: Sequence[int]
    self_time_ns: Sequence[int]
    critical: Sequence[Sequence[tuple[int, int]]]
    awaited: Sequence[bool]
    skew_ns: Sequence[int]
    start_unknown: Sequence[bool]
    orphan: Sequence[bool]
    children: Sequence[int]
    warnings: Sequence[str]
    begin_ns: int
    length_ns: int

    @classmethod
    def of(cls, tree: Tree) -> TreeLists:
        """Write a tree of nodes so."""
        nodes = tree.nodes
        places = {node: place for place, node in enumerate(nodes)}
        return cls(
            index=[node.index for node in nodes],
            parent=[-1 if node.parent is None else places[node.parent] for node in nodes],
            depth=[node.depth for node in nodes],
            start_ns=[node.start_ns for node in nodes],
            duration_ns=[node.duration_ns for node in nodes],
            self_time_ns=[node.self_time_ns for node in nodes],
            critical=[node.critical for node in nodes],
            awaited=[node.awaited for node in nodes],
            skew_ns=[node.skew_ns for node in nodes],
            start_unknown=[node.start_unknown for node in nodes],
            orphan=[node.orphan for node in nodes],
            children=[len(node.children) for node in nodes],
            warnings=tree.warnings,
            begin_ns=tree.start_ns,
            length_ns=tree.duration_ns,
        )


def numbered(values: Sequence[Hashable]) -> tuple[list[int], list[Any]]:
    """Number values in the order in which they first come: the number of each, and the values."""
    numbers = {value: number for number, value in enumerate(dict.fromkeys(values))}
    return [*map(numbers.__getitem__, values)], [*numbers]


def _ranked(texts: Sequence[str]) -> tuple[Numbers, list[str]]:
    """Number texts as they sort: the number of each, and the texts."""
    numbers, names = numbered(texts)
    ranked = sorted(names)
    rank = {name: place for place, name in enumerate(ranked)}
    return np.array([rank[name] for name in names], dtype=np.int64)[numbers], ranked


def _ids(ids: Iterable[bytes]) -> Ids:
    return np.frombuffer(b"".join(ids), dtype=">u8").astype(np.uint64)
