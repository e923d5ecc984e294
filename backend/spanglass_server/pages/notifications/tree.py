"""The tree of routes as its page shows it: each node with what it changes of its parent, and what an alert passes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from spanglass_server.pages.notifications import words

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

#: Times of a route: the key in the API's answer, and what is said of it.
TIMES = (("group_wait", "waits"), ("group_interval", "then every"), ("repeat_interval", "again after"))


@dataclass(frozen=True, slots=True)
class Node:
    """A route, and how it differs from its parent. ``hit``: it takes the alert; ``passed``: it is on the way.

    ``fails`` says why it does not take the alert.
    """

    key: str
    conditions: Sequence[str]
    channels: Sequence[str]
    facts: Sequence[str]
    continues: bool
    escalation: str
    hit: bool
    passed: bool
    fails: str = ""
    routes: Sequence[Node] = field(default_factory=tuple)

    @property
    def size(self) -> int:
        """How many routes it is, with those below it."""
        return 1 + sum(each.size for each in self.routes)


def tree(route: Mapping[str, Any], hits: Collection[str] = (), fails: Mapping[str, str] | None = None) -> Node:
    """Return the root of the tree.

    ``hits`` are the keys of the routes by which an alert is told of, ``fails`` why others don't take it, by their keys.
    """
    return _node(route, {}, hits, fails or {})


def _node(route: Mapping[str, Any], parent: Mapping[str, Any], hits: Collection[str], fails: Mapping[str, str]) -> Node:
    below = tuple(_node(each, route, hits, fails) for each in route.get("routes", ()))
    hit = route["key"] in hits
    return Node(
        route["key"], [words.matcher(one) for one in route.get("matchers", ())], route.get("channels", ()),
        _facts(route, parent), bool(route.get("continue")) and bool(parent), route.get("escalation") or "", hit,
        hit or any(each.passed for each in below),
        fails.get(route["key"], ""), below,
    )  # fmt: skip


def _facts(route: Mapping[str, Any], parent: Mapping[str, Any]) -> list[str]:
    facts = []
    if not parent or route["group_by"] != parent["group_by"]:
        facts.append(_grouped(route["group_by"]))
    facts += [f"{name} {route[key]}" for key, name in TIMES if not parent or route[key] != parent[key]]
    facts += [f"not during {name}" for name in route.get("mute_during", ())]
    facts += [f"only during {name}" for name in route.get("active_during", ())]
    return facts


def _grouped(labels: Sequence[str] | None) -> str:
    if labels is None or list(labels) == ["..."]:
        return "each alert by itself"
    return f"grouped by {', '.join(labels)}" if labels else "all in one group"
