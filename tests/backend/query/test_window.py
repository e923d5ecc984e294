"""Ranges of questions and buckets of series."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanglass_server.query.errors import BadQuestionError
from spanglass_server.query.window import Buckets, bucket_seconds, describe, parse_window
from spanglass_server.store.ports import ALL_TIME, Window

SECOND = 1_000_000_000
NOW_NS = 1_763_724_888 * SECOND


@pytest.mark.parametrize(
    ("given_texts", "expected"),
    [
        ({}, Window(NOW_NS - 3_600 * SECOND, NOW_NS)),
        ({"last": "15m"}, Window(NOW_NS - 900 * SECOND, NOW_NS)),
        ({"start": "now-2h", "end": "now-1h"}, Window(NOW_NS - 7_200 * SECOND, NOW_NS - 3_600 * SECOND)),
        ({"last": "1m", "end": "1763724000"}, Window(1_763_723_940 * SECOND, 1_763_724_000 * SECOND)),
        ({"end": "1763724000"}, Window(1_763_720_400 * SECOND, 1_763_724_000 * SECOND)),
        ({"last": "9999999d"}, Window(0, NOW_NS)),
        ({"start": "0", "end": "9999999999999999999"}, ALL_TIME),
    ],
)
def test_range(given_texts, expected):
    """A range is read as documented, and cut to what can be stored."""
    assert parse_window(NOW_NS, **given_texts) == expected


@pytest.mark.parametrize(
    ("given_texts", "field"),
    [
        ({"start": "yesterday"}, "start"),
        ({"end": "soon"}, "end"),
        ({"last": "15"}, "last"),
        ({"last": "0s"}, "last"),
        ({"start": "now", "last": "1h"}, "last"),
        ({"start": "now+1s"}, "start"),
    ],
)
def test_bad_range_names_its_parameter(given_texts, field):
    """A range that can't be read, or is empty, is an error of the parameter at fault."""
    with pytest.raises(BadQuestionError) as caught:
        parse_window(NOW_NS, **given_texts)

    assert caught.value.field == field


def test_describe():
    """The window field of answers has both ends in RFC 3339."""
    assert describe(Window(0, SECOND)) == {
        "start_time": "1970-01-01T00:00:00.000000000Z",
        "end_time": "1970-01-01T00:00:01.000000000Z",
    }


WINDOWS = st.tuples(st.integers(0, 2 * 10**18), st.integers(1, 10**18)).map(lambda ends: Window(ends[0], sum(ends)))


@given(WINDOWS, st.integers(1, 500))
def test_buckets_cover_the_window(window, wanted):
    """Buckets lie on multiples of their step, leave nothing of the window out, and none lies outside it."""
    buckets = Buckets.about(window, wanted)
    starts = list(buckets.starts_ns())

    assert starts[0] <= window.start_ns < starts[0] + buckets.step_ns
    assert starts[-1] < window.end_ns <= starts[-1] + buckets.step_ns
    assert all(start % buckets.step_ns == 0 for start in starts)
    assert len(starts) == buckets.count <= wanted + 1


@pytest.mark.parametrize(
    ("seconds", "wanted", "step_s"), [(3600, 60, 60), (3600, 40, 120), (86_400, 60, 1800), (1, 60, 0.02), (900, 60, 15)]
)
def test_steps_are_round(seconds, wanted, step_s):
    """A step is one that people read easily."""
    assert Buckets.about(Window(0, seconds * SECOND), wanted).step_s == step_s


def test_bucket_seconds():
    """A bucket's time is a whole number wherever it is one."""
    assert [bucket_seconds(5 * SECOND), bucket_seconds(SECOND // 2)] == [5, 0.5]


def test_an_unknown_unit_is_answered_with_the_units():
    """A range with a unit that there is none of says which there are."""
    with pytest.raises(BadQuestionError) as wrong:
        parse_window(NOW_NS, last="5x")
    assert (wrong.value.message, wrong.value.field) == ("unknown unit 'x'", "last")
    assert wrong.value.hint.endswith("the units are ns, us, ms, s, m, h, d, w")
