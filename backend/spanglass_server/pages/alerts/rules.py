"""``/rules``: every rule with its state and last value, what is wrong with their files, and a switch for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_server.pages.alerts import reading, words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response

    from spanglass_server.pages.visit import Visit

NO_TEMPLATES: dict[str, Any] = {"templates": []}
#: Rows on a page: a thousand rules are a page of a megabyte.
MOST_ROWS = 200


async def show(visit: Visit) -> Response:
    """Render the list, narrowed by ``?q=`` (each word in name, condition, labels or owner) and ``?state=``."""
    answer, templates = await visit.together(
        visit.api("rules"), visit.attempt(visit.api("rules", "templates"), NO_TEMPLATES)
    )
    rows = [reading.rule(row, visit) for row in answer["rules"]]
    order = list(words.STATES)
    rows.sort(key=lambda row: (order.index(row["state"]), row["name"].lower()))
    matching = [row for row in rows if _matches(row, visit.param("q").lower())]
    state = visit.param("state") if visit.param("state") in words.STATES else ""
    found = [row for row in matching if not state or row["state"] == state]
    counts = {name: sum(row["state"] == name for row in matching) for name in words.STATES}
    at = int(visit.param("cursor")) if visit.param("cursor").isdecimal() else 0
    after = at + MOST_ROWS
    more = {**dict(visit.params), "cursor": str(after)}
    return visit.page(
        "alerts/rules.html", ranged=False, rows=found[at:after], found=len(found), total=len(rows), state=state,
        matching=len(matching), counts={name: count for name, count in counts.items() if count},
        problems=answer["problems"], alerter=answer["alerter"], templates=templates["templates"],
        next_page=visit.link(visit.path, more) if after < len(found) else None,
    )  # fmt: skip


def _matches(row: Mapping[str, Any], text: str) -> bool:
    labels = [f"{name}={value}" for name, value in row["labels"].items()]
    where = " ".join([row["name"], row["uid"], row["condition"], row["owner"], row["place"], *labels]).lower()
    return all(word in where for word in text.split())
