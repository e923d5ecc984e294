"""``/health``: how everything is, with reasons; components by area, checks, and what changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_server.pages.health import looks, reading

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.responses import Response

    from spanglass_server.pages.visit import Visit

#: Rows of a page: thousands of checks are a page of megabytes.
MOST_ROWS = 200
MOST_CHANGES = 100
VIEWS = ("components", "checks", "changes")


async def show(visit: Visit) -> Response:
    """Render one of the views; ``?q=`` narrows by words, ``?status=`` by status."""
    view = visit.param("view") if visit.param("view") in VIEWS else VIEWS[0]
    whole, checks, changes = await visit.together(
        visit.api("health"),
        visit.api("checks"),
        _changes(visit) if view == "changes" else _nothing(),
    )
    components = [reading.component(one) for one in whole["components"]]
    names = {"overall": "Everything"}
    names |= {f"component/{one['uid']}": one["name"] for one in whole["components"]}
    names |= {f"check/{one['uid']}": one["name"] for one in checks["checks"]}
    rows = components if view == "components" else [reading.check(one) for one in checks["checks"]]
    matching = [row for row in rows if _matches(row, visit.param("q").lower())]
    status = visit.param("status") if visit.param("status") in looks.ORDER else ""
    found = [row for row in matching if not status or row["status"] == status]
    found.sort(key=lambda row: (looks.ORDER.index(row["status"]), row["name"].lower()))
    at = int(visit.param("cursor")) if visit.param("cursor").isdecimal() else 0
    after = at + MOST_ROWS
    return visit.page(
        "health/list.html", ranged=False, view=view, whole=_whole(whole), problems=checks["problems"],
        areas=reading.by_area(found[at:after]) if view == "components" else (), rows=found[at:after], found=len(found),
        total=len(rows), counts={name: sum(row["status"] == name for row in matching) for name in looks.ORDER},
        chosen=status, matching=len(matching), component_count=len(components), check_count=len(checks["checks"]),
        changes=[
            {**reading.change(one), "name": names.get(one["subject"], one["subject"])} for one in changes["changes"]
        ],
        next_changes=changes.get("next_cursor"), looks=looks, enabled=checks["enabled"],
        status_page=whole["status_page"],
        next_page=visit.here(cursor=str(after)) if after < len(found) else None,
    )  # fmt: skip


async def _changes(visit: Visit) -> dict[str, Any]:
    return await visit.api("health", "changes", limit=MOST_CHANGES, cursor=visit.param("cursor"))


async def _nothing() -> dict[str, Any]:
    return {"changes": []}


def _whole(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return the whole with how it looks, and its reasons with links."""
    reasons = [
        {**one, "look": looks.look(one["status"]), "href": reading.to_component(one["component"])}
        for one in found["reasons"]
    ]
    return {**found, "look": looks.look(found["status"]), "since_ns": reading.time_ns(found["since_time"]),
            "reasons": reasons}  # fmt: skip


def _matches(row: Mapping[str, Any], text: str) -> bool:
    told: Sequence[Any] = (row["name"], row["uid"], row["service"], row["area"], row.get("component"), row.get("kind"))
    where = " ".join(str(one) for one in told if one).lower()
    return all(word in where for word in text.split())
