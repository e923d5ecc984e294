"""The service map: who calls whom in the range, around one service, and beside an earlier time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from spanglass_server.pages.explorer import search
from spanglass_server.pages.map import links

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response

    from spanglass_server.pages.visit import Visit

#: What a range is compared with: the parameter's value, and what the reader sees.
EARLIER = (("1h", "1 hour earlier"), ("1d", "1 day earlier"), ("7d", "7 days earlier"))
HOPS = ("1", "2", "3")
#: From this share of errors on a node or call is red, as elsewhere.
BAD = 0.05
#: So many times as slow as before is worth a mark.
SLOWER = 1.5
#: Calls that the table lists; the map has all.
MOST_ROWS = 200


async def show(visit: Visit) -> Response:
    """``/map``."""
    box, read, problem = await search.answered(visit, "spans", _read)
    found, names = read or (None, [])
    return visit.page(
        "map/map.html", status=problem.status if problem else 200, box=box, problem=problem, found=found,
        names=names, earlier=EARLIER, hops=HOPS, most=MOST_ROWS,
        unknown=await search.unknown_keys(visit, "spans", found["edges"]) if found else [],
    )  # fmt: skip


async def _read(visit: Visit) -> tuple[dict[str, Any], list[str]]:
    found, names = await visit.together(_find(visit), search.service_names(visit))
    return found, names


async def _find(visit: Visit) -> dict[str, Any]:
    answer = await visit.api(
        "service-map", **visit.window.as_params(), filter=visit.param("filter"), focus=visit.exact("focus"),
        hops=visit.param("hops"), earlier=visit.param("earlier"),
    )  # fmt: skip
    compares = answer["before"] is not None
    nodes = {
        node["id"]: {**node, "what": _what(node), "look": _look(node, compares=compares)} for node in answer["nodes"]
    }
    edges = [
        {
            **edge,
            "from": nodes[edge["caller"]],
            "to": nodes[edge["callee"]],
            "look": _look(edge, compares=compares),
            "href": links.of_call(visit, nodes[edge["caller"]], nodes[edge["callee"]]),
        }
        for edge in answer["edges"]
    ]
    return {
        **answer,
        "nodes": [*nodes.values()],
        "edges": edges,
        "drawn": json.dumps(_drawn(visit, [*nodes.values()], edges)),
    }


def _what(node: Mapping[str, Any]) -> str:
    """What a node is, beside its name: a database that is only known as ``sqlite`` is no "sqlite sqlite"."""
    if node["kind"] == "service":
        return ""
    return str(node["kind"] if node["system"] in {"", None, node["name"]} else node["system"])


def _look(found: Mapping[str, Any], *, compares: bool) -> str:
    """What is to be said of a node or call, in words with blanks: ``gone``, ``new``, ``bad``, ``worse``, or nothing."""
    before = found["before"]
    slower = before and before["p95_ns"] and found["p95_ns"] and found["p95_ns"] >= SLOWER * before["p95_ns"]
    words = {
        "gone": compares and not found["calls"] and before and before["calls"],
        "new": compares and before is None,
        "bad": (found["error_ratio"] or 0) >= BAD,
        "worse": slower,
    }
    return " ".join(word for word, holds in words.items() if holds)


def _drawn(visit: Visit, nodes: list[dict[str, Any]], edges: list[dict[str, Any]]) -> dict[str, Any]:
    """What the script that draws needs: nodes and calls by their places."""
    places = {node["id"]: place for place, node in enumerate(nodes)}
    figures = ("calls", "rate_per_s", "error_ratio", "p95_ns", "look")
    focus = visit.exact("focus")
    return {
        "nodes": [
            {key: node[key] for key in ("kind", "name", "what", "slot", *figures)}
            | {"href": links.of_node(visit, node), "focus": node["kind"] == "service" and node["name"] == focus}
            for node in nodes
        ],
        "edges": [
            {key: edge[key] for key in figures} | {"from": places[edge["caller"]], "to": places[edge["callee"]]}
            for edge in edges
        ],
    }
