"""What pages and API use of objectives: how they stand, their course, what used their budgets, and changing them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from spanglass_server.forms.problems import meant
from spanglass_server.slo.budget import budget_of, course_of, days_of, episodes_of
from spanglass_server.slo.counting.minutes import DAY, HOUR
from spanglass_server.slo.counting.spans import count_spans
from spanglass_server.slo.form.spec import OBJECTIVES
from spanglass_server.slo.standing import standings
from spanglass_server.slo.store.store import SloChange
from spanglass_server.slo.windows import longest_hours

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from spanglass_server.forms.book import Found
    from spanglass_server.forms.problems import Problem
    from spanglass_server.slo.book import Book
    from spanglass_server.slo.budget import Budget, Course, Day, Episode
    from spanglass_server.slo.counting.ledger import Ledger
    from spanglass_server.slo.model import Objective
    from spanglass_server.slo.standing import Standing
    from spanglass_server.slo.store.store import SloStore
    from spanglass_server.store.ports import QuerySession

#: Of so much at most the minutes are looked at for what used the budget.
MOST_MINUTES: Final = 92 * DAY
MOST_HOURS: Final = 366 * 24
#: So much is counted of an objective that is only typed.
TRIED: Final = DAY
#: Of the names of all checks so many letters are told.
_MOST_MEANT: Final = 200


@dataclass(frozen=True, slots=True)
class Tried:
    """What an objective that is typed would have had in the last day."""

    budget: Budget
    episodes: Sequence[Episode]
    rate: float | None  # how fast the budget would have burned


class SloDesk:
    """The facade; safe for any thread. ``KeyError`` for a uid that is none; ``OSError`` when the disk can't be used.

    ``checks`` gives the uids of the health checks that there are; None while that is not known.
    """

    def __init__(
        self,
        book: Book,
        ledger: Ledger,
        store: SloStore,
        clock_ns: Callable[[], int],
        checks: Callable[[], Collection[str] | None] = lambda: None,
    ) -> None:
        self.book = book
        self._ledger = ledger
        self._store = store
        self._clock_ns = clock_ns
        self._checks = checks

    # -- how they stand

    def listing(self, session: QuerySession, service: str | None = None) -> list[Standing]:
        """All objectives, or those of a service: what is worst first."""
        several = [
            found for found in self.book.found().values() if service is None or found.value.of_service == service
        ]
        return sorted(standings(self._ledger.view(session), several, self._ledger.now()), key=_urgency)

    def one(self, session: QuerySession, uid: str) -> Standing:
        """One objective."""
        return standings(self._ledger.view(session), [self.book.found()[uid]], self._ledger.now())[0]

    def course(self, session: QuerySession, uid: str, first: int, last: int) -> tuple[Course, list[Day]]:
        """The course of a budget over hours, which are those that are over or begun, and its days."""
        objective = self.book.found()[uid].value
        last = min(last, self._ledger.now() // HOUR + 1)
        first = max(0, min(max(first, last - MOST_HOURS), last))
        hours = self._ledger.view(session).hours([objective], max(0, first - longest_hours(objective)), last)
        course = course_of(objective, hours[objective.key], first, last)
        return course, days_of(objective, course)

    def counted(self, session: QuerySession, uid: str, first: int, last: int) -> Budget:
        """The events of a range of minutes and their budget; of whole hours their sums are read."""
        objective = self.book.found()[uid].value
        last = min(last, self._ledger.now() + 1)
        first = min(max(first, last - MOST_HOURS * HOUR), last)
        view, total, bad = self._ledger.view(session), 0.0, 0.0
        begin = min(-(-first // HOUR) * HOUR, last)
        end = max(begin, last // HOUR * HOUR)
        found = [view.minutes([objective], *edges) for edges in ((first, begin), (end, last)) if edges[0] < edges[1]]
        if begin < end:
            found.append(view.hours([objective], begin // HOUR, end // HOUR))
        for part in found:
            counts = part[objective.key]
            total, bad = total + float(counts.total.sum()), bad + float(counts.bad.sum())
        return budget_of(objective, total, bad)

    def episodes(self, session: QuerySession, uid: str, first: int, last: int, limit: int) -> Sequence[Episode]:
        """What used most of the budget of a range of minutes, most first."""
        objective = self.book.found()[uid].value
        last = min(last, self._ledger.now() + 1)
        first = min(max(first, last - MOST_MINUTES), last)
        minutes = self._ledger.view(session).minutes([objective], first, last)
        return episodes_of(objective, minutes[objective.key], limit)

    def try_out(self, session: QuerySession, objective: Objective) -> Tried:
        """What an objective that is typed would have had, counted at once."""
        last = self._ledger.now() + 1
        first = last - TRIED
        if objective.check:
            minutes = self._ledger.checked(objective.check, first, last)
        else:
            minutes = count_spans(session, [objective], first, last, keeps=False)[objective.key]
        budget = budget_of(objective, *minutes.since(first))
        rate = budget.bad / budget.allowed if budget.allowed else None
        return Tried(budget, episodes_of(objective, minutes, limit=5), rate)

    def problems(self) -> Sequence[Problem]:
        """What is wrong with the files of objectives now."""
        return self.book.problems()

    def lacking(self, objective: Objective) -> str | None:
        """What an objective asks for that is not there, in a sentence; it counts nothing until then."""
        known = self._checks() if objective.check else None
        if known is None or objective.check in known:
            return None
        near = meant(objective.check, sorted(known))[:_MOST_MEANT] if known else "make it on /health/checks/new"
        return f"there is no check {objective.check!r}: nothing is counted until there is one; {near}"

    # -- what people do

    def put(self, objective: Objective, version: str, by: str) -> Found[Objective]:
        """Keep an objective in the place of the one with its uid and this version; see ``forms.book.Book``."""
        before = self.book.found().get(objective.uid)
        found = self.book.put(objective, version)
        old = OBJECTIVES.to_yaml([before.value]) if before is not None else ""
        kind = "created" if before is None else "changed"
        self._store.note(SloChange(self._clock_ns(), objective.uid, by, kind, old, OBJECTIVES.to_yaml([objective])))
        return found

    def delete(self, uid: str, version: str, by: str) -> None:
        """Delete a kept objective; see ``forms.book.Book``."""
        before = self.book.found()[uid]
        self.book.delete(uid, version)
        self._store.note(SloChange(self._clock_ns(), uid, by, "deleted", OBJECTIVES.to_yaml([before.value])))

    def changes(self, uid: str = "", limit: int = 100) -> Sequence[SloChange]:
        """What people changed over pages and API of an objective, or of all, newest first."""
        return self._store.changes(uid, limit)


def _urgency(standing: Standing) -> tuple[bool, bool, float, str]:
    """First those whose budget is used up most; then those without events, and those that are off."""
    left = standing.budget.left
    return standing.status == "off", left is None, 0.0 if left is None else left, standing.found.value.name.lower()
