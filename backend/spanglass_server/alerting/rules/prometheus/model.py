"""What a rule file of Prometheus holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRule:
    """One rule of a group: it has ``alert`` or ``record``. Durations are in nanoseconds."""

    record: str = ""
    alert: str = ""
    expr: str
    for_ns: int = 0
    keep_firing_for_ns: int = 0
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Rules that are evaluated one after the other, at the same times; 0 stands for the server's defaults."""

    name: str
    interval_ns: int = 0
    limit: int = 0  # series or alerts of one rule; more fail it
    query_offset_ns: int = 0
    labels: Mapping[str, str] = field(default_factory=dict)
    rules: tuple[GroupRule, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleFile:
    """The groups of a file, by name."""

    groups: tuple[Group, ...] = ()


@dataclass(frozen=True, slots=True)
class Recording:
    """An expression whose result is kept as series of a name, with labels that it gets besides its own."""

    record: str
    expr: str
    labels: Mapping[str, str]
    line: int = 0


@dataclass(frozen=True, slots=True)
class RecordingGroup:
    """The recording rules of a group, in order, with the file they stand in; see ``forms.files.Standing``."""

    name: str
    file: str
    version: str
    recordings: tuple[Recording, ...]
    interval_ns: int = 0
    delay_ns: int = 0
    limit: int = 0
    line: int = 0

    @property
    def uid(self) -> str:
        """No uid of a rule has a space in it."""
        return f"group {self.name}"
