"""What was unusual for its time, within the range of the report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from spanglass_server.notifications.messages import words
from spanglass_server.reports import blocks
from spanglass_server.times import parse_time

if TYPE_CHECKING:
    from spanglass_server.reports.asking import Questions
    from spanglass_server.reports.model import Block

_MOST: Final = 15
#: Of so many anomalies those of the range are told.
_READ: Final = 500


async def build(questions: Questions) -> list[Block]:
    """Anomalies that went on in the range, the most important first; that there are none is said."""
    answer = await questions.if_there(
        questions.plain("anomalies", service=questions.scope.service, state="all", limit=_READ)
    )
    if not answer or not answer["enabled"]:
        return []
    scope = questions.scope
    found = [
        each
        for each in answer["anomalies"]
        if each["state"] != "fine"
        and parse_time(each["start_time"], 0) < scope.end_ns
        and parse_time(each["end_time"] or each["seen_time"], 0) >= scope.start_ns
    ]
    if not found:
        return [blocks.text("Nothing was unusual for its time.")]
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
