"""What the watcher reads, what it tells of series that are made here, what stays, and what people say is fine."""

from __future__ import annotations

import contextlib
from types import SimpleNamespace

import numpy as np
import pytest

from spanglass_server.anomalies.desk import AnomalyDesk, Wanted
from spanglass_server.anomalies.model import AnomalyStoreError, Kind, UnknownAnomalyError
from spanglass_server.anomalies.store.store import AnomalyStore
from spanglass_server.anomalies.watching import sources
from spanglass_server.anomalies.watching import watcher as module
from spanglass_server.anomalies.watching.sources import LogPatterns, Metric, OfItself, Operations, metrics_of
from spanglass_server.anomalies.watching.watcher import Watcher
from spanglass_server.pace import Pace
from spanglass_server.promql.errors import PromqlError
from spanglass_server.store.ports import QueryMemoryError

STEP_NS, HOUR_NS, DAY_STEPS = 300 * 10**9, 3600 * 10**9, 288
#: A Wednesday, 00:00 UTC, in 2023, as a step.
START = 19_675 * DAY_STEPS
CART, PAY = (
    (("service_name", "shop"), ("span_name", "GET /cart")),
    (("service_name", "pay"), ("span_name", "POST /pay")),
)


class Made(OfItself):
    """A source whose values are made by a function of steps, labels by labels."""

    def __init__(self, source, courses) -> None:
        self.name, self.parts, self.past_hours, self.title = source.name, source.parts, source.past_hours, source.title
        self.courses = courses

    def read(self, session, series, first_step, number):
        """Labels and values of each part."""
        del session, series
        steps = np.arange(first_step, first_step + number)
        return [
            (list(courses), np.array([course(steps) for course in courses.values()]).reshape(len(courses), number))
            for courses in self.courses
        ]


class World:
    """A watcher over series that are made here, and a clock; faults happen from ``fault_step`` on."""

    def __init__(self, path, monkeypatch, days=4.0) -> None:
        self.path, self.first_ns, self.elapsed_s, self.asked = path, START * STEP_NS, 0.0, 0
        self.now_ns = int((START + days * DAY_STEPS) * STEP_NS) + 30 * 60 * 10**9
        self.fault_step, self.fault_end = 1 << 60, 1 << 60
        self.operations = operations = Made(Operations(), [
            {CART: lambda at: 300 + self.chance(at, 10), PAY: lambda at: 100 + self.chance(at, 5)},
            {CART: lambda at: np.where(self.bad(at), 0.4, 0.0), PAY: lambda at: 0 * at},
            {CART: lambda at: 0.1 + self.chance(at, 0.002), PAY: lambda at: 0.2 + self.chance(at, 0.004)},
        ])  # fmt: skip
        queue = {(("__name__", "queue"), ("service_name", "shop")): lambda at: np.where(self.bad(at), 900.0, 20.0)}
        lines = {(("pattern", "paid <*>"),): lambda at: 60 + self.chance(at, 5)}
        fault = {(("pattern", "card refused <*>"),): lambda at: np.where(self.bad(at), 50.0, 0.0)}
        self.logs = Made(LogPatterns(), [lines])
        self.fault = fault
        monkeypatch.setattr(module, "Operations", lambda: operations)
        monkeypatch.setattr(module, "LogPatterns", lambda: self.logs)
        metric = Made(Metric("queue", "", is_counter=False), [queue])
        self.metrics = [metric]
        monkeypatch.setattr(module, "metrics_of", lambda *_: (self.metrics, 3))
        self.silent = lambda at: at < 0
        monkeypatch.setattr(module, "received_steps", self.received)
        self.open()

    def received(self, session, first_step, number):
        """Anything comes in, but where the world is silent."""
        del session
        return ~self.silent(np.arange(first_step, first_step + number))

    @staticmethod
    def chance(at, size):
        """Noise that is the same whenever it is read."""
        return size * (np.sin(at * 12.9898) + np.sin(at * 78.233))

    def bad(self, at):
        """Which steps lie in the fault."""
        return (at >= self.fault_step) & (at < self.fault_end)

    def open(self) -> None:
        """Open the store and begin to watch, as a start does."""
        self.store = AnomalyStore(self.path)
        self.watcher = Watcher(
            self.store, self.ask, lambda: self.first_ns, lambda: self.now_ns,
            Pace(lambda: self.elapsed_s, lambda: 0.0), lambda _: 0, 100,
        )  # fmt: skip
        self.desk = AnomalyDesk(self.store, self.watcher, lambda: self.now_ns)

    def ask(self, question):
        """Run a question."""
        self.asked += 1
        return question(None, None)

    def work(self) -> None:
        """Do all there is to do."""
        while self.watcher.step():
            pass

    def later(self, steps: int) -> None:
        """Let steps pass, one by one."""
        for _ in range(steps):
            self.now_ns += STEP_NS
            self.work()

    def begin_fault(self) -> None:
        """Let the steps from now on be bad, with lines that were never written before."""
        self.fault_step = self.now_ns // STEP_NS + 1
        self.logs.courses[0].update(self.fault)

    def told(self, which="open"):
        """Kinds and titles of anomalies."""
        found = self.desk.listing(Wanted(which), 50)["anomalies"]
        return {(one["kind"], one["title"]) for one in found}


@pytest.fixture
def world(tmp_path, monkeypatch):
    """Four days are stored."""
    made = World(tmp_path / "anomalies.sqlite", monkeypatch)
    yield made
    made.store.close()


ALL = {("failures", "shop GET /cart"), ("metric", "queue"), ("logs", "card refused <*>")}


def test_a_fault_begins_goes_on_over_a_restart_and_ends(world: World) -> None:
    """Nothing is told of usual days; a fault is told of within two steps, once, over a restart, until it is over."""
    world.work()
    world.later(12)
    assert world.told("all") == set()
    watching = {one["source"]: one for one in world.desk.listing(Wanted(), 1)["watching"]}
    assert {name: one["is_ready"] for name, one in watching.items()} == dict.fromkeys(watching, True)
    assert (watching["operations"]["series"], watching["operations"]["hours"]) == (6, 96 + 1)
    world.begin_fault()
    world.later(3)
    assert world.told() == ALL
    listed = world.desk.listing(Wanted("open"), 50)
    failures = next(one for one in listed["anomalies"] if one["kind"] == "failures")
    assert (failures["value"], failures["direction"], failures["operation"]) == (0.4, "above", "GET /cart")
    assert failures["high"] < 0.05
    assert failures["affected"] == pytest.approx(2 * 0.4 * 300, rel=0.7)
    assert failures["impact"] == pytest.approx(0.4, abs=0.02)  # of those of its service, the busiest
    logs = next(one for one in listed["anomalies"] if one["kind"] == "logs")
    assert failures["importance"] > 2 * logs["importance"] * (failures["surprise"] / max(logs["surprise"], 50)) ** 0.5
    assert failures["points"]["values"][-1] == pytest.approx(0.4)
    assert {one["is_new"] for one in listed["anomalies"] if one["kind"] == "logs"} == {True}
    assert listed["metrics_left_out"] == 3
    ids = {one["id"] for one in listed["anomalies"]}
    world.store.close()
    world.open()
    world.work()
    world.later(2)
    assert {one["id"] for one in world.desk.listing(Wanted("all"), 50)["anomalies"]} == ids
    world.fault_end = world.now_ns // STEP_NS + 1
    world.later(6)
    assert world.told() == set()
    ended = world.desk.listing(Wanted("lately", service="shop", text="CART"), 50)["anomalies"]
    assert [(one["kind"], one["state"]) for one in ended] == [("failures", "ended")]
    assert world.store.one(ended[0]["id"], world.now_ns).end_ns == world.fault_end * STEP_NS - STEP_NS
    world.now_ns += 2 * 24 * HOUR_NS
    assert world.told("lately") == set()


def test_what_is_fine_is_not_told_of(world: World) -> None:
    """Who says that a series is fine is kept with a reason; it is told of no more until that is over or undone."""
    world.work()
    world.begin_fault()
    world.later(3)
    anomaly = next(one.id for one in world.desk.current() if one.key.kind is Kind.METRIC)
    said = world.desk.call_fine(anomaly, "load test", "mina", world.now_ns + HOUR_NS)
    assert said["holds"]
    assert world.told() == ALL - {("metric", "queue")}
    assert world.told("fine") == {("metric", "queue")}
    again = world.desk.call_fine(anomaly, "load tests", "jo", None)
    (left,) = (one for one in world.desk.undo(again["id"], "kim")["feedback"] if one["id"] == again["id"])
    assert (left["reason"], left["actor"], left["undone_by"], left["holds"]) == ("load tests", "jo", "kim", False)
    assert world.told() == ALL
    with pytest.raises(UnknownAnomalyError):
        world.desk.undo(again["id"], "kim")
    with pytest.raises(UnknownAnomalyError):
        world.desk.call_fine(99, "x", "y", None)
    assert {one["undone_by"] for one in world.desk.feedback()["feedback"]} == {"jo", "kim"}


def test_nothing_is_told_without_a_past_or_where_nothing_came_in(tmp_path, monkeypatch) -> None:
    """Two hours say nothing of what is usual; without records nothing is asked; an outage of all is no anomaly."""
    young = World(tmp_path / "young.sqlite", monkeypatch, days=1 / 12)
    young.work()
    young.begin_fault()
    young.later(3)
    assert young.told("all") == set()
    young.first_ns = None
    asked = young.asked
    young.work()
    assert young.asked == asked
    young.store.close()
    alone = World(tmp_path / "alone.sqlite", monkeypatch)
    alone.work()
    operations = alone.watcher.watched[0].source
    operations.courses = [{}, {}, {}]
    alone.later(4)
    assert {kind for kind, _ in alone.told("all")} == set()
    alone.store.close()


def test_questions_that_are_too_large_are_made_smaller(world: World) -> None:
    """Where hours have too many samples fewer are asked for at once; one that fails alone stays empty."""
    asked: list[int] = []

    def read(session, series, first_step, number):
        asked.append(number // 12)
        if number > 3 * 12 or first_step <= START + 12:
            raise PromqlError("execution", "too many samples")
        return Made.read(operations, session, series, first_step, number)

    world.watcher.step()
    operations = world.watcher.watched[0].source
    operations.read = read
    world.work()
    assert asked[:2] == [4, 2]
    assert asked.count(1) >= 1
    row = world.desk.listing(Wanted(), 1)["watching"][0]
    assert (row["hours"], row["is_ready"], row["problem"]) == (96, True, "too many samples")
    world.later(2)
    assert world.desk.listing(Wanted(), 1)["watching"][0]["problem"] is None
    assert world.watcher.watched[0].memories[0].heard_hours == 96 - 1


def test_an_outage_says_nothing_of_what_is_usual(tmp_path, monkeypatch) -> None:
    """After 26 hours in which nothing came in, in the past or while the process runs, nothing is unusual or new."""
    world = World(tmp_path / "anomalies.sqlite", monkeypatch)
    until = START + 4 * DAY_STEPS + 4
    world.silent = lambda at: (at > until - 26 * 12) & (at <= until)
    operations = [dict(each) for each in Made(Operations(), world.operations.courses).courses]
    cut = {**operations[0], CART: lambda at: np.where(at == until + 80, 0.6 * 300, operations[0][CART](at))}
    world.operations.courses = [
        {key: lambda at, f=f: np.where(world.silent(at), np.nan, f(at)) for key, f in each.items()}
        for each in (cut, *operations[1:])
    ]
    lines = world.logs.courses[0]
    for key, course in list(lines.items()):
        lines[key] = lambda at, f=course: np.where(world.silent(at), 0.0, f(at))
    world.work()
    world.later(12)
    assert world.told("all") == set()
    begin = world.now_ns // STEP_NS
    world.silent = lambda at: (at > begin) & (at <= begin + 40)
    world.later(40)
    world.later(80)
    assert world.told("all") == set()
    assert {one.side for one in world.store.known(world.now_ns)} == set()
    world.store.close()


def test_all_steps_of_an_anomaly_count_and_a_skipped_one_stays_a_gap(world: World) -> None:
    """Requests missing from the first step on are affected, those before it began too; the chart keeps what it had."""
    fault = world.now_ns // STEP_NS + 12
    world.silent = lambda at: at == fault - 6
    usual = world.operations.courses[0][PAY]
    world.operations.courses[0][PAY] = lambda at: np.where(at >= fault, 10.0, usual(at))
    world.work()
    world.later(14)
    (one,) = world.desk.listing(Wanted("open"), 50)["anomalies"]
    assert (one["kind"], one["title"], one["direction"]) == ("requests", "pay POST /pay", "below")
    assert one["affected"] == pytest.approx(2 * 90, rel=0.2)
    gaps = [value is None for value in one["points"]["values"][-12:]]
    assert gaps == [False] * 4 + [True] * 2 + [False] * 6  # where records come all the time, the step after it as well


def test_what_is_open_in_memory_and_what_is_kept_agree(world: World, monkeypatch) -> None:
    """What was fine when it began is told of once that is over; so is one that could not be kept; the gone one ends."""
    world.work()
    world.begin_fault()
    world.later(3)
    queue = next(one for one in world.desk.current() if one.key.kind is Kind.METRIC)
    world.desk.call_fine(queue.id, "load test", "mina", world.now_ns + HOUR_NS // 2)
    assert world.told() == ALL - {("metric", "queue")}
    world.fault_end = world.now_ns // STEP_NS + 1
    world.later(4)
    ended = world.store.one(queue.id, world.now_ns)
    assert ended.end_ns is not None
    world.begin_fault()
    world.fault_end = 1 << 60

    def broken(*_):
        raise OSError(28, "no space left")

    keep = AnomalyStore.keep
    monkeypatch.setattr(AnomalyStore, "keep", broken)
    for _ in range(3):
        world.now_ns += STEP_NS
        for _ in range(20):
            with contextlib.suppress(OSError):
                world.watcher.step()
    assert world.told() == set()
    monkeypatch.setattr(AnomalyStore, "keep", keep)
    world.later(4)
    assert world.told() == ALL
    world.metrics[0].courses = [{}]
    world.later(14)
    assert world.told() == ALL - {("metric", "queue")}


def test_a_list_of_metrics_that_fails_or_is_empty_loses_nothing(world: World, monkeypatch) -> None:
    """What is known of metrics stays, and they are asked for again in a minute."""
    world.work()

    def failing(*_):
        raise QueryMemoryError

    listed = module.metrics_of
    for answer in (failing, lambda *_: ([], 0)):
        monkeypatch.setattr(module, "metrics_of", answer)
        world.now_ns += HOUR_NS
        world.work()
        assert [each.source.name for each in world.watcher.watched][2:] == ["metric queue"]
        assert world.watcher.watched[2].hours > 90
    monkeypatch.setattr(module, "metrics_of", failing)
    world.now_ns += HOUR_NS
    world.work()
    assert "metrics" in world.watcher.problems
    monkeypatch.setattr(module, "metrics_of", listed)
    world.now_ns += 61 * 10**9
    world.work()
    assert world.watcher.problems == {}


def test_a_clock_that_went_back_begins_anew(world: World) -> None:
    """What was read of a time to come is dropped; from then on what is unusual is told of again."""
    world.now_ns += 10 * DAY_STEPS * STEP_NS
    world.work()
    world.now_ns -= 10 * DAY_STEPS * STEP_NS
    world.work()
    world.later(2)
    world.begin_fault()
    world.later(3)
    assert world.told() == ALL


def test_the_store_says_what_to_do(tmp_path) -> None:
    """A file that is no database is told of with what is lost and what to do."""
    (tmp_path / "anomalies.sqlite").write_bytes(b"no database" * 100)
    with pytest.raises(AnomalyStoreError, match="move it away"):
        AnomalyStore(tmp_path / "anomalies.sqlite")


def test_metrics_in_use_come_first(monkeypatch) -> None:
    """Those that rules name, then those with few series, as long as all have room; histograms and our own are left."""
    shapes = {"queue": ("gauge", 80), "sent": ("counter", 500), "sizes": ("histogram", 1), "ALERTS": ("gauge", 1),
              "memory": ("gauge", 3), "wide": ("gauge", 90)}  # fmt: skip
    entries = [
        {"name": name, "shape": shape, "series": number, "unit": "By"} for name, (shape, number) in shapes.items()
    ]
    monkeypatch.setattr("spanglass_server.anomalies.watching.sources.list_catalog", lambda *_: {"metrics": entries})
    found, left = metrics_of(SimpleNamespace(), None, 190, lambda name: int(name == "sent"))
    assert ([each.metric for each in found], left) == (["sent", "memory", "queue"], 1)
    assert (found[0].parts[0].unit, found[1].parts[0].unit) == ("By/s", "By")


def test_lines_that_differ_in_a_word_crowd_out_nothing(monkeypatch):
    """All lines of a pattern count, however many there were before, and a new line is seen after any number of them."""
    told = {}
    monkeypatch.setattr(sources, "count_lines", lambda *_: (told, 1))
    logs, counted = LogPatterns(), {}
    for day in range(4):
        rows = [{"bucket": 0, "records": 1, "services": ["shop"]}]
        told = {f"user name{day}x{number} logged in ok": rows for number in range(1500)}
        if day == 3:
            told["PANIC database gone"] = [{"bucket": 0, "records": 999, "services": ["shop"]}]
        ((names, values),) = logs.read(None, None, 1000 + 288 * day, 1)
        counted[day] = dict(zip((dict(each)["pattern"] for each in names), values[:, 0], strict=True))
    assert [list(each.values()) for each in list(counted.values())[:3]] == [[1500.0], [1500.0], [1500.0]]
    assert counted[3] == {"user name0x0 logged in ok": 1500.0, "PANIC database gone": 999.0}
    assert len(logs._lines) <= 40  # it is bounded
