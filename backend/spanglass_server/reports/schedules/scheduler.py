"""Asks for reports when they are due, and tells of those that are over; each once, whatever ends the server."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Protocol

from spanglass_server.reports.errors import TooManyError, UnknownReportError
from spanglass_server.reports.model import Scope, State
from spanglass_server.reports.rendering import words
from spanglass_server.reports.schedules.model import Kept, check
from spanglass_server.times import format_time

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from typing import Any

    from spanglass_server.reports.desk import ReportDesk
    from spanglass_server.reports.model import Entry, Report
    from spanglass_server.reports.schedules.model import Schedule
    from spanglass_server.reports.store.schedules import ScheduleStore

#: So many figures stand in a message; the report has the others.
_MOST_FIGURES: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """What channels are told of a report. The same ``key`` is told once a channel; ``file`` is "" for one that failed.

    ``file`` names the report and the form in which mails have it with them: ``ID/pdf``.
    """

    key: str
    channels: tuple[str, ...]
    title: str
    text: str
    link: str
    failed: bool
    file: str


class Tell(Protocol):
    """Notifications, as schedules need them."""

    def channels(self) -> Collection[str]:
        """The names of the channels that there are."""

    def tell(self, telling: Telling) -> None:
        """Have channels told; durable when it returns. ``OSError``."""


class Scheduler:
    """``look`` belongs to one thread, the rest to any."""

    def __init__(
        self,
        store: ScheduleStore,
        desk: ReportDesk,
        tell: Tell,
        clock_ns: Callable[[], int],
        new_id: Callable[[], str],
    ) -> None:
        self._store = store
        self._desk = desk
        self._tell = tell
        self._clock_ns = clock_ns
        self._new_id = new_id
        self._next_ns: int | None = None  # of all, None until it was read

    def all(self) -> Sequence[Kept]:
        """All schedules."""
        return self._store.all()

    def add(self, schedule: Schedule) -> Kept:
        """Keep one; ``RefusedError``."""
        now_ns = self._clock_ns()
        check(schedule, self._tell.channels(), now_ns)
        kept = Kept(self._new_id(), schedule, now_ns, schedule.next_ns(now_ns))
        self._put(kept)
        return kept

    def change(self, schedule_id: str, changes: Mapping[str, Any]) -> Kept:
        """Change fields of one; ``RefusedError``, ``UnknownReportError``."""
        before, now_ns = self._store.one(schedule_id), self._clock_ns()
        schedule = replace(before.schedule, **changes)
        check(schedule, self._tell.channels(), now_ns)
        kept = replace(before, schedule=schedule, next_ns=schedule.next_ns(now_ns))
        self._put(kept)
        return kept

    def delete(self, schedule_id: str) -> None:
        """Forget one; reports that it asked for stay. ``UnknownReportError``."""
        self._store.delete(schedule_id)

    def _put(self, kept: Kept) -> None:
        self._store.put(kept)
        self._next_ns = None

    def is_due(self) -> bool:
        """Whether one is due; quick."""
        if self._next_ns is None:
            self._next_ns = min((kept.next_ns for kept in self._store.all() if kept.next_ns), default=0)
        return 0 < self._next_ns <= self._clock_ns()

    def look(self) -> None:
        """Ask for the reports that are due. What was missed while the server stood is made once."""
        now_ns = self._clock_ns()
        for kept in self._store.all():
            if 0 < kept.next_ns <= now_ns:
                self._ask(kept)
                self._store.put(replace(kept, next_ns=kept.schedule.next_ns(now_ns)))
        self._next_ns = None

    def _ask(self, kept: Kept) -> None:
        schedule, end_ns = kept.schedule, kept.next_ns
        scope = Scope(schedule.kind, schedule.service, max(0, end_ns - schedule.last_ns), end_ns)
        try:
            self._desk.ask(scope, schedule.actor, kept.id)
        except TooManyError:  # people have asked for so many: this one comes the next time
            return

    def tell_all(self) -> None:
        """Tell of the reports of schedules that are over and untold."""
        schedules = {kept.id: kept.schedule for kept in self._store.all()}
        for report_id, schedule_id in self._store.untold():
            schedule = schedules.get(schedule_id)
            if schedule is not None and schedule.channels:
                self._tell_of(report_id, schedule)
            self._store.told(report_id)

    def _tell_of(self, report_id: str, schedule: Schedule) -> None:
        try:
            entry = self._desk.entry(report_id)
            report = self._desk.content(report_id) if entry.state is State.DONE else None
        except UnknownReportError:  # deleted a moment ago
            return
        title, text = _words(entry, report)
        self._tell.tell(
            Telling(
                key=f"report {report_id}",
                channels=schedule.channels,
                title=title,
                text=text,
                link=f"/reports/{report_id}",
                failed=report is None,
                file=f"{report_id}/{schedule.format}" if report else "",
            )
        )


def _words(entry: Entry, report: Report | None) -> tuple[str, str]:
    """Title and text of a message."""
    if report is None:
        return f"The report {entry.scope.kind!r} could not be made", f"{entry.error}. It is made again the next time."
    window = {"start_time": format_time(entry.scope.start_ns), "end_time": format_time(entry.scope.end_ns)}
    return report["title"], "\n".join([words.window(window), "", *_figures(report)])  # type: ignore[arg-type]


def _figures(report: Report) -> Iterator[str]:
    figures = [
        figure
        for section in report["sections"]
        for block in section["blocks"]
        if block["block"] == "figures"
        for figure in block["figures"]
    ]
    for figure in figures[:_MOST_FIGURES]:
        before = words.compared(figure)
        value = words.number(figure["value"], figure["unit"])
        yield f"{figure['name']}: {value}{f' ({before})' if before else ''}"
