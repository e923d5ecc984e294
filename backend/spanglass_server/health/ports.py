"""Interfaces inside health, with their contracts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spanglass_server.health.check import Check
    from spanglass_server.health.model import Call, CheckState, CheckView, Component, Overall, Run


class Runner(Protocol):
    """Runs the server's checks; safe for any thread."""

    def states(self) -> Mapping[str, CheckState]:
        """How each check stands that has run, by uid."""

    def runs(self, uid: str) -> Sequence[Run]:
        """The latest runs of a check, newest first: those since the start of the server, a few dozen at most."""

    def next_ns(self, uid: str) -> int:
        """When a check is due next; 0 if it is not scheduled."""

    def try_out(self, check: Check, *, trusted: bool) -> Run:
        """Run a check once and wait for it, without any consequence."""

    def called(self, uid: str, call: Call) -> None:
        """A heartbeat was called: its check has run."""


class Board(Protocol):
    """What is known of all components, from all sources; safe for any thread, and quick: it was put together before."""

    def components(self) -> Sequence[Component]:
        """All components, by area and name."""

    def overall(self) -> Overall:
        """The whole."""

    def application_checks(self) -> Sequence[CheckView]:
        """The checks of applications, by their telemetry."""

    @property
    def version(self) -> int:
        """Rises with every change of what is shown."""
