"""Notifications on other pages: who was told of an alert and what holds it back, and what is wrong with telling."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from spanglass_server.pages.alerts.reading import time_ns
from spanglass_server.pages.notifications import reading
from spanglass_server.pages.ports import ApiError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.pages.visit import Visit

#: Deliveries of one alert that are listed, failing channels and rotas that the overview names.
SHOWN, MOST_CHANNELS, MOST_ROTAS = 10, 3, 6


class Told(NamedTuple):
    """Who was told of one alert; ``problem`` says why that can't be said."""

    deliveries: Sequence[reading.Row]
    more: int
    silences: Sequence[reading.Row]
    escalations: Sequence[reading.Row]
    problem: str


async def of_alert(visit: Visit, alert_id: str) -> Told:
    """Ask who was told of an alert, which active silences hide it, and which escalations run for it."""
    try:
        found = await visit.api("notifications", "alerts", alert_id)
    except ApiError as error:
        return Told((), 0, (), (), str(error))
    deliveries = [reading.delivery(one, visit) for one in found["deliveries"]]
    silences = [reading.silence(one, visit.clock.now_ns) for one in found["silences"]]
    return Told(
        deliveries[:SHOWN], max(0, len(deliveries) - SHOWN), [one for one in silences if one["state"] == "active"],
        [reading.escalation(one, visit) for one in found["escalations"]], "",
    )  # fmt: skip


class Standing(NamedTuple):
    """How telling people stands: channels that fail, silences that hide alerts, who is on call, running escalations."""

    failing: Sequence[reading.Row]
    silences: int
    escalations: int
    rotas: Sequence[dict[str, Any]]


async def standing(visit: Visit) -> Standing:
    """Ask how notifications stand; nothing where that can't be had: the page is about something else."""
    try:
        found, on_call = await visit.together(visit.api("notifications"), visit.api("on-call"))
    except ApiError:
        return Standing((), 0, 0, ())
    failing = [reading.channel(one["name"], one, None) for one in found["channels"] if one["error"]]
    rotas = [
        {"name": one["rota"], "person": one["now"]["person"], "end_ns": time_ns(one["now"]["end"])}
        for one in on_call["rotas"][:MOST_ROTAS]
    ]
    return Standing(failing[:MOST_CHANNELS], found["silences"], found["escalations"], rotas)
