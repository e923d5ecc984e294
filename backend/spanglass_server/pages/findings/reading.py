"""Performance findings as pages show them: links, shares, and how sure they are in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from spanglass_server.pages.findings import leaks
from spanglass_server.pages.rendering.format import parse_time_ns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spanglass_server.pages.visit import Visit

#: What stands for findings that can't be had.
NOTHING: Final[dict[str, Any]] = {"findings": [], "counts": {"open": 0, "dismissed": 0}}
#: Findings on other pages.
_MOST: Final = 5
#: From so much confidence on, in words.
_SURE: Final = ((0.8, "high"), (0.5, "medium"), (0.0, "low"))


@dataclass(frozen=True)
class Row:
    """A finding beside others; ``one`` is the API's answer. ``grows`` is what a leak does in an hour, else ""."""

    one: Mapping[str, Any]
    href: str
    sure: str
    share: float
    last_ns: int
    operation_href: str
    operation: str
    grows: str


def row(one: Mapping[str, Any], visit: Visit) -> Row:
    """Return a finding with what its row shows."""
    return Row(
        one=one,
        href=f"/findings/{one['id']}",
        sure=next(word for least, word in _SURE if one["confidence"] >= least),
        share=min(1.0, one["hits"] / max(1, one["requests"])),
        last_ns=parse_time_ns(one["last_time"]),
        operation_href=visit.to_service(one["service"], operation=one["operation"] or None),
        operation="its processes" if one["leak"] else one["operation"] or "(no name)",
        grows=leaks.speed(one["leak"]) if one["leak"] else "",
    )


@dataclass(frozen=True)
class Section:
    """The findings that cost most, on a page that is about something else."""

    rows: Sequence[Row]
    more: int
    href: str


async def section(visit: Visit, service: str = "", operation: str = "") -> Section:
    """Return the findings of a service, of one of its operations, or of all; none where they can't be had."""
    answer = await visit.attempt(visit.api("findings", service=service, operation=operation, limit=_MOST), NOTHING)
    rows = [row(one, visit) for one in answer["findings"]]
    return Section(rows, answer["counts"]["open"] - len(rows), visit.link("/findings", {"service": service}))
