"""Trends: what the watcher reads, what is found, and how it is listed, over series in memory."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from spanglass_server.measures.grammar import parse_measure
from spanglass_server.pace import Pace
from spanglass_server.promql.engine import range_query
from spanglass_server.promql.in_memory import SeriesInMemory
from spanglass_server.promql.series.labels import NAME, LabelSets
from spanglass_server.promql.series.samples import Samples
from spanglass_server.promql.series.vectors import Steps
from spanglass_server.times import format_time
from spanglass_server.trends.asking import Question, answer
from spanglass_server.trends.board import Board, Wanted
from spanglass_server.trends.found import find
from spanglass_server.trends.history import DAYS, WEEKS, History
from spanglass_server.trends.quantities import QUANTITIES, Quantity
from spanglass_server.trends.shaping import capacity_list, trend_list
from spanglass_server.trends.watcher import Watcher, without_first

HOUR, DAY = 3_600_000, 86_400_000
#: A Wednesday, 00:00 UTC, in 2023; then four weeks.
START = 19_675 * DAY
END = START + 28 * DAY


class World:
    """Series in memory, and a clock that goes on by the hour."""

    def __init__(self, start_ms: int = START, end_ms: int = END, step_ms: int = HOUR // 2) -> None:
        times = np.arange(start_ms, end_ms + 1, step_ms)
        days = (times - start_ms) / DAY
        random = np.random.default_rng(4)
        used = {"system_filesystem_state": "used", "system_filesystem_mountpoint": "/var"}
        disk, memory = "system.filesystem.utilization", "process.memory.usage"
        series = [
            ({NAME: disk, "host_name": "db", **used}, 0.5 + 0.015 * days + random.normal(0, 0.002, len(days))),
            ({NAME: disk, "host_name": "web", **used}, 0.3 + random.normal(0, 0.002, len(days))),
            (
                {NAME: memory, "service_name": "shop"},
                np.where(days < 20, 1e8, 1.6e8) + random.normal(0, 1e6, len(days)),
            ),
            ({NAME: memory, "service_name": "cart"}, 3e8 + 1e8 * np.sin(2 * np.pi * days)),
        ]
        labels = LabelSets.of([names for names, _ in series])
        sizes = np.arange(len(series) + 1) * len(times)
        values = np.concatenate([values for _, values in series])
        self.source = SeriesInMemory(Samples(labels, sizes, np.tile(times, len(series)), values))
        self.first_ms: int | None = start_ms
        self.now_ms, self.asked, self.spent, self.elapsed_s, self.cost_s = end_ms + 120_000, 0, 0.0, 0.0, 0.0
        self.board = Board()
        self.watcher = Watcher(
            self.board, self.ask, lambda: None if self.first_ms is None else self.first_ms * 10**6,
            lambda: self.now_ms * 10**6, new_pace=lambda: Pace(lambda: self.elapsed_s, lambda: self.spent),
        )  # fmt: skip

    def ask(self, question):
        """Count questions."""
        self.asked += 1
        self.spent += self.cost_s
        return question(self.source)

    def work(self) -> int:
        """Do all there is to do; how many steps it took."""
        steps = 0
        while self.watcher.step():
            steps += 1
        return steps


@pytest.fixture(scope="module")
def world() -> World:
    """A watcher that has read four weeks."""
    made = World()
    made.work()
    return made


def test_what_is_told_of_series(world: World) -> None:
    """The disk that fills up comes first, with when it is full; then the jump; steady ones are not told of."""
    told = trend_list(world.board, world.board.trends(Wanted()), 10)
    assert [(one["quantity"], one["service"] or one["host"]) for one in told["trends"]] == [
        ("disk", "db"),
        ("process-memory", "shop"),
    ]
    assert {one["quantity"]: one["share_read"] for one in told["looked"]} == {each.name: 1 for each in QUANTITIES}
    disk, memory = told["trends"]
    assert disk["direction"] == "rising"
    assert disk["slope"]["per_day"] == pytest.approx(0.015, rel=0.05)
    assert disk["slope"]["low_per_day"] < 0.015 < disk["slope"]["high_per_day"]
    assert disk["met"] is not None
    earliest, expected, latest = disk["met"].values()
    assert earliest <= expected <= latest
    assert expected[:10] in {"2023-12-16", "2023-12-17", "2023-12-18"}  # 0.08 are left: 5.3 days
    assert len(disk["past"]) == 84
    assert disk["forecast"]["expected"] == pytest.approx(1.025, abs=0.03)
    (jump,) = memory["shifts"]
    assert (jump["before"], jump["after"]) == pytest.approx((1e8, 1.6e8), rel=0.02)
    everything = {one.found.labels[one.row]: one for one in world.board.trends(Wanted(kind="all"))}
    assert len(everything) == 4
    seasonal = trend_list(world.board, world.board.trends(Wanted(kind="seasonal", service="cart")), 10)["trends"]
    assert [one["season"]["period_s"] for one in seasonal] == [86_400]


def test_capacity_lists_what_has_a_bound(world: World) -> None:
    """Those that are used up come first; those that are not have no time; filters leave out the others."""
    listed = capacity_list(world.board, world.board.capacity(Wanted()), 10)["capacity"]
    assert [(one["host"], one["met"]["expected_time"] is None) for one in listed] == [("db", False), ("web", True)]
    assert world.board.capacity(Wanted(host="nobody")) == []
    assert [one.row for one in world.board.capacity(Wanted(quantity="disk", text="WEB"))] == [1]


def test_the_query_of_a_series_gives_that_series(world: World) -> None:
    """What links to one series asks for that one alone, and its forecast is told."""
    (place, *_) = world.board.trends(Wanted())
    query = trend_list(world.board, [place], 1)["trends"][0]["query"]
    found = answer(world.source, Question(query, 7 * DAY, END, bound=1.0))
    (series,) = found["series"]
    assert series["labels"]["host_name"] == "db"
    assert (found["unit"], found["step_s"], found["total"]) == ("ratio", 3600, 1)
    assert (len(series["values"]), len(series["expected"])) == (672, 168)
    assert series["met"]["expected_time"] is not None
    soon = answer(world.source, Question("process_memory", HOUR, START + 3 * HOUR, limit=1))
    assert (soon["step_s"], soon["total"], soon["series"][0]["method"]) == (300, 2, None)
    assert soon["series"][0]["reason"].endswith("values are known, 10 are needed; ask again in 15 min")
    far = answer(world.source, Question("process_memory", 30 * DAY, START + 30 * 60_000, limit=1))
    assert far["series"][0]["reason"].startswith("1 value is known, 10 are needed; ask for 12h ahead or less")
    assert far["series"][0]["reason"].endswith(", or in 9 h")


def test_nothing_is_used_up_by_one_value() -> None:
    """A disk that has been over its bound for one step is no trend, and comes after none with a time."""
    world = World(END - 60_000, step_ms=60_000)
    world.source.samples.value[:] = 1.0
    world.work()
    assert world.board.trends(Wanted()) == []
    listed = capacity_list(world.board, world.board.capacity(Wanted(quantity="disk")), 10)["capacity"]
    assert [(one["now"], one["met"]) for one in listed] == [
        (1.0, {"earliest_time": None, "expected_time": None, "latest_time": None})
    ] * 2


def test_only_what_is_new_is_read() -> None:
    """After an hour one question for each quantity is asked, and nothing before; what is older brings all anew."""
    world = World(END - 4 * DAY)
    world.work()
    asked = world.asked
    assert asked == 3 * len(QUANTITIES)  # a question reads two days
    assert world.work() == 0
    world.now_ms += HOUR
    world.work()
    assert world.asked - asked == len(QUANTITIES)
    world.first_ms -= 10 * DAY
    world.work()
    assert world.asked - asked > 5 * len(QUANTITIES)


def test_no_quantity_starves(monkeypatch: pytest.MonkeyPatch) -> None:
    """With more new places than turns, each quantity has one, is computed, and its past is read."""
    world = World()
    computed: list[tuple[float, str]] = []

    def find_slowly(quantity: Quantity, history: History, _: object) -> SimpleNamespace:
        computed.append((world.elapsed_s, quantity.name))
        world.spent += 5.0 if quantity.name in {"disk", "process-memory"} else 0.1
        return SimpleNamespace(quantity=quantity, end_ms=history.last * HOUR, share_read=history.share_read)

    monkeypatch.setattr("spanglass_server.trends.watcher.find", find_slowly)
    for _ in range(400):  # 600 s a step: a new place after six, a round of 13 quantities after 13
        assert world.watcher.step()
        world.elapsed_s += 600
        world.now_ms += 600_000
    ages = {each.quantity.name: world.now_ms - each.end_ms for each in world.board.all_found}
    assert max(ages["disk"], ages["process-memory"]) < 6 * HOUR
    assert min(each.share_read for each in world.board.all_found) > 0.7
    times = [at for at, name in computed if name == "disk"]
    assert min(np.diff(times)) >= 200 * 5.0


def test_course_stays_where_records_are_kept_for_two_days() -> None:
    """An age that goes up and down around two days is read by the hour all the time, and nothing is read anew."""
    world = World(END - 2 * DAY)
    world.work()
    for removed, passed in ((4, 0), (0, 6), (8, 0)):  # hours: 44, 50, 42 are kept
        asked = world.asked
        world.first_ms += removed * HOUR
        world.now_ms += passed * HOUR
        world.work()
        assert world.asked - asked == (len(QUANTITIES) if passed else 0)
    assert trend_list(world.board, [], 1)["step_s"] == 3600


def test_series_that_are_over_have_no_forecast() -> None:
    """What has had no value for a twentieth of the time is not listed nor forecast; it is said since when."""
    world = World(END - 20 * DAY, END - 3 * DAY)
    world.now_ms += 3 * DAY
    world.work()
    assert world.board.trends(Wanted("all")) == []
    found = answer(world.source, Question("process_memory", 7 * DAY, END))
    assert found["total"] == 2
    for series in found["series"]:
        assert (series["method"], series["met"], series["expected"]) == (None, None, [])
        assert series["reason"].startswith(f"no value since {format_time((END - 3 * DAY) * 10**6)[:13]}")


def test_values_that_32_bits_cannot_hold() -> None:
    """They are not known, and the chart of what is ahead of large ones has no infinity."""
    history = History(WEEKS, 1000)
    history.put(953, [((("a", "1"),))], np.where(np.arange(48) == 5, 1e39, np.linspace(1e38, 3e38, 48))[None])
    found = find(QUANTITIES[0], history)
    assert np.isnan(history.values[0, -43])
    assert np.isfinite(found.now).all()
    assert not np.isinf(found.paths).any()


def test_young_data_is_read_by_five_minutes() -> None:
    """While nothing is two days old, five minutes are a step; nothing is asked while nothing is stored."""
    world = World(END - 6 * HOUR, step_ms=60_000)
    first, world.first_ms = world.first_ms, None
    assert world.work() == 0
    world.first_ms = first
    world.work()
    assert trend_list(world.board, world.board.trends(Wanted("all")), 9)["step_s"] == 300
    assert len(world.board.trends(Wanted("all"))) == 4
    assert {found.share_read for found in world.board.all_found} == {1.0}


def test_every_quantity_can_be_asked() -> None:
    """Each is a measure of this server, grouped, whose PromQL can be evaluated."""
    nothing = SeriesInMemory(Samples(LabelSets.of([]), np.zeros(1, np.intp), np.empty(0, np.int64), np.empty(0)))
    for quantity in QUANTITIES:
        assert parse_measure(quantity.measure).by, quantity.name
        range_query(nothing, quantity.promql, Steps(START, HOUR, 2))
    assert len({quantity.name for quantity in QUANTITIES}) == len(QUANTITIES)


def test_history_keeps_places() -> None:
    """Values stay at their places as time goes on; what is too old goes, with series that have nothing else."""
    history = History(WEEKS, 1000)
    assert history.missing() == (953, 48)
    history.put(953, [(("a", "1"),)], np.arange(48.0)[None])
    assert history.missing() == (905, 48)
    history.advance(1002)
    assert history.missing() == (1001, 2)
    history.put(1001, [(("a", "2"),)], np.array([[1.0, 2.0]]))
    assert history.labels == ((("a", "1"),), (("a", "2"),))
    assert history.values[0, -3] == 47
    assert history.values[1, -2:].tolist() == [1, 2]
    history.advance(1000 + 672)
    assert history.labels == ((("a", "2"),),)
    history.advance(5000)
    assert (history.labels, history.share_read, DAYS.periods) == ((), 0, (288,))


def test_rates_begin_with_a_whole_window() -> None:
    """Rates whose five minutes begin before the first record are left out: they would look like a jump."""
    steps = Steps(600_000, 300_000, 4)
    kept = without_first(np.array([[0.1, 0.2, 0.7, 0.7]]), steps, 700_000)
    np.testing.assert_array_equal(kept, [[np.nan, np.nan, 0.7, 0.7]])
    np.testing.assert_array_equal(without_first(np.ones((1, 4)), steps, 300_000), np.ones((1, 4)))
