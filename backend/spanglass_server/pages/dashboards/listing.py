"""``/dashboards``: all dashboards, whatever they come from, and what is wrong with their files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.responses import Response

    from spanglass_server.pages.visit import Visit

#: Where dashboards come from: the heading of the group, and what is said of it.
ORIGINS = (
    ("kept", "Made here", ""),
    ("files", "From files", "changed in their files, which are read again when they change"),
    ("settings", "From the settings file", "changed there, read again when it changes"),
    ("shipped", "With Spanglass", "they are here while their data is; a change keeps your own version"),
)


async def show(visit: Visit) -> Response:
    """Render the list, narrowed by ``?q=`` (any word of name, description and tags)."""
    answer = await visit.api("dashboards")
    text = visit.param("q").lower()
    found = [row for row in answer["dashboards"] if _matches(row, text)]
    groups = [
        (origin, title, says, rows)
        for origin, title, says in ORIGINS
        if (rows := [row for row in found if row["origin"] == origin])
    ]
    return visit.page(
        "dashboards/list.html",
        groups=groups,
        count=len(found),
        total=len(answer["dashboards"]),
        problems=_problems(answer["problems"]),
    )


def _matches(row: Mapping[str, Any], text: str) -> bool:
    where = " ".join([row["name"], row["description"], row["uid"], *row["tags"]]).lower()
    return all(word in where for word in text.split())


def _problems(problems: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Problems with their place as editors write it: file, line and column."""
    return [
        {**problem, "place": ":".join(str(problem[part]) for part in ("file", "line", "column") if problem[part])}
        for problem in problems
    ]
