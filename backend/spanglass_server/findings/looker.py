"""Looks at what is new, in the background: a few minutes of spans at a time, and at the figures of hours now and then.

Each minute is looked at when it is over, and what came into it later after that (``latecomers``); what was looked at is
kept, so a restart goes on where it was. Without new spans nothing is done. What is read at once is bounded, whatever
comes in, and little is read seldom (``agenda``).
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from spanglass_server.findings.agenda import (
    AHEAD_NS,
    BACK_MINUTES,
    MINUTE_NS,
    MOST_SPANS,
    Agenda,
    list_minutes,
    make_due,
)
from spanglass_server.findings.detecting.stretch import Stretch, count_minutes, count_window, read_stretch
from spanglass_server.findings.judging.judge import Judge
from spanglass_server.findings.latecomers import Latecomers, spans_of
from spanglass_server.findings.store.store import Look
from spanglass_server.pace import REST_PAST
from spanglass_server.signals import Signal
from spanglass_server.store.ports import QueryTimeoutError, Window

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from spanglass_server.findings.agenda import Due
    from spanglass_server.findings.detecting.reading import Marks
    from spanglass_server.findings.store.store import FindingStore
    from spanglass_server.pace import Pace
    from spanglass_server.store.ports import QuerySession

_LOG = logging.getLogger(__name__)
#: Looks in one step, unless they find so many spans together that fewer are enough; and after how many minutes with
#: spans the figures of hours are judged.
_AT_ONCE, _JUDGE_AFTER = 10, 5


class Looker:
    """``ask`` runs a function over a query session; ``arrived_ns`` says when the newest spans came, at once.

    ``pace`` is that of looks at the past.
    """

    def __init__(
        self,
        store: FindingStore,
        ask: Callable[[Callable[[QuerySession], object]], object],
        arrived_ns: Callable[[], int],
        clock_ns: Callable[[], int],
        pace: Pace,
    ) -> None:
        self._pace = pace
        self._has_past = False
        self._store = store
        self._ask = ask
        self._arrived_ns = arrived_ns
        self._clock_ns = clock_ns
        self._judge = Judge(store)
        self._latecomers = Latecomers()
        self._unjudged = 0
        self._seen_ns = -1  # what had arrived when the minutes that are due were last listed
        self._waits = False  # for minutes that are not over, or that were too many
        self._looked_at = store.looked_at(clock_ns() // MINUTE_NS - BACK_MINUTES)
        self._looked_early = False  # at a minute that was not over

    @property
    def is_new(self) -> bool:
        """Whether no minute was looked at yet: then what there is may be worth a look at any time."""
        return not self._looked_at

    @property
    def needs_newest(self) -> bool:
        """Whether what came in the last seconds is worth being made columns: until there was an early look.

        After it nothing is due until its minute is over for 20 s, so a new server need not be looked at often either.
        """
        return self.is_new and not self._looked_early

    def has_news(self) -> bool:
        """Whether there may be a minute to look at, or spans that came late into one that was looked at."""
        arrived_ns = self._arrived_ns()
        return self._waits or arrived_ns > self._seen_ns or self._latecomers.are_due(arrived_ns, self._clock_ns())

    def is_past_due(self) -> bool:
        """Whether minutes of the past are to be looked at now, of those that were found when it was looked last."""
        return self._has_past and self._pace.is_due()

    def step(self) -> None:
        """Look at the minutes that are due, or at some of the past."""
        now_ns = self._clock_ns()
        first = now_ns // MINUTE_NS - BACK_MINUTES
        self._looked_at = {minute for minute in self._looked_at if minute >= first}
        agenda = Agenda((), goes_on=False)

        def list_due(session: QuerySession) -> None:
            nonlocal agenda
            self._seen_ns = session.arrived(Signal.SPANS).time_ns
            parts = session.parts(Signal.SPANS, Window(first * MINUTE_NS, now_ns + AHEAD_NS))
            agenda = list_minutes(parts, lambda part: count_minutes(session, part), self._looked_at, now_ns)

        self._ask(list_due)
        if agenda.early is not None and not self._looked_early:
            self._store.see_early(self._read(agenda.early).sightings, now_ns)
            self._looked_early = True
        looked, spans = 0, self._look_again(now_ns)
        for due in agenda.due[:_AT_ONCE]:
            if spans >= MOST_SPANS:
                break
            spans += self._look(due)
            looked += 1
        if agenda.past and not spans and self._pace.is_due():
            with self._pace.piece(REST_PAST):
                self._look(agenda.past[0])
        self._has_past = bool(agenda.past)
        self._waits = agenda.goes_on or len(agenda.due) > looked
        if self._unjudged >= _JUDGE_AFTER or (self._unjudged and not self._waits):
            self._unjudged = 0
            self._store.see(self._judge.judge(self._clock_ns()))

    def _look_again(self, now_ns: int) -> int:
        """Look at what came into minutes after they were looked at, now and then; return how many spans were read."""
        window = self._latecomers.window(now_ns)
        if window is None:
            return 0
        counted: Mapping[int, int] = {}
        arrived_ns = 0

        def count(session: QuerySession) -> None:
            nonlocal counted, arrived_ns
            arrived_ns = session.arrived(Signal.SPANS).time_ns
            counted = count_window(session, window)

        self._ask(count)
        late, spans = self._latecomers.late(counted, arrived_ns), 0
        for made in late:
            if spans >= MOST_SPANS:
                self._latecomers.go_on()
                break
            # there are more of them now: perhaps too many to be read whole
            due = make_due(made.due.minutes, spans_of(made.due, counted))
            stretch = self._read(due, made.marks)
            self._keep(due, stretch, is_late=True)
            self._latecomers.made_again(made, due, stretch.told, counted)
            spans += stretch.spans
        return spans

    def _look(self, due: Due) -> int:
        """Look at some minutes, and return how many spans were read."""
        stretch = self._read(due)
        self._keep(due, stretch)
        self._looked_at.update(due.minutes)
        self._latecomers.made(due, stretch.told)
        return stretch.spans

    def _read(self, due: Due, seen: Marks | None = None) -> Stretch:
        stretch, doubted = Stretch(), self._store.doubted(self._clock_ns())

        def read(session: QuerySession) -> None:
            nonlocal stretch
            stretch = read_stretch(session, due.window, due.own, seen, doubted)

        try:
            self._ask(read)
        except QueryTimeoutError:  # the server ends; the minute is looked at after its start
            raise
        except Exception:  # noqa: BLE001 - whatever it is: it costs these minutes, and not all that come after them
            _LOG.exception("the spans of %d minutes could not be looked at for findings", len(due.minutes))
        return stretch

    def _keep(self, due: Due, stretch: Stretch, *, is_late: bool = False) -> None:
        look = Look(
            due.minutes, due.weight, stretch.sightings, stretch.durations, stretch.sizes, is_late, stretch.alike,
            is_first=self.is_new,
        )  # fmt: skip
        self._store.keep(look, self._clock_ns())
        if stretch.told.size:
            self._judge.take(stretch, due.weight)
            self._unjudged += len(due.minutes)
