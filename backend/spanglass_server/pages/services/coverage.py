"""``/coverage``: which families of telemetry services and hosts send, and what would send the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from starlette.responses import Response

    from spanglass_server.pages.visit import Visit

#: Services and hosts that are listed, and families of them that are missing or stale.
_MOST: Final = 300
_MOST_GAPS: Final = 200
GROUPS: Final = {
    "system": "System",
    "application": "Application",
    "user_activity": "User activity",
    "errors": "Errors",
}


async def show(visit: Visit) -> Response:
    """Render the page."""
    answer = await visit.api("coverage", **visit.window.as_params(), limit=_MOST)
    families = {family["key"]: family for family in answer["families"]}
    subjects = [_with_groups(visit, subject, families) for subject in answer["subjects"]]
    gaps = [gap for subject in subjects for gap in _gaps(subject)]
    return visit.page(
        "coverage.html", answer=answer, subjects=subjects, gaps=gaps[:_MOST_GAPS], gaps_total=len(gaps), groups=GROUPS
    )


def _with_groups(visit: Visit, subject: Mapping[str, Any], families: Mapping[str, Any]) -> dict[str, Any]:
    """Return a service or host with its families by group, and where its name leads."""
    cells = [{**families[cell["family"]], **cell} for cell in subject["families"]]
    name, is_host = subject["name"], subject["subject"] == "host"
    return {
        **subject,
        "href": visit.go(f"/hosts/{quote(name, safe='')}") if is_host else visit.to_service(name),
        "groups": {group: [cell for cell in cells if cell["group"] == group] for group in GROUPS},
    }


def _gaps(subject: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for cells in subject["groups"].values():
        for cell in cells:
            if cell["state"] in {"missing", "stale"}:
                yield {**cell, "name": subject["name"], "slot": subject["slot"], "href": subject["href"]}
