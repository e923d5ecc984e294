"""Numbers, labels, series and histograms as Prometheus writes them in JSON."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from spanglass_server.api.prometheus.answers import results
from spanglass_server.api.prometheus.answers.flat import Flat
from spanglass_server.api.prometheus.answers.label_texts import label_order, label_texts
from spanglass_server.api.prometheus.answers.numbers import closed_floats, float_texts, time_text, time_texts
from spanglass_server.api.prometheus.exporting import table_of
from spanglass_server.promql.histograms.rows import blank
from spanglass_server.promql.series.histograms import CUSTOM_SCHEMA, Buckets, Histograms
from spanglass_server.promql.series.labels import LabelSets
from spanglass_server.promql.series.samples import Samples
from spanglass_server.promql.series.vectors import Scalar, Steps, Text, Vector

#: Floats and what Go's strconv makes of them with the shortest digits, 'f' from 1e-6 to 1e21 and 'e' beyond.
FLOATS = {
    0.0: "0",
    -12.0: "-12",
    0.1: "0.1",
    123456789.125: "123456789.125",
    1e10: "10000000000",
    1e15: "1000000000000000",
    1e16: "10000000000000000",
    2.0**53 + 2: "9007199254740994",
    123456789012345678.0: "123456789012345680",
    -1e20: "-100000000000000000000",
    1e21: "1e+21",
    -1.5e21: "-1.5e+21",
    1e-4: "0.0001",
    1e-5: "0.00001",
    -1.5e-6: "-0.0000015",
    9.99e-7: "9.99e-07",
    2.5e-10: "2.5e-10",
    1e100: "1e+100",
    5e-324: "5e-324",
    1.7976931348623157e308: "1.7976931348623157e+308",
    math.inf: "+Inf",
    -math.inf: "-Inf",
}


def test_floats_are_written_as_go_does():
    """Every form of a float is Go's, alone and among others."""
    values = np.array([*FLOATS, math.nan, -0.0])
    texts = [*FLOATS.values(), "NaN", "-0"]

    assert float_texts(values).to_pylist() == texts
    assert [float_texts(values[place : place + 1]).to_pylist()[0] for place in range(len(values))] == texts
    assert closed_floats(np.array([])).to_pylist() == []


def test_random_floats_come_back_from_their_texts():
    """What is written is read as the same float, whatever its bits are."""
    bits = np.random.default_rng(7).integers(0, 2**64, 20_000, np.uint64)
    values = bits.view(np.float64)
    texts = float_texts(values).to_pylist()

    np.testing.assert_array_equal(np.array(texts, np.float64), values)
    assert [text for text in texts if text.lstrip("-").startswith(".") or ".0e" in text or text.endswith(".0")] == []


def test_times_are_seconds_with_milliseconds_where_needed():
    """A time has no fraction if it is whole, else three digits."""
    times = np.array([0, 1, -1500, 1_435_781_430_781, 1_435_781_430_000])

    texts = ["0", "0.001", "-1.500", "1435781430.781", "1435781430"]

    assert time_texts(times).to_pylist() == texts
    assert [time_text(time) for time in times.tolist()] == texts


def test_label_sets_are_objects_with_escaped_texts():
    """Labels are sorted by name, absent ones left out, and texts are JSON's."""
    labels = LabelSets.of([{"job": 'a"b\n', "__name__": "up"}, {}, {"é.x": "ü"}])

    texts = label_texts(labels).to_pylist()

    assert [json.loads(text) for text in texts] == labels.rows()
    assert texts[:2] == ['{"__name__":"up","job":"a\\"b\\n"}', "{}"]
    assert label_texts(LabelSets(2)).to_pylist() == ["{}", "{}"]


def test_label_sets_are_ordered_as_prometheus_does():
    """Sets are compared pair by pair: by name, then by value; one that ends first comes first."""
    rows = [{"a": "2"}, {"b": "1"}, {"a": "1", "c": "1"}, {}, {"a": "1", "b": "9"}, {"a": "10"}, {"a": "1"}]

    order = label_order(LabelSets.of(rows)).tolist()

    assert [rows[place] for place in order] == sorted(rows, key=lambda row: sorted(row.items()))


def write_instant(*asked):
    """Put the parts together."""
    parts, was_cut = results.write_instant(*asked)
    return b"".join(parts), was_cut


def write_range(*asked):
    """Put the parts together."""
    parts, was_cut = results.write_range(*asked)
    return b"".join(parts), was_cut


def vector(rows, values, histograms=None, places=None):
    """Make a vector; None is an absent value."""
    known = np.array([[value is not None for value in row] for row in values])
    filled = np.array([[value or 0.0 for value in row] for row in values], np.float64)
    return Vector(LabelSets.of(rows), filled, known, places, histograms)


def test_vector():
    """An instant vector has a value for each series that has one, in the order given."""
    data, was_cut = write_instant(vector([{"a": "2"}, {"a": "3"}, {"a": "1"}], [[1.5], [None], [2.0]]), 1500, 0)

    assert data == (
        b'{"resultType":"vector","result":['
        b'{"metric":{"a":"2"},"value":[1.500,"1.5"]},{"metric":{"a":"1"},"value":[1.500,"2"]}]}'
    )
    assert not was_cut


def test_matrix():
    """A matrix has the values that are there, series sorted by labels."""
    value = vector([{"a": "2"}, {"a": "3"}, {"a": "1"}], [[None, 1.0], [None, None], [2.5, math.nan]])

    data, was_cut = write_range(value, Steps(1000, 500, 2), 0)

    assert data == (
        b'{"resultType":"matrix","result":['
        b'{"metric":{"a":"1"},"values":[[1,"2.5"],[1.500,"NaN"]]},{"metric":{"a":"2"},"values":[[1.500,"1"]]}]}'
    )
    assert not was_cut


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (Scalar(np.array([2.0])), b'{"resultType":"scalar","result":[1.500,"2"]}'),
        (Text('a"b'), b'{"resultType":"string","result":[1.500,"a\\"b"]}'),
        (vector([], np.empty((0, 1)).tolist()), b'{"resultType":"vector","result":[]}'),
    ],
    ids=["scalar", "string", "nothing"],
)
def test_other_results(value, written):
    """Scalars, strings and empty vectors have forms of their own."""
    if isinstance(value, Vector):
        value = Vector(LabelSets(0), np.empty((0, 1)), np.empty((0, 1), np.bool_))

    assert write_instant(value, 1500, 0) == (written, False)


def test_scalar_over_a_range():
    """A scalar is one series without labels."""
    data, _ = write_range(Scalar(np.array([1.0, 2.0])), Steps(0, 1000, 2), 0)

    assert data == b'{"resultType":"matrix","result":[{"metric":{},"values":[[0,"1"],[1,"2"]]}]}'


def test_samples():
    """A matrix selector gives samples at their own times, without markers of staleness."""
    samples = Samples(
        LabelSets.of([{"a": "1"}, {"a": "2"}, {"a": "3"}]),
        np.array([0, 2, 3, 4]),
        np.array([1, 2000, 3000, 4000]),
        np.array([1.0, math.nan, math.nan, 4.0]),
        is_stale=np.array([False, False, True, False]),
    )

    data, _ = write_instant(samples, 9000, 0)

    assert data == (
        b'{"resultType":"matrix","result":['
        b'{"metric":{"a":"1"},"values":[[0.001,"1"],[2,"NaN"]]},{"metric":{"a":"3"},"values":[[4,"4"]]}]}'
    )


def test_limit_cuts_series_and_says_so():
    """No more series than the limit are written."""
    value = vector([{"a": "2"}, {"a": "1"}], [[1.0], [2.0]])

    assert write_instant(value, 0, 1) == (
        b'{"resultType":"vector","result":[{"metric":{"a":"2"},"value":[0,"1"]}]}',
        True,
    )
    assert write_range(value, Steps(0, 1000, 1), 1)[0].count(b'"metric":{"a":"1"}') == 1
    assert not write_instant(value, 0, 2)[1]


def test_long_answers_are_the_same_as_short_ones():
    """An answer of several runs is what its series give one by one."""
    rng = np.random.default_rng(1)
    rows = [{"instance": f"host-{number:04}"} for number in range(3000)]
    values, present = 1 + rng.random((3000, 100)), rng.random((3000, 100)) > 0.2
    steps = Steps(1_000_000, 15_000, 100)

    written = json.loads(write_range(Vector(LabelSets.of(rows), values, present), steps, 0)[0])

    times = [1000 + 15 * place for place in range(100)]
    assert written["result"] == [
        {
            "metric": row,
            "values": [
                [time, str(value)] for time, value, is_there in zip(times, line, there, strict=True) if is_there
            ],
        }
        for row, line, there in zip(rows, values.tolist(), present.tolist(), strict=True)
    ]
    assert len(list(Flat.of_vector(Vector(LabelSets.of(rows), values, present), np.arange(100)).runs())) > 3


HISTOGRAMS = Histograms(
    schema=np.array([0, 1, CUSTOM_SCHEMA, 0], np.int32),
    zero_threshold=np.array([0.001, 1.2, 0.0, 0.0]),
    zero_count=np.array([2.0, 1.0, 0.0, 0.0]),
    count=np.array([9.0, 3.0, 4.0, 0.0]),
    sum=np.array([-1.5, 6.0, 7.0, 0.0]),
    reset_hint=np.zeros(4, np.uint8),
    positive=Buckets(np.array([0, 2, 4, 6, 6]), np.array([1, 3, 1, 2, 0, 2]), np.array([3.0, 1.0, 1.0, 0.5, 1.0, 3.0])),
    negative=Buckets(np.array([0, 2, 2, 2, 2]), np.array([0, 1]), np.array([1.0, 2.0])),
    custom=np.array([-1, -1, 0, -1], np.int32),
    bounds=((0.5, 10.0),),
)
WRITTEN = [
    {
        "count": "9",
        "sum": "-1.5",
        "buckets": [
            [1, "-2", "-1", "2"],
            [1, "-1", "-0.5", "1"],
            [3, "-0.001", "0.001", "2"],
            [0, "1", "2", "3"],
            [0, "4", "8", "1"],
        ],
    },
    {
        "count": "3",
        "sum": "6",
        "buckets": [
            [3, "-1.2", "1.2", "1"],
            [0, "1.2", "1.4142135623730951", "1"],
            [0, "1.4142135623730951", "2", "0.5"],
        ],
    },
    {"count": "4", "sum": "7", "buckets": [[3, "-Inf", "0.5", "1"], [0, "10", "+Inf", "3"]]},
    {"count": "0", "sum": "0"},
]


def test_few_and_many_are_written_alike():
    """An instant vector of few series has the same text as one of many, as far as it goes."""
    rows = [{"n": f"{number:03}", "odd": 'a"' if number % 3 else ""} for number in range(100)]
    value = vector(rows, [[number / 7] for number in range(100)])

    few, many = write_instant(value, 1500, 5)[0], write_instant(value, 1500, 0)[0]

    assert many.startswith(few.removesuffix(b"]}"))


def test_histograms_of_a_vector():
    """Histograms have their filled buckets with bounds; floats stand beside them, order is kept."""
    rows = [{"a": str(number)} for number in range(5)]
    places = np.array([[0], [3], [-1], [2], [1]])
    value = vector(rows, [[None], [None], [7.0], [None], [None]], HISTOGRAMS, places)

    result = json.loads(write_instant(value, 0, 0)[0])["result"]

    assert [entry.get("histogram", entry.get("value"))[1] for entry in result] == [
        WRITTEN[0],
        WRITTEN[3],
        "7",
        WRITTEN[2],
        WRITTEN[1],
    ]
    assert [entry["metric"] for entry in result] == rows


def test_histograms_of_a_matrix():
    """A series may have floats at some steps and histograms at others."""
    places = np.array([[0, -1, 2], [-1, -1, -1], [3, 3, 3]])
    value = vector(
        [{"a": "2"}, {"a": "1"}, {"a": "3"}], [[None, 1.0, None], [None, 2.0, 3.0], [None] * 3], HISTOGRAMS, places
    )

    result = json.loads(write_range(value, Steps(0, 1000, 3), 0)[0])["result"]

    assert result == [
        {"metric": {"a": "1"}, "values": [[1, "2"], [2, "3"]]},
        {"metric": {"a": "2"}, "values": [[1, "1"]], "histograms": [[0, WRITTEN[0]], [2, WRITTEN[2]]]},
        {"metric": {"a": "3"}, "histograms": [[time, WRITTEN[3]] for time in range(3)]},
    ]


def test_histograms_of_a_file():
    """They are the same JSON in a column of their own, and have no other value; rows are in the order of series."""
    places = np.array([[0, -1, 2], [-1, -1, 3]])
    value = vector([{"a": "2"}, {"a": "1"}], [[None, 1.0, None], [None, 2.0, None]], HISTOGRAMS, places)

    rows = table_of(value, Steps(0, 1000, 3)).to_pylist()

    assert [(row["a"], row["value"], row["histogram"] and json.loads(row["histogram"])) for row in rows] == [
        ("1", 2.0, None),
        ("1", None, WRITTEN[3]),
        ("2", None, WRITTEN[0]),
        ("2", 1.0, None),
        ("2", None, WRITTEN[2]),
    ]


def test_only_empty_histograms():
    """Histograms without an observation have no buckets."""
    value = vector([{}], [[None]], blank(1), np.array([[0]]))

    assert json.loads(write_instant(value, 0, 0)[0])["result"] == [{"metric": {}, "histogram": [0, WRITTEN[3]]}]
