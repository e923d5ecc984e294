"""The routes about background tasks and queues."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.api.params import FILTER, RANGE, Param, limit_param
from spanglass_server.api.routing import Route
from spanglass_server.api.schema import schema_of
from spanglass_server.query.tasks.answers import QueueList, TaskList
from spanglass_server.query.tasks.listing import TaskQuestion, list_queues, list_tasks

if TYPE_CHECKING:
    from spanglass_server.api.params import Params
    from spanglass_server.store.ports import QuerySession

_MOST_STEPS = 500
_WHICH = (
    *RANGE,
    FILTER,
    Param("service", "text", help="Only tasks of this service, and queues that it sends to or takes from."),
    Param("queue", "text", help="Only this queue."),
    Param("buckets", "integer", 30, "Most steps of time.", minimum=1, maximum=_MOST_STEPS),
    limit_param(200),
)


def _question(params: Params) -> TaskQuestion:
    return TaskQuestion(
        params["window"], params["filter"] or "", params["service"] or "", params["queue"] or "", params["buckets"]
    )


def _tasks(session: QuerySession, params: Params) -> TaskList:
    return list_tasks(session, _question(params), params["limit"])


def _queues(session: QuerySession, params: Params) -> QueueList:
    return list_queues(session, _question(params), params["limit"])


ROUTES = (
    Route(
        path="/tasks",
        summary="Background tasks: runs, failures, waiting and processing time.",
        description=(
            "Runs are spans of kind consumer and those of asyncio's instrumentation; of tasks that have none, what "
            "messaging.process.duration counts. Waiting times are measured by spanglass.task.wait_time, else they go "
            "from the end of the span that sent the message to the start of the run."
        ),
        parameters=_WHICH,
        response=schema_of(TaskList),
        query=_tasks,
    ),
    Route(
        path="/queues",
        summary="Queues: what is sent and processed, and how many messages wait.",
        description="Lengths are those of metrics; of a queue that several metrics tell of, one counts.",
        parameters=_WHICH,
        response=schema_of(QueueList),
        query=_queues,
    ),
)
