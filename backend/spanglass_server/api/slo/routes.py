"""Routes about objectives: how they stand, their course, and what used their budgets; and all routes together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from spanglass_server.api.params import RANGE, Param, limit_param
from spanglass_server.api.routing import Route
from spanglass_server.api.schema import schema_of
from spanglass_server.api.slo import answers, shown
from spanglass_server.api.slo.keeping import UID, found_slo, keeping_routes
from spanglass_server.slo.counting.minutes import HOUR
from spanglass_server.slo.model import MINUTE_NS

if TYPE_CHECKING:
    from spanglass_server.api.params import Params
    from spanglass_server.slo.desk import SloDesk
    from spanglass_server.store.ports import QuerySession

_SERVICE: Final = Param("service", "text", help="Only objectives of this service.")
_HOUR_NS: Final = HOUR * MINUTE_NS


@dataclass(frozen=True, slots=True)
class Slos:
    """The handlers."""

    desk: SloDesk

    def list_(self, session: QuerySession, params: Params) -> answers.SloList:
        """Return all objectives, what is worst first."""
        return {
            "slos": [
                shown.slo_json(standing, params["now_ns"], self.desk.lacking(standing.found.value))
                for standing in self.desk.listing(session, params["service"])
            ],
            "problems": [str(problem) for problem in self.desk.problems()],
        }

    def get(self, session: QuerySession, params: Params) -> answers.SloPage:
        """Return one with everything."""
        uid = found_slo(self.desk, params["uid"]).uid
        standing = self.desk.one(session, uid)
        return shown.slo_page(standing, params["now_ns"], self.desk.lacking(standing.found.value))

    def history(self, session: QuerySession, params: Params) -> answers.SloHistory:
        """Return the course of a budget over a range, of whole hours, and what was counted in the range itself."""
        uid, window = found_slo(self.desk, params["uid"]).uid, params["window"]
        first, last = window.start_ns // _HOUR_NS, -(-window.end_ns // _HOUR_NS)
        course, days = self.desk.course(session, uid, first, last)
        # a minute belongs to the range in which it begins: to one of two that follow each other
        begin, end = (-(-edge // MINUTE_NS) for edge in (window.start_ns, window.end_ns))
        return shown.history_json(course, days, self.desk.counted(session, uid, begin, end))

    def episodes(self, session: QuerySession, params: Params) -> answers.SloEpisodes:
        """Return what used most of the budget of a range."""
        uid, window = found_slo(self.desk, params["uid"]).uid, params["window"]
        first, last = window.start_ns // MINUTE_NS, -(-window.end_ns // MINUTE_NS)
        found = self.desk.episodes(session, uid, first, last, params["limit"])
        return {"range": shown.range_json(first, last), "episodes": [shown.episode_json(each) for each in found]}


def slo_routes(desk: SloDesk) -> tuple[Route, ...]:
    """Return all routes about objectives."""
    ask = Slos(desk)
    return (
        Route(
            path="/slos",
            summary="All objectives with how they stand, what is worst first.",
            parameters=(_SERVICE,),
            response=schema_of(answers.SloList),
            query=ask.list_,
        ),
        *keeping_routes(desk),
        Route(
            path="/slos/{uid}",
            summary="One objective with how it stands and how it is written.",
            parameters=(UID,),
            response=schema_of(answers.SloPage),
            query=ask.get,
        ),
        Route(
            path="/slos/{uid}/history",
            summary="The course of an error budget by hours and days.",
            description="Of whole hours, those at the edges of the range too; counted has the events of the minutes "
            "that begin in the range. At most 366 days, the last of the range.",
            parameters=(UID, *RANGE),
            response=schema_of(answers.SloHistory),
            query=ask.history,
        ),
        Route(
            path="/slos/{uid}/episodes",
            summary="What used most of the error budget of a range.",
            description="Stretches of time in which it burned faster than it may. At most 92 days, the last ones.",
            parameters=(UID, *RANGE, limit_param(20, 200)),
            response=schema_of(answers.SloEpisodes),
            query=ask.episodes,
        ),
    )
