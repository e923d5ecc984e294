"""What of the hosts is in use at the end of the range, and was at the end of the one before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from spanglass_server.reports import blocks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass_server.reports.asking import Questions
    from spanglass_server.reports.model import Block

_MOST: Final = 25


async def build(questions: Questions) -> list[Block]:
    """One table, the fullest disk first."""
    now, before = await questions.together(questions.now("hosts"), questions.before("hosts"))
    known = {each["host"]: each for each in before["hosts"]}
    found = sorted(now["hosts"], key=lambda host: -(_disk(host) or 0.0))
    if not found:
        return [blocks.text("No host sent metrics in this time.")]
    rows = [
        blocks.row(
            each["host"],
            each["cpu"],
            _memory(each),
            _memory(then),
            _disk(each),
            _disk(then),
            link=blocks.link(questions.scope, "hosts", each["host"] or "-"),
        )
        for each in found[:_MOST]
        for then in (known.get(each["host"], {}),)
    ]
    columns: blocks.Columns = (
        ("Host", "text"),
        ("Processor", "ratio"),
        ("Memory", "ratio"),
        ("Memory before", "ratio"),
        ("Fullest disk", "ratio"),
        ("Disk before", "ratio"),
    )
    return [blocks.table("Hosts", columns, rows, len(found) - _MOST)]


def _memory(host: Mapping[str, Any]) -> float | None:
    space = host.get("memory")
    return space["ratio"] if space else None


def _disk(host: Mapping[str, Any]) -> float | None:
    return max((disk["ratio"] for disk in host.get("disks", ())), default=None)
