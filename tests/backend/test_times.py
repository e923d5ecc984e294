"""Points in time as text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanglass_server.times import format_time, format_times, parse_time

NOW_NS = 1_763_724_888_123_456_789
SECOND = 1_000_000_000


@given(st.integers(min_value=0, max_value=7_258_118_399_999_999_999))
def test_format_and_parse_are_inverse(time_ns):
    """Any storable time survives being written and read, to the nanosecond."""
    assert parse_time(format_time(time_ns), now_ns=0) == time_ns


def test_format_has_nine_decimals():
    """A time is written in UTC with nanoseconds."""
    assert format_time(NOW_NS) == "2025-11-21T11:34:48.123456789Z"


@given(st.lists(st.integers(min_value=0, max_value=7_258_118_399_999_999_999), max_size=3))
def test_many_times_are_written_as_one_is(times_ns):
    """A column of times has the texts that its times have one by one."""
    assert format_times(times_ns) == [format_time(time_ns) for time_ns in times_ns]


@pytest.mark.parametrize(
    ("text", "expected_ns"),
    [
        ("now", NOW_NS),
        ("now-15m", NOW_NS - 900 * SECOND),
        ("now+1h30m", NOW_NS + 5_400 * SECOND),
        ("1763724888", 1_763_724_888 * SECOND),
        ("1763724888.5", 1_763_724_888_500_000_000),
        ("1763724888123", 1_763_724_888_123_000_000),
        ("1763724888123456", 1_763_724_888_123_456_000),
        ("1763724888123456789", NOW_NS),
        ("0", 0),
        ("2025-11-21", 1_763_683_200 * SECOND),
        ("2025-11-21T11:34", 1_763_724_840 * SECOND),
        ("2025-11-21T12:34:48.1+01:00", 1_763_724_888_100_000_000),
        ("2025-11-21 11:34:48z", 1_763_724_888 * SECOND),
        ("2025-11-21T11:34:48.1234567899Z", NOW_NS),
    ],
)
def test_parse_time(text, expected_ns):
    """Every documented way to write a time is understood."""
    assert parse_time(text, NOW_NS) == expected_ns


@pytest.mark.parametrize("text", ["", "yesterday", "now-", "now-15", "2025-13-01", "2025-11-21T25:00:00Z", "-5", "1e9"])
def test_parse_time_refuses(text):
    """What is not a time is refused, not guessed."""
    with pytest.raises(ValueError, match=r".+"):
        parse_time(text, NOW_NS)
