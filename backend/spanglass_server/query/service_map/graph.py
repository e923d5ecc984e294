"""From measured calls to a graph: what is called is a service, a database, a queue, or something outside. Pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from spanglass_server.query.service_map.distribution import Figures, joined
from spanglass_server.query.service_map.measuring import CONSUMER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from spanglass_server.query.service_map.answers import NodeKind
    from spanglass_server.query.service_map.measuring import Measured, Named, Served

_USUAL_PORTS = frozenset({"", "80", "443"})


class Node(NamedTuple):
    """A node: what it is, what it is called, and for databases and queues their system."""

    kind: NodeKind
    name: str
    system: str = ""

    @property
    def id(self) -> str:
        """What no other node is called."""
        return ":".join(part for part in (self.kind, self.system, self.name) if part)


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes and edges with their figures."""

    nodes: Mapping[Node, Figures]
    edges: Mapping[tuple[Node, Node], Figures]

    def only(self, kept: Iterable[Node]) -> Graph:
        """The part of some nodes, with the edges between them."""
        inside = frozenset(kept)
        edges = {ends: found for ends, found in self.edges.items() if inside.issuperset(ends)}
        return Graph({node: found for node, found in self.nodes.items() if node in inside}, edges)

    def busiest(self, count: int) -> Graph:
        """The nodes with the most calls."""
        return self.only(sorted(self.nodes, key=lambda node: (-self.nodes[node].calls, node))[:count])

    def around(self, service: str, hops: int) -> Graph:
        """A service with what calls it, directly or by others, and what it calls, so many calls away."""
        center = Node("service", service)
        kept = {center}
        for ends in (((caller, callee) for caller, callee in self.edges), ((b, a) for a, b in self.edges)):
            following: dict[Node, set[Node]] = defaultdict(set)
            for one, other in ends:
                following[one].add(other)
            reached, edge = {center}, {center}
            for _ in range(hops):
                edge = {other for one in edge for other in following[one]} - reached
                reached |= edge
            kept |= reached
        return self.only(kept)


def graph_of(measured: Measured) -> Graph:
    """The graph of what was measured."""
    edges: dict[tuple[Node, Node], list[Figures]] = defaultdict(list)
    for ends, found in _edges(measured):
        edges[ends].append(found)
    by_ends = {ends: joined(parts) for ends, parts in edges.items()}
    nodes = {Node("service", name): found for name, found in measured.services.items()}
    called: dict[Node, list[Figures]] = defaultdict(list)
    for (caller, callee), found in by_ends.items():
        nodes.setdefault(caller, Figures())
        called[callee].append(found)
    for node, parts in called.items():
        if node.kind != "service" or node not in nodes:
            nodes[node] = joined(parts)
    return Graph(nodes, by_ends)


def _edges(measured: Measured) -> Iterator[tuple[tuple[Node, Node], Figures]]:
    known = frozenset(measured.services)
    for name, found in measured.calls.items():
        own = Node("service", name.service)
        if name.kind == CONSUMER:
            yield from (((queue, own), found) for queue in _queues(name))
            continue
        callees = {} if name.queue or name.system else measured.callees.get(name, {})
        served = _split(found, callees) if callees else [(other, found) for other in _named(name, known)]
        yield from (((own, other), part) for other, part in served)
    for name, callees in measured.callees.items():
        if not name.kind:  # no client span tells of these
            parts = ((Node("service", to), served.matching) for to, served in callees.items())
            yield from (((Node("service", name.service), to), part) for to, part in parts if part.calls)


def _split(found: Figures, callees: Mapping[str, Served]) -> list[tuple[Node, Figures]]:
    """Calls of one address by who served some of them; nearly always that is one, who got those in vain too."""
    matching = {callee: served.matching for callee, served in callees.items() if served.matching.calls}
    if len(matching or callees) == 1:
        return [(Node("service", callee), found) for callee in matching or callees]
    if not matching:
        total = sum(served.calls for served in callees.values())
        return [(Node("service", callee), found.times(served.calls / total)) for callee, served in callees.items()]
    factor = found.calls / sum(part.calls for part in matching.values())
    return [(Node("service", callee), part.times(factor)) for callee, part in matching.items()]


def _named(name: Named, known: frozenset[str]) -> list[Node]:
    """Whom a call names that no service's span answers; nobody for one that names nobody."""
    if name.queue:
        return _queues(name)
    if name.system:
        return [_database(name)]
    if name.peer:
        return [Node("service" if name.peer in known else "external", name.peer)]
    if not name.address:
        return []
    return [Node("external", name.address if name.port in _USUAL_PORTS else f"{name.address}:{name.port}")]


def _queues(name: Named) -> list[Node]:
    return [Node("queue", name.queue, name.messaging)] if name.queue else []


def _database(name: Named) -> Node:
    """A database by its own name where it has one, else by where it is."""
    return Node("database", name.namespace or name.address or name.system, name.system)
