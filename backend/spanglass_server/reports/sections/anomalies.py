"""What was unusual for its time, within the range of the report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from spanglass_server.notifications.messages import words
from spanglass_server.reports import blocks
from spanglass_server.times import format_time

if TYPE_CHECKING:
    from spanglass_server.reports.asking import Questions
    from spanglass_server.reports.model import Block

_MOST: Final = 15
#: Of so many anomalies those of the range are told.
_READ: Final = 500


def _of_none(answer: dict[str, Any]) -> str:
    """What is said where there are none: that nothing was judged yet is another thing than that nothing was found."""
    if not all(each["is_ready"] for each in answer["watching"]):
        return "None is known: what is usual is still being learned. Anomalies are kept for 30 days."
    return "Nothing that is known was unusual for its time. Anomalies are kept for 30 days."


async def build(questions: Questions) -> list[Block]:
    """Anomalies that went on in the range, the most important first; that there are none is said."""
    scope = questions.scope
    answer = await questions.if_there(
        questions.plain(
            "anomalies",
            service=scope.service,
            state="all",
            start=format_time(scope.start_ns),
            end=format_time(scope.end_ns),
            limit=_READ,
        )
    )
    if not answer or not answer["enabled"]:
        return []
    found = [each for each in answer["anomalies"] if each["state"] != "fine"]
    if not found:
        return [blocks.text(_of_none(answer))]
    found.sort(key=lambda each: -float(each["importance"]))
    rows = [
        blocks.row(
            each["kind_title"],
            each["title"],
            words.value(each["value"], each["unit"]),
            f"{words.value(each['low'], each['unit'])} to {words.value(each['high'], each['unit'])}",
            each["impact"],
            each["start_time"],
            each["end_time"],
            link=blocks.place("anomalies", str(each["id"])),
        )
        for each in found[:_MOST]
    ]
    columns: blocks.Columns = (
        ("What", "text"),
        ("Of", "text"),
        ("At its peak", "text"),
        ("Usual then", "text"),
        ("Of all requests", "ratio"),
        ("Began", "time"),
        ("Ended", "time"),
    )
    return [
        blocks.text("By how surprising they were and how many requests they affected."),
        blocks.table("Anomalies", columns, rows, max(0, len(found) - _MOST)),
    ]
