"""Service level objectives: what was good in the range, and what is left of their error budgets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from spanglass_server.reports import blocks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass_server.reports.asking import Questions
    from spanglass_server.reports.model import Block

_MOST: Final = 25


async def build(questions: Questions) -> list[Block]:
    """How many kept their promise, then a table, those with the least of their budgets left first."""
    answer = await questions.plain("slos", service=questions.scope.service)
    found = [each for each in answer["slos"] if each["enabled"]]
    if not found:
        return []
    ranges = await questions.together(*(_counted(questions, each) for each in found[:_MOST]))
    rows = [_row(each, *both) for each, both in zip(found, ranges, strict=False)]
    columns: blocks.Columns = (
        ("Objective", "text"),
        ("Target", "ratio"),
        ("Good", "ratio"),
        ("Before", "ratio"),
        ("Bad", "count"),
        ("Events", "count"),
        ("Budget left now", "budget"),
        ("Over", "text"),
    )
    used_up = sum(each["status"] == "exhausted" for each in found)
    return [
        blocks.figures(
            blocks.figure("Objectives", "count", len(found)),
            blocks.figure("Budgets used up now", "count", used_up),
        ),
        blocks.table("Objectives", columns, rows, len(found) - _MOST),
    ]


async def _counted(questions: Questions, slo: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What was counted of an objective in the range, and in the one before."""
    courses = await questions.together(
        questions.now("slos", slo["uid"], "history"), questions.before("slos", slo["uid"], "history")
    )
    return [course["counted"] for course in courses]


def _row(slo: Mapping[str, Any], now: Mapping[str, Any], before: Mapping[str, Any]) -> Any:
    return blocks.row(
        slo["name"],
        slo["target"],
        now["good"],
        before["good"],
        now["bad"],
        now["total"],
        slo["budget"]["left"],
        slo["window"],
        link=blocks.place("slos", slo["uid"]),
    )
