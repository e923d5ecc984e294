"""Objectives as pages show them: looks, texts, links; and those of a service for its page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from spanglass_server.pages.rendering.format import parse_time_ns
from spanglass_server.pages.slos import words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spanglass_server.pages.visit import Visit

#: What stands for objectives that can't be had.
NOTHING: Final[dict[str, Any]] = {"slos": [], "problems": []}


@dataclass(frozen=True)
class Row:
    """An objective beside others; ``one`` is the API's answer."""

    one: Mapping[str, Any]
    href: str
    look: words.Look
    target: str
    good: str
    left: str
    meter: float  # per cent of the budget, from 0 to 100
    burn: str
    window: str
    soon: str  # when the budget is used up, in words


def row(one: Mapping[str, Any], visit: Visit) -> Row:
    """Return an objective with what its row shows."""
    left = one["budget"]["left"]
    return Row(
        one=one,
        href=href(one["uid"]),
        look=words.STATUSES[one["status"]],
        target=words.percent(one["target"]),
        good=words.percent(one["budget"]["good"], one["target"]),
        left=words.left(left),
        meter=0.0 if left is None else round(100 * min(1.0, max(0.0, left)), 1),
        burn=words.rate(one["burn_rates"].get("1h")),
        window=words.WINDOWS[one["window"]],
        soon=soon(one, visit),
    )


def href(uid: str) -> str:
    """Return the path of an objective's page."""
    return f"/slos/{quote(uid, safe='')}"


def soon(one: Mapping[str, Any], visit: Visit) -> str:
    """Return when the budget is used up, or there again, if all goes on as it did lately; "" for not soon."""
    forecast = one["forecast"]
    if forecast is None or forecast["time"] is None:
        return ""
    when = visit.clock.minute(parse_time_ns(forecast["time"]))
    if forecast["exhausted"]:
        return f"some of it is there again from {when} on"
    first, last = (forecast[f"{which}_time"] for which in ("earliest", "latest"))
    between = (
        f", at the earliest {visit.clock.minute(parse_time_ns(first))}" if first and first != forecast["time"] else ""
    )
    latest = f", at the latest {visit.clock.minute(parse_time_ns(last))}" if last and last != forecast["time"] else ""
    return f"used up on {when}{between}{latest}"


async def section(visit: Visit, service: str) -> Sequence[Row]:
    """Return the objectives of a service; none where they can't be had."""
    answer = await visit.attempt(visit.api("slos", service=service), NOTHING)
    return [row(one, visit) for one in answer["slos"]]
