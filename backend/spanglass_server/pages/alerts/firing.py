"""What fires now, for the pages that tell what is wrong: the overview, a service, a host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from spanglass_server.pages.alerts import reading
from spanglass_server.pages.ports import ApiError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.pages.visit import Visit

SHOWN = 5
#: Of so many the most urgent are chosen.
LOOKED_AT = 100


class Firing(NamedTuple):
    """The most urgent open alert of each problem, worst first, how many more problems there are, and where all are.

    ``parts`` of an alert is how many others of its problem are open.
    """

    alerts: Sequence[reading.Row]
    more: int
    href: str


async def read(visit: Visit, *, service: str = "", host: str = "", most: int = SHOWN) -> Firing:
    """Ask for open alerts; none where they can't be had: the page is about something else."""
    asked: dict[str, Any] = {"service": service, "host": host}
    href = visit.link("/alerts", asked)
    try:
        found = await reading.ask(visit, "alerts", **asked, status="open", limit=LOOKED_AT)
    except ApiError:
        return Firing((), 0, href)
    problems: dict[str, list[Any]] = {}
    for row in reading.by_priority(found["alerts"]):
        problems.setdefault(row["part_of"] or row["id"], []).append(row)
    alerts = [{**reading.alert(rows[0], visit), "parts": len(rows) - 1} for rows in list(problems.values())[:most]]
    unread = max(0, found["total"] - len(found["alerts"]))
    return Firing(alerts, len(problems) - len(alerts) + unread, href)
