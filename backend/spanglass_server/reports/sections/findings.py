"""Performance findings that cost most, and what to do about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from spanglass_server.reports import blocks

if TYPE_CHECKING:
    from spanglass_server.reports.asking import Questions
    from spanglass_server.reports.model import Block

_MOST: Final = 10


async def build(questions: Questions) -> list[Block]:
    """A table, and the advice of each sort of finding once."""
    answer = await questions.plain("findings", service=questions.scope.service, limit=_MOST)
    found = answer["findings"]
    if not found:
        return [blocks.text("Nothing was found that makes requests slow and could be mended.")]
    rows = [
        blocks.row(
            each["title"],
            each["service"],
            "(processes)" if each["leak"] else each["operation"],
            each["seen"],
            each["cost_per_day_ns"],
            link=blocks.place("findings", str(each["id"])),
        )
        for each in found
    ]
    columns: blocks.Columns = (
        ("Finding", "text"),
        ("Service", "text"),
        ("Operation", "text"),
        ("Seen", "text"),
        ("Costs a day", "ns"),
    )
    advice = dict.fromkeys(f"{each['title']}: {each['advice']}" for each in found)
    return [
        blocks.text("Figures are of the 24 hours before the report was made; the time is that of requests."),
        blocks.table("Findings", columns, rows, answer["counts"]["open"] - len(found)),
        *(blocks.text(each) for each in advice),
    ]
