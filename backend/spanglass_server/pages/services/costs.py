"""``/costs``: what telemetry takes on disk and costs, by signal, service and attribute, and what to drop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response

    from spanglass_server.pages.visit import Visit

_MOST: Final = 25
#: What comes in an hour says little of a month.
_LONGEST_DEFAULT: Final = "7d"
_SIGNALS: Final = {
    "spans": "spans",
    "logs": "log records",
    "metrics": "data points",
    "occurrences": "errors that happened",
    "rollups_5m": "points, thinned to 5 min",
    "rollups_1h": "points, thinned to 1 h",
}
_KINDS: Final = {"debug_logs": "Log records of DEBUG and TRACE", "health_checks": "Spans of health checks"}
_VALUES: Final = {
    "constant": "one in each service",
    "unique": "nearly all differ",
    "repeated": "repeated",
}


async def show(visit: Visit) -> Response:
    """Render the page."""
    visit.longest_default = _LONGEST_DEFAULT
    answer = await visit.api("costs", **visit.window.as_params(), limit=_MOST)
    return visit.page(
        "costs.html",
        answer=answer,
        services=[{**each, "href": visit.to_service(each["service"])} for each in answer["services"]],
        savings=[_named(each) for each in answer["savings"]],
        signal_names=_SIGNALS,
        value_words=_VALUES,
    )


def _named(saving: Mapping[str, Any]) -> dict[str, Any]:
    """A saving with what it is about."""
    return {**saving, "title": _KINDS.get(saving["kind"]) or saving["key"]}
