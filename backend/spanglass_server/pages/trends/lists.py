"""``/trends`` and ``/capacity``: what rises, falls or jumped; what is used up, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from spanglass_server.pages.ports import ApiError
from spanglass_server.pages.problem import of_api
from spanglass_server.pages.rendering.format import parse_time_ns
from spanglass_server.pages.trends.rows import row, span_text
from spanglass_server.pages.window import SECOND_NS
from spanglass_server.trends.quantities import QUANTITIES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.responses import Response

    from spanglass_server.pages.visit import Visit

_LIMIT: Final = 100
#: A step is read when it is over for so long, as records come late.
_LATE_NS: Final = 60 * SECOND_NS
#: What stands in the URL, and its name.
KINDS: Final = (
    ("any", "Worth telling"), ("rising", "Rising"), ("falling", "Falling"), ("shifted", "Jumped"),
    ("seasonal", "Seasonal"), ("all", "All"),
)  # fmt: skip
_NOTHING: Final[dict[str, Any]] = {
    "trends": [], "capacity": [], "total": 0, "looked": [], "step_s": 300, "past_s": 0, "ahead_s": 0,
    "bounds_s": 0,
}  # fmt: skip


async def show_trends(visit: Visit) -> Response:
    """Render the list of trends."""
    kind = next((key for key, _ in KINDS if key == visit.param("kind")), KINDS[0][0])
    return await _show(visit, "trends", kind)


async def show_capacity(visit: Visit) -> Response:
    """Render the list of what can be used up."""
    return await _show(visit, "capacity", "")


async def _show(visit: Visit, which: str, kind: str) -> Response:
    asked = {"quantity": visit.param("quantity"), "text": visit.exact("text"), "service": visit.exact("service"),
             "host": visit.exact("host")}  # fmt: skip
    problem, found = None, _NOTHING
    try:
        found = await visit.api(which, **asked, kind=kind, limit=_LIMIT)
    except ApiError as error:
        problem = of_api(error, visit)
    looked = found["looked"]
    return visit.page(
        f"trends/{which}.html", ranged=False, status=problem.status if problem else 200, problem=problem, kind=kind,
        kinds=KINDS, rows=[row(one, found, visit) for one in found[which]], total=found["total"],
        quantities=[(each.name, each.title) for each in QUANTITIES if which == "trends" or each.is_bounded],
        is_filtered=any(asked.values()), series=sum(each["series"] for each in looked),
        left_out=sum(each["left_out"] for each in looked),
        read=sum(each["share_read"] for each in looked) / len(QUANTITIES), past=span_text(found["past_s"]),
        ahead=span_text(found["ahead_s"]), step=span_text(found["step_s"]), oldest=_oldest(looked),
        next_ns=_next_ns(found, visit.clock.now_ns),
    )  # fmt: skip


def _oldest(looked: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """The quantity with series that was computed first, and as of when: a large server takes hours for all."""
    told = [each for each in looked if each["series"]]
    first = min(told, key=lambda each: str(each["time"]), default=None)
    return {"title": first["title"], "ns": parse_time_ns(first["time"])} if first else None


def _next_ns(found: Mapping[str, Any], now_ns: int) -> int | None:
    """When values are read next: a minute after the step under way; None while some that are due are not read."""
    newest = max((parse_time_ns(each["time"]) for each in found["looked"]), default=0)
    next_ns = newest + int(found["step_s"] * SECOND_NS) + _LATE_NS
    return next_ns if next_ns > now_ns else None
