"""Titles and descriptions of alerts, where a rule has no templates of its own."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from spanglass_core.units import format_duration, in_binary_unit, nearly_all
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass_core.alerting.rule import Rule
    from spanglass_core.alerting.severity import Severity
    from spanglass_server.alerting.model import Key


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What texts of an alert can tell: the rule, the key, and what fired at which level."""

    rule: Rule
    key: Key
    severity: Severity
    value: float | None
    unit: str
    reason: str = ""  # of a transition, such as "no data"
    time_ns: int = 0


class Texts(Protocol):
    """Makes the texts of alerts. Never raises: a template that fails says so in its place."""

    def labels(self, told: Told) -> Mapping[str, str]:
        """The labels of the key, and over them those of the rule; ones without a value are none."""

    def title(self, told: Told) -> str:
        """One line."""

    def description(self, told: Told) -> str:
        """One line or more."""


class PlainTexts:
    """Texts made of name and condition."""

    def labels(self, told: Told) -> Mapping[str, str]:
        """As they are written."""
        return {name: value for name, value in {**dict(told.key), **told.rule.labels}.items() if value}

    def title(self, told: Told) -> str:
        """The rule's name, and the values of the key: each once, as ``job`` is mostly the service."""
        values = ", ".join(dict.fromkeys(value for _, value in told.key if value))
        return f"{told.rule.name}: {values}" if values else told.rule.name

    def description(self, told: Told) -> str:
        """What holds, for how long, and the value."""
        if told.reason:
            return f"{told.rule.condition}: {told.reason}"
        lasting = f" for {format_duration(told.rule.for_ns)}" if told.rule.for_ns else ""
        value = "" if told.value is None else f": {with_unit(told.value, told.unit)}"
        return f"{told.rule.condition}{lasting}{value}"


def with_unit(value: float, unit: str) -> str:
    """A value for people: ``1.2s``, ``12 %``, ``43.11MiB``, ``3.4``."""
    if unit == "ratio":
        return f"{nearly_all(value * 100) or f'{value * 100:.4g}'} %"
    if unit == "s" and 0 < value < 10**9:
        return format_duration(round(value * NS_PER_SECOND))
    if unit == "bytes" and math.isfinite(value):
        size, name = in_binary_unit(value)
        return f"{size:.4g}{name}"
    return f"{value:.6g}{unit if unit == '/s' else ''}"
