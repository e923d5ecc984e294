"""Parameters from text."""

from __future__ import annotations

import pytest

from spanglass_server.api.errors import ApiError
from spanglass_server.api.params import CURSOR_PARAM, RANGE, Param, limit_param, read_params

CHOICE = Param("sort", "choice", "time", choices=("time", "duration"))


@pytest.mark.parametrize(
    ("param", "text", "expected"),
    [
        (limit_param(20), "7", 7),
        (Param("q", "number"), "0.99", 0.99),
        (Param("d", "duration"), "1h30m", 5_400_000_000_000),
        (CHOICE, "duration", "duration"),
        (Param("t", "trace_id"), "AB" * 16, b"\xab" * 16),
        (Param("by", "keys", maximum=2), "a, b,a,", ["a", "b"]),
        (CURSOR_PARAM, "opaque", "opaque"),
    ],
)
def test_values(param, text, expected):
    """Every kind of parameter has its typed value."""
    assert read_params([param], [(param.name, text)], 0)[param.name] == expected


@pytest.mark.parametrize(
    ("param", "text", "message"),
    [
        (limit_param(20), "x", "'x' is not a whole number"),
        (Param("after", "integer"), str(2**63), "outside the whole numbers of 64 bits"),
        (limit_param(20), "0", "0 is too small; the least is 1"),
        (limit_param(20), "1001", "1001 is too large; the most is 1000"),
        (Param("q", "number"), "nan", "'nan' is not a finite number"),
        (Param("q", "number"), "1e999", "'1e999' is not a finite number"),
        (Param("d", "duration"), "5", "is not a duration"),
        (Param("d", "duration"), "-5s", "outside the durations"),
        (Param("d", "duration"), "9999999d", "outside the durations"),
        (CHOICE, "size", "'size' is not one of the choices"),
        (Param("t", "trace_id"), "ab", "it needs 32 hex digits"),
        (Param("t", "trace_id"), "ab " * 10 + "ab", "it needs 32 hex digits"),
        (Param("by", "keys", maximum=2), "a,b,c", "3 keys are too many; the most is 2"),
        (Param("filter", "filter"), "x" * 20_000, "longer than 16384 characters"),
    ],
)
def test_bad_values_name_their_parameter(param, text, message):
    """A value that does not fit says what is wrong, and where."""
    with pytest.raises(ApiError, match=message) as caught:
        read_params([param], [(param.name, text)], 0)

    assert (caught.value.problem.code, caught.value.problem.field) == ("bad_request", param.name)


def test_choices_are_listed():
    """A wrong word is answered with the right ones."""
    with pytest.raises(ApiError) as caught:
        CHOICE.parse("size")

    assert caught.value.problem.expected == ("time", "duration")


def test_unknown_parameter_suggests_the_nearest():
    """A mistyped name is refused, never ignored, with the one that was meant."""
    with pytest.raises(ApiError, match="no parameter 'servce' here") as caught:
        read_params([Param("service", "text")], [("servce", "web")], 0)

    assert (caught.value.problem.field, caught.value.problem.hint) == ("servce", "did you mean service?")


def test_repeated_parameter():
    """A parameter that is given twice is refused: nobody can tell which one was meant."""
    with pytest.raises(ApiError, match="given twice"):
        read_params([Param("service", "text")], [("service", "a"), ("service", "b")], 0)


def test_missing_parameter():
    """A parameter that must be there is asked for by name."""
    with pytest.raises(ApiError, match="the parameter name is missing"):
        read_params([Param("name", "text", required=True)], [("name", " ")], 0)


def test_defaults():
    """What is not given, or empty, has its default; all parameters are there."""
    assert read_params([CHOICE, Param("service", "text")], [("sort", "")], 5) == {
        "now_ns": 5,
        "sort": "time",
        "service": None,
    }


def test_range_is_read_as_one():
    """The range's three parameters become the window."""
    params = read_params(RANGE, [("start", "1"), ("end", "2")], 0)

    assert sorted(params) == ["now_ns", "window"]
    assert (params["window"].start_ns, params["window"].end_ns) == (10**9, 2 * 10**9)
