"""What is told by figures of hours, by cases worked out by hand: slower operations, time that grows with a number."""

from __future__ import annotations

import math
import random

import pytest

from spanglass_server.findings.judging.durations import Durations, edge_ns, slower, together
from spanglass_server.findings.judging.growth import Sums, growth
from spanglass_server.findings.judging.regressions import HourOf, regression
from spanglass_server.times import NS_PER_MS


def durations(*pairs: tuple[float, int]) -> Durations:
    """So many requests of each duration in milliseconds."""
    buckets: dict[int, int] = {}
    for ms, count in pairs:
        bucket = math.floor(8 * math.log2(ms * NS_PER_MS))
        buckets[bucket] = buckets.get(bucket, 0) + count
    return Durations(buckets, sum(ms * NS_PER_MS * count for ms, count in pairs))


def test_quantiles_of_buckets():
    """A quantile is the middle of the bucket of its rank, within 4.5 % of the duration; sums are sums."""
    both = together([durations((10, 90)), durations((100, 10))])

    assert both.count == 100
    assert both.mean_ns == pytest.approx(19 * NS_PER_MS)
    assert both.quantile_ns(0.5) == pytest.approx(10 * NS_PER_MS, rel=0.045)
    assert both.quantile_ns(0.95) == pytest.approx(100 * NS_PER_MS, rel=0.045)
    assert edge_ns(8) == 2


@pytest.mark.parametrize(
    ("now", "before", "quantile"),
    [
        (durations((100, 100)), durations((40, 100)), 0.5),
        (durations((20, 900), (400, 100)), durations((20, 980), (400, 20)), 0.95),  # only the slow tenth
        (durations((100, 49)), durations((40, 100)), None),  # too few
        (durations((48, 100)), durations((40, 100)), None),  # a fifth more
        (durations((3, 100)), durations((1, 100)), None),  # three times, and nobody notices
        (durations((40, 45), (100, 55)), durations((40, 55), (100, 45)), None),  # the median falls there by chance
        (durations((40, 100)), durations((100, 100)), None),
    ],
)
def test_slower(now, before, quantile):
    """Slower is what is more than chance, more than a third, and more than 10 ms."""
    found = slower(now, before)

    assert (found and found.quantile) == quantile


def test_slower_with_a_release():
    """The newest release is held against the one before it; what each request lost is the difference of the means."""
    hours = [HourOf(100, "1.0", durations((40, 200))), HourOf(101, "1.0", durations((40, 50)))]
    hours += [HourOf(101, "1.1", durations((90, 100)))]

    found = regression(hours, 101)

    assert found is not None
    assert (found.against, found.change.quantile) == ("release 1.0, since 1.1", 0.5)
    assert found.change.lost_ns == pytest.approx(50 * NS_PER_MS)
    assert regression([*hours[:2], HourOf(101, "1.1", durations((41, 100)))], 101) is None


def test_slower_than_on_other_days():
    """The same hours of three days or more are the usual; one day that was as slow, or too few days, and it is none."""
    now = 1000
    usual = [HourOf(now - 24 * day, "", durations((40, 100))) for day in (1, 2, 3)]
    slow = HourOf(now, "", durations((90, 100)))

    found = regression([*usual, slow], now)

    assert found is not None
    assert found.against == "the same hours of 3 days before"
    assert regression([*usual[:2], slow], now) is None
    assert regression([*usual, HourOf(now - 96, "", durations((90, 100))), slow], now) is None
    # half of the time: a machine was busy in one of the two hours
    other = [HourOf(one.hour - 1, "", durations((40, 100))) for one in usual]
    assert regression([*usual, *other, HourOf(now - 1, "", durations((40, 100))), slow], now) is None
    assert regression([*usual, *other, HourOf(now - 1, "", durations((90, 100))), slow], now) is not None
    # other hours of those days do not count
    assert regression([*(HourOf(one.hour - 5, "", one.durations) for one in usual), slow], now) is None


def sums(pairs: list[tuple[float, float]]) -> Sums:
    """The sums over pairs of a number and milliseconds."""
    logs = [(math.log(number), math.log(ms * NS_PER_MS)) for number, ms in pairs]
    xs = [x for x, _ in logs]
    return Sums(
        len(logs), min(xs), max(xs), sum(xs), sum(y for _, y in logs), sum(x * x for x in xs),
        sum(y * y for _, y in logs), sum(x * y for x, y in logs),
    )  # fmt: skip


def test_time_that_grows_with_a_number():
    """In proportion the slope is 1; without a pattern, in a narrow range, of little time or of few there is none."""
    linear = growth(sums([(number, 2 * number) for number in range(1, 101)]))

    assert linear is not None
    assert linear.slope == pytest.approx(1)
    assert (linear.small_ns, linear.large_ns) == (pytest.approx(2 * NS_PER_MS), pytest.approx(200 * NS_PER_MS))
    assert growth(sums([(number, 100 + number % 7) for number in range(1, 101)])) is None
    assert growth(sums([(number, 2 * number) for number in range(50, 101)] * 2)) is None
    assert growth(sums([(number, number / 10) for number in range(1, 101)])) is None
    assert growth(sums([(number, 2 * number) for number in range(1, 41)])) is None
    far = [(100_000, 1e-6)] * 800 + [(106_000, 3.6e6)] * 800 + [(1_000_000, 3.6e6)]
    assert growth(sums(far)) is None  # a line that leads nowhere
    halves = [sums([(number, 2 * number) for number in part]) for part in (range(1, 51), range(51, 101))]
    assert halves[0].plus(halves[1]).xy == pytest.approx(sums([(n, 2 * n) for n in range(1, 101)]).xy)


def made_hours(chance: random.Random, now_ms: float) -> list[HourOf]:
    """Hours of an operation on eight days that differ by up to a tenth, the last of them around ``now_ms``."""
    found = []
    for day in range(8):
        usual_ms = (now_ms if day == 0 else 80) * chance.uniform(0.95, 1.05)
        pairs = [(usual_ms * chance.lognormvariate(0, 0.5), 1) for _ in range(chance.randint(70, 120))]
        found.append(HourOf(1000 - 24 * day, "", durations(*pairs)))
    return found


def made_sums(chance: random.Random, slope: float) -> Sums:
    """Spans with a number from 1 to 400 whose duration grows with its power, with much else that matters."""
    numbers = [math.exp(chance.uniform(0, 6)) for _ in range(chance.randint(60, 100))]
    return sums([(number, 6 * number**slope * chance.lognormvariate(0, 0.5)) for number in numbers])


def test_judgements_are_right():
    """Of 300 operations with and 300 without each, 95 of 100 that are told have it, and 90 of 100 that have it are."""
    chance = random.Random(14)  # noqa: S311 - makes durations, not secrets
    told = {
        "slower": [regression(made_hours(chance, 150), 1000) for _ in range(300)],
        "not slower": [regression(made_hours(chance, 80), 1000) for _ in range(300)],
        "grows": [growth(made_sums(chance, 0.9)) for _ in range(300)],
        "does not grow": [growth(made_sums(chance, chance.uniform(-0.2, 0.2))) for _ in range(300)],
    }
    counts = {name: sum(one is not None for one in found) for name, found in told.items()}
    for has, has_not in (("slower", "not slower"), ("grows", "does not grow")):
        assert counts[has] >= 270, counts
        assert counts[has] >= 0.95 * (counts[has] + counts[has_not]), counts
