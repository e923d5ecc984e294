"""What is configured of incidents: opening rules, and times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass_server.notifications.model import Matcher
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

_MINUTE_NS = 60 * NS_PER_SECOND
#: Requirement: most incidents, and alerts, are to be over within this.
TARGET_NS = 15 * _MINUTE_NS
_ADD_IT = "add it under monitoring.channels, or take its name out of monitoring.incidents"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningRule:
    """When alerts open an incident, and what is known of it from the beginning.

    ``alerts`` that ``match`` and belong together, each open for ``after_ns``. ``severity`` "" is that of the worst
    alert. ``runbook`` is an address, the name of a file of ``runbooks``, or a text in Markdown.
    """

    name: str
    match: tuple[Matcher, ...] = ()
    alerts: int = 1
    after_ns: int = 0
    title: str = ""
    severity: str = ""
    lead: str = ""
    responders: tuple[str, ...] = ()
    runbook: str = ""
    steps: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()


#: What opens incidents where nothing is configured: a bad alert, or several of any severity that belong together.
DEFAULT_RULES = (
    OpeningRule(name="severe", match=(Matcher("severity", "=~", "error|critical"),)),
    OpeningRule(name="several", alerts=3),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentSettings:
    """``monitoring.incidents``. Durations are in nanoseconds; 0 switches off what they are of.

    ``within_ns``: alerts raised so long after one another may belong together. ``resolve_after_ns``: how long an
    incident that a rule opened stays recovered until it is resolved by itself. ``resolve_within_ns``: after which
    ``escalate`` is told too of one that has not recovered. ``keep_ns``: for how long incidents are kept that are over.
    """

    enabled: bool = True
    rules: tuple[OpeningRule, ...] = DEFAULT_RULES
    within_ns: int = 10 * _MINUTE_NS
    resolve_after_ns: int = 10 * _MINUTE_NS
    resolve_within_ns: int = TARGET_NS
    channels: tuple[str, ...] = ()
    escalate: tuple[str, ...] = ()
    runbooks: Path | None = None
    keep_ns: int = 0

    def leading_nowhere(self, known: Collection[str]) -> list[str]:
        """What is wrong, in words, where a channel is named that is none of these: nobody would hear over it."""
        named = {*self.channels, *self.escalate, *(name for rule in self.rules for name in rule.channels)}
        unknown = sorted(named.difference(known))
        return [f"incidents are to be told over {name!r}, which is no channel: {_ADD_IT}" for name in unknown]
