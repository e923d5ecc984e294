"""Durations and sizes as text."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spanglass_core.units import (
    Dimension,
    Quantity,
    UnitError,
    format_duration,
    format_size,
    in_binary_unit,
    nearly_all,
    parse_duration_ns,
    parse_quantity,
    parse_size_bytes,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5", Quantity(Fraction(5), Dimension.NUMBER)),
        ("-1.5e3", Quantity(Fraction(-1500), Dimension.NUMBER)),
        (".5", Quantity(Fraction(1, 2), Dimension.NUMBER)),
        ("500ms", Quantity(Fraction(500_000_000), Dimension.TIME)),
        ("0.1us", Quantity(Fraction(100), Dimension.TIME)),
        ("2µs", Quantity(Fraction(2000), Dimension.TIME)),
        ("1h30m", Quantity(Fraction(5_400_000_000_000), Dimension.TIME)),
        ("-1m30s", Quantity(Fraction(-90_000_000_000), Dimension.TIME)),
        ("16KiB", Quantity(Fraction(16384), Dimension.SIZE)),
        ("16kb", Quantity(Fraction(16000), Dimension.SIZE)),
        ("1.5MB", Quantity(Fraction(1_500_000), Dimension.SIZE)),
    ],
)
def test_quantity_is_exact(text, expected):
    """A quantity is read without rounding, with its dimension."""
    assert parse_quantity(text) == expected


@pytest.mark.parametrize(
    ("text", "unit"),
    [("5xs", "xs"), ("5M", "M"), ("1h5x", "x"), ("", ""), ("abc", ""), ("1.2.3", ""), ("5ms!", ""), ("1e9999", "e")],
)
def test_bad_quantity_is_refused(text, unit):
    """Text that is no quantity raises UnitError, which names the unknown unit if that is the matter."""
    with pytest.raises(UnitError) as caught:
        parse_quantity(text)

    assert caught.value.unit == unit


def test_duration_needs_a_unit_and_whole_nanoseconds():
    """A plain number, a size and a fraction of a nanosecond are no durations; the message says which."""
    with pytest.raises(UnitError, match="'5' is not a duration: add a unit"):
        parse_duration_ns("5")
    with pytest.raises(UnitError, match="'5kB' is not a duration"):
        parse_duration_ns("5kB")
    with pytest.raises(UnitError, match="a nanosecond is the smallest step"):
        parse_duration_ns("0.5ns")


def test_size_is_no_duration():
    """A size takes a plain number as bytes and refuses units of time."""
    assert parse_size_bytes(" 64MiB ") == 64 << 20
    assert parse_size_bytes("12") == 12
    with pytest.raises(UnitError, match="'5ms' is not a size"):
        parse_size_bytes("5ms")


@pytest.mark.parametrize(
    ("duration_ns", "text"),
    [
        (0, "0ns"),
        (1, "1ns"),
        (1_500_000, "1.5ms"),
        (500_000_000, "500ms"),
        (60_000_000_000, "1m"),
        (5_400_000_000_000, "90m"),
        (-2_000_000_000, "-2s"),
        (30 * 86_400_000_000_000, "30d"),
    ],
)
def test_format_duration_is_short(duration_ns, text):
    """A duration is written in the unit that makes it shortest."""
    assert format_duration(duration_ns) == text


@settings(deadline=None)
@given(st.integers(-(2**80), 2**80))
def test_duration_survives_a_round_trip(duration_ns):
    """Any number of nanoseconds is read back from its text exactly."""
    assert parse_duration_ns(format_duration(duration_ns)) == duration_ns


@settings(deadline=None)
@given(st.integers(0, 2**80))
def test_size_survives_a_round_trip(size_bytes):
    """Any number of bytes is read back from its text exactly."""
    assert parse_size_bytes(format_size(size_bytes)) == size_bytes


@pytest.mark.parametrize(
    ("size_bytes", "shown"),
    [
        (0, (0, "B")), (1023, (1023, "B")), (1023.5, (1023.5 / 1024, "KiB")), (1.5 * 2**20, (1.5, "MiB")),
        (-(2**31), (-2.0, "GiB")), (2**50, (1024.0, "TiB")),
    ],
)  # fmt: skip
def test_sizes_for_people_are_in_powers_of_1024(size_bytes, shown):
    """The unit is the one in which three digits show the size, below zero as well; there is none above TiB."""
    assert in_binary_unit(size_bytes) == shown


@pytest.mark.parametrize(
    ("percent", "text"),
    [
        (99.98712, "99.987"),
        (99.95, "99.95"),
        (99.9999, "99.9999"),
        (100, None),
        (100 - 1e-12, None),
        (99.9, None),
        (120, None),
        (0, None),
    ],
)
def test_a_percentage_that_is_nearly_all_is_not_shown_as_100(percent, text):
    """Two digits of what is lacking are written, no rests of the arithmetic; other percentages are left alone."""
    assert nearly_all(percent) == text
