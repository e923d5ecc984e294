"""``/tasks``: background tasks and queues, and what of them is running now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from spanglass_server.pages.explorer import running, search
from spanglass_server.pages.rendering import charts, terms
from spanglass_server.query.tasks.runs import QUEUE_KEYS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from starlette.responses import Response

    from spanglass_server.pages.visit import Visit

_STEPS: Final = 40
_MOST: Final = 200
_MOST_RUNNING: Final = 1000
#: Open spans that are listed.
_LISTED: Final = 20
#: From this share of failures on a task is red, as services are.
BAD: Final = 0.05
SORTS: Final[Mapping[str, Callable[[Mapping[str, Any]], Any]]] = {
    "runs": lambda row: row["runs"],
    "failed": lambda row: row["failed_ratio"] or 0,
    "wait": lambda row: row["wait_p95_ns"] or 0,
    "p50": lambda row: row["p50_ns"] or 0,
    "p95": lambda row: row["p95_ns"] or 0,
    "task": lambda row: row["task"].lower(),
}
_NOTHING_RUNS: Final[dict[str, Any]] = {"spans": [], "running": 0, "lost": 0}


async def show(visit: Visit) -> Response:
    """Render the page."""
    box, told, problem = await search.answered(visit, "spans", _read)
    sort, ascending = _sort(visit)
    return visit.page(
        "use/tasks.html", status=problem.status if problem else 200, box=box, problem=problem, told=told, sort=sort,
        ascending=ascending, bad=BAD,
    )  # fmt: skip


def _sort(visit: Visit) -> tuple[str, bool]:
    sort = visit.param("sort") if visit.param("sort") in SORTS else "runs"
    return sort, visit.param("order") == "asc" if visit.param("order") else sort == "task"


async def _read(visit: Visit) -> dict[str, Any]:
    window = visit.window.as_params()
    asked: dict[str, str | int] = {
        **window, "filter": visit.param("filter"), "service": visit.exact("service"), "queue": visit.exact("queue"),
        "buckets": _STEPS, "limit": _MOST,
    }  # fmt: skip
    opened = visit.api("running", **window, service=visit.exact("service"), limit=_MOST_RUNNING)
    tasks, queues, opened = await visit.together(
        visit.api("tasks", **asked), visit.api("queues", **asked), visit.attempt(opened, _NOTHING_RUNS)
    )
    sort, ascending = _sort(visit)
    rows = sorted(tasks["tasks"], key=SORTS[sort], reverse=not ascending)
    spans = [span for span in opened["spans"] if span["kind"] == "consumer"]
    waiting = [queue["length"] for queue in queues["queues"] if queue["length"] is not None]
    return {
        "tasks": [_with_links(visit, row) for row in rows],
        "total": tasks["total"],
        "runs": sum(row["runs"] for row in rows),
        "failed": sum(row["failed"] for row in rows),
        "running": _running_now(rows, spans),
        "waiting": sum(waiting) if waiting else None,
        "chart": _chart(visit, rows, tasks["step_s"]) if rows else None,
        "queues": [_with_course(visit, queue) for queue in queues["queues"]],
        "queues_total": queues["total"],
        "open": [{"span": span, **running.mark(span, visit.clock)} for span in spans[:_LISTED]],
        "open_total": len(spans),
    }


def _running_now(rows: Sequence[Mapping[str, Any]], spans: Sequence[Mapping[str, Any]]) -> int:
    """Return how many tasks run: as metrics count them where there are some, else spans that are announced."""
    measured = [row["running"] for row in rows if row["running"] is not None]
    return sum(measured) if measured else sum(span["state"] == "running" for span in spans)


def _with_links(visit: Visit, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a task with its course and where it leads: to the operation of its spans, and to their traces."""
    bad = (row["failed_ratio"] or 0) >= BAD
    told = {**row, "bad": bad, "spark": charts.spark([point["runs"] for point in row["series"]]), "href": None,
            "slowest": None, "failing": None}  # fmt: skip
    if row["operation"] is None:
        return told
    own = f"{terms.term(terms.SERVICE, row['service'])} and {terms.term(terms.OPERATION, row['operation'])}"
    own = terms.both(visit.param("filter"), own)
    return {
        **told,
        "href": visit.to_service(row["service"], operation=row["operation"]),
        "slowest": visit.go("/traces", filter=own, sort="duration"),
        "failing": visit.go("/traces", filter=f"{own} and {terms.ERRORS}") if row["failed"] else None,
    }


def _with_course(visit: Visit, queue: Mapping[str, Any]) -> dict[str, Any]:
    own = " or ".join(terms.term(key, queue["queue"]) for key in QUEUE_KEYS)
    return {
        **queue,
        "spark": charts.spark(queue["lengths"]),
        "href": visit.here(queue=queue["queue"]),
        "traces": visit.go("/traces", filter=f"kind in (consumer, producer) and ({own})"),
    }


def _chart(visit: Visit, rows: Sequence[Mapping[str, Any]], step_s: float) -> charts.Chart:
    times = [point["t"] for point in rows[0]["series"]]
    runs = [sum(row["series"][place]["runs"] for row in rows) for place in range(len(times))]
    failed = [sum(row["series"][place]["failed"] for row in rows) for place in range(len(times))]
    layers = [
        charts.Series("failed", "err", failed),
        charts.Series("others", "", [every - bad for every, bad in zip(runs, failed, strict=True)]),
    ]
    return charts.bars("Tasks over time", visit.buckets(times, step_s), layers, visit.clock)
