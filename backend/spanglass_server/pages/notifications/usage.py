"""Who names a channel: routes, escalations, people, and channels whose fallback it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_server.pages.notifications import reading, words
from spanglass_server.pages.ports import ApiError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from spanglass_server.pages.visit import Visit


async def uses_of(visit: Visit, name: str) -> Sequence[tuple[str, str]]:
    """Return what names a channel, each with the page where it stands; nothing where that can't be had."""
    sections = ("routes", "escalations", "people", "channels")
    try:
        found = await visit.together(*(reading.things(visit, section) for section in sections))
    except ApiError:
        return ()
    routes, escalations, people, channels = found
    uses = [(text, "/routes") for one in routes for text in _of_route(one["value"], name)]
    uses += [
        (f"the escalation {one['name']}", f"/on-call#escalation-{one['name']}")
        for one in escalations
        if any(name in (*_bare(step["tell"]), *step.get("by", ())) for step in one["value"]["steps"])
    ]
    uses += [
        (f"the person {one['name']}", "/on-call")
        for one in people
        if name in one["value"].get("channels", one["value"])
    ]
    uses += [
        (f"the channel {one['name']}, when it fails", reading.to_channel(one["name"]))
        for one in channels
        if one["value"].get("fallback") == name
    ]
    return uses


def _bare(targets: Sequence[str]) -> list[str]:
    return [target.removeprefix("channel:") for target in targets]


def _of_route(route: Mapping[str, Any], name: str) -> Iterator[str]:
    if name in (route.get("channels") or ()):
        matchers = words.matchers(route.get("match") or ())
        yield f"the route {matchers}" if matchers else "the root of the routes"
    for each in route.get("routes") or ():
        yield from _of_route(each, name)
