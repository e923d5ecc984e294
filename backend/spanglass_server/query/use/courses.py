"""The course of a user or a session: what they did, and the errors they met, newest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_server.query.errors import BadQuestionError
from spanglass_server.query.language.compiling.service_sql import SERVICE_NAME
from spanglass_server.query.language.compiling.sql import TRUE, Sql
from spanglass_server.query.logs.severity import COLUMNS as SEVERITY_COLUMNS
from spanglass_server.query.logs.severity import severity_sql
from spanglass_server.query.statements import rows, statement
from spanglass_server.query.use.activity import IS_EVENT, identified
from spanglass_server.query.window import describe
from spanglass_server.service_names import SERVICE
from spanglass_server.signals import Signal
from spanglass_server.times import format_time

if TYPE_CHECKING:
    from spanglass_server.query.use.activity import UseQuestion
    from spanglass_server.query.use.answers import Course, CourseStep
    from spanglass_server.store.ports import QuerySession

#: Of the body of a log record so many characters.
_TEXT = 500
_FAILED = Sql(f"({severity_sql()}) IN ('error', 'fatal')")


def course_of(session: QuerySession, question: UseQuestion, limit: int, *, failed_only: bool = False) -> Course:
    """Answer ``GET /api/v1/users/course``; BadQuestionError where neither a user nor a session is named."""
    if not (question.user or question.session):
        raise BadQuestionError("a course is of a user or of a session", field="user", hint="give user or session")
    found = [
        *_requests(session, question, limit + 1, failed_only=failed_only),
        *_told(session, question, limit + 1, failed_only=failed_only),
    ]
    found.sort(key=lambda row: -row["time_ns"])
    return {
        "window": describe(question.window),
        "steps": [_step(session, row) for row in found[:limit]],
        "more": len(found) > limit,
    }


def _requests(session: QuerySession, question: UseQuestion, count: int, *, failed_only: bool) -> list[dict[str, Any]]:
    source = identified(session, Signal.SPANS, question)
    if source is None or not source.told:
        return []
    columns = ("trace_id", "span_id", "name", SERVICE, "start_time_ns", "duration_ns", "status_code")
    found = statement(
        "use/course_spans",
        service=SERVICE_NAME,
        user=source.user,
        session=source.session,
        relation=source.relation(session, columns),
        where=source.records.predicate,
        kept=Sql("failed") if failed_only else TRUE,
        count=count,
    )
    return [{**row, "kind": "request", "body": None} for row in rows(session, found)]


def _told(session: QuerySession, question: UseQuestion, count: int, *, failed_only: bool) -> list[dict[str, Any]]:
    source = identified(session, Signal.LOGS, question)
    if source is None or not source.told:
        return []
    exception, of_exception = source.records.expression("exception.type", "filter")
    columns = ("event_name", "body", "trace_id", "span_id", SERVICE, *SEVERITY_COLUMNS, *of_exception)
    found = statement(
        "use/course_logs",
        is_event=IS_EVENT,
        length=_TEXT,
        service=SERVICE_NAME,
        failed=_FAILED,
        user=source.user,
        session=source.session,
        exception=Sql(f"({exception.text})::VARCHAR", exception.parameters),
        relation=source.relation(session, columns),
        where=source.records.predicate,
        kept=Sql("failed" if failed_only else "(failed OR is_event)"),
        count=count,
    )
    return [_of_log(row) for row in rows(session, found)]


def _of_log(row: dict[str, Any]) -> dict[str, Any]:
    """An event by its name, an error by the type of its exception."""
    kind, name = ("event", row["event_name"]) if row["is_event"] else ("error", row["exception"] or "error")
    body = None if row["body"] == name else row["body"]
    return {**row, "kind": kind, "name": name, "body": body, "duration_ns": None, "spans": 0}


def _step(session: QuerySession, row: dict[str, Any]) -> CourseStep:
    return {
        "kind": row["kind"],
        "time": format_time(row["time_ns"]),
        "name": row["name"] or "",
        "text": row["body"],
        "service": row["service"],
        "slot": session.service_slot(row["service"]),
        "trace_id": row["trace_id"].hex() if row["trace_id"] else None,
        "span_id": row["span_id"].hex() if row["span_id"] else None,
        "duration_ns": row["duration_ns"],
        "spans": row["spans"],
        "failed": row["failed"],
        "user": row["user_id"],
        "session": row["session_id"],
    }
