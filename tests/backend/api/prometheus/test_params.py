"""Parameters of Prometheus' API: what is taken, and Prometheus' words for what is not."""

from __future__ import annotations

import pytest

from spanglass_server.api.errors import ApiError
from spanglass_server.api.prometheus.params import (
    MAX_MS,
    Form,
    label_name,
    parse_duration_ms,
    parse_time_ms,
)
from spanglass_server.api.prometheus.problems import BadParameterError
from spanglass_server.promql.series.vectors import Steps


def form(**texts):
    """Make a form."""
    return Form.of(texts.items(), 2_000_000_000_000)


@pytest.mark.parametrize(
    ("text", "time_ms"),
    [
        ("0", 0),
        ("1435781430", 1_435_781_430_000),
        ("1435781430.781", 1_435_781_430_781),
        ("1.5e3", 1_500_000),
        ("-1.5", -1500),
        ("2015-07-01T20:10:51.781Z", 1_435_781_451_781),
        ("2015-07-01T22:10:51+02:00", 1_435_781_451_000),
        ("292277025-08-18T07:12:54.999999999Z", MAX_MS),
        ("-292273086-05-16T16:47:06Z", 0),
    ],
)
def test_times(text, time_ms):
    """Times are seconds since 1970 or RFC 3339, also the ends of time as clients write them."""
    assert parse_time_ms(text) == time_ms


@pytest.mark.parametrize(
    "text", ["", "now", "5m", "2015-07-01", "2015-13-01T00:00:00Z", "1_000", "nan", "1e16", "-1e300", "1e400"]
)
def test_no_times(text):
    """Anything else is refused, also what no 64 bits of milliseconds hold."""
    with pytest.raises(ValueError, match=f'cannot parse "{text}" to a valid timestamp'):
        parse_time_ms(text)


@pytest.mark.parametrize(
    ("text", "duration_ms"),
    [
        ("15", 15_000),
        ("0.25", 250),
        ("1e1", 10_000),
        ("-15", -15_000),
        ("5m", 300_000),
        ("1h30m", 5_400_000),
        ("1y", 31_536_000_000),
        ("1w2d3h4m5s6ms", 788_645_006),
    ],
)
def test_durations(text, duration_ms):
    """Durations are seconds, or units from large to small."""
    assert parse_duration_ms(text) == duration_ms


@pytest.mark.parametrize("text", ["", "m", "1m1h", "5 m", "1.5h", "-5m", "1us"])
def test_no_durations(text):
    """Units out of order, with fractions or unknown are refused."""
    with pytest.raises(ValueError, match="to a valid duration"):
        parse_duration_ms(text)


def test_durations_that_overflow():
    """What does not fit is said so."""
    with pytest.raises(ValueError, match="overflows int64"):
        parse_duration_ms("1e30")


def test_steps():
    """The last step is not after the end, which is kept besides."""
    assert form(start="10", end="21", step="5").steps() == Steps(10_000, 5000, 3, 21_000)
    assert form(start="10", end="10", step="1m").steps() == Steps(10_000, 60_000, 1, 10_000)
    assert form(start="0", end="11000", step="1").steps().size == 11_001


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ({"end": "1", "step": "1"}, 'invalid parameter "start": cannot parse "" to a valid timestamp'),
        ({"start": "1", "end": "x", "step": "1"}, 'invalid parameter "end": cannot parse "x" to a valid timestamp'),
        (
            {"start": "2", "end": "1", "step": "1"},
            'invalid parameter "end": end timestamp must not be before start time',
        ),
        (
            {"start": "1", "end": "2", "step": "soon"},
            'invalid parameter "step": cannot parse "soon" to a valid duration',
        ),
        (
            {"start": "1", "end": "2", "step": "0"},
            (
                'invalid parameter "step": zero or negative query resolution step widths are not accepted. '
                "Try a positive integer"
            ),
        ),
        (
            {"start": "0", "end": "86400", "step": "1"},
            (
                "exceeded maximum resolution of 11,000 points per timeseries. "
                "Try decreasing the query resolution (?step=XX): 86,401 points were asked for, and step=8 gives 10,801"
            ),
        ),
    ],
)
def test_steps_that_make_no_range(texts, message):
    """A range that cannot be is refused in Prometheus' words; one of too many points gets a step that does."""
    with pytest.raises((BadParameterError, ApiError)) as refused:
        form(**texts).steps()

    assert str(refused.value) == message


def test_the_step_that_is_offered_is_the_shortest():
    """For any range, the offered step is taken, and one second less is not."""
    for length in (11_001, 21_999, 22_000, 22_001, 1_000_000, 31_536_000):
        with pytest.raises((BadParameterError, ApiError)) as refused:
            form(start="0", end=str(length), step="0.5").steps()
        offered = int(str(refused.value).rpartition("step=")[2].split()[0])

        assert form(start="0", end=str(length), step=str(offered)).steps().size <= 11_001
        if offered > 1:
            with pytest.raises(ApiError):
                form(start="0", end=str(length), step=str(offered - 1)).steps()


def test_counts():
    """A limit is a whole number; 0 and nothing are no limit."""
    assert [form(limit=text).count("limit") for text in ("", "0", "7")] == [0, 0, 7]
    with pytest.raises(BadParameterError, match='invalid parameter "limit": "-1" is not a whole number'):
        form(limit="-1").count("limit")


@pytest.mark.parametrize(
    ("escaped", "name"),
    [
        ("job", "job"),
        ("http.route", "http.route"),
        ("U__http_2e_route", "http.route"),
        ("U__a__b", "a_b"),
        ("U___1F600_", "\U0001f600"),
        ("U__a_d800_b", "a_d800_b"),
        ("U__plain", "plain"),
    ],
)
def test_escaped_label_names(escaped, name):
    """Names in a path may have their odd characters as numbers."""
    assert label_name(escaped) == name
