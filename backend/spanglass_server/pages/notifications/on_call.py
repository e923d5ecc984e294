"""``/on-call``: who is told now and in the next days, escalations and how far those that run are, and people."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from spanglass_server.pages.alerts.reading import time_ns
from spanglass_server.pages.notifications import reading
from spanglass_server.pages.rendering.format import rfc3339, to_datetime
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.responses import Response

    from spanglass_server.pages.visit import Visit

#: Colours of services, which people have in the strips of rotas.
SLOTS = 10
DAY_NS = 24 * 3600 * NS_PER_SECOND
DAYS = 14
#: Steps that come at once, and why somebody is on call.
EVERY_DAY = ("", "monday:sunday")
NOW = (None, "", "0s", "off", 0)
WHY = {"override": "override", "shift": "shift", "turn": "", "nobody": ""}


async def show(visit: Visit) -> Response:
    """Render the page."""
    rotas, people, escalations, running, standing = await visit.together(
        reading.things(visit, "rotas"),
        reading.things(visit, "people"),
        reading.things(visit, "escalations"),
        visit.api("escalations"),
        visit.api("notifications"),
    )
    ends = rfc3339(visit.clock.now_ns + DAYS * DAY_NS)
    starts = rfc3339(visit.clock.now_ns)
    schedules = await visit.together(*(visit.api("on-call", one["name"], start=starts, end=ends) for one in rotas))
    slots = _slots(people, schedules)
    return visit.page(
        "notifications/on_call.html", ranged=False, slots=slots, problems=standing["problems"], days=_days(visit),
        rotas=[_rota(one, found["duties"], slots, visit) for one, found in zip(rotas, schedules, strict=True)],
        people=[_person(one, slots) for one in people], escalations=[_escalation(one) for one in escalations],
        running=[reading.escalation(one, visit) for one in running["escalations"]],
    )  # fmt: skip


def _slots(people: Sequence[Mapping[str, Any]], schedules: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Return a colour for each person, by the order in which they are configured."""
    names = [one["name"] for one in people]
    names += [duty["person"] for found in schedules for duty in found["duties"] if duty["person"]]
    return {name: place % SLOTS for place, name in enumerate(dict.fromkeys(names))}


def _edit(section: str, name: str) -> str:
    return f"/on-call/{section}/{quote(name, safe='')}/edit"


def _rota(
    found: Mapping[str, Any], given: Sequence[Mapping[str, Any]], slots: Mapping[str, int], visit: Visit
) -> dict[str, Any]:
    now_ns, length_ns = visit.clock.now_ns, DAYS * DAY_NS
    duties = [_duty(one, slots, now_ns, now_ns + length_ns) for one in given]
    current = next((one for one in duties if one["start_ns"] <= now_ns < one["end_ns"]), None)
    after = next((one for one in duties if one["start_ns"] > now_ns and one["person"]), None)
    for duty in duties:
        begin_ns = max(duty["start_ns"], now_ns)
        duty["x"] = round((begin_ns - now_ns) * 100 / length_ns, 2)
        duty["width"] = round((min(duty["end_ns"], now_ns + length_ns) - begin_ns) * 100 / length_ns, 2)
    shown = [duty for duty in duties if duty["width"] > 0]
    return {**found, "duties": shown, "current": current, "after": after, "edit": _edit("rotas", found["name"]),
            "time_zone": found["value"].get("time_zone", "UTC"),
            "people": list(dict.fromkeys(duty["person"] for duty in shown if duty["person"]))}  # fmt: skip


def _duty(found: Mapping[str, Any], slots: Mapping[str, int], start_ns: int, end_ns: int) -> dict[str, Any]:
    return {**found, "start_ns": time_ns(found["start"]) or start_ns, "slot": slots.get(found["person"] or "", 0),
            "end_ns": time_ns(found["end"]) or end_ns, "says": found["reason"] or WHY[found["why"]]}  # fmt: skip


def _person(found: Mapping[str, Any], slots: Mapping[str, int]) -> dict[str, Any]:
    value = found["value"]
    hours = [_hours(one) for one in value.get("quiet_hours") or ()]
    return {**found, "slot": slots[found["name"]], "edit": _edit("people", found["name"]), "quiet_hours": hours,
            "full_name": value.get("full_name", ""), "time_zone": value.get("time_zone", "UTC"),
            "channels": [(name, reach.get("to") or ()) for name, reach in value["channels"].items()]}  # fmt: skip


def _hours(found: Mapping[str, Any]) -> str:
    days = found.get("weekdays")
    text = ", ".join(str(day) for day in days) if isinstance(days, list) else str(days or "")
    return f"{found['from']} to {found['to']}" + (f" ({text})" if text not in EVERY_DAY else "")


def _escalation(found: Mapping[str, Any]) -> dict[str, Any]:
    value = found["value"]
    steps = [
        {"after": f"after {step['after']}" if step.get("after") not in NOW else "at once", "tell": step["tell"],
         "by": step.get("by") or ()} for step in value["steps"]
    ]  # fmt: skip
    again = ""
    if value.get("repeat"):
        times = "once" if value["repeat"] == 1 else f"{value['repeat']} times"
        again = f"then again from the first step, {times}, {value['repeat_every']} later"
    return {**found, "steps": steps, "again": again, "edit": _edit("escalations", found["name"])}


def _days(visit: Visit) -> Sequence[dict[str, Any]]:
    """Return where days begin on the axis of the strips, and what stands there; narrow windows leave some out."""
    start_ns, zone = visit.clock.now_ns, visit.clock.zone
    today = to_datetime(start_ns, zone).date()
    days = [datetime.combine(today + timedelta(days=place), time(), zone) for place in range(1, DAYS + 1)]
    return [
        {"x": round((int(day.timestamp()) * NS_PER_SECOND - start_ns) * 100 / (DAYS * DAY_NS), 2),
         "text": f"{day:%a} {day.day}", "hide": place % 3 > 0}
        for place, day in enumerate(days)
    ]  # fmt: skip
