"""From the routing tree as it is written to the one that counts: every route with what it inherits."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from spanglass_server.notifications.model import Route
from spanglass_server.notifications.routing.matchers import matchers_text
from spanglass_server.notifications.routing.tree import NOBODY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.notifications.model import Matcher

ALL_LABELS: Final = "..."
_SECOND_NS = 10**9
_GROUP_WAIT_NS = 30 * _SECOND_NS
_GROUP_INTERVAL_NS = 300 * _SECOND_NS
_REPEAT_INTERVAL_NS = 4 * 3600 * _SECOND_NS


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenRoute:
    """A route as people write it; None and nothing stand for what the route above has, where it is inherited.

    Channels, grouping, the three durations and the escalation are; matchers and intervals are not. ``group_by`` of
    ``("...",)`` is all labels.
    """

    match: tuple[Matcher, ...] = ()
    channels: tuple[str, ...] = ()
    group_by: tuple[str, ...] = ()
    group_wait_ns: int | None = None
    group_interval_ns: int | None = None
    repeat_interval_ns: int | None = None
    continue_: bool = False
    mute_during: tuple[str, ...] = ()
    active_during: tuple[str, ...] = ()
    escalation: str = ""
    routes: tuple[WrittenRoute, ...] = ()


#: Of a group of the default route: 15 s to the next evaluation and 5 s for late data leave so much of half a minute.
_SHORT_WAIT_NS = 5 * _SECOND_NS

#: Without a tree. Alerts of different rules and services are told of by themselves, so that none waits for another.
DEFAULT_ROUTE: Final = Route(
    key="{}",
    group_by=("alertname", "service"),
    group_wait_ns=_SHORT_WAIT_NS,
    group_interval_ns=_GROUP_INTERVAL_NS,
    repeat_interval_ns=_REPEAT_INTERVAL_NS,
)
#: What a written tree begins with: as Alertmanager, all alerts of a route are one group.
_ROOT: Final = Route(
    key="",
    group_wait_ns=_GROUP_WAIT_NS,
    group_interval_ns=_GROUP_INTERVAL_NS,
    repeat_interval_ns=_REPEAT_INTERVAL_NS,
)


def resolved(root: WrittenRoute) -> Route:
    """The tree that counts."""
    return _resolved(root, _ROOT, matchers_text(root.match))


def _resolved(written: WrittenRoute, above: Route, key: str) -> Route:
    route = Route(
        key=key,
        matchers=written.match,
        channels=written.channels or above.channels,
        group_by=_grouping(written.group_by, above.group_by),
        group_wait_ns=_own(written.group_wait_ns, above.group_wait_ns),
        group_interval_ns=_own(written.group_interval_ns, above.group_interval_ns),
        repeat_interval_ns=_own(written.repeat_interval_ns, above.repeat_interval_ns),
        continues=written.continue_,
        mute_during=written.mute_during,
        active_during=written.active_during,
        escalation=written.escalation or ("" if written.channels == (NOBODY,) else above.escalation),
    )
    routes = tuple(_resolved(child, route, name) for child, name in _named(written.routes, key))
    return replace(route, routes=routes)


def _named(routes: Sequence[WrittenRoute], above: str) -> list[tuple[WrittenRoute, str]]:
    """Routes with their keys; those of equal matchers beside each other are numbered."""
    seen: Counter[str] = Counter()
    named = []
    for route in routes:
        text = matchers_text(route.match)
        seen[text] += 1
        number = f"#{seen[text]}" if seen[text] > 1 else ""
        named.append((route, f"{above}/{text}{number}"))
    return named


def _grouping(own: tuple[str, ...], above: tuple[str, ...] | None) -> tuple[str, ...] | None:
    if not own:
        return above
    return None if own == (ALL_LABELS,) else own


def _own(own: int | None, above: int) -> int:
    return above if own is None else own
