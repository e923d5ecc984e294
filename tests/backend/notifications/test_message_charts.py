"""Charts of messages: every course of a value that evidence can have becomes a picture, within its borders."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_for_messages import NOW_NS, evidence

from spanglass_server.notifications.messages import words
from spanglass_server.notifications.messages.charts.course import HEIGHT, WIDTH, course_of, svg
from spanglass_server.notifications.messages.charts.png import png

NUMBERS = re.compile(r"[ML](-?[\d.e+]+) (-?[\d.e+]+)")
VALUES = st.one_of(st.none(), st.floats(-1e12, 1e12), st.just(float("nan")), st.floats(0, 1e-6))


def course(values, bounds=None, unit="ratio", thresholds=(0.05,)):
    """Return the course of some values, a minute apart."""
    value = {"value": None, "unit": unit, "bounds": bounds, "values": values,
             "times_s": [NOW_NS / 1e9 + 60 * place for place in range(len(values))],
             "thresholds": [{"severity": "critical", "value": one} for one in thresholds]}  # fmt: skip
    return course_of(evidence(value=value), "critical", NOW_NS / 1e9 + 60 * len(values))


@settings(max_examples=60, deadline=None)
@given(st.lists(VALUES, min_size=2, max_size=30), st.sampled_from(["ratio", "s", "bytes", "/s", "", "{x}&<"]),
       st.lists(st.floats(-1e9, 1e9), max_size=3))  # fmt: skip
def test_any_course_stays_within_the_picture(values, unit, thresholds):
    """Every point of a line lies within the picture, whatever the values, their gaps, and their thresholds."""
    made = course(values, [one if one is None else one / 2 for one in values], unit, thresholds)
    if made is None:
        assert len(values) - sum(one is None or one != one for one in values) < 2  # noqa: PLR0124 - NaN
        return
    points = [(float(x), float(y)) for x, y in NUMBERS.findall(svg(made))]
    assert points
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in points)


def test_the_picture_has_letters_on_every_machine():
    """The font comes with the server: axis and thresholds are written, though fonts of the system are not looked at."""
    written = svg(course([0.01, 0.02, None, 0.09]))
    assert {"0 %", "10 %", "critical 5 %", "UTC", "11:34"} <= set(re.findall(r">([^<>]+)</text>", written))
    picture, without = png(written), png(re.sub("<text.*?</text>", "", written))
    assert picture[16:24] == (2 * WIDTH).to_bytes(4, "big") + (2 * HEIGHT).to_bytes(4, "big")
    assert len(picture) > len(without) + 1_000


def test_axes_of_sizes_are_round_numbers_of_binary_units():
    """Lines of the grid stand where a size is written with few digits, as sizes are in powers of 1024."""
    written = svg(course([0.0, 700.0 * 2**20, 2.9 * 2**30], unit="bytes", thresholds=(2.0 * 2**30,)))
    texts = re.findall(r">([^<>]+)</text>", written)
    assert [text for text in texts if text.endswith("B")] == [
        "0 B",
        "1 GiB",
        "2 GiB",
        "3 GiB",
        "4 GiB",
        "critical 2 GiB",
    ]


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.0823, "ratio", "8.23 %"), (1.0, "ratio", "100 %"), (1.9412, "s", "1.94 s"), (0.00083, "s", "830 µs"),
        (7_500.0, "s", "2 h 5 min"), (1.5 * 2**30, "bytes", "1.5 GiB"), (12.0, "/s", "12 /s"), (123_456.0, "", "123k"),
        (0.0, "ratio", "0 %"), (-3.0, "", "-3"), (None, "s", ""), (2e-7, "", "0.0000002"),
        (512.0, "bytes/s", "512 B/s"), (1e308, "s", "1e+308 s"), (float("-inf"), "s", "-\u221e"),
        (float("nan"), "bytes", "NaN"), (1023.6, "bytes/s", "1 KiB/s"), (-45_200_000.0, "bytes", "-43.1 MiB"),
    ],
)  # fmt: skip
def test_values_are_short_and_have_their_unit(value, unit, text):
    """Three digits at most, in the unit that people would take."""
    assert words.value(value, unit) == text
