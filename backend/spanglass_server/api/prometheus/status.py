"""Routes about the server, which clients ask to find out what it can do; there are no rules here."""

from __future__ import annotations

from typing import Any

from spanglass_server.api.prometheus.routing import PrometheusRoute, Reply
from spanglass_server.api.schema import ANYTHING, STRING, array, table

#: The version of Prometheus whose language and API this is; Grafana chooses by it what to ask.
SPOKEN = "3.5.0"


def status_routes(version: str) -> tuple[PrometheusRoute, ...]:
    """Make the routes; ``version`` is that of this server."""
    build = {
        "version": SPOKEN,
        "revision": f"spanglass-{version}",
        "branch": "",
        "buildUser": "",
        "buildDate": "",
        "goVersion": "",
    }
    return (
        _fixed("/status/buildinfo", "The version of Prometheus that is spoken here.", table(STRING), build),
        _fixed("/rules", "No rules: there are none here yet.", _lists("groups"), {"groups": []}),
        _fixed("/alerts", "No alerts: there are none here yet.", _lists("alerts"), {"alerts": []}),
        _fixed(
            "/targets",
            "No targets: nothing is scraped.",
            {**_lists("activeTargets", "droppedTargets"), "additionalProperties": True},
            {"activeTargets": [], "droppedTargets": [], "droppedTargetCounts": {}},
        ),
    )


def _fixed(path: str, summary: str, data: dict[str, Any], answer: dict[str, Any]) -> PrometheusRoute:
    reply = Reply.of(answer)
    return PrometheusRoute(path=path, summary=summary, data=data, reply=lambda _: reply)


def _lists(*names: str) -> dict[str, Any]:
    return {"type": "object", "properties": {name: array(ANYTHING) for name in names}, "required": [*names]}
