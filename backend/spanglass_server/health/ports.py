"""Interfaces inside health, with their contracts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spanglass_server.forms.problems import Problem
    from spanglass_server.health.check import Check, Found
    from spanglass_server.health.model import Call, CheckState, CheckView, Component, Overall, Run


class CheckBook(Protocol):
    """All checks of a server, from its settings file and from what was made in pages; safe for any thread.

    While a file is broken, the checks it held when it was right stay. One of the settings file hides a kept one.
    """

    def checks(self) -> Mapping[str, Found]:
        """The checks by uid, also those that are switched off; the same object as long as nothing changed."""

    def problems(self) -> Sequence[Problem]:
        """What is wrong with the files now."""

    def put(self, check: Check, version: str) -> Found:
        """Keep a check in the place of the one with its uid and this version ("": a new one).

        Raises ``ConflictError``, ``ElsewhereError``, and ``OSError`` when the disk can't be used.
        """

    def delete(self, uid: str, version: str) -> None:
        """Delete a kept check; raises as ``put``, and ``KeyError`` for one that is not there."""

    def versions(self, uid: str) -> Sequence[tuple[int, Found]]:
        """What it was before, with the time it was replaced or deleted, newest first; also of one that is deleted."""


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
