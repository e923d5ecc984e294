"""Schedules: reports that are due are asked for, and channels told of each once, whatever comes between."""

from __future__ import annotations

import pytest
from reported import Reported

from spanglass_server.reports.errors import AskError, UnknownReportError
from spanglass_server.reports.model import State
from spanglass_server.reports.schedules.model import Schedule

S = 10**9
DAY = 86_400 * S
DAILY = Schedule(kind="usage", cron="0 6 * * *", last="1d", channels=("ops-mail", "chat"), format="html", actor="ann")
ANSWERS = {
    "/api/v1/users/summary": {
        "users": 3, "sessions": 4, "session_p50_ns": 2 * S, "points": [], "step_s": 60.0,
    },
    "/api/v1/users/active": {"day": 0, "week": 0, "month": 0},
    "/api/v1/users/features": {"features": []},
    "/api/v1/users/paths": {"paths": []},
    "/api/v1/tasks": {"tasks": [], "total": 0},
}  # fmt: skip


class Office(Reported):
    """Reports whose clock stands until it is set, over answers written by hand."""

    def __init__(self, path):
        self.now_ns = 10 * DAY
        self.fails = False
        super().__init__(path, lambda: self.now_ns)

    async def ask(self, path, params):
        """Answer."""
        del params
        if self.fails:
            raise AskError("bad_request", "no such thing")
        return ANSWERS[path]

    def pass_until(self, now_ns):
        """Let time pass, and do what is due then."""
        self.now_ns = now_ns
        if self.scheduler.is_due():
            self.scheduler.look()
            self.work()
            self.scheduler.tell_all()


@pytest.fixture
def office(tmp_path):
    """Open an office at midnight of a day."""
    found = Office(tmp_path / "reports.sqlite")
    yield found
    found.close()


def test_a_report_is_made_when_it_is_due_and_told_of_once(office):
    """Its range ends at its time; the message has its figures, its page, and the file for mails."""
    kept = office.scheduler.add(DAILY)
    office.pass_until(10 * DAY + 6 * 3600 * S - 1)
    assert office.desk.entries() == []
    office.pass_until(10 * DAY + 6 * 3600 * S + 20 * S)
    (entry,) = office.desk.entries()
    assert (entry.scope.start_ns, entry.scope.end_ns) == (9 * DAY + 6 * 3600 * S, 10 * DAY + 6 * 3600 * S)
    assert (entry.state, entry.actor) == (State.DONE, "ann")
    office.scheduler.tell_all()
    (telling,) = office.told.tellings
    assert (telling.channels, telling.title, telling.failed) == (("ops-mail", "chat"), "Usage", False)
    assert (telling.link, telling.file) == (f"/reports/{entry.id}", f"{entry.id}/html")
    assert "Users: 3 (before 3, \u00b10 %)" in telling.text
    assert office.schedules.one(kept.id).next_ns == 11 * DAY + 6 * 3600 * S
    assert not office.scheduler.is_due()


def test_what_was_missed_is_made_once(office):
    """After days without the server one report comes, and the next at its time."""
    office.scheduler.add(DAILY)
    office.pass_until(14 * DAY + 7 * 3600 * S)
    assert len(office.desk.entries()) == 1
    assert len(office.told.tellings) == 1
    office.pass_until(15 * DAY + 6 * 3600 * S)
    assert len(office.told.tellings) == 2


def test_channels_that_cannot_be_told_are_later(office):
    """An outbox that fails loses nothing: the report is told of when it works again."""
    office.scheduler.add(DAILY)
    office.told.problems.append(OSError("disk full"))
    with pytest.raises(OSError, match="disk full"):
        office.pass_until(10 * DAY + 6 * 3600 * S)
    assert office.told.tellings == []
    office.scheduler.tell_all()
    assert len(office.told.tellings) == 1


def test_a_report_that_fails_is_told_of_too(office):
    """Channels hear why it is not there, without a file."""
    office.scheduler.add(DAILY)
    office.fails = True
    office.pass_until(10 * DAY + 6 * 3600 * S)
    (telling,) = office.told.tellings
    assert (telling.failed, telling.file) == (True, "")
    assert "could not be read: no such thing" in telling.text


def test_schedules_that_are_off_or_gone(office):
    """One that is switched off makes nothing; of one that was deleted nobody is told."""
    kept = office.scheduler.add(DAILY)
    office.scheduler.change(kept.id, {"enabled": False})
    office.pass_until(12 * DAY)
    assert office.desk.entries() == []
    office.scheduler.change(kept.id, {"enabled": True})
    office.now_ns = 12 * DAY + 6 * 3600 * S
    office.scheduler.look()
    office.scheduler.delete(kept.id)
    office.work()
    office.scheduler.tell_all()
    assert len(office.desk.entries()) == 1
    assert office.told.tellings == []
    with pytest.raises(UnknownReportError):
        office.scheduler.delete(kept.id)
