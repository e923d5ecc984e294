"""The tree of routes: which of them take an alert, and which channels they mean for it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from spanglass_server.notifications.routing.matchers import all_hold

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from spanglass_server.notifications.model import Route, Subject

#: In the place of channels: nobody is told, not even those that alerts name.
NOBODY: Final = "nobody"
_QUOTED = r'"(?:\\.|[^"\\])*"'
#: One level of a route's key below the first: matchers in braces, and a number for those of equal matchers.
_LEVEL = re.compile(rf'/\{{((?:{_QUOTED}|[^"}}])*)\}}(?:#(\d+))?', re.DOTALL)
_BETWEEN = re.compile(f"({_QUOTED}),", re.DOTALL)


def matching(route: Route, labels: Mapping[str, str]) -> list[Route]:
    """The routes that take an alert, in their order: the deepest that match, to the first that does not continue."""
    if not all_hold(route.matchers, labels):
        return []
    found: list[Route] = []
    for child in route.routes:
        below = matching(child, labels)
        found.extend(below)
        if below and not child.continues:
            break
    return found or [route]


def own_channels(route: Route) -> tuple[str, ...]:
    """The channels that a route names, each once."""
    return tuple(name for name in dict.fromkeys(route.channels) if name != NOBODY)


def channels_of(route: Route, subject: Subject) -> tuple[str, ...]:
    """Which channels a route means for an alert: its own, else those that the alert names; each once."""
    return own_channels(route) if route.channels else tuple(dict.fromkeys(subject.channels))


def all_routes(route: Route) -> Iterator[Route]:
    """A route and all below it, in their order."""
    yield route
    for child in route.routes:
        yield from all_routes(child)


def by_key(root: Route) -> dict[str, Route]:
    """All routes of a tree by their keys."""
    return {route.key: route for route in all_routes(root)}


def called(key: str) -> str:
    """A route's key in words: ``route for team="db", zone="a"``, with the matchers of all routes down to it."""
    levels = [(_BETWEEN.sub(r"\1, ", level[1]), level[2]) for level in _LEVEL.finditer(key)]
    if not levels:
        return "first route"
    texts = [text + (f" (number {number} of these)" if number else "") for text, number in levels if text]
    return f"route for {', '.join(texts)}" if texts else "route without matchers"


def standing_in(root: Route, key: str) -> Route:
    """What counts for a group whose route is gone: the times of the first route, at any time of day."""
    return replace(root, key=key, channels=(), mute_during=(), active_during=(), escalation="", routes=())
