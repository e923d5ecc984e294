"""How everything is, in a few lines for the overview."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_server.pages.health import looks, reading

if TYPE_CHECKING:
    from spanglass_server.pages.visit import Visit

_MOST = 5
_NOTHING: dict[str, Any] = {"components": [], "status": "unknown", "score": 0}


async def standing(visit: Visit) -> dict[str, Any]:
    """Return the status, the score, and the components that are not well, the worst first; nothing where none is."""
    found = await visit.attempt(visit.api("health"), _NOTHING)
    components = [reading.component(one) for one in found["components"]]
    bad = [one for one in components if one["status"] in {"unhealthy", "degraded"}]
    bad.sort(key=lambda one: (looks.ORDER.index(one["status"]), one["name"].lower()))
    return {
        "problem": found["problem"],
        "look": looks.look(found["status"]),
        "score": found["score"],
        "count": len(components),
        "bad": bad[:_MOST],
        "more": max(0, len(bad) - _MOST),
    }
