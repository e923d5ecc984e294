"""What the API tells of notifications, in the form that the pages show: times in nanoseconds, links, words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from spanglass_server.api_questions import address
from spanglass_server.pages.alerts.reading import others, place, time_ns
from spanglass_server.pages.alerts.words import level
from spanglass_server.pages.notifications import words
from spanglass_server.pages.rendering.format import duration_text
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spanglass_server.pages.visit import Visit

Row = dict[str, Any]
#: Below this path of the API stands what is configured, by section and name.
SETTINGS = ("notifications", "settings")
NO_STANDING: Row = {"channels": [], "groups": 0, "escalations": 0, "silences": 0, "problems": []}


async def post(visit: Visit, *path: str, body: Mapping[str, Any]) -> Row:
    """Return the API's answer to a question with a body, which has nothing to do with a time range."""
    return await visit.site.api(address(*path), {}, body)


async def things(visit: Visit, section: str) -> Sequence[Row]:
    """Return what is configured of a section, each with where it stands."""
    found = await visit.api(*SETTINGS, section)
    return [thing(one) for one in found["things"]]


def thing(found: Mapping[str, Any]) -> Row:
    """Return something that is configured, with the words for where that is."""
    where = "" if found["editable"] else place(found)
    return {**found, "place": where, "from": words.ORIGINS.get(found["origin"], found["origin"])}


def to_channel(name: str) -> str:
    """Return a link to the page of a channel."""
    return f"/channels/{quote(name, safe='')}"


def brief(found: Mapping[str, Any], visit: Visit) -> Row:
    """Return an alert as lists of other pages name it; its labels and since when only if they are told."""
    details = found.get("details") or {}
    labels = {**details.get("labels", {}), **details.get("key", {})}
    return {
        **found,
        "level": level(found["severity"]),
        "href": visit.to_alert(found["id"]),
        "created_ns": time_ns(found.get("created_at")),
        "others": [(name, value) for name, value in others(labels) if value not in found["title"]],
    }


def delivery(found: Mapping[str, Any], visit: Visit) -> Row:
    """Return a delivery with its times, links and words."""
    took_ns = found["took_ns"] if found["state"] == "sent" else None
    return {
        **found,
        "alerts": [brief(one, visit) for one in found["alerts"]],
        "look": words.state(found["state"]),
        "reason_word": words.reason(found["reason"]),
        "what": words.reason(found["title"]) if found["title"] == found["reason"] else found["title"],
        "href": f"/deliveries/{quote(found['id'], safe='')}",
        "channel_href": to_channel(found["channel"]),
        "created_ns": time_ns(found["created_at"]),
        "done_ns": time_ns(found["done_at"]),
        "next_ns": time_ns(found["next_at"]),
        "took": duration_text(took_ns) if took_ns is not None else "",
    }


def silence(found: Mapping[str, Any], now_ns: int) -> Row:
    """Return a silence with its conditions as texts, and how long it goes on or went on."""
    starts_ns, ends_ns = time_ns(found["starts_at"]), time_ns(found["ends_at"])
    left_ns = ends_ns - max(now_ns, starts_ns)
    return {
        **found,
        "texts": [words.matcher(one) for one in found["matchers"]],
        "written": words.matchers(found["matchers"]),
        "look": words.SILENCES[found["state"]],
        "starts_ns": starts_ns,
        "ends_ns": ends_ns,
        "left": duration_text(left_ns // NS_PER_SECOND * NS_PER_SECOND) if left_ns > 0 else "",
    }


def channel(name: str, standing: Mapping[str, Any] | None, kept: Mapping[str, Any] | None) -> Row:
    """Return a channel: how it stands, and how it is configured, either of which may be missing."""
    stands = standing or {"kind": None, "counts": {}, "oldest_waiting_at": None, "last_at": None, "error": None}
    kind = (kept or {}).get("value", {}).get("type") or stands["kind"] or ""
    return {
        "origin": "", "place": "", "from": "not configured", "version": "", "value": {}, "editable": False,
        **(kept or {}),
        "name": name,
        "kind": kind,
        "kind_word": words.kind(kind) if kind else "",
        "href": to_channel(name),
        "counts": {state: stands["counts"].get(state, 0) for state in words.STATES},
        "oldest_ns": time_ns(stands["oldest_waiting_at"]),
        "last_ns": time_ns(stands["last_at"]),
        "error": stands["error"] or "",
    }  # fmt: skip


def escalation(found: Mapping[str, Any], visit: Visit) -> Row:
    """Return an escalation that runs, with whom it told."""
    told = [one["person"] or one["channel"] for one in found["told"]]
    return {
        **found,
        "alerts": [brief(one, visit) for one in found["alerts"]],
        "began_ns": time_ns(found["began_at"]),
        "next_ns": time_ns(found["next_at"]),
        "told": list(dict.fromkeys(told)),
        "held": [{**one, "until_ns": time_ns(one["until"])} for one in found["held"]],
        "said": _step(found),
    }


def _step(found: Mapping[str, Any]) -> str:
    if found["acknowledged"]:
        return "acknowledged"
    if found["paused"]:
        return "stands still"
    done = min(found["step"] - 1, found["steps"])
    again = f", round {found['round']}" if found["round"] > 1 else ""
    return f"{done} of {found['steps']} steps{again}"


def explained(found: Mapping[str, Any]) -> Row:
    """Return who is told of an alert and why, or why nobody is: an explanation of the API."""
    hearings = found["hearings"]
    told = [
        {"channel": name, "escalation": one["escalation"] or ""}
        for one in hearings
        if not found["muted"] and not one["muted"]
        for name in one["channels"]
        if name not in one["unknown_channels"]
    ]
    fails = {one["route"]: _failing(one) for one in found["steps"] if one["failing"]}
    hits = {one["route"] for one in hearings}
    return {"labels": found["labels"], "told": told, "texts": found["text"], "hits": hits, "fails": fails}


def _failing(step: Mapping[str, Any]) -> str:
    return f"{step['failing']} does not hold: " + (
        f"it is {step['value']}" if step["value"] else "it has no such label"
    )
