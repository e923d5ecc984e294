"""``/health/checks/{uid}``: one check: how it is and was, how long it takes, its latest runs, how it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_server.pages.health import looks, reading
from spanglass_server.pages.health.history import RANGES, history, response_times

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response

    from spanglass_server.pages.visit import Visit

_MOST_RUNS = 20
_DEFAULT = next(iter(RANGES))


async def show(visit: Visit) -> Response:
    """Render a check of either sort; what people can change of it depends on where it stands."""
    uid = visit.request.path_params["uid"]
    last = visit.param("last") if visit.param("last") in RANGES else _DEFAULT
    found = await visit.api("checks", uid)
    past, course = await visit.together(history(visit, "checks", uid), response_times(visit, found, last))
    return visit.page(
        "health/check.html", ranged=False, check=reading.check(found), past=past, last=last, ranges=RANGES,
        course=course,
        runs=[_run(one) for one in found["runs"][:_MOST_RUNS]], calls=[_call(one) for one in found["calls"]],
        next_ns=reading.time_ns(found["next_time"]), figures=list(found["figures"].items()),
    )  # fmt: skip


def _run(one: Mapping[str, Any]) -> dict[str, Any]:
    return {**one, "time_ns": reading.time_ns(one["time"]), "look": looks.look(one["status"])}


def _call(one: Mapping[str, Any]) -> dict[str, Any]:
    return {**one, "time_ns": reading.time_ns(one["time"])}
