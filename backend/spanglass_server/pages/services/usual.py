"""What services usually are, from outside of a page's range: the same time of earlier days, else the hours before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from spanglass_server.pages.window import HOUR_NS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spanglass_server.pages.visit import Visit

_DAY_NS: Final = 24 * HOUR_NS
#: The same time of the day before, and of the same day of the week before.
_DAYS: Final = (1, 7)
_NOTHING: Final[dict[str, Any]] = {"services": []}

#: Series of services, by their name: one for each earlier time that has them.
Courses = dict[str, list["Sequence[Mapping[str, Any]]"]]


async def courses(visit: Visit, buckets: int) -> Courses:
    """Return the series of services at earlier times; none where nothing was stored then, or it can't be had."""
    answers = await visit.together(
        *(visit.attempt(visit.api("services", **range_, buckets=buckets), _NOTHING) for range_ in earlier(visit))
    )
    found: Courses = {}
    for answer in answers:
        for service in answer["services"]:
            found.setdefault(service["service"], []).append(service["series"])
    return found


async def course_of(visit: Visit, service: str, operation: str) -> list[Sequence[Mapping[str, Any]]]:
    """Return the series of a service, or of one of its operations, at earlier times."""
    answers = await visit.together(
        *(
            visit.attempt(visit.api("services", service, "series", **range_, operation=operation), {"points": []})
            for range_ in earlier(visit)
        )
    )
    return [answer["points"] for answer in answers]


def earlier(visit: Visit) -> list[dict[str, str]]:
    """Return the earlier times that a page's range is held against, as parameters of the API."""
    first_ns, window = visit.site.first_time(), visit.window
    if first_ns is None:
        return []
    found = [
        _params(window.start_ns - days * _DAY_NS, window.end_ns - days * _DAY_NS)
        for days in _DAYS
        if days * _DAY_NS >= window.length_ns and window.end_ns - days * _DAY_NS > first_ns
    ]
    if not found and first_ns < window.start_ns:
        found = [_params(window.start_ns - max(window.length_ns, HOUR_NS), window.start_ns)]
    return found


def _params(start_ns: int, end_ns: int) -> dict[str, str]:
    return {"start": str(max(0, start_ns)), "end": str(end_ns)}
