"""Schedules: reports that are due are asked for, and channels told of each once, whatever comes between."""

from __future__ import annotations

from dataclasses import replace

import pytest
from reported import Reported

from spanglass_server.reports.desk import MOST_WAITING
from spanglass_server.reports.errors import AskError, RefusedError, UnknownReportError
from spanglass_server.reports.model import Scope, State
from spanglass_server.reports.schedules.model import Kept, Schedule

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
    """After days without the server the newest report comes, and the next at its time."""
    office.scheduler.add(DAILY)
    office.pass_until(14 * DAY + 7 * 3600 * S)
    (entry,) = office.desk.entries()
    assert (entry.scope.start_ns, entry.scope.end_ns) == (13 * DAY + 6 * 3600 * S, 14 * DAY + 6 * 3600 * S)
    assert len(office.told.tellings) == 1
    office.pass_until(15 * DAY + 6 * 3600 * S)
    assert len(office.told.tellings) == 2


def test_more_reports_are_due_than_may_wait(office):
    """Those that find no place are made once there is one: none is lost, none comes twice."""
    ids = {office.scheduler.add(DAILY).id for _ in range(MOST_WAITING + 5)}
    office.pass_until(10 * DAY + 6 * 3600 * S)
    assert len(office.desk.entries()) == MOST_WAITING
    office.pass_until(10 * DAY + 6 * 3600 * S + 10 * S)
    assert len(office.told.tellings) == len(ids)
    assert not office.scheduler.is_due()
    assert {office.schedules.one(each).next_ns for each in ids} == {11 * DAY + 6 * 3600 * S}


def test_a_schedule_is_deleted_or_changed_while_reports_are_asked_for(office, monkeypatch):
    """A deleted one does not come back, and changes stay; what was due before a change is made as it is now."""
    gone, later, other = (office.scheduler.add(DAILY).id for _ in range(3))
    office.now_ns = 10 * DAY + 6 * 3600 * S + 5 * S
    office.scheduler.change(other, {"service": "shop"})
    listed = office.schedules.all

    def changed_meanwhile():
        found = listed()
        if len(found) == 3:
            office.scheduler.delete(gone)
            office.scheduler.change(later, {"cron": "0 7 * * *"})
        return found

    monkeypatch.setattr(office.schedules, "all", changed_meanwhile)
    office.scheduler.look()
    assert [entry.scope.service for entry in office.desk.entries()] == ["shop"]
    kept = {each.id: (each.schedule.cron, each.next_ns) for each in office.scheduler.all()}
    assert kept == {
        later: ("0 7 * * *", 10 * DAY + 7 * 3600 * S),
        other: ("0 6 * * *", 11 * DAY + 6 * 3600 * S),
    }


def test_one_schedule_that_cannot_be_kept_to_holds_no_other_up(office):
    """One of a kind that this server does not know is passed over until its next time."""
    strange = Kept("strange", replace(DAILY, kind="weather"), 0, 10 * DAY + 3600 * S)
    office.schedules.add(strange)
    office.scheduler.add(DAILY)
    office.pass_until(10 * DAY + 6 * 3600 * S)
    assert [entry.scope.kind for entry in office.desk.entries()] == ["usage"]
    assert office.schedules.one("strange").next_ns == 11 * DAY + 6 * 3600 * S


def test_a_schedule_whose_channel_is_gone(office):
    """It can be changed and switched off; a channel that a change adds is to be there, and a range has an end."""
    kept = Kept("s", replace(DAILY, channels=("gone",)), 0, 0)
    office.schedules.add(kept)
    assert office.scheduler.change("s", {"last": "2d"}).schedule.last == "2d"
    assert office.scheduler.change("s", {"enabled": False}).next_ns == 0
    for changes, field in (
        ({"channels": ("gone", "new")}, "channels"),
        ({"last": "100y"}, "last"),
        ({"last": "367d"}, "last"),
    ):
        with pytest.raises(RefusedError) as caught:
            office.scheduler.change("s", changes)
        assert caught.value.field == field


def test_what_is_too_old_is_deleted_daily(office):
    """Reports go at their age although nobody asks for another."""
    office.desk.ask(Scope("usage", "", 1, 2))
    office.work()
    assert office.scheduler.is_due()
    office.scheduler.look()
    assert (len(office.desk.entries()), office.scheduler.is_due()) == (1, False)
    office.now_ns += DAY
    assert office.scheduler.is_due()
    office.scheduler.look()
    assert office.desk.entries() == []


def test_channels_that_cannot_be_told_are_later(office):
    """An outbox that fails loses nothing: the report is told of when it works again, and others meanwhile."""
    office.scheduler.add(DAILY)
    office.scheduler.add(DAILY)
    office.told.problems += [OSError("disk full"), RuntimeError("a defect")]
    with pytest.raises(OSError, match="disk full"):
        office.pass_until(10 * DAY + 6 * 3600 * S)
    assert office.told.tellings == []
    office.told.problems.append(RuntimeError("a defect"))
    assert office.scheduler.is_due()
    office.scheduler.look()
    assert len(office.told.tellings) == 1
    office.scheduler.tell_all()
    assert len({telling.key for telling in office.told.tellings}) == 2
    assert not office.scheduler.is_due()


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
