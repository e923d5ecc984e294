"""The routes about trends, capacity and forecasts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from spanglass_server.api.errors import ApiError
from spanglass_server.api.params import Param, limit_param
from spanglass_server.api.routing import Route
from spanglass_server.api.schema import schema_of
from spanglass_server.measures.grammar import MeasureError
from spanglass_server.promql.errors import PromqlError
from spanglass_server.signals import SENT
from spanglass_server.times import NS_PER_MS
from spanglass_server.trends.answers import CapacityList, ForecastAnswer, TrendList
from spanglass_server.trends.asking import Question, answer
from spanglass_server.trends.board import KINDS, Wanted
from spanglass_server.trends.quantities import QUANTITIES
from spanglass_server.trends.shaping import capacity_list, trend_list

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanglass_server.api.params import Params
    from spanglass_server.promql.stored.source import StoredSeries
    from spanglass_server.store.ports import QuerySession
    from spanglass_server.trends.board import Board

_DAY_NS: Final = 86_400 * 10**9
_LEAST_AHEAD_NS, _MOST_AHEAD_NS = 300 * 10**9, 30 * _DAY_NS
_USUAL_AHEAD_NS: Final = 7 * _DAY_NS
_WHICH: Final = (
    Param("quantity", "choice", help="Only series of this quantity.", choices=tuple(each.name for each in QUANTITIES)),
    Param("service", "text", help="Only series of this service."),
    Param("host", "text", help="Only series of this host."),
    Param("operation", "text", help="Only series of operations with this name."),
    Param("text", "text", help="Only series with this in the value of a label."),
    limit_param(50, 1000),
)


_CAPACITY: Final = (
    "Operations whose rate or p95 surely rises, or is expected to meet its bound, are among them, the hundred most "
    "used: a rate is told of when it is twice of now, a p95 when it meets the threshold of an objective, or of a rule "
    "that names its service, else twice of now. bound_of says which it is."
)


def _wanted(params: Params, kind: str = "all") -> Wanted:
    named = (params[name] or "" for name in ("quantity", "service", "host", "text", "operation"))
    return Wanted(kind, *named)  # type: ignore[arg-type] # one of its choices


@dataclass(frozen=True, slots=True)
class _Handlers:
    board: Board
    series: Callable[[QuerySession], StoredSeries]

    def trends(self, _: QuerySession, params: Params) -> TrendList:
        """Series worth telling of."""
        return trend_list(self.board, self.board.trends(_wanted(params, params["kind"])), params["limit"])

    def capacity(self, _: QuerySession, params: Params) -> CapacityList:
        """Series with a bound."""
        return capacity_list(self.board, self.board.capacity(_wanted(params)), params["limit"])

    def forecast(self, session: QuerySession, params: Params) -> ForecastAnswer:
        """Forecasts of a query."""
        ahead_ns = _USUAL_AHEAD_NS if params["ahead"] is None else params["ahead"]
        if not _LEAST_AHEAD_NS <= ahead_ns <= _MOST_AHEAD_NS:
            hint = "for example 12h, 7d or 30d"
            raise ApiError("bad_request", "a forecast looks from 5m to 30d ahead", field="ahead", hint=hint)
        firsts = [first_ns for first_ns in map(session.first_ns, SENT) if first_ns is not None]
        question = Question(
            params["query"].strip(),
            ahead_ns // NS_PER_MS,
            params["now_ns"] // NS_PER_MS,
            params["bound"],
            params["toward"] == "below",
            params["limit"],
            None if not firsts else min(firsts) // NS_PER_MS,
        )
        try:
            return answer(self.series(session), question)
        except MeasureError as error:
            raise ApiError("bad_request", str(error), field="query", column=error.column, hint=error.hint) from error
        except PromqlError as error:
            hint = "write a measure such as disk_usage, or PromQL"
            raise ApiError("bad_request", error.message, field="query", hint=hint) from error


def trend_routes(board: Board, series: Callable[[QuerySession], StoredSeries]) -> tuple[Route, ...]:
    """Return the routes."""
    handlers = _Handlers(board, series)
    return (
        Route(
            path="/trends",
            summary="Series whose slope, level or bound is worth telling, the most important first.",
            description=(
                "Quantities are watched in the background: by the hour over four weeks, by five minutes while nothing "
                "is older than two days. looked says how much of that has been read."
            ),
            parameters=(
                Param("kind", "choice", "any", "What is told of them; all: whatever they do.", choices=KINDS),
                *_WHICH,
            ),
            response=schema_of(TrendList),
            query=handlers.trends,
        ),
        Route(
            path="/capacity",
            summary="Series that can be used up, or meet a bound: when they do, between when and when.",
            description=_CAPACITY,
            parameters=_WHICH,
            response=schema_of(CapacityList),
            query=handlers.capacity,
        ),
        Route(
            path="/forecast",
            summary="Forecasts of the series of a measure or of PromQL, with an interval and the error of past ones.",
            description=(
                "Up to 12 hours ahead values of three days by five minutes are known, farther ahead those of four "
                "weeks by the hour. The interval holds the value 8 times out of 10."
            ),
            parameters=(
                Param("query", "text", help="A measure such as disk_usage, or PromQL.", required=True),
                Param("ahead", "duration", help="How far ahead, 5m to 30d; 7d unless said."),
                Param("bound", "number", help="Tell when the series meet this value."),
                Param("toward", "choice", "above", "The side of the bound that is bad.", choices=("above", "below")),
                limit_param(20, 200),
            ),
            response=schema_of(ForecastAnswer),
            query=handlers.forecast,
        ),
    )
