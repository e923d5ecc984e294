"""What pages and API ask of health: components, checks, history and uptime, and what people do to checks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from spanglass_server.health.model import check_subject, component_subject
from spanglass_server.health.uptime import by_step, uptime

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from spanglass_server.forms.book import Found
    from spanglass_server.forms.problems import Problem
    from spanglass_server.health.calls import CallTokens
    from spanglass_server.health.check import Check
    from spanglass_server.health.model import Call, Change, CheckView, Component, Overall, Run, Status, Uptime
    from spanglass_server.health.own_checks import OwnChecks
    from spanglass_server.health.ports import Board
    from spanglass_server.health.store.sqlite import HealthStore

#: Changes of one subject that an answer about a range takes in; one that changes each minute has 1,440 a day.
MOST_CHANGES: Final = 50_000


class HealthDesk:
    """The facade; safe for any thread. ``KeyError`` for a uid that is none; ``OSError`` when the disk can't be used."""

    def __init__(
        self,
        own: OwnChecks,
        store: HealthStore,
        board: Board,
        tokens: CallTokens,
        clock_ns: Callable[[], int],
    ) -> None:
        self.book = own.book
        self.defaults = own.defaults
        self._own = own
        self._store = store
        self._board = board
        self._runner = own.runner
        self._tokens = tokens
        self._clock_ns = clock_ns

    # -- how it is

    @property
    def version(self) -> int:
        """Rises with every change of what is shown: pages that are live ask for it."""
        return self._board.version

    def overall(self) -> Overall:
        """The whole: status, score, reasons."""
        return self._board.overall()

    def components(self) -> Sequence[Component]:
        """All components, by area and name."""
        return self._board.components()

    def component(self, uid: str) -> Component:
        """One component."""
        for component in self._board.components():
            if component.uid == uid:
                return component
        raise KeyError(uid)

    def checks(self) -> Sequence[CheckView]:
        """All checks, those of applications too, by name."""
        found = (*self._own.views(), *self._board.application_checks())
        return sorted(found, key=lambda view: (view.name.lower(), view.uid))

    def check(self, uid: str) -> CheckView:
        """One check."""
        if uid in self.book.found():
            return self._own.view(uid)
        for view in self._board.application_checks():
            if view.uid == uid:
                return view
        raise KeyError(uid)

    def problems(self) -> Sequence[Problem]:
        """What is wrong with the files of checks now."""
        return self.book.problems()

    # -- what was

    def runs(self, uid: str) -> Sequence[Run]:
        """The latest runs of a check of the server, newest first: a few dozen, since its start."""
        return self._runner.runs(uid)

    def next_ns(self, uid: str) -> int:
        """When a check of the server is due next; 0 if it is not scheduled."""
        return self._runner.next_ns(uid)

    def calls(self, uid: str, limit: int = 100) -> Sequence[Call]:
        """Calls of a heartbeat, newest first."""
        return self._store.calls(uid, limit)

    def changes(
        self, subject: str = "", *, start_ns: int = 0, end_ns: int = 2**63 - 1, limit: int = 100, before: int = 0
    ) -> Sequence[Change]:
        """Changes of status, newest first: of ``check_subject(uid)``, ``component_subject(uid)``, ``OVERALL``, or all.

        ``before`` is the ``number`` of the last change of the page before.
        """
        return self._store.changes(subject, start_ns=start_ns, end_ns=end_ns, limit=limit, before=before)

    def status_at(self, subject: str, time_ns: int) -> Status:
        """What the status of a subject was just before a time; unknown before its first change."""
        return self._store.status_at(subject, time_ns)

    def uptime(self, subject: str, start_ns: int, end_ns: int) -> Uptime:
        """How much of a range a subject was up, and its outages."""
        changes = self._store.changes(subject, start_ns=start_ns, end_ns=end_ns, limit=MOST_CHANGES)
        at_start = self._store.status_at(subject, start_ns)
        return uptime(reversed(changes), at_start, start_ns, end_ns, self._clock_ns())

    def uptime_by_step(self, subject: str, start_ns: int, step_ns: int, steps: int) -> Sequence[Uptime]:
        """The same for each step of a range, such as the last 90 days."""
        end_ns = start_ns + step_ns * steps
        changes = self._store.changes(subject, start_ns=start_ns, end_ns=end_ns, limit=MOST_CHANGES)
        at_start = self._store.status_at(subject, start_ns)
        return by_step(tuple(reversed(changes)), at_start, start_ns, step_ns, steps, self._clock_ns())

    def uptime_of_check(self, uid: str, start_ns: int, end_ns: int) -> Uptime:
        """How much of a range a check was up."""
        return self.uptime(check_subject(uid), start_ns, end_ns)

    def uptime_of_component(self, uid: str, start_ns: int, end_ns: int) -> Uptime:
        """How much of a range a component was up."""
        return self.uptime(component_subject(uid), start_ns, end_ns)

    # -- what people do

    def put(self, check: Check, version: str) -> Found[Check]:
        """Keep a check in the place of the one with its uid and this version; see ``forms.book.Book``."""
        return self.book.put(check, version)

    def delete(self, uid: str, version: str) -> None:
        """Delete a kept check; see ``forms.book.Book``."""
        self.book.delete(uid, version)

    def try_out(self, check: Check) -> Run:
        """Run a check that somebody typed, once, with no consequence; it may only go where egress lets it."""
        return self._runner.try_out(check, trusted=False)

    def run_now(self, uid: str) -> Run:
        """Run a check of the server once more, with no consequence for its status."""
        found = self.book.found()[uid]
        return self._runner.try_out(found.value, trusted=found.origin == "settings")

    # -- heartbeats

    def heartbeat_path(self, uid: str) -> str:
        """The path of a heartbeat's URL; who knows it may call it."""
        return f"/heartbeat/{self._tokens.token(uid)}"

    def called(self, token: str, call: Call) -> bool:
        """Take a call of a heartbeat; False for a token of none that is switched on."""
        for found in self.book.found().values():
            if found.value.heartbeat is not None and found.value.enabled and self._tokens.is_of(token, found.uid):
                self._store.called(found.uid, call)
                self._runner.called(found.uid, call)
                return True
        return False
