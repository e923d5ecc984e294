"""``/alerts/{id}``: one alert, the evidence for why it fired, what became of it, and what people wrote on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_server.pages.alerts import evidence, reading, words
from spanglass_server.pages.incidents.reading import incident as incident_of
from spanglass_server.pages.notifications import told

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response

    from spanglass_server.pages.visit import Visit

#: Alerts of one problem that are listed; the list of alerts has the rest.
MOST_PARTS = 10


async def show(visit: Visit) -> Response:
    """Render the alert; what evidence lacks is told with the reason."""
    alert_id = visit.request.path_params["alert"]
    found, notified, parts, incidents = await visit.together(
        reading.ask(visit, "alerts", alert_id),
        told.of_alert(visit, alert_id),
        visit.attempt(reading.ask(visit, "alerts", part_of=alert_id, limit=MOST_PARTS), {"alerts": [], "total": 0}),
        visit.attempt(reading.ask(visit, "incidents", alert=alert_id, limit=1), {"incidents": []}),
    )
    alert = reading.alert(found, visit, _threshold(found))
    unusual = await _anomaly(alert["labels"], visit)
    return visit.page(
        "alerts/alert.html", ranged=False, alert=alert, parts=[reading.alert(one, visit) for one in parts["alerts"]],
        incident=next((incident_of(one, visit) for one in incidents["incidents"]), None),
        part_count=parts["total"], notified=notified, evidence=evidence.read(alert, visit),
        history=[_entry(one, alert) for one in reversed(found["history"])], unusual=unusual,
    )  # fmt: skip


async def _anomaly(labels: Mapping[str, str], visit: Visit) -> dict[str, Any] | None:
    """Return the anomaly that an alert is about, as its label says; None where it is of none, or it is kept no more."""
    if not labels.get("anomaly", "").isdecimal():
        return None
    one = await visit.attempt(visit.api("anomalies", labels["anomaly"]), {})
    is_it = one.get("kind") == labels.get("kind") and one.get("title", "").startswith(labels.get("subject", ""))
    return one if is_it and not one["problem"] else None


def _threshold(found: Mapping[str, Any]) -> float | None:
    """Return the threshold that it crossed when it fired, None for a baseline or where none is kept."""
    kept = found["evidence"].get("value", {}).get("thresholds", ())
    return next((one["value"] for one in kept if one["severity"] == found["severity"]), None)


def _entry(one: Mapping[str, Any], alert: Mapping[str, Any]) -> dict[str, Any]:
    """Return a line of the history with its time, its words, and the value at that time."""
    value = words.text(one["value"], alert["unit"]) if one["value"] is not None else ""
    return {**one, "time_ns": reading.time_ns(one["time"]), "says": words.entry(one), "at": value,
            "who": "" if one["by"] in words.BY_ITSELF else one["by"]}  # fmt: skip
