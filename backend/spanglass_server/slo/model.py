"""Objectives, and what the parts of this package give each other."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Final, Literal

from spanglass_core.units import format_duration

#: Rolling windows by their days, and calendar weeks and months, which begin anew.
WindowName = Literal["7d", "28d", "30d", "week", "month"]
WINDOWS: Final[tuple[WindowName, ...]] = ("7d", "28d", "30d", "week", "month")

MINUTE_NS: Final = 60 * 10**9
_SERVICE_IN_FILTER: Final = re.compile(
    r'(?<![\w.-])service(?:\.name)?\s*[:=]\s*(?:"([^"]+)"|([^\s()",=<>!~*]+)(?![^\s(),]))'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """What shall be well, and how much of it.

    Events are the spans for which the filter ``spans`` holds; good ones those for which ``good`` holds too, and that
    took no longer than ``latency_ns`` (0: however long). Or they are the time in which the health check ``check`` is
    known to be up or down, in minutes. ``target`` is a share, such as 0.999.
    """

    uid: str
    name: str
    target: float
    window: WindowName = "30d"
    time_zone: str = "UTC"  # of calendar windows
    spans: str = ""
    good: str = ""
    latency_ns: int = 0
    check: str = ""
    alerts: bool = True
    min_events: int = 0  # in the longer window of an alert rule; below, it does not fire
    channels: tuple[str, ...] = ()
    service: str = ""
    description: str = ""
    owner: str = ""
    runbook: str = ""
    enabled: bool = True

    @property
    def good_filter(self) -> str:
        """The filter of good spans, among those that count."""
        terms = [f"({self.good})" if self.good and self.latency_ns else self.good]
        if self.latency_ns:
            terms.append(f"duration <= {format_duration(self.latency_ns)}")
        return " and ".join(term for term in terms if term)

    @property
    def bad_filter(self) -> str:
        """The filter of bad spans; "" for an objective over a check."""
        return f"({self.spans}) and not ({self.good_filter})" if self.spans else ""

    @property
    def of_service(self) -> str:
        """The service that it is of: as it says, else the one that its filter asks for; "" for none."""
        if self.service or " or " in self.spans.lower():
            return self.service
        found = _SERVICE_IN_FILTER.search(self.spans)
        negated = found is not None and re.search(r"(?:-|!|\bnot\s*)\(?\s*$", self.spans[: found.start()])
        return (found[1] or found[2]) if found is not None and not negated else ""

    @property
    def allowed(self) -> float:
        """The share of events that may be bad."""
        return round(1 - self.target, 12)

    @property
    def key(self) -> str:
        """The same for objectives that count the same: counts are kept by it."""
        what = f"{self.spans}\0{self.good_filter}\0{self.check}"
        return hashlib.blake2b(what.encode(), digest_size=8).hexdigest()
