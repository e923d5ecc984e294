"""The way of an alert through the tree of routes: which were asked, which matched, and why others did not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from spanglass_server.notifications.routing.matchers import first_failing, matcher_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from spanglass_server.notifications.model import Route

#: takes: it is one of the routes that count; passes: routes below it take the alert; fails: a matcher does not hold;
#: unasked: a route before it took the alert and does not continue.
Result = Literal["takes", "passes", "fails", "unasked"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One route of the tree, ``depth`` 0 for the first. ``failing`` is the matcher that does not hold of ``value``."""

    route: str
    depth: int
    result: Result
    matchers: tuple[str, ...] = ()
    failing: str = ""
    value: str = ""


def walk(root: Route, labels: Mapping[str, str]) -> tuple[Step, ...]:
    """All routes that were asked, in their order, and those beside them that were not."""
    return tuple(_walk(root, labels, 0))


def _walk(route: Route, labels: Mapping[str, str], depth: int) -> Iterator[Step]:
    failing = first_failing(route.matchers, labels)
    if failing is not None:
        yield _step(route, depth, "fails", matcher_text(failing), labels.get(failing.name, ""))
        return
    below: list[Step] = []
    taken = False
    for place, child in enumerate(route.routes):
        steps = list(_walk(child, labels, depth + 1))
        below += steps
        if steps[0].result != "fails":
            taken = True
            if not child.continues:
                below += [_step(other, depth + 1, "unasked") for other in route.routes[place + 1 :]]
                break
    yield _step(route, depth, "passes" if taken else "takes")
    yield from below


def _step(route: Route, depth: int, result: Result, failing: str = "", value: str = "") -> Step:
    texts = tuple(matcher_text(matcher) for matcher in route.matchers)
    return Step(route=route.key, depth=depth, result=result, matchers=texts, failing=failing, value=value)
