"""``spanglass query``: what is asked of Prometheus' API, and what is printed."""

from __future__ import annotations

import csv
import io
import json
from urllib.parse import parse_qsl

import pytest

INSTANT, RANGE = "/prometheus/api/v1/query", "/prometheus/api/v1/query_range"


def answer(kind, result, **more):
    return {"status": "success", "data": {"resultType": kind, "result": result}, **more}


def lines(result):
    return [line.rstrip() for line in result.stdout.decode().splitlines()]


def asked(canned):
    """Return the form that was posted."""
    return dict(parse_qsl(canned.received[-1].body.decode()))


VECTOR = [
    {"metric": {"__name__": "up", "job": "shop/web"}, "value": [1700000000.5, "1"]},
    {"metric": {}, "value": [1700000000.5, "+Inf"]},
    {"metric": {"job": "a"}, "histogram": [1700000000.5, {"count": "9", "sum": "1.5"}]},
]
MATRIX = [
    {"metric": {"job": "a"}, "values": [[1700000000, "1"], [1700000060, "NaN"], [1700000120, "3"]]},
    {"metric": {"job": "b"}, "values": [[1700000060, "2.5"]]},
]


def test_instant_table(canned, run):
    """An instant vector is a row for each series, values as they came."""
    canned.answer(INSTANT, answer("vector", VECTOR, warnings=["results truncated due to limit"]))

    result = run("query", "up or x", "--time", "2023-11-14T22:13:20.5Z", "--limit", "3")

    assert [line.split() for line in lines(result)] == [
        ["series", "value"],
        ["up{job=shop/web}", "1"],
        ["{}", "+Inf"],
        ["{job=a}", "count", "9,", "sum", "1.5"],
    ]
    assert (result.returncode, result.stderr) == (0, b"spanglass query: results truncated due to limit\n")
    assert (canned.received[0].method, asked(canned)) == (
        "POST",
        {"query": "up or x", "time": "1700000000.5", "limit": "3"},
    )


@pytest.mark.parametrize(
    ("kind", "result", "printed"),
    [
        ("scalar", [1700000000, "2"], ["{}", "2"]),
        ("string", [1700000000, "hello"], ["{}", "hello"]),
        ("matrix", MATRIX[:1], ["{job=a}", "3", "3"]),
    ],
)
def test_other_results(canned, run, kind, result, printed):
    """Scalars and strings are a row; of a range of samples the last is shown, and how many there are."""
    canned.answer(INSTANT, answer(kind, result))

    assert lines(run("query", "x"))[1].split() == printed


def test_ndjson_and_csv(canned, run):
    """Ndjson has the API's series whole; csv has a row for each sample, with a column for each label."""
    canned.answer(INSTANT, answer("vector", VECTOR))
    as_json, as_csv = run("query", "x", "--format", "ndjson"), run("query", "x", "--format", "csv")

    assert [json.loads(line) for line in lines(as_json)] == VECTOR
    assert list(csv.reader(io.StringIO(as_csv.stdout.decode()))) == [
        ["time", "__name__", "job", "value"],
        ["2023-11-14T22:13:20.500Z", "up", "shop/web", "1"],
        ["2023-11-14T22:13:20.500Z", "", "", "'+Inf"],
        ["2023-11-14T22:13:20.500Z", "", "a", '{"count":"9","sum":"1.5"}'],
    ]


def test_range_table(canned, run):
    """A range is a line for each series, gaps where there is nothing; the steps asked for are in seconds."""
    canned.answer(RANGE, answer("matrix", MATRIX))

    result = run("query", "x", "--time", "1700000120", "--range", "2m", "--step", "1m")

    assert [line.split() for line in lines(result)] == [
        ["series", "over", "time", "min", "max", "last"],
        ["{job=a}", "▁", "█", "1", "3", "3"],
        ["{job=b}", "▁", "2.5", "2.5", "2.5"],
    ]
    assert asked(canned) == {"query": "x", "start": "1700000000.0", "end": "1700000120.0", "step": "60.0"}


def test_range_csv(canned, run):
    """Csv of a range has a row for each sample."""
    canned.answer(RANGE, answer("matrix", MATRIX))

    result = run("query", "x", "--range", "2m", "--format", "csv")

    assert [row[1:] for row in csv.reader(io.StringIO(result.stdout.decode()))] == [
        ["job", "value"],
        *(["a", value] for value in ("1", "NaN", "3")),
        ["b", "2.5"],
    ]


def test_steps_that_are_not_given(canned, run):
    """Without --step there are some 120 round ones, which end at a whole step."""
    canned.answer(RANGE, answer("matrix", []))

    run("query", "x", "--range", "1h")

    form = asked(canned)
    assert form["step"] == "30"
    assert float(form["end"]) % 30 == 0
    assert float(form["end"]) - float(form["start"]) == 3600


def test_chart(canned, run):
    """A chart has the lines with their scale, the ends of the range, and a legend."""
    canned.answer(RANGE, answer("matrix", MATRIX))

    result = run("query", "x", "--time", "1700000120", "--range", "2m", "--step", "1m", "--chart")

    drawn = lines(result)
    assert [line.split()[0] for line in drawn[:12:11]] == ["3", "0"]
    assert all(line.strip(" 0123456789.")[0] in "┤│" for line in drawn[:12])
    assert sum(character > "\u2800" and character <= "\u28ff" for line in drawn[:12] for character in line) == 3
    assert drawn[12].split() == ["03:43", "03:45", "(IST)"]
    assert drawn[13:] == ["━━ {job=a}  min 1 max 3 last 3", "━━ {job=b}  min 2.5 max 2.5 last 2.5"]


def test_nothing(canned, run):
    """An answer without series is no error, and said on stderr."""
    canned.answer(INSTANT, answer("vector", []))

    result = run("query", "x")

    assert (result.returncode, result.stdout) == (0, b"")
    assert result.stderr == b"spanglass query: the answer has no series at this time\n"


@pytest.mark.parametrize(
    ("status", "body", "code", "said"),
    [
        (
            400,
            {"errorType": "bad_data", "error": 'invalid parameter "query": 1:5: parse error: unexpected end'},
            2,
            ["spanglass query: query: unexpected end", "    sum(", "        ^"],
        ),
        (400, {"errorType": "bad_data", "error": "2:1: parse error: no"}, 2, ["spanglass query: 2:1: parse error: no"]),
        (
            422,
            {"errorType": "execution", "error": "found duplicate series"},
            1,
            ["spanglass query: found duplicate series"],
        ),
        (
            401,
            {"errorType": "unauthorized", "error": "the read token is missing or wrong"},
            1,
            [
                "spanglass query: the read token is missing or wrong",
                "  give the server's token with --token, or in SPANGLASS_READ_TOKEN",
            ],
        ),
    ],
)
def test_errors(canned, run, status, body, code, said):
    """An error of the expression points into it and is a wrong use; others are failures."""
    canned.answer(INSTANT, {"status": "error", **body}, status)

    result = run("query", "sum(")

    assert (result.returncode, result.stdout) == (code, b"")
    assert [line.rstrip() for line in result.stderr.decode().splitlines()] == said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--step", "1m"], "--step is for a range"),
        (["--range", "soon"], "--range"),
        (["--range", "0s"], "--range must be longer than nothing"),
        (["--time", "yesterday"], "--time: 'yesterday' is not a time"),
        (["--chart", "--format", "csv"], "--chart is for people, --format for programs"),
    ],
)
def test_wrong_use(run, words, said):
    """Options that make no sense are named before anything is asked."""
    result = run("query", "x", *words)

    assert result.returncode == 2
    assert said in result.stderr.decode()
