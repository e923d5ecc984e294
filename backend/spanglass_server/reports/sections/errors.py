"""Issues that happened most, and how many are new or came back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from spanglass_server.reports import blocks

if TYPE_CHECKING:
    from spanglass_server.reports.asking import Questions
    from spanglass_server.reports.model import Block

_MOST: Final = 10
_OPEN: Final = ("new", "ongoing", "regressed")


async def build(questions: Questions) -> list[Block]:
    """Figures and a table of open issues."""
    service = questions.scope.service
    now, before = await questions.together(
        questions.now("issues", service=service, sort="events", limit=_MOST),
        questions.before("issues", service=service, sort="events", limit=_MOST),
    )
    counts, then, found = now["counts"], before["counts"], now["issues"]
    if not any(counts[state] for state in _OPEN):
        return [blocks.text("No open issue happened in this time.")]
    rows = [
        blocks.row(
            each["id"],
            each["title"],
            each["service"],
            each["state"],
            each["events"],
            each["users"],
            each["first_seen_time"],
            link=blocks.link(questions.scope, "issues", each["id"]),
        )
        for each in found
    ]
    columns: blocks.Columns = (
        ("Issue", "text"),
        ("Error", "text"),
        ("Service", "text"),
        ("State", "text"),
        ("Events", "count"),
        ("Users", "count"),
        ("First seen", "time"),
    )
    return [
        blocks.figures(
            *(blocks.figure(state.capitalize(), "count", counts[state], then[state], "less") for state in _OPEN)
        ),
        blocks.table("Issues with most events", columns, rows, sum(counts[state] for state in _OPEN) - len(found)),
    ]
