"""``/alerts/{id}``: one alert, the evidence for why it fired, what became of it, and what people wrote on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_server.pages.alerts import evidence, reading, words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response

    from spanglass_server.pages.visit import Visit


async def show(visit: Visit) -> Response:
    """Render the alert; what evidence lacks is told with the reason."""
    found = await reading.ask(visit, "alerts", visit.request.path_params["alert"])
    alert = reading.alert(found, visit)
    return visit.page(
        "alerts/alert.html", ranged=False, alert=alert, evidence=evidence.read(alert, visit),
        history=[_entry(one, alert) for one in reversed(found["history"])],
    )  # fmt: skip


def _entry(one: Mapping[str, Any], alert: Mapping[str, Any]) -> dict[str, Any]:
    """Return a line of the history with its time, its words, and the value at that time."""
    value = words.text(one["value"], alert["unit"]) if one["value"] is not None else ""
    return {**one, "time_ns": reading.time_ns(one["time"]), "says": words.entry(one), "at": value,
            "who": "" if one["by"] in words.BY_ITSELF else one["by"]}  # fmt: skip
