"""The routes about users, their sessions, and what they use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.api.params import FILTER, RANGE, Param, limit_param
from spanglass_server.api.routing import Route
from spanglass_server.api.schema import schema_of
from spanglass_server.query.use.activity import UseQuestion
from spanglass_server.query.use.answers import (
    ActiveUsers,
    Course,
    FeatureList,
    PathList,
    SessionList,
    UseOverview,
    UserList,
    UseSummary,
)
from spanglass_server.query.use.courses import course_of
from spanglass_server.query.use.features import list_features, list_paths
from spanglass_server.query.use.overview import Shown, use_overview
from spanglass_server.query.use.people import SESSION_SORTS, USER_SORTS, list_sessions, list_users
from spanglass_server.query.use.summary import active_users, summarize_use

if TYPE_CHECKING:
    from spanglass_server.api.params import Params
    from spanglass_server.store.ports import QuerySession

_MOST_STEPS, _MOST_SESSIONS = 500, 1000
_USER = Param("user", "text", help="Only records of this user.")
_SESSION = Param("session", "text", help="Only records of this session.")
_WHICH = (*RANGE, FILTER, _USER, _SESSION)
_BUCKETS = Param("buckets", "integer", 60, "Most steps of time.", minimum=1, maximum=_MOST_STEPS)
_TEXT = Param("text", "text", help="Only users whose id has this in it.")
_USER_SORT = Param("sort", "choice", "last", "What to sort by, the most first.", choices=tuple(USER_SORTS))


def _question(params: Params) -> UseQuestion:
    return UseQuestion(params["window"], params["filter"] or "", params.get("user") or "", params.get("session") or "")


def _summary(session: QuerySession, params: Params) -> UseSummary:
    return summarize_use(session, _question(params), params["buckets"])


def _overview(session: QuerySession, params: Params) -> UseOverview:
    limits = {"buckets": params["buckets"], "users": params["limit"], "sessions": params["sessions"]}
    return use_overview(session, _question(params), Shown(**limits, text=params["text"] or "", sort=params["sort"]))


def _active(session: QuerySession, params: Params) -> ActiveUsers:
    return active_users(session, _question(params))


def _users(session: QuerySession, params: Params) -> UserList:
    return list_users(session, _question(params), params["text"] or "", params["sort"], params["limit"])


def _sessions(session: QuerySession, params: Params) -> SessionList:
    return list_sessions(session, _question(params), params["sort"], params["limit"])


def _features(session: QuerySession, params: Params) -> FeatureList:
    return list_features(session, _question(params), params["limit"])


def _paths(session: QuerySession, params: Params) -> PathList:
    return list_paths(session, _question(params), params["limit"])


def _course(session: QuerySession, params: Params) -> Course:
    return course_of(session, _question(params), params["limit"], failed_only=params["only"] == "errors")


ROUTES = (
    Route(
        path="/users/summary",
        summary="Users and sessions of a range, over time.",
        description=(
            "Told by ids on spans and log records that the filter finds: user.id, else enduser.id, user.email or "
            "user.name; session.id, else half an hour of silence ends a session. Counts are exact up to a million "
            "users; of more, one user in several is counted, and users_share says which part."
        ),
        parameters=(*_WHICH, _BUCKETS),
        response=schema_of(UseSummary),
        query=_summary,
    ),
    Route(
        path="/users/overview",
        summary="Users and sessions of a range over time, and the first of both: three answers from one look.",
        description="In less time than the three by themselves, which it has as they are.",
        parameters=(
            *_WHICH,
            _BUCKETS,
            _TEXT,
            _USER_SORT,
            limit_param(100),
            Param("sessions", "integer", 100, "Most sessions, the newest.", minimum=1, maximum=_MOST_SESSIONS),
        ),
        response=schema_of(UseOverview),
        query=_overview,
    ),
    Route(
        path="/users/active",
        summary="Users of the last day, 7 days and 30 days before the end of a range.",
        parameters=(*RANGE, FILTER),
        response=schema_of(ActiveUsers),
        query=_active,
    ),
    Route(
        path="/users/features",
        summary="Events of log records by name, with how many users each has.",
        parameters=(*_WHICH, limit_param(20)),
        response=schema_of(FeatureList),
        query=_features,
    ),
    Route(
        path="/users/paths",
        summary="Requests by what they asked for, with how many users each has.",
        parameters=(*_WHICH, limit_param(20)),
        response=schema_of(PathList),
        query=_paths,
    ),
    Route(
        path="/users/course",
        summary="What a user or session did, and the errors they met, newest first.",
        description="A trace is one step, told by the first of its spans that carries the id. Give user or session.",
        parameters=(
            *_WHICH,
            Param("only", "choice", "all", "errors: only what failed.", choices=("all", "errors")),
            limit_param(100),
        ),
        response=schema_of(Course),
        query=_course,
    ),
    Route(
        path="/users",
        summary="Users of a range.",
        parameters=(*_WHICH, _TEXT, _USER_SORT, limit_param(100)),
        response=schema_of(UserList),
        query=_users,
    ),
    Route(
        path="/sessions",
        summary="Sessions of a range.",
        parameters=(
            *_WHICH,
            Param("sort", "choice", "last", "What to sort by, the most first.", choices=tuple(SESSION_SORTS)),
            limit_param(100),
        ),
        response=schema_of(SessionList),
        query=_sessions,
    ),
)
