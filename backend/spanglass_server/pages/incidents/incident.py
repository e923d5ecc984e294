"""``/incidents/{id}``: one incident with its alerts, response, timeline and past ones; and its postmortem."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.pages.alerts import words as alert_words
from spanglass_server.pages.alerts.reading import ask, time_ns
from spanglass_server.pages.incidents import reading, words

if TYPE_CHECKING:
    from starlette.responses import Response

    from spanglass_server.pages.visit import Visit

#: Lines of the timeline that are shown, the newest.
MOST_LINES = 300


async def show(visit: Visit) -> Response:
    """Render the incident."""
    found = await ask(visit, "incidents", visit.request.path_params["incident"])
    row = reading.incident(found, visit)
    alerts = [reading.alert(one, visit) for one in found["alerts"]]
    titles = {one["id"]: (one["title"], one["href"]) for one in alerts}
    lines = reading.folded([reading.line(one, titles) for one in found["timeline"]])
    shown = [one for one in lines if not one["is_alert"]] if visit.param("lines") == "people" else lines
    took = found["durations"]
    return visit.page(
        "incidents/incident.html", ranged=False, incident=row, alerts=alerts,
        bars=reading.bars(row, alerts, visit.clock.now_ns), lines=shown[::-1][:MOST_LINES], line_count=len(shown),
        people_only=visit.param("lines") == "people", words=words,
        steps=[{**step, "done_ns": time_ns(step["done_at"])} for step in found["steps"]],
        similar=[
            {**one, "href": reading.to_incident(one["id"]), "opened_ns": time_ns(one["opened_at"]),
             "look": words.STATUSES[one["status"]], "level": alert_words.level(one["severity"]),
             "lasted": words.seconds(one["recover"])}
            for one in found["similar"]
        ],
        took=[
            ("To detection", "until it was opened", words.seconds(took["detect"])),
            ("To acknowledgement", "since it was opened", words.seconds(took["acknowledge"])),
            ("To recovery", "since it began", words.seconds(took["recover"])),
            ("To resolution", "since it was opened", words.seconds(took["resolve"])),
        ],
    )  # fmt: skip


async def show_postmortem(visit: Visit) -> Response:
    """Render the postmortem: its text to read, copy, download and write."""
    incident_id = visit.request.path_params["incident"]
    found, written = await visit.together(
        ask(visit, "incidents", incident_id), ask(visit, "incidents", incident_id, "postmortem")
    )
    return visit.page(
        "incidents/postmortem.html", ranged=False, incident=reading.incident(found, visit), postmortem=written
    )
