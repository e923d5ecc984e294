"""The releases of services, each beside the one before: what is new, what came back, how many requests went well."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from spanglass_server.pages.issues import listing
from spanglass_server.pages.rendering import terms
from spanglass_server.pages.rendering.format import NONE, THIN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.responses import Response

    from spanglass_server.pages.visit import Visit

#: Issues of a release that are looked at, and decimals of a share that is nearly all.
MOST_ISSUES, DECIMALS = 100, 2
NO_ISSUES: dict[str, Any] = {"issues": []}


async def show(visit: Visit) -> Response:
    """``/releases``: those of all services, or of one (``?service=``) with what a release of it brought."""
    visit.longest_default = listing.LONGEST_DEFAULT
    service = visit.exact("service")
    answer = await visit.api("releases", **visit.window.as_params(), service=service)
    rows = [{**row, "change": _change(row)} for row in answer["releases"]]
    chosen = _chosen(rows, visit.exact("release")) if service else None
    return visit.page(
        "issues/releases.html", rows=rows, service=service, chosen=chosen, share_text=share_text,
        services=await listing.read_services(visit), brought=await _brought(visit, chosen) if chosen else None,
    )  # fmt: skip


def _chosen(rows: Sequence[Mapping[str, Any]], release: str) -> Mapping[str, Any] | None:
    """Return the release that the URL names, or the newest."""
    return next((row for row in rows if row["release"] == release), rows[0] if rows and not release else None)


def _change(row: Mapping[str, Any]) -> float | None:
    now, before = row["crash_free_share"], row["crash_free_share_before"]
    return None if now is None or before is None else now - before


async def _brought(visit: Visit, chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Return the issues that a release brought, brought back, and those that were resolved in it."""
    shared = {**visit.window.as_params(), "service": chosen["service"], "sort": "events", "limit": MOST_ISSUES}
    seen_in = terms.term("release", chosen["release"])
    seen, resolved = await visit.together(
        visit.attempt(visit.api("issues", **shared, state="all", filter=seen_in), NO_ISSUES),
        visit.attempt(visit.api("issues", **shared, state="resolved"), NO_ISSUES),
    )
    return {
        "problem": seen["problem"] or resolved["problem"],
        "new": [issue for issue in seen["issues"] if issue["first_release"] == chosen["release"]],
        "regressed": [issue for issue in seen["issues"] if issue["state"] == "regressed"],
        "resolved": [i for i in resolved["issues"] if i["substate"].partition(" ")[2] == chosen["release"]],
        "all": visit.go("/issues", service=chosen["service"], state="all", filter=seen_in),
    }


def share_text(share: float | None) -> str:
    """Return a share of requests that went well: one that is not all never reads as if it were."""
    if share is None:
        return NONE
    percent = math.floor(share * 100 * 10**DECIMALS) / 10**DECIMALS
    return f"{percent:.{DECIMALS}f}".rstrip("0").rstrip(".") + f"{THIN}%"
