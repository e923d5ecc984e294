"""Asks for reports when they are due, and tells of those that are over; each once, whatever ends the server."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Protocol

from spanglass_server.reports.errors import RefusedError, TooManyError, UnknownReportError
from spanglass_server.reports.model import Scope, State, Turn
from spanglass_server.reports.rendering import words
from spanglass_server.reports.schedules.model import Kept, check
from spanglass_server.supervision import in_words
from spanglass_server.times import NS_PER_SECOND, format_time

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from typing import Any

    from spanglass_server.reports.desk import ReportDesk
    from spanglass_server.reports.model import Entry, Report
    from spanglass_server.reports.schedules.model import Schedule
    from spanglass_server.reports.store.schedules import ScheduleStore

_LOG = logging.getLogger(__name__)
#: The fields that say when a schedule is due.
_TIMES: Final = ("cron", "zone", "enabled")
_TIDY_EVERY_NS: Final = 86_400 * NS_PER_SECOND
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
        self._tidied_ns = 0
        self._is_late = False  # a channel could not be told

    def all(self) -> Sequence[Kept]:
        """All schedules."""
        return self._store.all()

    def add(self, schedule: Schedule) -> Kept:
        """Keep one; ``RefusedError``."""
        now_ns = self._clock_ns()
        check(schedule, self._tell.channels(), now_ns)
        kept = Kept(self._new_id(), schedule, now_ns, schedule.next_ns(now_ns))
        self._store.add(kept)
        return kept

    def change(self, schedule_id: str, changes: Mapping[str, Any]) -> Kept:
        """Change fields of one; ``RefusedError``, ``UnknownReportError``. What is due stays so."""
        channels, now_ns = self._tell.channels(), self._clock_ns()

        def changed(before: Kept) -> Kept:
            schedule = replace(before.schedule, **changes)
            check(schedule, channels, now_ns, before.schedule)
            is_same = all(getattr(before.schedule, name) == getattr(schedule, name) for name in _TIMES)
            return replace(before, schedule=schedule, next_ns=before.next_ns if is_same else schedule.next_ns(now_ns))

        return self._store.change(schedule_id, changed)

    def delete(self, schedule_id: str) -> None:
        """Forget one; reports that it asked for stay. ``UnknownReportError``."""
        self._store.delete(schedule_id)

    def is_due(self) -> bool:
        """Whether ``look`` has something to do; quick."""
        now_ns = self._clock_ns()
        return self._is_late or 0 < self._store.next_ns() <= now_ns or now_ns >= self._tidied_ns + _TIDY_EVERY_NS

    def look(self) -> None:
        """Ask for the reports that are due, tell of those that could not be told of, delete what is too old.

        Of the times that were missed, as while the server stood, the newest alone is made. While too many reports
        wait, what is due stays so until a later look.
        """
        now_ns = self._clock_ns()
        try:
            for kept in sorted(self._store.all(), key=lambda kept: kept.next_ns):
                if 0 < kept.next_ns <= now_ns:
                    self._ask(kept, now_ns)
        except TooManyError as error:
            _LOG.info("reports of schedules are late: %s", error)
        if now_ns >= self._tidied_ns + _TIDY_EVERY_NS:
            self._desk.tidy()
            self._tidied_ns = now_ns
        if self._is_late:
            self.tell_all()

    def _ask(self, kept: Kept, now_ns: int) -> None:
        schedule, next_ns = kept.schedule, 0
        try:
            next_ns = schedule.next_ns(now_ns)
            end_ns = max(kept.next_ns, schedule.newest_ns(now_ns))
            scope = Scope(schedule.kind, schedule.service, max(0, end_ns - schedule.last_ns), end_ns)
            self._desk.ask_at(Turn(kept.id, kept.next_ns, next_ns), scope, schedule.actor)
        except TooManyError:
            raise
        except (RefusedError, ValueError, KeyError) as error:  # as of another version: a kind or time zone is not there
            _LOG.warning("schedule %s can't be kept to: %s", kept.id, in_words(error))
            self._store.skip(Turn(kept.id, kept.next_ns, next_ns))

    def tell_all(self) -> None:
        """Tell of the reports of schedules that are over and untold; ``OSError`` once all were tried."""
        schedules = {kept.id: kept.schedule for kept in self._store.all()}
        problem = None
        for report_id, schedule_id in self._store.untold():
            schedule = schedules.get(schedule_id)
            try:
                if schedule is not None and schedule.channels:
                    self._tell_of(report_id, schedule)
                self._store.told(report_id)
            except OSError as error:
                problem = problem or error
            except Exception as error:  # noqa: BLE001 - a defect keeps no other report back
                _LOG.error("channels could not be told of the report %s", report_id, exc_info=error)
        self._is_late = problem is not None
        if problem is not None:
            raise problem

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
