"""Background work reads nothing while people's questions are under way, but waits for a bounded time only."""

from __future__ import annotations

import asyncio

import pytest
from stored_spans import table, trace_id

from spanglass_server.signals import Signal
from spanglass_server.store.ports import ALL_TIME, OfTraces
from spanglass_server.store.sessions.giving_way import MOST_S, GivingWay, Questions


class Clock:
    """Seconds that pass only by sleeping; ``then`` is called at some times."""

    def __init__(self):
        self.now_s = 0.0
        self.then = {}

    def monotonic(self):
        """What time it is."""
        return self.now_s

    def sleep(self, seconds):
        """Have so many seconds pass."""
        self.now_s += seconds
        for at_s in [at_s for at_s in self.then if at_s <= self.now_s]:
            self.then.pop(at_s)()


class Looked(Questions):
    """Notes how many questions are under way whenever work would give way to them, and has none wait."""

    def __init__(self):
        super().__init__()
        self.looks = []

    @property
    def left_s(self):
        """See ``Questions``."""
        self.looks.append(self._count)
        return 0.0


def waited_s(questions, clock, *, stopped=lambda: False):
    """How long a new piece of work gives way."""
    before_s = clock.now_s
    GivingWay(questions, stopped, clock.sleep).wait()
    return clock.now_s - before_s


def test_work_waits_until_no_question_was_under_way_for_a_moment():
    """It goes on at once if nobody asked, and otherwise a moment after the last answer, not just between two."""
    clock = Clock()
    questions = Questions(clock.monotonic)
    assert waited_s(questions, clock) == 0
    first, second = questions.asked(), questions.asked()
    first.__enter__()
    second.__enter__()
    clock.then = {0.1: lambda: first.__exit__(None, None, None), 0.3: lambda: second.__exit__(None, None, None)}
    assert 0.3 < waited_s(questions, clock) < 0.4
    assert waited_s(questions, clock) == 0


def test_one_piece_of_work_gives_way_for_a_second_in_all():
    """However many questions there are, and however often it reads, it goes on: alerts must not wait for ever."""
    clock = Clock()
    questions = Questions(clock.monotonic)
    with questions.asked():
        work = GivingWay(questions, lambda: False, clock.sleep)
        work.wait()
        assert clock.now_s == pytest.approx(MOST_S)
        work.wait()
        assert clock.now_s == pytest.approx(MOST_S)


def test_a_question_that_fails_holds_nobody_up():
    """It is over however it ends."""
    clock = Clock()
    questions = Questions(clock.monotonic)
    with pytest.raises(ValueError, match="no such trace"), questions.asked():
        raise ValueError("no such trace")
    assert 0 < waited_s(questions, clock) < 0.1


def test_work_that_is_stopped_waits_no_longer():
    """The end of a server waits for no question of others."""
    clock = Clock()
    questions = Questions(clock.monotonic)
    with questions.asked():
        assert waited_s(questions, clock, stopped=lambda: clock.now_s >= 0.1) < 0.2


@pytest.mark.parametrize(
    "read",
    [
        lambda session: session.rows("SELECT 1"),
        lambda session: session.execute("SELECT 1"),
        lambda session: session.part_table(session.parts(Signal.SPANS, ALL_TIME)[0], ["name"]),
        lambda session: list(session.batches(Signal.SPANS, ALL_TIME, most_rows=10)),
        lambda session: session.trace_rows(Signal.SPANS, ALL_TIME, OfTraces([trace_id(1)])),
        lambda session: session.trace_rows(Signal.SPANS, ALL_TIME, OfTraces([trace_id(1)], columns=("name",))),
    ],
    ids=["rows", "execute", "part_table", "batches", "trace_rows", "columns of trace_rows"],
)
def test_what_background_work_reads_gives_way_each_time(bench, read):
    """A question under way is seen before every reading; questions of people, and other work, never wait."""
    bench.write(table([{"n": 1}]))
    questions = bench.engine._questions = Looked()

    def background(session):
        read(session)
        before = len(questions.looks)
        read(session)
        return len(questions.looks) > before

    def asked(session):
        read(session)
        bench.engine.run_here(read)
        assert not questions.looks
        return bench.engine.run_here(background, gives_way=True)

    assert asyncio.run(bench.engine.run(asked, deadline_s=60))
    assert set(questions.looks) == {1}
    questions.looks.clear()
    bench.engine.run_here(read, gives_way=True)
    assert set(questions.looks) == {0}
