"""The list of issues: filter, states with counts, what can be done to several at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_server.pages.explorer import search
from spanglass_server.pages.issues import words
from spanglass_server.pages.ports import ApiError
from spanglass_server.pages.problem import of_api
from spanglass_server.pages.rendering import charts
from spanglass_server.pages.rendering.format import parse_time_ns
from spanglass_server.pages.window import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.responses import Response

    from spanglass_server.pages.visit import Visit

SORTS = ("last_seen", "first_seen", "events", "users", "trend")
LIMIT = 50
MOST_CHOICES = 200
#: How long the range of a URL without one is at most, on all pages of errors: last night's are still today's work.
LONGEST_DEFAULT = "24h"


async def show(visit: Visit) -> Response:
    """``/issues``."""
    visit.longest_default = LONGEST_DEFAULT
    box = await search.read_filter(visit, "occurrences")
    problem = box.problem
    found: Mapping[str, Any] = {}
    if not problem:
        try:
            found = await _find(visit)
        except ApiError as error:
            problem = of_api(error, visit)
    return visit.page(
        "issues/list.html", status=problem.status if problem else 200, box=box, problem=problem, sort=_sort(visit),
        ascending=visit.param("order") == "asc", state=_state(visit), services=await read_services(visit), **found,
    )  # fmt: skip


def _sort(visit: Visit) -> str:
    return visit.param("sort") if visit.param("sort") in SORTS else SORTS[0]


def _state(visit: Visit) -> str:
    return visit.param("state") if visit.param("state") in dict(words.STATES) else "open"


async def _find(visit: Visit) -> dict[str, Any]:
    answer = await visit.api(
        "issues", **visit.window.as_params(), filter=visit.param("filter"), state=_state(visit),
        service=visit.exact("service"), assignee=visit.exact("assignee"), sort=_sort(visit),
        order="asc" if visit.param("order") == "asc" else "desc", limit=LIMIT, cursor=visit.param("cursor"),
    )  # fmt: skip
    issues = answer["issues"]
    buckets = buckets_of(answer, visit, max((len(issue["series"]) for issue in issues), default=0))
    counts = answer["counts"]
    return {
        "issues": [{**issue, "spark": charts.spark(issue["series"])} for issue in issues],
        "next_page": search.next_page(visit, answer["next_cursor"]),
        "counts": counts | {"open": sum(counts[state] for state in words.OPEN), "all": sum(counts.values())},
        "strip": _strip(issues, buckets, visit),
        "events": sum(issue["events"] for issue in issues),
    }  # fmt: skip


def buckets_of(answer: Mapping[str, Any], visit: Visit, count: int) -> charts.Buckets:
    """Return the time axis of series of an answer."""
    start_s, step_s = parse_time_ns(answer["series_start_time"]) / SECOND_NS, float(answer["series_step_seconds"])
    return visit.buckets([start_s + place * step_s for place in range(count)], step_s)


def _strip(issues: Sequence[Mapping[str, Any]], buckets: charts.Buckets, visit: Visit) -> charts.Chart:
    totals = [sum(issue["series"][place] for issue in issues) for place in range(len(buckets.times_s))]
    layers = [charts.Series("events", "err", totals)]
    return charts.bars("Events of these issues over time", buckets, layers, visit.clock)


async def read_services(visit: Visit) -> list[str]:
    """Return the services to pick from; without an answer only the chosen one."""
    question = visit.api("values", key="service", signal="occurrences", limit=MOST_CHOICES, **visit.window.as_params())
    found = await visit.attempt(question, {"values": []})
    return sorted({str(row["value"]) for row in found["values"]} | ({visit.exact("service")} - {""}))
