"""Components from checks: those with one name and area are one."""

from __future__ import annotations

from collections import defaultdict
from operator import is_
from typing import TYPE_CHECKING

from spanglass_server.health.components.naming import uid_of
from spanglass_server.health.components.overall import counting_as
from spanglass_server.health.model import RANKS, Component, Status, worst

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spanglass_server.health.model import CheckView


class CheckComponents:
    """Makes components of checks that are switched on; one whose checks are the same objects as before is kept."""

    def __init__(self) -> None:
        self._made: dict[str, tuple[tuple[CheckView, ...], Component]] = {}

    def of(self, views: Iterable[CheckView]) -> list[Component]:
        """The components of these checks."""
        groups: dict[str, list[CheckView]] = defaultdict(list)
        for view in views:
            if view.enabled:
                groups[uid_of(view.area, view.component)].append(view)
        before = self._made
        self._made = {uid: _kept(before.get(uid), uid, tuple(group)) for uid, group in groups.items()}
        return [component for _, component in self._made.values()]


def _kept(
    before: tuple[tuple[CheckView, ...], Component] | None, uid: str, group: tuple[CheckView, ...]
) -> tuple[tuple[CheckView, ...], Component]:
    if before is not None and len(before[0]) == len(group) and all(map(is_, before[0], group)):
        return before
    return group, _component(uid, group)


def _component(uid: str, group: tuple[CheckView, ...]) -> Component:
    known = [view for view in group if view.status is not Status.UNKNOWN]
    statuses = tuple(counting_as(view.status, critical=view.critical or len(group) == 1) for view in known)
    bad = sorted((view for view in known if view.status is not Status.HEALTHY), key=lambda view: -RANKS[view.status])
    latencies = [view.latency_ns for view in group if view.latency_ns is not None]
    first = group[0]
    return Component(
        uid=uid,
        name=first.component,
        area=first.area,
        status=worst(statuses),
        last_ns=max(view.last_ns for view in group),
        latency_ns=max(latencies, default=None),
        reason="; ".join(_said(view, alone=len(group) == 1) for view in bad) or _unknown(group, known),
        sources=tuple(sorted({view.source for view in group})),
        checks=tuple(view.uid for view in group),
        critical=any(view.critical for view in group),
        service=next((view.service for view in group if view.service), ""),
        public=any(view.public for view in group),
    )


def _said(view: CheckView, *, alone: bool) -> str:
    text = view.detail or str(view.status)
    return text if alone else f"{view.name}: {text}"


def _unknown(group: tuple[CheckView, ...], known: list[CheckView]) -> str:
    return "" if known else group[0].detail or "no result yet"
