"""Matchers of the newer notation, and time intervals at moments that a clock rarely shows."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from spanglass_server.notifications.routing.intervals import TimeInterval, contains
from spanglass_server.notifications.routing.matchers import MatcherError, matcher_text, matchers_text
from spanglass_server.notifications.routing.parsing import parse_matchers


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("service.name=shop", [("service.name", "=", "shop")]),
        ('{"größe m²"=~"1\\u00e9|\\"x\\"", 🙂!=a}', [("größe m²", "=~", '1é|"x"'), ("🙂", "!=", "a")]),
        ('a.b="c,d" , e!~"f|g",', [("a.b", "=", "c,d"), ("e", "!~", "f|g")]),
        ('a="\\d"', [("a", "=", "\\d")]),  # the older notation counts where both can read it
        ('a="\\n"', [("a", "=", "\n")]),
    ],
)
def test_matchers_are_read_and_written(text: str, expected: list[tuple[str, str, str]]) -> None:
    """Names may be any text, in quotes if need be; what is written is read back as the same."""
    found = parse_matchers(text)
    assert [(each.name, each.operator, each.value) for each in found] == expected
    assert {parse_matchers(matcher_text(each))[0] for each in found} == set(found)
    assert set(parse_matchers(matchers_text(found))) == set(found)


@pytest.mark.parametrize(
    ("text", "said", "column"),
    [
        ("a.b", "expected =, !=, =~ or !~, not the end", 4),
        ("a.b=c d", "expected a comma, not d", 7),
        ('{a.b="c"', "expected a comma or }, not the end", 9),
        ('"a.b\\q"="c"', "\\q can't stand within quotes", 5),
        ("a.b='c'", "\"'\" can't stand here", 5),
        ('""=x', "the name of a label can't be empty", 0),
        (" ", "expected a matcher", 0),
        ("a=~[", "'[' is no regular expression: missing ]: [)$", 0),
    ],
)
def test_wrong_matchers_are_refused_at_their_place(text: str, said: str, column: int) -> None:
    """A text that is no matcher is told of with the character where it goes wrong."""
    with pytest.raises(MatcherError) as refused:
        parse_matchers(text)
    assert (refused.value.message, refused.value.column) == (said, column)
    assert refused.value.hint


WORK = TimeInterval(times=((540, 1020),), weekdays=((1, 5),), location="Europe/Berlin")
LAST = TimeInterval(days_of_month=((-3, -1),))


@pytest.mark.parametrize(
    ("interval", "moment", "expected"),
    [
        (WORK, "2026-03-27T08:00Z", True),  # 9:00 in winter
        (WORK, "2026-03-27T07:59Z", False),
        (WORK, "2026-03-30T07:00Z", True),  # 9:00 in summer
        (WORK, "2026-03-30T15:00Z", False),  # 17:00 is its end
        (WORK, "2026-03-28T09:00Z", False),  # a Saturday
        (TimeInterval(times=((120, 180),), location="Europe/Berlin"), "2026-10-25T01:30Z", True),  # 2:30 comes twice
        (TimeInterval(weekdays=((0, 0),), location="Asia/Tokyo"), "2026-11-28T15:00Z", True),  # Sunday there
        (LAST, "2028-02-27T00:00Z", True),
        (LAST, "2028-02-26T23:59Z", False),
        (LAST, "2026-02-26T00:00Z", True),
        (TimeInterval(days_of_month=((29, 31),)), "2026-02-28T12:00Z", False),
        (TimeInterval(days_of_month=((28, 31),)), "2026-02-28T12:00Z", True),
        (TimeInterval(days_of_month=((-31, -30),)), "2026-02-01T12:00Z", False),
        (TimeInterval(months=((12, 12),), years=((2026, 2026),)), "2026-12-31T23:59Z", True),
        (TimeInterval(months=((12, 12),), years=((2026, 2026),)), "2027-01-01T00:00Z", False),
        (TimeInterval(times=((0, 1440),)), "1969-12-31T23:59Z", True),
    ],
)
def test_time_intervals(interval: TimeInterval, moment: str, expected: bool) -> None:  # noqa: FBT001
    """Clocks that change, short months, the ends of ranges, and days that begin earlier elsewhere."""
    now = datetime.fromisoformat(moment).astimezone(ZoneInfo("UTC"))
    assert contains(interval, int(now.timestamp()) * 10**9) is expected
