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
    """Open alerts that stand for a problem, the most urgent first, how many more there are, and where all are."""

    alerts: Sequence[reading.Row]
    more: int
    href: str


async def read(visit: Visit, *, service: str = "", host: str = "", most: int = SHOWN) -> Firing:
    """Ask for open alerts; none where they can't be had: the page is about something else."""
    asked: dict[str, Any] = {"service": service, "host": host}
    href = visit.link("/alerts", asked)
    try:
        found = await reading.ask(visit, "alerts", **asked, status="open", part_of="none", limit=LOOKED_AT)
    except ApiError:
        return Firing((), 0, href)
    alerts = [reading.alert(row, visit) for row in reading.by_priority(found["alerts"])[:most]]
    return Firing(alerts, found["total"] - len(alerts), href)
