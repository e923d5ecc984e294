"""Which families of telemetry are there, and which are missing or went stale, with what would send them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from spanglass_server.reports import blocks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spanglass_server.reports.asking import Questions
    from spanglass_server.reports.model import Block

_MOST: Final = 25
_WANTED: Final = ("missing", "stale")


async def build(questions: Questions) -> list[Block]:
    """Figures of all services and hosts, a table of those that lack something, and the line that sends each family."""
    now, before = await questions.together(questions.now("coverage"), questions.before("coverage"))
    if not now["total"]:
        return []
    families = {each["key"]: each for each in now["families"]}
    lacking = [each for each in now["subjects"] if each["missing"] or each["stale"]]
    rows = [
        blocks.row(
            each["name"],
            each["subject"],
            *(_titles(each, state, families) for state in _WANTED),
            link=blocks.place("hosts" if each["subject"] == "host" else "services", each["name"]),
        )
        for each in lacking[:_MOST]
    ]
    columns: blocks.Columns = (("Service or host", "text"), ("Kind", "text"), ("Missing", "text"), ("Stale", "text"))
    found: list[Block] = [
        blocks.figures(
            blocks.figure("Families that are there", "ratio", now["ratio"], before["ratio"], "more"),
            blocks.figure("Missing", "count", now["missing"], before["missing"] if before["total"] else None, "less"),
            blocks.figure("Stale", "count", now["stale"], before["stale"] if before["total"] else None, "less"),
        )
    ]
    if not rows:
        return [*found, blocks.text("Every service and host sends all that it should.")]
    return [
        *found,
        blocks.table("What is not sent", columns, rows, len(lacking) - _MOST),
        blocks.table("What would send it", (("Family", "text"), ("Line", "text")), _remedies(lacking, families)),
    ]


def _titles(one: Mapping[str, Any], state: str, families: Mapping[str, Mapping[str, Any]]) -> str:
    return ", ".join(families[cell["family"]]["title"] for cell in one["families"] if cell["state"] == state)


def _remedies(lacking: Sequence[Mapping[str, Any]], families: Mapping[str, Mapping[str, Any]]) -> list[Any]:
    """A row for each family that any of them lacks, with the line that would send it."""
    wanted = {cell["family"] for each in lacking for cell in each["families"] if cell["state"] in _WANTED}
    return [blocks.row(each["title"], each["remedy"]) for key, each in families.items() if key in wanted]
