"""How pages say what the API says of incidents: status, what happened, how long it took."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_server.pages.alerts import words as alert_words
from spanglass_server.pages.alerts.words import Level
from spanglass_server.pages.rendering.format import NONE, THIN, duration_text
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Mapping

LIVE = ("open", "acknowledged", "recovered")
#: How a status looks: class, icon, word.
STATUSES: Mapping[str, Level] = {
    "open": Level("err", "errors", "Open"),
    "acknowledged": Level("", "user", "Acknowledged"),
    "recovered": Level("", "check", "Recovered"),
    "resolved": Level("", "check", "Resolved"),
    "dismissed": Level("", "close", "Dismissed"),
}
#: What buttons say, with their icon and key.
BUTTONS = (
    ("open", "Reopen", "undo", ""),
    ("acknowledged", "Acknowledge", "user", "a"),
    ("recovered", "Recovered", "check", ""),
    ("resolved", "Resolve", "check", "r"),
    ("dismissed", "Dismiss", "close", "d"),
)
#: What a line of a timeline reads like; those of alerts as in the alert's own history.
DONE = {
    "opened": "Opened", "acknowledged": "Acknowledged", "reopened": "Reopened", "relapsed": "Relapsed",
    "recovered": "Recovered", "resolved": "Resolved", "dismissed": "Dismissed", "raised": "Became worse",
    "edited": "Edited", "note": "Note", "joined": "An alert joined", "left": "An alert was taken out",
    "responder": "Responders", "step": "Step", "release": "Release", "overdue": "Overdue", "merged": "Merged",
    "postmortem": "Postmortem",
}  # fmt: skip
#: Lines whose text says all of it.
TOLD = frozenset({"step", "responder", "edited", "postmortem"})
#: Icons of lines that stand out.
ICONS = {
    "opened": "errors", "relapsed": "errors", "raised": "warn", "overdue": "clock", "recovered": "check",
    "resolved": "check", "release": "deploy", "note": "edit", "alert.fired": "alerts", "step": "check",
}  # fmt: skip
_ALERT = "alert."


def status(incident: Mapping[str, Any]) -> str:
    """Return a status with who changed it: ``Acknowledged by Ines``."""
    word = STATUSES[incident["status"]].word
    who = {"acknowledged": "acknowledged_by", "resolved": "resolved_by", "dismissed": "resolved_by"}
    name = incident[who[incident["status"]]] if incident["status"] in who else ""
    if name in alert_words.BY_ITSELF or name is None:
        return f"{word} by itself" if incident["status"] in {"resolved", "dismissed"} and name else word
    return f"{word} by {name}"


def entry(line: Mapping[str, Any]) -> str:
    """Return what a line says, behind the name of who did it (nobody's for what happened by itself)."""
    kind = str(line["kind"])
    if kind.startswith(_ALERT):
        own = kind.removeprefix(_ALERT)
        word = "Alert " + alert_words.DONE.get(own, own.replace("_", " ")).lower()
    else:
        word = DONE.get(kind, kind.replace("_", " ").capitalize())
    return word if line["by"] in alert_words.BY_ITSELF else word[:1].lower() + word[1:]


def seconds(value: float | None) -> str:
    """Return a duration in whole seconds: ``26 min 4 s``; a dash for none."""
    if value is None:
        return NONE
    text = duration_text(round(value) * NS_PER_SECOND) if value >= 1 else f"0{THIN}s"
    return text.removesuffix(f" 0{THIN}s") or text
