"""How pages say what the API says of alerts and rules: severity, status, state, values with their units."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from spanglass_server.pages.rendering.format import NONE, THIN, duration_text, rate_parts
from spanglass_server.pages.rendering.units import SIZES, ceiling_of, value_parts
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Level(NamedTuple):
    """How a severity looks: the class of its badge, its icon, its word."""

    css: str
    icon: str
    word: str


#: From the worst to the least; the icon tells them apart without colour.
LEVELS: Mapping[str, Level] = {
    "critical": Level("err", "errors", "Critical"),
    "error": Level("err", "errors", "Error"),
    "warning": Level("warn", "warn", "Warning"),
    "info": Level("", "info", "Info"),
}
SEVERITIES = tuple(LEVELS)
#: The worst first.
RANK = {severity: place for place, severity in enumerate(SEVERITIES)}
OPEN = ("active", "acknowledged")
OVER = ("resolved", "dismissed")
STATUSES = (*OPEN, *OVER)
#: The state of a rule: class, icon and word, the most urgent first.
STATES: Mapping[str, Level] = {
    "firing": Level("err", "errors", "Firing"),
    "error": Level("err", "errors", "Fails"),
    "pending": Level("warn", "clock", "Pending"),
    "no_data": Level("", "info", "No data"),
    "unknown": Level("", "clock", "Not evaluated yet"),
    "inactive": Level("", "check", "OK"),
    "disabled": Level("", "pause", "Disabled"),
}
#: Where rules come from: the word in the list, and what is said of it.
ORIGINS = {
    "kept": ("made here", "is changed here, or over the API"),
    "settings": ("settings", "is changed in the settings file, which is read again when it changes"),
    "files": ("file", "is changed in its file, which is read again when it changes"),
    "slos": ("objective", "is made of an objective, and changed with it"),
    "shipped": ("shipped", "comes with Spanglass; what is changed of it is kept here"),
}
#: Units of alerting as pages/rendering/units.py knows them.
UCUM = {"s": "s", "bytes": "By", "ratio": "%", "": ""}
#: How numbers in a unit are typed: what one of it is in base units, the largest first.
TYPED = {
    "ratio": ((0.01, "%"),), "s": ((1, "s"), (0.001, "ms")),
    "bytes": ((1e9, "GB"), (1e6, "MB"), (1e3, "KB"), (1, "B")),
}  # fmt: skip
#: What the kind of an entry of an alert's history reads like.
DONE = {
    "pending": "The condition holds", "cancelled": "It holds no more", "fired": "Fired", "raised": "Became worse",
    "lowered": "Became better", "resolved": "Resolved", "no_data": "No data", "data_again": "Data again",
    "failed": "The evaluation failed", "works_again": "The evaluation works again", "acknowledged": "Acknowledged",
    "reopened": "Reopened", "dismissed": "Dismissed", "note": "Note", "edited": "Edited", "evidence": "Evidence added",
    "notified": "Notified", "response": "Response",
    "created": "Created", "counted": "Happened again", "active": "Reopened",
}  # fmt: skip
#: Who did what nobody did by hand.
BY_ITSELF = frozenset({"", "rule", "server"})


def level(severity: str | None) -> Level:
    """Return how a severity looks; one that is not known is its own word."""
    return LEVELS.get(severity or "", Level("", "info", str(severity or "None").capitalize()))


def parts(value: float | None, unit: str) -> tuple[str, str]:
    """Return number and unit of a value: ``("8.2", "%")``, ``("1.94", "s")``, ``("12", "/s")``."""
    if value is None:
        return NONE, ""
    if unit == "/s":
        return rate_parts(value) if value >= 0 else (f"{value:.3g}", "/s")
    return value_parts(value, UCUM.get(unit, unit))


def text(value: float | None, unit: str) -> str:
    """Return a value with its unit."""
    return THIN.join(filter(None, parts(value, unit)))


def written(value: float | None, unit: str) -> str:
    """Return a threshold as it is typed into a form: ``5%``, ``800ms``, ``1.5GB``, ``12``; nothing for none."""
    if value is None:
        return ""
    for factor, name in TYPED.get(unit, ()):
        if abs(value) >= factor or factor == TYPED[unit][-1][0]:
            return f"{value / factor:.12g}{name}"
    return f"{value:.12g}"


def ceiling(unit: str) -> Callable[[float], float]:
    """Return what rounds the top of an axis of values up."""
    known = UCUM.get(unit, unit)
    return ceiling_of(known if known in {*SIZES, "s"} else "")


def status(alert: Mapping[str, Any]) -> str:
    """Return an alert's status with who changed it: ``Acknowledged by Ines``."""
    word, who = alert["status"], ""
    if word == "acknowledged":
        who = alert["acknowledged_by"]
    elif word in OVER:
        who = alert["resolved_by"]
    if word == "active":
        return "Firing" if alert["firing"] else "Active"
    return f"{str(word).capitalize()} by {who}" if (who or "") not in BY_ITSELF else str(word).capitalize()


def lasted(alert: Mapping[str, Any], now_ns: int) -> str:
    """Return how long an alert has been going on, or did, in whole seconds: ``26 min 4 s``."""
    end_ns = alert["resolved_ns"] or now_ns
    seconds = max(0, end_ns - alert["created_ns"]) // NS_PER_SECOND
    return duration_text(seconds * NS_PER_SECOND) if seconds else f"0{THIN}s"


def entry(found: Mapping[str, Any]) -> str:
    """Return what a line of a history says, behind the name of who did it (nobody's for what happened by itself)."""
    kind = str(found["kind"])
    word = DONE.get(kind, kind.replace("_", " ").capitalize())
    return word if found["by"] in BY_ITSELF else word.lower()
