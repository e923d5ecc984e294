"""``/deliveries``: what was sent to whom and what became of it; ``/deliveries/{id}``: one with each attempt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_server.pages.alerts.reading import time_ns
from spanglass_server.pages.notifications import reading, words
from spanglass_server.pages.ports import ApiError
from spanglass_server.pages.problem import of_api

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.responses import Response

    from spanglass_server.pages.visit import Visit

LIMIT = 50
#: Parameters of the URL that narrow the list.
FILTERS = ("state", "channel", "alert", "text")
NOTHING: dict[str, Any] = {"deliveries": [], "next_cursor": None}


async def show(visit: Visit) -> Response:
    """Render a page of the list, newest first."""
    problem, found = None, NOTHING
    asked = {name: visit.exact(name) for name in FILTERS}
    asked["state"] = asked["state"] if asked["state"] in words.STATES else ""
    try:
        found = await visit.api("deliveries", **asked, limit=LIMIT, cursor=visit.param("cursor"))
    except ApiError as error:
        problem = of_api(error, visit)
    standing = await visit.attempt(visit.api("notifications"), reading.NO_STANDING)
    cursor = found["next_cursor"]
    return visit.page(
        "notifications/deliveries.html", ranged=False, status=problem.status if problem else 200, problem=problem,
        deliveries=[reading.delivery(one, visit) for one in found["deliveries"]], counts=totals(standing["channels"]),
        states=words.STATES, channels=[one["name"] for one in standing["channels"]], is_filtered=any(asked.values()),
        asked=asked, next_page=visit.here(cursor=cursor) if cursor else None,
    )  # fmt: skip


def totals(channels: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Return how many deliveries there are in each state, over all channels."""
    return {state: sum(channel["counts"].get(state, 0) for channel in channels) for state in words.STATES}


async def show_one(visit: Visit) -> Response:
    """Render a delivery."""
    found = await visit.api("deliveries", visit.request.path_params["delivery"])
    return visit.page(
        "notifications/delivery.html", ranged=False, one=reading.delivery(found, visit),
        attempts=[{**each, "started_ns": time_ns(each["started_at"])} for each in found["log"]],
    )  # fmt: skip
