"""The thread that makes reports: cancelled, tried again, begun anew after a crash, bounded; and their store."""

from __future__ import annotations

import asyncio
import threading

import pytest

from spanglass_server.reports.desk import ReportDesk
from spanglass_server.reports.errors import AskError, NotDoneError, ReportStoreError, UnknownReportError
from spanglass_server.reports.generating import generate
from spanglass_server.reports.model import Scope, State
from spanglass_server.reports.store.store import ReportStore
from spanglass_server.reports.worker import Worker

SCOPE = Scope("usage", "", 1000, 2000)
#: What the questions of a report about use are answered.
NOTHING = {
    "/api/v1/users/summary": {"users": 0, "sessions": 0},
    "/api/v1/users/active": {"day": 0, "week": 0, "month": 0},
    "/api/v1/users/features": {"features": []},
    "/api/v1/users/paths": {"paths": []},
    "/api/v1/tasks": {"tasks": [], "total": 0},
}


class Office:
    """A store, a worker, and a desk over them, whose API answers with ``answer``."""

    def __init__(self, path, most=100):
        self.now_ns = 5000
        self.asked, self.over = [], []
        self.answer = lambda path: NOTHING[path]
        self.store = ReportStore(path)
        self.worker = Worker(self.store, self.ask, lambda: self.now_ns, self.over.append)
        self.ids = iter(f"r{number}" for number in range(100))
        self.desk = ReportDesk(
            self.store, self.worker, lambda: self.now_ns, lambda: next(self.ids), most=most, keep_ns=10_000
        )

    async def ask(self, path, params):
        """Answer a question."""
        self.asked.append((path, params.get("start", "")[-10:]))
        answer = self.answer(path)
        return await answer if asyncio.iscoroutine(answer) else answer


@pytest.fixture
def office(tmp_path):
    """Open an office, and close it."""
    found = Office(tmp_path / "reports.sqlite")
    yield found
    found.store.close()


def test_questions_are_asked_once_and_retried_when_that_may_help(office):
    """A section that the server had no time for is made at the next try; its other answers are not asked for again."""
    failures = [AskError("timeout", "too long"), AskError("unavailable", "busy")]

    def answer(path):
        if path == "/api/v1/users/active" and failures:
            raise failures.pop()
        return NOTHING[path]

    office.answer = answer
    told = []
    report = asyncio.run(generate(SCOPE, office.ask, 7, told.append, pause_s=0.0))
    assert [(each["id"], each["problem"]) for each in report["sections"]] == [("users", None), ("features", None)]
    assert office.asked.count(("/api/v1/users/active", "000001000Z")) == 3
    assert office.asked.count(("/api/v1/users/summary", "000001000Z")) == 1
    assert office.asked.count(("/api/v1/users/summary", "000000000Z")) == 1
    assert (told[0].done, told[0].total, told[0].section) == (0, 4, "Users")
    assert (told[-1].done, told[-1].section) == (4, "")
    assert [each.done for each in told] == sorted(each.done for each in told)


def test_a_report_can_be_stopped_while_it_is_made(office):
    """To delete it cancels the question under way, and the next report is made."""
    is_under_way, ended = threading.Event(), threading.Event()

    async def for_ever():
        is_under_way.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    office.answer = lambda _: for_ever()
    first = office.desk.ask(SCOPE)
    thread = threading.Thread(target=office.worker.step)
    thread.start()
    assert is_under_way.wait(30)
    assert office.desk.entry(first.id).state is State.RUNNING
    assert office.desk.progress(first.id).section == "Users"
    office.answer = lambda path: NOTHING[path]
    second = office.desk.ask(SCOPE)
    office.desk.delete(first.id)
    thread.join(30)
    assert ended.is_set()
    with pytest.raises(UnknownReportError):
        office.desk.entry(first.id)
    assert office.desk.entry(second.id).state is State.DONE
    assert [entry.id for entry in office.over] == [second.id]


def test_what_was_being_made_is_begun_anew_but_not_for_ever(tmp_path):
    """After the end of a server its report is made; one that ended it three times is given up, with the reason."""
    office = Office(tmp_path / "reports.sqlite")
    entry = office.desk.ask(SCOPE)
    assert office.store.take().attempts == 1  # and the server is killed
    office.store.close()
    office = Office(tmp_path / "reports.sqlite")
    assert office.worker.step()
    assert office.desk.entry(entry.id).state is State.DONE
    office.store.add("again", SCOPE, 6000)
    for _ in range(3):
        office.store.take()
    office.worker.wake()
    office.worker.step()
    found = office.desk.entry("again")
    assert (found.state, found.error) == (State.FAILED, "it was begun 3 times, and the server ended each time")
    with pytest.raises(NotDoneError, match="it was begun 3 times"):
        office.desk.content("again")
    office.store.close()


def test_a_defect_is_the_end_of_one_section(office):
    """An answer that nobody foresaw fails its section, in words; where nothing else is left, the report."""
    office.answer = lambda path: {} if path.endswith("summary") else NOTHING[path]
    entry = office.desk.ask(SCOPE)
    assert office.worker.step()
    assert office.desk.entry(entry.id).state is State.DONE
    problems = {section["id"]: section["problem"] for section in office.desk.content(entry.id)["sections"]}
    why = "could not be made: a mistake of the server (KeyError: 'users'); its log says where"
    assert problems == {"users": f"Users {why}", "features": None}
    office.answer = lambda _: {}
    entry = office.desk.ask(SCOPE)
    assert office.worker.step()
    found = office.desk.entry(entry.id)
    assert (found.state, found.error) == (State.FAILED, f"Users {why}")
    assert office.worker.progress(entry.id).total == 0


def test_a_report_that_cannot_be_written_is_not_made_again(office, monkeypatch):
    """While the disk is full what was made waits in memory: it is written later, however often that fails."""
    entry = office.desk.ask(SCOPE)
    write, problems = office.store.done, [OSError("disk full") for _ in range(4)]

    def full(*args):
        if problems:
            raise problems.pop()
        write(*args)

    monkeypatch.setattr(office.store, "done", full)
    for _ in range(4):
        with pytest.raises(OSError, match="disk full"):
            office.worker.step()
    asked = len(office.asked)
    assert office.worker.step()
    found = office.desk.entry(entry.id)
    assert (found.state, found.attempts, len(office.asked)) == (State.DONE, 1, asked)
    assert [each.id for each in office.over] == [entry.id]


def test_the_server_stops_while_a_report_is_made(office):
    """The thread ends, and the report waits for the next start; that was no attempt."""
    is_under_way = threading.Event()

    async def for_ever():
        is_under_way.set()
        await asyncio.Event().wait()

    office.answer = lambda _: for_ever()
    entry = office.desk.ask(SCOPE)
    results = []
    thread = threading.Thread(target=lambda: results.append(office.worker.step()))
    thread.start()
    assert is_under_way.wait(30)
    office.worker.stop()
    thread.join(30)
    found = office.desk.entry(entry.id)
    assert (results, found.state, found.attempts) == ([False], State.WAITING, 0)


def test_reports_are_kept_for_an_age_and_a_number(tmp_path):
    """Those that are over are deleted past an age, and the oldest past a number; those that wait never."""
    office = Office(tmp_path / "reports.sqlite", most=2)
    ids = []
    for _ in range(3):
        office.now_ns += 1
        ids.append(office.desk.ask(SCOPE).id)
        office.worker.step()
    office.now_ns += 1
    waiting = office.desk.ask(SCOPE).id
    assert [entry.id for entry in office.desk.entries()] == [waiting, ids[2], ids[1]]
    office.now_ns += 20_000
    office.desk.tidy()
    assert [entry.id for entry in office.desk.entries()] == [waiting]
    office.store.close()


def test_a_file_that_is_none(tmp_path):
    """A damaged store says what to do."""
    path = tmp_path / "reports.sqlite"
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(ReportStoreError, match="restore it from a backup"):
        ReportStore(path)
