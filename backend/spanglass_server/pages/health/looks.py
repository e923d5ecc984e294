"""How pages show health: words, icons and colours of statuses, uptime as text, and a strip of days."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from spanglass_server.pages.rendering.format import NONE, THIN

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Below so much of its known time without an outage, a day is shown as bad, not only as impaired.
_BAD_SHARE = 0.99
_ALL, _MOST_DIGITS = 1.0, 3


class Look(NamedTuple):
    """How a status looks: the class of its badge, its icon, its word; never by colour alone."""

    css: str
    icon: str
    word: str


STATUSES: Mapping[str, Look] = {
    "healthy": Look("ok", "check", "Healthy"),
    "degraded": Look("warn", "warn", "Degraded"),
    "unhealthy": Look("err", "errors", "Unhealthy"),
    "unknown": Look("", "clock", "Unknown"),
}
#: The same for people outside, who don't know what is meant by healthy.
PUBLIC: Mapping[str, str] = {
    "healthy": "Works", "degraded": "Impaired", "unhealthy": "Down", "unknown": "Not known",
}  # fmt: skip
#: Areas of components, in the order of the page, with the heading of each.
AREAS: Mapping[str, str] = {
    "system": "System", "service": "Services", "api": "APIs", "component": "Components", "database": "Databases",
    "cache": "Caches", "dependency": "Dependencies", "task": "Background tasks",
}  # fmt: skip
#: From the worst to the best.
ORDER = ("unhealthy", "degraded", "unknown", "healthy")
#: The kinds of checks in words.
KINDS: Mapping[str, str] = {
    "http": "HTTP", "tcp": "TCP", "tls": "Certificate", "dns": "DNS", "heartbeat": "Heartbeat", "sql": "SQL",
    "redis": "Redis", "command": "Command", "application": "Application",
}  # fmt: skip


def look(status: str) -> Look:
    """Return how a status looks; one that is not known is its own word."""
    return STATUSES.get(status, Look("", "clock", status.capitalize()))


def uptime(share: float | None) -> str:
    """Return an uptime: ``99.98 %``; never rounded up to 100 %, and a dash where nothing is known."""
    if share is None:
        return NONE
    if share >= _ALL:
        return f"100{THIN}%"
    percent = 100 * share
    digits = next(digits for digits in (2, _MOST_DIGITS) if percent < 99.9 or digits == _MOST_DIGITS)  # noqa: PLR2004
    cut = int(percent * 10**digits) / 10**digits
    return f"{cut:.{digits}f}{THIN}%"


class Bar(NamedTuple):
    """A bar of a strip: where it stands (percent), how it looks, and what it says."""

    x: float
    width: float
    css: str
    text: str


def day_css(share: float | None, degraded_ns: int) -> str:
    """Return the class of a day by its uptime: worse days are other shapes, too (``bars``)."""
    if share is None:
        return "none"
    if share < _BAD_SHARE:
        return "err"
    return "warn" if share < _ALL or degraded_ns else "ok"


def strip(days: list[tuple[float | None, int, str]]) -> list[Bar]:
    """Return the bars of days, each (uptime, time degraded, its name), the oldest first."""
    width = 100 / max(1, len(days))
    return [
        Bar(
            round(place * width, 3),
            round(width * 0.72, 3),
            day_css(share, degraded_ns),
            f"{name}: {uptime(share)}" if share is not None else f"{name}: not known",
        )
        for place, (share, degraded_ns, name) in enumerate(days)
    ]
