"""``/coverage``: which families of telemetry services and hosts send, and what would send the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from starlette.responses import Response

    from spanglass_server.pages.visit import Visit

#: Services and hosts that are listed, and those that are named of each family that is missing or stale.
_MOST: Final = 300
_NAMED: Final = 3
#: Services and hosts whose families are shown; the others are folded away.
_UNFOLDED: Final = 25
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
    return visit.page(
        "coverage.html",
        answer=answer,
        subjects=subjects,
        gaps=_by_family(subjects),
        named=_NAMED,
        unfolded=_UNFOLDED,
        groups=GROUPS,
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


def _by_family(subjects: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return families that are missing or stale, those of most services and hosts first: a fleet lacks the same."""
    gaps: dict[tuple[str, str], dict[str, Any]] = {}
    for subject in subjects:
        for cells in subject["groups"].values():
            for cell in cells:
                if cell["state"] in {"missing", "stale"}:
                    gap = gaps.setdefault((cell["family"], cell["state"]), {**cell, "subjects": []})
                    gap["subjects"].append(subject)
                    gap["last_time"] = min(filter(None, (gap["last_time"], cell["last_time"])), default=None)
    return sorted(gaps.values(), key=lambda gap: -len(gap["subjects"]))
