"""Requests of one operation as one tree: calls at the same place of their traces are folded into one.

A place is the path of services, operations and kinds from the request down to the call. Two hundred statements of a
loop are one place that is called two hundred times a request.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from spanglass_core.traces.trace_nodes import Node


@dataclass(frozen=True, slots=True)
class Request:
    """One request: its span in the tree of its trace, and the names of the trace's spans by their index there.

    ``is_usual`` and ``is_slow`` say for which figures it counts: one that was chosen twice counts for both.
    """

    root: Node
    names: Sequence[str]
    is_usual: bool = True
    is_slow: bool = False


@dataclass(slots=True)
class _Sums:
    """What is added up of the calls of a place, of the usual or the slow requests."""

    durations_ns: list[int] = field(default_factory=list)
    self_ns: int = 0
    failed: int = 0
    requests: int = 0


@dataclass(slots=True)
class _Place:
    """A place while it is filled."""

    name: tuple[str, str, str]
    usual: _Sums = field(default_factory=_Sums)
    slow: _Sums = field(default_factory=_Sums)
    children: dict[tuple[str, str, str], _Place] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Figures:
    """The calls of a place: of all requests together ``calls`` and ``failed``, the share of requests that make any.

    ``total_ns`` and ``self_ns`` are of an average request, percentiles of a single call, None without any.
    """

    calls: int
    failed: int
    share: float
    total_ns: float
    self_ns: float
    p50_ns: int | None
    p95_ns: int | None


@dataclass(frozen=True, slots=True)
class Place:
    """A place of the folded tree; ``parent`` is where that stands in the list of all, -1 for the request itself.

    ``slower_ns`` is by how much more time a slow request spends here itself.
    """

    service: str
    operation: str
    kind: str
    depth: int
    parent: int
    usual: Figures
    slow: Figures
    slower_ns: float


@dataclass(frozen=True, slots=True)
class FoldedTree:
    """All places, depth first, those that took most time first among siblings; and how many requests they are of."""

    places: Sequence[Place]
    usual: int
    slow: int


def fold(requests: Iterable[Request], most_places: int = 300) -> FoldedTree:
    """Fold requests; beyond ``most_places`` the places of least time are left out."""
    top: dict[tuple[str, str, str], _Place] = {}
    usual = slow = 0
    for request in requests:
        usual, slow = usual + request.is_usual, slow + request.is_slow
        _add(top, request)
    kept = _largest(top.values(), most_places)
    return FoldedTree(list(_listed(top.values(), kept, usual, slow)), usual, slow)


def _add(top: dict[tuple[str, str, str], _Place], request: Request) -> None:
    """Add a request's calls. Nothing recurses: chains of 10 000 calls exist."""
    seen: dict[int, _Place] = {}
    todo: list[tuple[Node, dict[tuple[str, str, str], _Place]]] = [(request.root, top)]
    while todo:
        node, siblings = todo.pop()
        name = node.span.service, request.names[node.index], node.span.kind
        place = siblings.setdefault(name, _Place(name))
        for sums in ([place.usual] if request.is_usual else []) + ([place.slow] if request.is_slow else []):
            sums.durations_ns.append(node.duration_ns)
            sums.self_ns += node.self_time_ns
            sums.failed += node.span.failed
            sums.requests += id(place) not in seen
        seen[id(place)] = place
        todo += [(child, place.children) for child in node.children]


def _largest(top: Iterable[_Place], most: int) -> set[int]:
    """Return which places are shown, by identity: requests, and the calls of most time with what they hang from."""
    parents: dict[int, int] = {}
    found: list[tuple[int, int]] = []
    todo = [(place, 0) for place in top]
    while todo:
        place, parent = todo.pop()
        parents[id(place)] = parent
        found.append((sum(place.usual.durations_ns) + sum(place.slow.durations_ns), id(place)))
        todo += [(child, id(place)) for child in place.children.values()]
    found.sort(reverse=True)
    kept = {place_id for place_id, parent in parents.items() if not parent}
    for _, place_id in found:
        chain, at = [], place_id
        while at and at not in kept:
            chain.append(at)
            at = parents[at]
        if len(kept) + len(chain) <= most:
            kept.update(chain)
    return kept


def _listed(top: Iterable[_Place], kept: set[int], usual: int, slow: int) -> Iterator[Place]:
    """List places depth first."""
    count = 0
    todo = [(place, 0, -1) for place in sorted(top, key=_least_first) if id(place) in kept]
    while todo:
        place, depth, parent = todo.pop()
        figures = _figures(place.usual, usual), _figures(place.slow, slow)
        slower_ns = figures[1].self_ns - figures[0].self_ns if usual and slow else 0.0
        yield Place(*place.name, depth, parent, *figures, slower_ns)
        children = [child for child in place.children.values() if id(child) in kept]
        todo += [(child, depth + 1, count) for child in sorted(children, key=_least_first)]
        count += 1


def _least_first(place: _Place) -> tuple[int, tuple[str, str, str]]:
    return sum(place.usual.durations_ns) + sum(place.slow.durations_ns), place.name


def _figures(sums: _Sums, requests: int) -> Figures:
    durations = sorted(sums.durations_ns)
    return Figures(
        calls=len(durations),
        failed=sums.failed,
        share=sums.requests / requests if requests else 0.0,
        total_ns=sum(durations) / requests if requests else 0.0,
        self_ns=sums.self_ns / requests if requests else 0.0,
        p50_ns=quantile(durations, 0.5),
        p95_ns=quantile(durations, 0.95),
    )


def quantile(rising: Sequence[int], share: float) -> int | None:
    """Return the value below which a share of the values lies; None of none."""
    return rising[min(len(rising) - 1, int(share * len(rising)))] if rising else None
