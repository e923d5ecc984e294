"""``/routes``: who hears of which alerts, as a tree, and what would happen to an alert with some labels."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from spanglass_server.pages.alerts import reading as alert_reading
from spanglass_server.pages.notifications import reading, words
from spanglass_server.pages.notifications.tree import tree
from spanglass_server.pages.ports import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response

    from spanglass_server.pages.visit import Visit

#: Open alerts that the form offers.
MOST_OFFERED = 50
NO_ALERTS: dict[str, Any] = {"alerts": [], "total": 0}
#: ``name=value`` with commas or blanks between; a value with either stands in quotes.
PAIR = re.compile(r'\s*([^\s=,"]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))\s*,?')


class LabelsError(ValueError):
    """The labels of the form can't be read."""


async def show(visit: Visit) -> Response:
    """Render the tree; with ``?labels=`` or ``?alert=``, who would be told of it and why."""
    answer, standing, alerts, roots, inhibitions, intervals = await visit.together(
        visit.api("notifications", "route"),
        visit.api("notifications"),
        visit.attempt(alert_reading.ask(visit, "alerts", status="open", limit=MOST_OFFERED), NO_ALERTS),
        reading.things(visit, "routes"),
        reading.things(visit, "inhibitions"),
        reading.things(visit, "intervals"),
    )
    what = await what_if(visit)
    return visit.page(
        "notifications/routes.html", ranged=False, root=tree(answer, what["hits"], what["fails"]), what=what,
        written=roots[0] if roots else None, problems=standing["problems"],
        inhibitions=[_inhibition(one) for one in inhibitions],
        intervals=[{**one, "text": _interval(one["value"]), "edit": _edit(one)} for one in intervals],
        alerts=[reading.brief(one, visit) for one in alerts["alerts"]], alert=visit.param("alert"),
        labels=visit.exact("labels"),
    )  # fmt: skip


def _edit(found: Mapping[str, Any]) -> str:
    return f"/routes/{found['section']}/{quote(found['name'], safe='')}/edit"


def _inhibition(found: Mapping[str, Any]) -> dict[str, Any]:
    value = found["value"]
    sides = {side: [words.matcher(one) for one in value[side]] for side in ("source", "target")}
    return {**found, **sides, "equal": value.get("equal") or [], "edit": _edit(found)}


def _interval(value: Any) -> str:
    """Return an interval in a line, as it is written."""
    if isinstance(value, dict):
        parts = [f"{name} {_interval(inner)}" for name, inner in value.items() if inner not in (None, "", [], {})]
        return "; ".join(parts)
    if isinstance(value, list):
        return ", ".join(_interval(one) for one in value)
    return str(value)


async def what_if(visit: Visit) -> dict[str, Any]:
    """Return what the API explains of the alert that the form names, or what is wrong with it."""
    nothing: dict[str, Any] = {"told": None, "problem": "", "hits": set(), "fails": {}, "texts": (), "labels": {}}
    alert, text = visit.param("alert"), visit.exact("labels")
    if not alert and not text.strip():
        return nothing
    try:
        asked = {"labels": labels_of(text)} if text.strip() else {"alert": alert}
        found = await reading.post(visit, "notifications", "explain", body=asked)
    except (ApiError, LabelsError) as error:
        return {**nothing, "problem": str(error)}
    return {**nothing, **reading.explained(found)}


def labels_of(text: str) -> dict[str, str]:
    """Return the labels that a text says: ``severity=critical, team="web shop"``; LabelsError for another text."""
    labels, at = {}, 0
    while at < len(text) and text[at:].strip():
        found = PAIR.match(text, at)
        if found is None:
            raise LabelsError(f"Labels are name=value with commas between: {text[at:].strip()[:60]!r} can't be read")
        value = found[3] if found[2] is None else re.sub(r"\\(.)", r"\1", found[2])
        labels[found[1]] = value
        at = found.end()
    return labels
