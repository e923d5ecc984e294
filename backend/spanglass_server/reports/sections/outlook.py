"""What is used up, and when; what rises, falls or jumped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from spanglass_server.notifications.messages import words
from spanglass_server.reports import blocks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass_server.reports.asking import Questions
    from spanglass_server.reports.model import Block

_MOST: Final = 15
#: Labels by which a series is told, besides its service and host.
_MOST_LABELS: Final = 3


async def build_capacity(questions: Questions) -> list[Block]:
    """Series that meet their bound, those first that meet it soonest; that there are none is said."""
    answer = await questions.if_there(questions.plain("capacity", service=questions.scope.service, limit=_MOST))
    met = [each for each in answer["capacity"] if each["met"] and each["met"]["earliest_time"]] if answer else []
    if not met:
        return [blocks.text("Nothing is seen to run out within the time of the forecasts.")] if answer else []
    rows = [
        blocks.row(
            each["title"],
            _of(each),
            words.value(each["now"], each["unit"]),
            words.value(each["bound"], each["unit"]),
            each["met"]["expected_time"],
            each["met"]["earliest_time"],
            each["met"]["latest_time"],
            link="/capacity",
        )
        for each in met
    ]
    columns: blocks.Columns = (
        ("What", "text"),
        ("Of", "text"),
        ("Now", "text"),
        ("Bound", "text"),
        ("Met", "time"),
        ("At the earliest", "time"),
        ("At the latest", "time"),
    )
    return [
        blocks.text("Forecasts when this is written; the times hold what comes 8 times out of 10."),
        blocks.table("Used up", columns, rows),
    ]


async def build_trends(questions: Questions) -> list[Block]:
    """Series with a slope or another level, the most important first; that there are none is said."""
    answer = await questions.if_there(questions.plain("trends", service=questions.scope.service, limit=_MOST))
    if not answer:
        return []
    found = answer["trends"]
    if not found:
        return [blocks.text("Nothing rises, falls or jumped.")]
    rows = [
        blocks.row(
            each["title"],
            _of(each),
            each["direction"],
            words.value(each["now"], each["unit"]),
            each["change"],
            each["slope"]["confidence"],
            each["shifts"][-1]["time"] if each["shifts"] else None,
            link="/trends",
        )
        for each in found
    ]
    columns: blocks.Columns = (
        ("What", "text"),
        ("Of", "text"),
        ("Direction", "text"),
        ("Now", "text"),
        ("Change", "change"),
        ("Confidence", "ratio"),
        ("Last jump", "time"),
    )
    return [
        blocks.text("Of the last four weeks at most, when this is written."),
        blocks.table("Trends", columns, rows, answer["total"] - len(found)),
    ]


def _of(series: Mapping[str, Any]) -> str:
    named = [text for text in (series["service"], series["host"]) if text]
    others = [text for text in series["labels"].values() if text and text not in named]
    return " ".join([*named, *others[:_MOST_LABELS]])
