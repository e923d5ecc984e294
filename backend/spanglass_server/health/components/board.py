"""What is known of all components, put together from all sources: telemetry now and then, checks every second."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeVar

from spanglass_core.units import format_duration
from spanglass_server.health.components.of_checks import CheckComponents
from spanglass_server.health.components.overall import overall_of
from spanglass_server.health.components.telemetry import merged
from spanglass_server.health.model import (
    AREAS,
    OVERALL,
    CheckView,
    Component,
    Overall,
    Status,
    check_subject,
    component_subject,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from spanglass_server.health.components.ledger import Ledger

T = TypeVar("T", CheckView, Component)

#: How long something is shown as unknown of which nothing is heard any more.
_REMEMBERED_NS: Final = 24 * 3600 * 10**9

#: After the start: until then everything that is still there was heard of.
_SETTLE_NS: Final = 600 * 10**9


@dataclass(frozen=True, slots=True)
class Heard:
    """What telemetry tells at one time, over a window before it."""

    components: Sequence[Component]
    checks: Sequence[CheckView]


class HealthBoard:
    """The ``Board``. ``listen`` asks telemetry, ``refresh`` puts everything together; each is a thread's work.

    ``own_checks`` are the server's; ``itself`` says how the server is.
    """

    def __init__(
        self,
        own_checks: Callable[[], Sequence[CheckView]],
        itself: Callable[[], Component],
        hear: Callable[[int], Heard],
        ledger: Ledger,
        clock_ns: Callable[[], int],
        window_ns: int,
    ) -> None:
        self._own_checks = own_checks
        self._itself = itself
        self._hear = hear
        self._ledger = ledger
        self._clock_ns = clock_ns
        self._silence = f"nothing was heard of it within the last {format_duration(window_ns)}"
        self._lock = threading.Lock()
        self._heard: Mapping[str, Component] = {}
        self._heard_checks: Mapping[str, CheckView] = {}
        self._components: tuple[Component, ...] = ()
        self._checks: tuple[CheckView, ...] = ()
        self._overall = overall_of((), clock_ns())
        self._version = 0
        self._noted: set[str] = set()
        self._of_checks = CheckComponents()
        self._settles_ns = clock_ns() + _SETTLE_NS
        self._refreshed: Mapping[str, Component] | None = None  # what was heard, as it was put together last
        self._refreshed_ns = 0
        self._known_itself: tuple[Status, str] | None = None
        self._has_own = False
        self._shown: dict[str, tuple[object, object]] = {}  # by subject: what was noted, and what is shown of it

    @property
    def version(self) -> int:
        """See ``Board``."""
        return self._version

    def components(self) -> Sequence[Component]:
        """See ``Board``."""
        return self._components

    def overall(self) -> Overall:
        """See ``Board``."""
        return self._overall

    def application_checks(self) -> Sequence[CheckView]:
        """See ``Board``."""
        return self._checks

    def listen(self) -> None:
        """Ask telemetry. What is not heard any more is unknown for a day, and then forgotten."""
        now_ns = self._clock_ns()
        heard = self._hear(now_ns)
        components = {component.uid: component for component in merged(heard.components).values()}
        for uid, old in self._heard.items():
            if uid not in components and old.last_ns > now_ns - _REMEMBERED_NS:
                components[uid] = replace(old, status=Status.UNKNOWN, reason=self._silence, figures={}, latency_ns=None)
        checks = {view.uid: view for view in heard.checks}
        for uid, view in self._heard_checks.items():
            if uid not in checks and view.last_ns > now_ns - _REMEMBERED_NS:
                checks[uid] = replace(view, status=Status.UNKNOWN, detail=self._silence, instances=0, since_ns=0)
        with self._lock:
            self._heard, self._heard_checks = components, checks

    def has_news(self, every_ns: int) -> bool:
        """Whether ``refresh`` has anything to put together; it may every so often, and while the server has checks."""
        if self._has_own or not 0 <= self._clock_ns() - self._refreshed_ns < every_ns:
            return True
        itself = self._itself()
        return self._refreshed is not self._heard or self._known_itself != (itself.status, itself.reason)

    def refresh(self) -> None:
        """Put everything together, and note what has changed. Raises ``OSError`` when that can't be stored."""
        now_ns = self._clock_ns()
        with self._lock:
            heard, heard_checks = self._heard, self._heard_checks
        itself = self._itself()
        noted: set[str] = set()
        own = self._own_checks()
        checks = tuple(self._noted_check(view, now_ns, noted) for view in heard_checks.values())
        found = merged((*self._of_checks.of((*own, *checks)), itself, *heard.values()))
        components = [self._noted_component(component, now_ns, noted) for component in found.values()]
        components.sort(key=lambda component: (AREAS.index(component.area), component.name.lower()))
        overall = overall_of(components, now_ns)
        reasons = "; ".join(f"{reason.name}: {reason.text}" for reason in overall.reasons[:3])
        since_ns = self._ledger.note(OVERALL, overall.status, reasons, now_ns)
        for subject in self._noted - noted:
            self._ledger.drop(subject, "it is no more", now_ns)
            self._shown.pop(subject, None)
        self._noted = noted
        self._show(checks, tuple(components), replace(overall, since_ns=since_ns))
        self._ledger.save(now_ns)
        if self._settles_ns and now_ns >= self._settles_ns:
            self._ledger.settle(frozenset(check_subject(view.uid) for view in own if view.enabled))
            self._settles_ns = 0
        self._refreshed, self._refreshed_ns, self._has_own = heard, now_ns, bool(own)
        self._known_itself = (itself.status, itself.reason)

    def _show(self, checks: tuple[CheckView, ...], components: tuple[Component, ...], overall: Overall) -> None:
        is_same = (checks, components, overall.score) == (self._checks, self._components, self._overall.score)
        self._checks, self._components, self._overall = checks, components, overall
        if not is_same:
            self._version += 1

    def _noted_check(self, view: CheckView, now_ns: int, noted: set[str]) -> CheckView:
        subject = check_subject(view.uid)
        noted.add(subject)
        return self._since(subject, view, self._ledger.note(subject, view.status, view.detail, now_ns, view.since_ns))

    def _noted_component(self, component: Component, now_ns: int, noted: set[str]) -> Component:
        subject = component_subject(component.uid)
        noted.add(subject)
        return self._since(subject, component, self._ledger.note(subject, component.status, component.reason, now_ns))

    def _since(self, subject: str, told: T, since_ns: int) -> T:
        """What is told, with the time since when it is so; the same object as long as nothing changed."""
        before = self._shown.get(subject)
        if before is not None and before[0] is told and before[1].since_ns == since_ns:  # type: ignore[attr-defined]
            return before[1]  # type: ignore[return-value]
        shown = replace(told, since_ns=since_ns)
        self._shown[subject] = (told, shown)
        return shown
