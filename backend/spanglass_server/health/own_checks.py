"""The checks of the server as they are shown: what is written, and how it stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from spanglass_server.health.model import CheckState, CheckView, Status

if TYPE_CHECKING:
    from spanglass_server.forms.book import Found
    from spanglass_server.health.book import Book
    from spanglass_server.health.check import Check
    from spanglass_server.health.ports import Runner


_NEW: Final = CheckState()


@dataclass(frozen=True, slots=True)
class Defaults:
    """What checks get that don't say; ``enabled`` is whether the server runs checks at all."""

    enabled: bool
    interval_ns: int
    timeout_ns: int


class OwnChecks:
    """What is written, and what runs it; safe for any thread.

    Views are kept while nothing changed: of 2,000 checks each 30 s, some 70 have run since the second before.
    """

    def __init__(self, book: Book, runner: Runner, defaults: Defaults) -> None:
        self.book = book
        self.runner = runner
        self.defaults = defaults
        self._made: dict[str, tuple[Found[Check], CheckState, CheckView]] = {}

    def views(self) -> list[CheckView]:
        """All of them; equal ones are the same objects as before."""
        states, made, found = self.runner.states(), self._made, self.book.found()
        fresh = {uid: self._kept(made.get(uid), each, states.get(uid, _NEW)) for uid, each in found.items()}
        self._made = fresh
        return [view for _, _, view in fresh.values()]

    def view(self, uid: str) -> CheckView:
        """One; ``KeyError``."""
        return self._view(self.book.found()[uid], self.runner.states().get(uid, _NEW))

    def _kept(
        self, before: tuple[Found[Check], CheckState, CheckView] | None, found: Found[Check], state: CheckState
    ) -> tuple[Found[Check], CheckState, CheckView]:
        if before is not None and before[0] is found and before[1] is state:
            return before
        return found, state, self._view(found, state)

    def _view(self, found: Found[Check], state: CheckState) -> CheckView:
        check = found.value
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
            latency_ns=run.latency_ns or None if run is not None else None,
            detail=state.detail if runs else "switched off",
            flapping=state.flapping,
            interval_ns=check.interval_ns or self.defaults.interval_ns,
            service=check.service,
            public=check.public,
            figures=run.figures if run is not None else {},
            found=found,
        )
