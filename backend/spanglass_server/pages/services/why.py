"""The reason behind a finding, from one of the traces that show it: where it fails, what takes the time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from spanglass_server.pages.ports import ApiError
from spanglass_server.pages.rendering import columns, terms
from spanglass_server.pages.window import SECOND_NS

if TYPE_CHECKING:
    from spanglass_server.pages.services.attention import Finding
    from spanglass_server.pages.visit import Visit

#: What is a request of a service, as its figures count them.
REQUESTS = "(kind = server or kind = consumer)"
#: By what is wrong: which of the traces tells why, as the order and the filter of a search.
TELLING = {
    "failing": ("time", terms.ERRORS),
    "failed": ("time", terms.ERRORS),
    "slow": ("duration", ""),
}


async def explain(visit: Visit, finding: Finding | None, service: str, operation: str = "") -> dict[str, Any] | None:
    """Return ``trace_id`` and either ``failure`` or ``answer`` of the trace that tells most.

    Nothing where there is none, or where it can't be had in time: the page has its figures all the same.
    """
    if finding is None or finding.kind not in TELLING:
        return None
    order, wanted = TELLING[finding.kind]
    try:
        found = await visit.api(
            "traces", service=service, operation=operation, sort=order, limit=1,
            filter=" and ".join(filter(None, (wanted, "" if operation else REQUESTS))),
            start=max(visit.window.start_ns, int(finding.since_s * SECOND_NS)), end=visit.window.end_ns,
        )  # fmt: skip
        if not found["traces"]:
            return None
        return await _tell(visit, found["traces"][0]["trace_id"], failing=bool(wanted))
    except ApiError:
        return None


async def _tell(visit: Visit, trace_id: str, *, failing: bool) -> dict[str, Any]:
    if failing:
        trace = await visit.api("traces", trace_id, format="summary")
        return {"trace_id": trace_id, "failure": trace["failure"], "answer": None}
    trace = columns.unpack(await visit.api("traces", trace_id, format="waterfall"))
    answer = await asyncio.to_thread(columns.time_spent_of, trace["spans"])
    return {"trace_id": trace_id, "failure": None, "answer": answer}
