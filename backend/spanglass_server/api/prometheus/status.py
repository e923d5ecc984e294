"""Routes about the server, which clients ask to find out what it can do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_server.api.prometheus.routing import PrometheusRoute, Reply
from spanglass_server.api.schema import ANYTHING, STRING, array, table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    #: Gives the targets in the shape of Prometheus' ``activeTargets``.
    Targets = Callable[[], Sequence[dict[str, Any]]]

#: The version of Prometheus whose language and API this is; Grafana chooses by it what to ask.
SPOKEN = "3.5.0"


def status_routes(version: str, targets: Targets = tuple) -> tuple[PrometheusRoute, ...]:
    """Make the routes; ``version`` is that of this server, ``targets`` gives what is scraped."""
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
        PrometheusRoute(
            path="/targets",
            summary="What is scraped: each target's labels, health, last error and last scrape.",
            data={**_lists("activeTargets", "droppedTargets"), "additionalProperties": True},
            reply=lambda _: Reply.of({**_NONE_DROPPED, "activeTargets": list(targets())}),
        ),
    )


_NONE_DROPPED: dict[str, Any] = {"droppedTargets": [], "droppedTargetCounts": {}}


def _fixed(path: str, summary: str, data: dict[str, Any], answer: dict[str, Any]) -> PrometheusRoute:
    reply = Reply.of(answer)
    return PrometheusRoute(path=path, summary=summary, data=data, reply=lambda _: reply)


def _lists(*names: str) -> dict[str, Any]:
    return {"type": "object", "properties": {name: array(ANYTHING) for name in names}, "required": [*names]}
