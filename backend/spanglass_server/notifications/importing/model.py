"""What a configuration file of Alertmanager holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass_server.forms.nodes import Node
    from spanglass_server.notifications.model import Matcher
    from spanglass_server.notifications.routing.intervals import TimeInterval


@dataclass(frozen=True, slots=True, kw_only=True)
class TheirRoute:
    """A route as it is written there."""

    receiver: str = ""
    group_by: tuple[str, ...] = ()
    group_wait_ns: int | None = None
    group_interval_ns: int | None = None
    repeat_interval_ns: int | None = None
    match: Mapping[str, str] = field(default_factory=dict)
    match_re: Mapping[str, str] = field(default_factory=dict)
    matchers: tuple[Matcher, ...] = ()
    continue_: bool = False
    mute_time_intervals: tuple[str, ...] = ()
    active_time_intervals: tuple[str, ...] = ()
    routes: tuple[TheirRoute, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TheirInhibition:
    """An inhibition rule as it is written there."""

    name: str = ""
    source_match: Mapping[str, str] = field(default_factory=dict)
    source_match_re: Mapping[str, str] = field(default_factory=dict)
    source_matchers: tuple[Matcher, ...] = ()
    target_match: Mapping[str, str] = field(default_factory=dict)
    target_match_re: Mapping[str, str] = field(default_factory=dict)
    target_matchers: tuple[Matcher, ...] = ()
    equal: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TheirIntervals:
    """Time intervals with their name."""

    name: str
    time_intervals: tuple[TimeInterval, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TheirConfiguration:
    """A file. Receivers and global defaults differ by what they are for, and stay trees."""

    route: TheirRoute
    receivers: Node | None = None
    global_: Node | None = None
    inhibit_rules: tuple[TheirInhibition, ...] = ()
    mute_time_intervals: tuple[TheirIntervals, ...] = ()
    time_intervals: tuple[TheirIntervals, ...] = ()
    templates: tuple[str, ...] = ()
    tracing: Any = None
