"""The service map of a range, of one service and what is around it, and beside an earlier range."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass_server.query.errors import BadQuestionError
from spanglass_server.query.service_map.distribution import Figures
from spanglass_server.query.service_map.graph import Graph, Node, graph_of
from spanglass_server.query.service_map.measuring import measure
from spanglass_server.query.window import clamp, covered_s_of, describe

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TypeVar

    from spanglass_server.query.service_map.answers import CallFigures, MapEdge, MapNode, ServiceMap
    from spanglass_server.store.ports import QuerySession, Window

    Key = TypeVar("Key", Node, tuple[Node, Node])

#: More than anybody can look at.
MAX_NODES = 500
_NOTHING = Figures()


@dataclass(frozen=True, slots=True)
class MapQuestion:
    """What is asked: the calls of spans that match; with ``focus`` only so many ``hops`` around a service.

    With ``earlier_ns`` the same range so much earlier is measured too.
    """

    window: Window
    filter: str = ""
    focus: str = ""
    hops: int = 1
    earlier_ns: int = 0


def service_map(session: QuerySession, question: MapQuestion) -> ServiceMap:
    """Answer ``GET /api/v1/service-map``; BadQuestionError for a service that the range does not have."""
    measured = measure(session, question.window, question.filter)
    now, before, earlier = graph_of(measured), None, Graph({}, {})
    if question.earlier_ns:
        start_ns, end_ns = question.window.start_ns, question.window.end_ns
        before = clamp(start_ns - question.earlier_ns, end_ns - question.earlier_ns)
        earlier = graph_of(measure(session, before, question.filter))
    whole = _focused(_both(now, earlier), question)
    shown = whole.busiest(MAX_NODES)
    covered = (covered_s_of(session, window) for window in (question.window, before or question.window))
    figures = _Figures(now, earlier, *covered)
    return {
        "window": describe(question.window),
        "before": describe(before) if before else None,
        "nodes": [_node(session, node, figures) for node in _ordered(shown.nodes)],
        "edges": [_edge(ends, figures) for ends in _ordered(shown.edges)],
        "left_out": len(whole.nodes) - len(shown.nodes),
        "sampled_callees": measured.is_sampled,
        "sampled_share": measured.kept,
    }


def _both(now: Graph, earlier: Graph) -> Graph:
    """All that was seen in either range, with the figures of now."""
    nodes = {**dict.fromkeys(earlier.nodes, _NOTHING), **now.nodes}
    return Graph(nodes, {**dict.fromkeys(earlier.edges, _NOTHING), **now.edges})


def _focused(graph: Graph, question: MapQuestion) -> Graph:
    if not question.focus:
        return graph
    if Node("service", question.focus) not in graph.nodes:
        message = f"no spans of service {question.focus!r} in this range"
        hint = "GET /api/v1/services lists the services of a range"
        raise BadQuestionError(message, field="focus", hint=hint, code="not_found")
    return graph.around(question.focus, question.hops)


def _ordered(found: Mapping[Key, Figures]) -> list[Key]:
    """The busiest first."""
    return sorted(found, key=lambda key: (-found[key].calls, key))


@dataclass(frozen=True, slots=True)
class _Figures:
    """Figures of both ranges, and how many seconds of each have spans."""

    now: Graph
    earlier: Graph
    seconds: float
    seconds_before: float

    def of_node(self, node: Node) -> tuple[CallFigures, CallFigures | None]:
        """Of now, and of before where it was seen."""
        before = self.earlier.nodes.get(node)
        return _shown(self.now.nodes.get(node, _NOTHING), self.seconds), self._before(before)

    def of_edge(self, ends: tuple[Node, Node]) -> tuple[CallFigures, CallFigures | None]:
        """Of now, and of before where there were calls."""
        before = self.earlier.edges.get(ends)
        return _shown(self.now.edges.get(ends, _NOTHING), self.seconds), self._before(before)

    def _before(self, found: Figures | None) -> CallFigures | None:
        return None if found is None else _shown(found, self.seconds_before)


def _shown(found: Figures, seconds: float) -> CallFigures:
    return {
        "calls": round(found.calls),
        "rate_per_s": found.calls / seconds,
        "errors": round(found.errors),
        "error_ratio": found.errors / found.calls if found.calls else None,
        "p95_ns": found.p95_ns,
    }


def _node(session: QuerySession, node: Node, figures: _Figures) -> MapNode:
    now, before = figures.of_node(node)
    slot = session.service_slot(node.name) if node.kind == "service" else None
    kind, name, system = node
    return {"id": node.id, "kind": kind, "name": name, "system": system, "slot": slot, **now, "before": before}


def _edge(ends: tuple[Node, Node], figures: _Figures) -> MapEdge:
    now, before = figures.of_edge(ends)
    return {"caller": ends[0].id, "callee": ends[1].id, **now, "before": before}
