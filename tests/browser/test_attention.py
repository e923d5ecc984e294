"""What is said to be wrong with a service, from its course."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from spanglass_server.pages.services.attention import Finding, find
from spanglass_server.pages.services.usual import earlier
from spanglass_server.pages.window import HOUR_NS, Window

MS = 1_000_000
CALM = [(20, 0, 10)] * 8


def course(*buckets):
    """Return a series of (requests, errors, p95 in ms), one bucket a minute."""
    return [
        {"t": 60 * i, "requests": requests, "errors": errors, "p95_ns": p95 * MS if requests else None}
        for i, (requests, errors, p95) in enumerate(buckets)
    ]


FOUND = {
    "nothing": ((), None),
    "no requests": ([(0, 0, 0)] * 10, None),
    "calm": (CALM, None),
    "one error of a few": ([*CALM, (4, 1, 10)], None),
    "half fail now": ([*CALM, (20, 10, 10), (4, 2, 10)], Finding("failing", 0.5, 0.0, 480)),
    "fails still, as the newest bucket begins": ([*CALM, (20, 5, 10), (10, 0, 10)], Finding("failing", 0.25, 0.0, 480)),
    "all that is known fails": ([(20, 20, 10)], Finding("failing", 1.0, 0.0, 0)),
    "failed, and stopped": ([(20, 20, 10), *CALM], Finding("failed", 1.0, 0.0, 0, 60)),
    "over, as the newest say": ([*CALM, (20, 5, 10), (25, 0, 10)], Finding("failed", 0.25, 0.0, 480, 540)),
    "over, too few to say": ([*CALM, (20, 5, 10), (23, 0, 10)], Finding("failing", 0.25, 0.0, 480)),
    "over for a while": ([*CALM * 5, (20, 10, 10), *CALM[:5]], Finding("failed", 0.5, 0.0, 2400, 2460)),
    "over for a while, and no more said": ([*CALM * 5, (20, 10, 10), *CALM[:6]], None),
    "fails now and then as always": ([(20, each, 10) for each in (0, 1, 1, 0, 2) * 4], None),
    "failed now and then as always": ([*[(20, each, 10) for each in (0, 1, 1, 0, 2) * 4], (20, 0, 10)], None),
    "always fails too often": ([(20, each, 10) for each in (0, 2, 3) * 7], Finding("failing", 35 / 420, 0.0, 60)),
    "fails more than it always does": (
        [*[(20, each, 10) for each in (0, 1, 1, 0) * 5], (20, 8, 10)],
        Finding("failing", 0.4, 0.025, 1200),
    ),
    "a fault long ago among many": ([*CALM * 5, (20, 10, 10), *CALM * 5], None),
    "slow since two buckets": ([*CALM, (20, 0, 200), (3, 0, 220)], Finding("slow", 210 * MS, 10 * MS, 480)),
    "slow in one of the newest": ([*CALM, (9, 0, 200), (9, 0, 10)], None),
    "slow, but too little to notice": ([(20, 0, 1)] * 8 + [(20, 0, 9)], None),
    "slow from the start on": ([(20, 0, 900)] * 8, None),
    "as slow as it often is": ([(20, 0, 10), (20, 0, 300)] * 5, None),
    "slow, too few to tell": ([*CALM[:2], (20, 0, 300)], None),
    "silent": ([*CALM, (0, 0, 0), (0, 0, 0), (0, 0, 0)], Finding("silent", 0.0, 20 / 60, 480)),
    "the newest bucket has only begun": ([*CALM, (0, 0, 0)], None),
    "silent as it often is": ([(20, 0, 10), (0, 0, 0), (0, 0, 0)] * 4, None),
    "back after silence": ([*CALM, (0, 0, 0), (0, 0, 0), (2, 0, 10)], None),
}


@pytest.mark.parametrize("case", FOUND)
def test_what_is_wrong_is_told_by_what_is_usual(case):
    """Faults of the newest buckets are found, with their beginning; noise and little traffic are not."""
    buckets, finding = FOUND[case]
    assert find(course(*buckets)) == finding


LONG, WELL = [(20, 0, 200)] * 8, course(*CALM)
BY_EARLIER = {
    "slow for all of the range": (LONG, [WELL], Finding("slow", 200 * MS, 10 * MS, 0)),
    "slow for half of it": ([*CALM, *LONG], [WELL, WELL], Finding("slow", 200 * MS, 10 * MS, 480)),
    "as slow on one of the days": (LONG, [WELL, course(*LONG)], None),
    "not slow any more": ([*LONG, *CALM[:3]], [WELL], None),
    "nothing known before": (LONG, [course(*CALM[:2]), []], None),
    "days with too little do not count": (LONG, [[], WELL], Finding("slow", 200 * MS, 10 * MS, 0)),
    "too little now": ([(1, 0, 200)] * 8, [WELL], None),
}


@pytest.mark.parametrize("case", BY_EARLIER)
def test_what_is_slow_for_long_is_told_by_earlier_times(case):
    """Slower than at all earlier times that have enough requests: that is said, whatever the range itself shows."""
    buckets, earlier, finding = BY_EARLIER[case]
    assert find(course(*buckets), earlier=earlier) == finding


def test_earlier_times_are_of_the_same_time_of_day():
    """The day and the week before, as far as anything is stored; else the hours before; nothing of a young server."""

    def asked(first_ns, start_ns, end_ns):
        window = Window(start_ns, end_ns, {}, "", live=False)
        site = SimpleNamespace(first_time=lambda: first_ns)
        return [(int(each["start"]), int(each["end"])) for each in earlier(SimpleNamespace(site=site, window=window))]

    day, hour, now = 24 * HOUR_NS, HOUR_NS, 1000 * 24 * HOUR_NS
    assert asked(0, now - hour, now) == [(now - days * day - hour, now - days * day) for days in (1, 7)]
    assert asked(now - 3 * day, now - hour, now) == [(now - day - hour, now - day)]
    assert asked(0, now - 2 * day, now) == [(now - 9 * day, now - 7 * day)]
    assert asked(now - 3 * hour, now - hour // 4, now) == [(now - hour // 4 - hour, now - hour // 4)]
    assert asked(now - hour // 2, now - hour, now) == []
    assert asked(None, now - hour, now) == []


SILENT = Finding("silent", 0.0, 20 / 60, 480)


@pytest.mark.parametrize(
    ("buckets", "elapsed_s", "finding"),
    [
        ([*CALM, (0, 0, 0)], 40, SILENT),  # 10 expected, counted from when all that was sent must have come
        ([*CALM, (0, 0, 0)], 39, None),
        ([*CALM[:3], (0, 0, 0)], 40, Finding("silent", 0.0, 20 / 60, 180)),
        ([*CALM[:2], (0, 0, 0)], 60, None),  # a burst is no habit
        ([*CALM, (0, 0, 0), *CALM, (0, 0, 0), (0, 0, 0)], 9, None),  # a pause as it was before
        ([*CALM, (0, 0, 0), *CALM, (0, 0, 0), (0, 0, 0), (0, 0, 0)], 10, Finding("silent", 0.0, 320 / 1020, 1020)),
        ([*[(1, 0, 10)] * 8, (0, 0, 0), (0, 0, 0)], 60, None),  # one a minute: two minutes say nothing
        ([*[(1, 0, 10)] * 8, *[(0, 0, 0)] * 11], 10, Finding("silent", 0.0, 1 / 60, 480)),
        ([*CALM, (20, 20, 10), (0, 0, 0)], 60, Finding("silent", 0.0, 20 / 60, 540)),  # it failed, then it fell silent
        ([*CALM, (0, 0, 0), (1, 0, 10)], 60, None),
    ],
)
def test_silence_is_said_as_soon_as_it_is_certain(buckets, elapsed_s, finding):
    """Ten requests that were expected and did not come are no chance, wherever the edges of buckets lie."""
    points = course(*buckets)
    assert find(points, points[-1]["t"] + elapsed_s) == finding
