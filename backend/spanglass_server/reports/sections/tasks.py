"""Background tasks: runs, failures, how long they took and waited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from spanglass_server.reports import blocks

if TYPE_CHECKING:
    from spanglass_server.reports.asking import Questions
    from spanglass_server.reports.model import Block

_MOST: Final = 15
_NONE: Final[dict[str, Any]] = {"failed_ratio": None, "p95_ns": None}


async def build(questions: Questions) -> list[Block]:
    """One table, tasks with most runs first; nothing where there are none."""
    now, before = await questions.together(
        questions.now("tasks", service=questions.scope.service),
        questions.before("tasks", service=questions.scope.service),
    )
    known = {(each["task"], each["service"]): each for each in before["tasks"]}
    rows = [
        blocks.row(
            each["task"],
            each["service"],
            each["runs"],
            each["failed_ratio"],
            then["failed_ratio"],
            each["p95_ns"],
            then["p95_ns"],
            each["wait_p95_ns"],
        )
        for each in now["tasks"][:_MOST]
        for then in (known.get((each["task"], each["service"]), _NONE),)
    ]
    if not rows:
        return []
    columns: blocks.Columns = (
        ("Task", "text"),
        ("Service", "text"),
        ("Runs", "count"),
        ("Failed", "ratio"),
        ("Failed before", "ratio"),
        ("p95", "ns"),
        ("p95 before", "ns"),
        ("Waited, p95", "ns"),
    )
    return [blocks.table("Tasks", columns, rows, now["total"] - len(rows))]
