"""Memory leaks: which series are told of, and the finding that comes of them, over series in memory."""

from __future__ import annotations

import numpy as np
import orjson
import pytest

from made_leaks import MIB, Process, make_processes
from spanglass_server.findings.desk import FindingDesk, Wanted
from spanglass_server.findings.leak import MOST_BYTES, SUBJECT, Grown, Leak
from spanglass_server.findings.model import Kind, Place, Sighting
from spanglass_server.findings.store.store import FILE_NAME, FindingStore, Look
from spanglass_server.leaks.climbing import MINUTE_MS, find_climb, may_climb
from spanglass_server.leaks.looking import EVERY_MS, LeakWatch
from spanglass_server.promql.in_memory import SeriesInMemory
from spanglass_server.promql.series.labels import NAME, LabelSets
from spanglass_server.promql.series.samples import Samples
from spanglass_server.times import NS_PER_MS, parse_time

END_MS = 28_333_380 * MINUTE_MS
HOURS = 3


def test_leaks_are_told_from_what_looks_like_them():
    """Over made processes at least 95 of 100 that are told of leak, and 90 of 100 leaks are told of."""
    made = make_processes(8, seed=3)
    rows = [one.rows() for one in made]
    told = [place for place, each in enumerate(rows) if find_climb(each) is not None]
    right = sum(made[place].is_leak for place in told)
    assert right >= 0.95 * len(told)
    assert right >= 0.9 * sum(one.is_leak for one in made)
    # the quick test before it leaves none of them out
    assert all(may_climb([row[None] for row in rows[place]])[0] for place in told)


DAY = 24 * 60
AT = np.arange(7 * DAY)
MORNING = np.maximum(np.sin(2 * np.pi * (AT - 6 * 60) / DAY), 0)


@pytest.mark.parametrize(
    ("memory", "looks"),
    [
        (np.minimum(200 + 3.0 * AT, 1000), range(12, 420, 6)),
        (200 + 400 * MORNING, range(30, 20 * 60, 10)),
        (300 + 500 * (AT % 720) / 720, range(900, 7 * DAY, 97)),
        (200 + 400 * MORNING * (AT >= 2 * DAY), range(2 * DAY, 2 * DAY + 20 * 60, 20)),
    ],
    ids=["evenly from the start to a limit", "first morning", "sawtooth of 12 hours", "day after a weekend"],
)
def test_what_fills_and_what_comes_back_is_not_told_whenever_it_is_looked_at(memory, looks):
    """A process that fills evenly from its start, follows its first day with traffic, or lets go at times is well."""
    noisy = (memory + np.random.default_rng(1).normal(0, 0.5, len(memory))) * MIB
    for minutes in looks:
        values = np.full(len(AT), np.nan)
        values[len(AT) - minutes :] = noisy[:minutes]
        assert find_climb(Process("", is_leak=False, values=values).rows()) is None, f"after {minutes} min"


def test_a_climb_from_the_start_is_told_after_six_hours_since_the_start():
    """It is one climb, however long ago it began: not the last hours of it by themselves."""
    values = np.full(len(AT), np.nan)
    values[-400:] = (200 + 3.0 * np.arange(400)) * MIB
    climb = find_climb(Process("", is_leak=True, values=values).rows())
    assert climb is not None
    assert abs(climb.lasts_ms - 400 * MINUTE_MS) <= 30 * MINUTE_MS


def _series(**memory):
    """Series by the minute for some hours: each of a process of a service, its values in MiB."""
    minutes = HOURS * 60
    times = END_MS - np.arange(minutes)[::-1] * MINUTE_MS
    labels = LabelSets.of([
        {NAME: "process.memory.usage", "service_name": name.partition("_")[0], "instance": name, "host_name": "db-1",
         "process_pid": "77", "service_version": "2.1"}
        for name in memory
    ])  # fmt: skip
    values = np.concatenate([each * MIB for each in memory.values()])
    return SeriesInMemory(Samples(labels, np.arange(len(memory) + 1) * minutes, np.tile(times, len(memory)), values))


class Slots:
    """Colours of services."""

    def service_slot(self, name):
        """Any colour."""
        return len(name)


@pytest.fixture
def store(tmp_path):
    """Give an empty store of findings, in which release 2.1 of the shop is newer than 2.0."""
    kept = FindingStore(tmp_path / FILE_NAME)
    for hours, release in ((90, "2.0"), (2, "2.1")):
        minute = END_MS // MINUTE_MS - hours * 60
        row = {"service": "shop", "operation": "GET /", "release": release, "bucket": 3, "requests": 50, "total_ns": 1}
        kept.keep(Look((minute,), 1.0, (), durations=[row]), END_MS * NS_PER_MS)
    yield kept
    kept.close()


def test_a_leak_is_a_finding_of_its_service(store):
    """It names the process that grows, since when, how fast and the release; it stands before what costs time.

    A process that ended 14 minutes ago neither grows nor counts.
    """
    minutes = np.arange(HOURS * 60)
    level = 100 + np.random.default_rng(1).normal(0, 0.5, len(minutes))
    leaking = level + np.maximum(minutes - 120, 0) * 6.0
    asked = []
    ended = np.where(minutes < len(minutes) - 14, leaking, np.nan)
    source = _series(shop_a=leaking, shop_b=level, shop_c=ended, cart_a=level)

    def ask(question):
        asked.append(question)
        return question(source)

    now_ns = END_MS * NS_PER_MS + 30_000 * NS_PER_MS
    clock, arrived = [now_ns], [1]
    watch = LeakWatch(store, ask, lambda: arrived[0], lambda: clock[0])
    assert watch.is_due()
    watch.step()
    where = Place(Kind.SLOW_QUERY, "shop", "GET /", "SELECT 1")
    store.see([Sighting(where, 9, 9, 9, 10**9, now_ns - 5, now_ns - 5)])

    first, second = FindingDesk(store, lambda: now_ns).listing(Slots(), Wanted(), 10)["findings"]

    assert [one["kind"] for one in (first, second)] == ["memory_leak", "slow_query"]
    assert (first["service"], first["operation"]) == ("shop", "")
    assert first["seen"].startswith("The memory of 1 of 2 processes grows and does not come back: shop_a on db-1 from")
    assert first["seen"].endswith("it runs release 2.1, which is newer than others.")
    leak = first["leak"]
    (grown,) = leak["grown"]
    assert (leak["processes"], grown["instance"], grown["pid"], grown["release"]) == (2, "shop_a", "77", "2.1")
    assert abs(parse_time(grown["since"], now_ns) / NS_PER_MS - (END_MS - 59 * MINUTE_MS)) <= 5 * MINUTE_MS
    assert 330 * MIB < grown["bytes_per_hour"] < 390 * MIB
    assert parse_time(grown["release_since"], now_ns) // NS_PER_MS == END_MS - 2 * 3_600_000 - END_MS % 3_600_000
    assert 0.8 < first["confidence"] < 0.9

    # nothing more is read before there are new points and it is time
    number = len(asked)
    clock[0] += EVERY_MS[0] * NS_PER_MS
    assert not watch.is_due()
    arrived[0] = 2
    assert watch.is_due()
    watch.step()
    assert len(asked) == number + 1


def test_what_no_process_holds_is_no_memory_and_kept_findings_of_it_are_served(store):
    """Numbers beyond 2^60, infinity and negative ones make no finding; one kept before is an answer of 64 bits."""
    minutes = np.arange(HOURS * 60)
    level = 100 + np.random.default_rng(1).normal(0, 0.5, len(minutes))
    growing = level + np.maximum(minutes - 120, 0) * 6.0
    series = _series(
        shop_a=growing / MIB * 1e17, cart_a=np.where(minutes < 170, growing, np.inf), mail_a=-growing[::-1]
    )
    now_ns = END_MS * NS_PER_MS + 30_000 * NS_PER_MS
    LeakWatch(store, lambda question: question(series), lambda: 1, lambda: now_ns).step()
    assert store.known(now_ns) == []

    kept = Grown("a", "", "", "", 0, now_ns - 10**12, 10**19, 5 * 10**19, 24 * 10**19)
    where = Place(Kind.MEMORY_LEAK, "shop", "", SUBJECT)
    store.see([Sighting(where, 1, 1, 1, 0, now_ns - 5, now_ns - 5, Leak(now_ns - 5, 1, (kept,)).text())])
    (found,) = orjson.loads(orjson.dumps(FindingDesk(store, lambda: now_ns).listing(Slots(), Wanted(), 10)))["findings"]
    assert found["leak"]["grown"][0]["to_bytes"] == MOST_BYTES


def test_a_leak_that_ended_stays_for_a_day_and_well_processes_are_not_told_of(store):
    """What levelled off is not seen again; the finding is told of until 24 hours after it was seen last."""
    level = 100 + np.random.default_rng(1).normal(0, 0.5, HOURS * 60)
    now_ns = END_MS * NS_PER_MS + 30_000 * NS_PER_MS
    plateau = level + np.clip(np.arange(HOURS * 60) - 60, 0, 30) * 6.0
    LeakWatch(store, lambda question: question(_series(shop_a=plateau, cart_a=level)), lambda: 1, lambda: now_ns).step()
    assert store.known(now_ns) == []
    at_ns = now_ns - 89 * MINUTE_MS * NS_PER_MS
    growing = np.concatenate([np.full(89, 100.0), plateau[:-89]])
    LeakWatch(store, lambda question: question(_series(shop_a=growing)), lambda: 1, lambda: now_ns).step()
    assert [one.place.kind for one in store.known(at_ns)] == [Kind.MEMORY_LEAK]
    day_ns, second_ns = 86_400 * 10**9, 10**9
    assert len(FindingDesk(store, lambda: now_ns + day_ns - 40 * second_ns).current()) == 1
    assert FindingDesk(store, lambda: now_ns + day_ns).current() == []
