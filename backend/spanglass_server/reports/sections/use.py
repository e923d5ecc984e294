"""Users and sessions, and what they used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from spanglass_server.query.language.parsing.text import quote
from spanglass_server.reports import blocks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass_server.reports.asking import Questions
    from spanglass_server.reports.model import Block

_MOST: Final = 15
_STEPS: Final = 30
_NO_USER: Final = (
    "Nobody was seen in this time: spans and log records name their user by user.id, and their session by session.id."
)


async def build_users(questions: Questions) -> list[Block]:
    """Figures of users and sessions, and both over time."""
    which = _filter(questions)
    now, before = await questions.together(
        questions.now("users", "summary", buckets=_STEPS, filter=which),
        questions.before("users", "summary", buckets=_STEPS, filter=which),
    )
    if not now["users"] and not now["sessions"]:
        return [blocks.text(_NO_USER)]
    then = before if before["users"] or before["sessions"] else dict.fromkeys(before)
    points, step_s = now["points"], now["step_s"]
    return [
        blocks.figures(
            blocks.figure("Users", "count", now["users"], then["users"], "more"),
            blocks.figure("Sessions", "count", now["sessions"], then["sessions"], "more"),
            blocks.figure("Session, median", "ns", now["session_p50_ns"], then["session_p50_ns"]),
        ),
        blocks.lines(
            "Users and sessions over time",
            "count",
            points,
            step_s,
            blocks.earlier("users before", before["points"], len(points), lambda point: point["users"]),
            blocks.line("users", [point["users"] for point in points]),
            blocks.line("sessions begun", [point["sessions"] for point in points]),
        ),
    ]


async def build_active(questions: Questions) -> list[Block]:
    """Users of the last days before the end of the range; a section of its own, since it reads thirty days."""
    active = await questions.now("users", "active", filter=_filter(questions))
    if not active["month"]:
        return []
    days = (("Last day", "day"), ("7 days", "week"), ("30 days", "month"))
    return [blocks.figures(*(blocks.figure(name, "count", active[key]) for name, key in days))]


async def build_features(questions: Questions) -> list[Block]:
    """Events and paths with most uses, with their users."""
    which = _filter(questions)
    features, paths = await questions.together(
        questions.now("users", "features", limit=_MOST, filter=which),
        questions.now("users", "paths", limit=_MOST, filter=which),
    )
    events = [
        blocks.row(each["name"], each["events"], each["users"], each["sessions"]) for each in features["features"]
    ]
    asked = [_path(each) for each in paths["paths"]]
    if not events and not asked:
        return [blocks.text("No event and no request of a user was seen in this time.")]
    told: list[Block] = []
    if events:
        columns: blocks.Columns = (("Event", "text"), ("Times", "count"), ("Users", "count"), ("Sessions", "count"))
        told.append(blocks.table("Features, by events", columns, events))
    if asked:
        columns = (
            ("Path", "text"),
            ("Service", "text"),
            ("Requests", "count"),
            ("Users", "count"),
            ("Failed", "count"),
            ("p95", "ns"),
        )
        told.append(blocks.table("Paths, by requests", columns, asked))
    return told


def _path(path: Mapping[str, Any]) -> Any:
    name = f"{path['operation']} {path['route']}" if path["route"] else path["operation"]
    return blocks.row(name, path["service"], path["requests"], path["users"], path["errors"], path["p95_ns"])


def _filter(questions: Questions) -> str:
    service = questions.scope.service
    return f"service.name = {quote(service)}" if service else ""
