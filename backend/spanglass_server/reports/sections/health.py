"""How everything is, and how much of the time it was up, component by component."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from spanglass_server.reports import blocks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass_server.reports.asking import Questions
    from spanglass_server.reports.model import Block

_MOST: Final = 25
_WORST: Final = ("unhealthy", "degraded", "unknown", "healthy")


async def build(questions: Questions) -> list[Block]:
    """The whole as it is now and its uptime, then a table of components, the worst first."""
    whole = await questions.plain("health")
    service = questions.scope.service
    chosen = [each for each in whole["components"] if not service or each["service"] == service]
    chosen.sort(key=lambda each: (_WORST.index(each["status"]), not each["critical"], each["name"]))
    found: list[Block] = [] if service else await _whole(questions, whole)
    if not chosen:
        return [*found, blocks.text("No component is known.")]
    uptimes = await questions.together(*(questions.now("components", each["uid"], "uptime") for each in chosen[:_MOST]))
    rows = [_row(each, uptime) for each, uptime in zip(chosen, uptimes, strict=False)]
    columns: blocks.Columns = (
        ("Component", "text"),
        ("Area", "text"),
        ("Now", "text"),
        ("Uptime", "ratio"),
        ("Down", "ns"),
        ("Degraded", "ns"),
        ("Outages", "count"),
        ("Why", "text"),
    )
    return [*found, blocks.table("Components", columns, rows, len(chosen) - _MOST)]


async def _whole(questions: Questions, whole: Mapping[str, Any]) -> list[Block]:
    now, before = await questions.together(questions.now("health", "uptime"), questions.before("health", "uptime"))
    reasons = "; ".join(f"{each['name']}: {each['text']}" for each in whole["reasons"][:5])
    score = f"The whole is {whole['status']} when this is written, with a score of {whole['score']} of 100"
    return [
        blocks.text(f"{score}. {reasons}." if reasons else f"{score}."),
        blocks.figures(
            blocks.figure("Uptime", "ratio", now["share"], before["share"], "more"),
            blocks.figure("Down", "ns", now["down_ns"], before["down_ns"], "less"),
            blocks.figure("Degraded", "ns", now["degraded_ns"], before["degraded_ns"], "less"),
            blocks.figure("Outages", "count", len(now["outages"]), len(before["outages"]), "less"),
        ),
    ]


def _row(component: Mapping[str, Any], uptime: Mapping[str, Any]) -> Any:
    return blocks.row(
        component["name"],
        component["area"],
        component["status"],
        uptime["share"],
        uptime["down_ns"],
        uptime["degraded_ns"],
        len(uptime["outages"]),
        component["reason"],
        link=blocks.place("health", "components", component["uid"]),
    )
