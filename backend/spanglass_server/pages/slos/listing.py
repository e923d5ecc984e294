"""``/slos``: all objectives, those with the least of their budgets left first."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from spanglass_server.pages.slos import reading, words

if TYPE_CHECKING:
    from starlette.responses import Response

    from spanglass_server.pages.visit import Visit


async def show(visit: Visit) -> Response:
    """Render the list."""
    answer = await visit.api("slos", service=visit.exact("service"))
    counts = Counter(one["status"] for one in answer["slos"])
    chosen = visit.param("status") if visit.param("status") in words.STATUSES else ""
    rows = [reading.row(one, visit) for one in answer["slos"] if chosen in ("", one["status"])]
    return visit.page(
        "slos/list.html", ranged=False, rows=rows, problems=answer["problems"], total=len(answer["slos"]),
        counts={name: counts[name] for name in words.STATUSES if counts[name]}, chosen=chosen, looks=words.STATUSES,
    )  # fmt: skip
