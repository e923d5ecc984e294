"""How pages say what the API says of an issue: its state, what ends it, what was done to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_server.pages.rendering.format import grouped, parse_time_ns

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass_server.pages.rendering.format import Clock

#: The choices of states: what stands in the URL, and its name.
STATES = (
    ("open", "Open"), ("new", "New"), ("ongoing", "Ongoing"), ("regressed", "Regressed"),
    ("resolved", "Resolved"), ("ignored", "Ignored"), ("all", "All"),
)  # fmt: skip
OPEN = ("new", "ongoing", "regressed")
#: Class of the badge of a state: those that somebody should look at are red.
CSS = {"new": "err", "regressed": "err"}
#: How an activity that is no change of state or assignee reads.
_DONE = {
    "created": "First seen", "comment": "commented", "carried": "moved to another fingerprint",
}  # fmt: skip
AUTOMATIC = "spanglass"
#: What a line of a fingerprint is.
INPUTS = {
    "custom": "given", "rule": "rule", "service": "service", "type": "type", "frame": "in", "message": "message",
}  # fmt: skip


def badge(issue: Mapping[str, Any]) -> tuple[str, str]:
    """Return the class and the text of an issue's state."""
    return CSS.get(issue["state"], ""), str(issue["state"]).capitalize()


def state_text(issue: Mapping[str, Any], clock: Clock) -> str:
    """Return an issue's state with what belongs to it: ``Ignored until 100 more events``."""
    state = issue["state"]
    if state == "new":
        return f"New in {issue['first_release']}" if issue["first_release"] else "New"
    if state == "resolved":
        return _resolved(issue["resolution"] or {})
    if state == "ignored":
        return f"Ignored {_until(issue['ignore'] or {}, clock)}"
    text = badge(issue)[1]
    if state == "regressed":
        back = [entry["detail"] for entry in issue.get("activity", ()) if entry["to"] == "regressed"]
        return f"{text} in {back[-1]}" if back and back[-1] else text
    return text


def _resolved(resolution: Mapping[str, Any]) -> str:
    release = resolution.get("release") or ""
    if resolution.get("how") == "in_next_release":
        return f"Resolved in the release after {release}" if release else "Resolved in the next release"
    return f"Resolved in {release}" if release else "Resolved"


def _until(ignore: Mapping[str, Any], clock: Clock) -> str:
    until, limit = ignore.get("until"), ignore.get("limit")
    if until == "until_time" and limit:
        time_ns = int(limit) if str(limit).isdigit() else parse_time_ns(str(limit))
        return f"until {clock.minute(time_ns)}"
    if until == "until_escalates":
        return "until it escalates"
    for kind, name in (("until_events", "event"), ("until_users", "user")):
        if until == kind and limit is not None:
            return f"until {grouped(int(limit))} more {name}{'' if int(limit) == 1 else 's'}"
    return "for ever"


def _detail(detail: str, clock: Clock) -> str:
    """Return what an entry of the activity says of how: ``in_next_release 1.4.0``, ``until_events 100``, ``1.4.0``."""
    how, _, limit = detail.partition(" ")
    if how.startswith("until") or how == "for_ever":
        return _until({"until": how, "limit": limit or None}, clock)
    if how == "in_next_release":
        return f"in the release after {limit}" if limit else "in the next release"
    release = limit if how in {"in_release", "now"} else detail
    return f"in {release}" if release else ""


def activity(entry: Mapping[str, Any], clock: Clock) -> str:
    """Return what was done, behind the name of who did it (nobody's name for what happened by itself)."""
    what, before, after, detail = entry["what"], entry["from"] or "", entry["to"] or "", entry["detail"] or ""
    if what == "state":
        how = f" {_detail(detail, clock)}".rstrip()
        if entry["who"] != AUTOMATIC:
            return f"changed {before} to {after}{how}"
        return f"Ignored{how}, now {after}" if before == "ignored" else f"{before.capitalize()}, now {after}{how}"
    if what == "assignee":
        return f"assigned it to {after}" if after else f"took it from {before}"
    if what in {"merged", "unmerged"}:
        return f"merged {before} into {after}" if what == "merged" else f"took {before} out of {after} again"
    rest = " ".join(filter(None, (before, after, detail)))
    return f"{_DONE.get(what, what)}{f' {rest}' if rest and what != 'created' else ''}"


def rule(given: Mapping[str, Any]) -> str:
    """Return what a rule of grouping does: ``type Shop*, path */billing/*: split by tenant.id``."""
    match, action = given.get("match") or {}, given.get("action") or {}
    patterns = [f"{name} {pattern}" for name, pattern in match.items() if name != "attributes"]
    patterns += [f"{key} = {pattern}" for key, pattern in (match.get("attributes") or {}).items()]
    does = "frames are the application's own" if action.get("in_app") else "frames are not the application's own"
    if "join" in action:
        does = f"one issue, {action['join']}"
    elif "split_by" in action:
        does = f"split by {', '.join(action['split_by'])}"
    where = "" if given.get("service") else " (all services)"
    return f"{', '.join(patterns) or 'all'}{where}: {does}"


#: What actions send, and their fields that go with it (docs/api.md).
IN_NEWEST = {"state": "resolved", "resolution": "in_release"}
IN_NEXT = {"state": "resolved", "resolution": "in_next_release"}
FOR_EVER = {"state": "ignored"}
UNTIL_ESCALATES = {"state": "ignored", "until": {"escalates": True}}
UNTIL_TIME = UNTIL_EVENTS = UNTIL_USERS = FOR_EVER
RELEASE_FIELD, TIME_FIELD, EVENTS_FIELD, USERS_FIELD = "release", "until.time", "until.events", "until.users"
