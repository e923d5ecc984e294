"""``/findings/{finding}``: one of them, with the traces that show it, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from spanglass_server.pages.findings import leaks, reading
from spanglass_server.pages.rendering import charts, terms

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from starlette.responses import Response

    from spanglass_server.pages.visit import Visit

_HOUR_S: Final = 3600
_DAY_HOURS: Final = 24


async def show(visit: Visit) -> Response:
    """Render it."""
    one = await visit.api("findings", str(visit.request.path_params["finding"]))
    span = f"{terms.term(terms.SERVICE, one['service'])} and {terms.term(terms.OPERATION, one['operation'])}"
    return visit.page(
        "findings/one.html", ranged=False, row=reading.row(one, visit), one=one,
        chart=await leaks.chart(one["service"], one["leak"], visit) if one["leak"] else _chart(one, visit),
        traces=visit.link("/traces", {"filter": span, "sort": "duration", "last": "24h"}),
    )  # fmt: skip


def _chart(one: Mapping[str, Any], visit: Visit) -> charts.Chart | None:
    """Return the requests with the finding, hour by hour over the last day; None without any."""
    if not one["hours"]:
        return None
    last_s = visit.clock.now_ns // 10**9 // _HOUR_S * _HOUR_S
    times = [float(last_s - _HOUR_S * ago) for ago in range(_DAY_HOURS - 1, -1, -1)]
    hits = {hour["t"]: float(hour["hits"]) for hour in one["hours"]}
    series = charts.Series("requests", "", [hits.get(time, 0.0) for time in times])
    return charts.bars("Requests with it, by hour", charts.Buckets(times, _HOUR_S), [series], visit.clock)
