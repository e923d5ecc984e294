"""The checks of the server as they are shown: what is written, and how it stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass_server.health.model import CheckState, CheckView, Status

if TYPE_CHECKING:
    from spanglass_server.health.check import Found
    from spanglass_server.health.ports import CheckBook, Runner


@dataclass(frozen=True, slots=True)
class Defaults:
    """What checks get that don't say; ``enabled`` is whether the server runs checks at all."""

    enabled: bool
    interval_ns: int
    timeout_ns: int


@dataclass(frozen=True, slots=True)
class OwnChecks:
    """What is written, and what runs it; safe for any thread."""

    book: CheckBook
    runner: Runner
    defaults: Defaults

    def views(self) -> list[CheckView]:
        """All of them."""
        states = self.runner.states()
        return [self._view(found, states.get(uid, CheckState())) for uid, found in self.book.checks().items()]

    def view(self, uid: str) -> CheckView:
        """One; ``KeyError``."""
        return self._view(self.book.checks()[uid], self.runner.states().get(uid, CheckState()))

    def _view(self, found: Found, state: CheckState) -> CheckView:
        check = found.check
        run, runs = state.run, check.enabled and self.defaults.enabled
        return CheckView(
            uid=check.uid,
            name=check.name,
            kind=check.kind,
            area=check.of_area,
            component=check.of_component,
            source="check",
            critical=check.critical,
            enabled=check.enabled,
            status=state.status if runs else Status.UNKNOWN,
            since_ns=state.since_ns if runs else 0,
            last_ns=run.started_ns if run is not None else 0,
            latency_ns=run.latency_ns if run is not None else None,
            detail=state.detail if runs else "switched off",
            flapping=state.flapping,
            interval_ns=check.interval_ns or self.defaults.interval_ns,
            service=check.service,
            public=check.public,
            figures=run.figures if run is not None else {},
            found=found,
        )
