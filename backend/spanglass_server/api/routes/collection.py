"""Routes about how often applications collect metrics, below ``/api/monitoring``."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypedDict

from spanglass_core.units import format_duration
from spanglass_server.api.errors import ApiError
from spanglass_server.api.params import Param
from spanglass_server.api.routing import Route
from spanglass_server.api.schema import schema_of
from spanglass_server.store.collection import COLLECTORS, CollectionError

if TYPE_CHECKING:
    from spanglass_server.api.params import Params
    from spanglass_server.store.collection import CollectionInterval, CollectionIntervals

_PREFIX = "/api/monitoring"
_COLLECTOR = Param("collector", "choice", help="What is measured.", choices=COLLECTORS)
_SERVICE = Param("service", "text", help="Only this service; every service without an interval of its own if left out.")


class Interval(TypedDict):
    """How often one collector measures; ``service`` is null for all services."""

    collector: str
    service: str | None
    interval: str


class Intervals(TypedDict):
    """The answer of ``GET /api/monitoring/collectors/``."""

    collectors: list[str]
    intervals: list[Interval]


def collection_routes(intervals: CollectionIntervals) -> tuple[Route, ...]:
    """Make the routes over the intervals that are kept."""
    return (
        Route(
            prefix=_PREFIX,
            path="/collectors/",
            summary="Collectors of metrics, and how often they were asked to measure.",
            response=schema_of(Intervals),
            reply=partial(_list, intervals),
        ),
        Route(
            method="PUT",
            prefix=_PREFIX,
            path="/collectors/{collector}/",
            summary="Have a collector measure this often, in all applications or those of one service.",
            parameters=(_COLLECTOR, _SERVICE),
            body={
                "type": "object",
                "properties": {"interval": {"type": "string", "description": "1s to 24h"}},
                "required": ["interval"],
                "additionalProperties": False,
            },
            response=schema_of(Interval),
            reply=partial(_put, intervals),
        ),
        Route(
            method="DELETE",
            prefix=_PREFIX,
            path="/collectors/{collector}/",
            summary="Have a collector measure as often as its application says.",
            parameters=(_COLLECTOR, _SERVICE),
            response=schema_of(Intervals),
            reply=partial(_delete, intervals),
        ),
    )


def _list(intervals: CollectionIntervals, _: Params) -> Intervals:
    return {"collectors": list(COLLECTORS), "intervals": [_interval(each) for each in intervals.entries()]}


def _put(intervals: CollectionIntervals, params: Params) -> Interval:
    body = params["body"]
    if not isinstance(body, dict) or set(body) != {"interval"} or not isinstance(body["interval"], str):
        raise ApiError("bad_request", 'the body is {"interval": "60s"}', field="interval")
    try:
        return _interval(intervals.put(params["collector"], params["service"] or "", body["interval"]))
    except CollectionError as error:
        raise ApiError("bad_request", str(error), field=error.field) from error


def _delete(intervals: CollectionIntervals, params: Params) -> Intervals:
    if not intervals.delete(params["collector"], params["service"] or ""):
        raise ApiError("not_found", "no interval was asked for here", hint="GET /api/monitoring/collectors/ lists them")
    return _list(intervals, params)


def _interval(each: CollectionInterval) -> Interval:
    return {
        "collector": each.collector,
        "service": each.service or None,
        "interval": format_duration(each.interval_ns),
    }
