"""What every source of series must do, whether they are held in memory or stored as points."""

from __future__ import annotations

import numpy as np
import pytest

from spanglass_server.promql.in_memory import SeriesInMemory
from spanglass_server.promql.ports import Matcher, Selector
from spanglass_server.promql.series.labels import NAME, LabelSets
from spanglass_server.promql.series.samples import Samples
from spanglass_server.promql.stored.source import StoredSeries
from spanglass_server.query.errors import BadQuestionError

#: Label sets with their samples: times in milliseconds and values, None for a marker.
SERIES = [
    ({NAME: "up", "job": "b", "instance": "1"}, {1000: 1.0, 2000: 0.0, 3000: None}),
    ({NAME: "up", "job": "a", "instance": "2"}, {1000: 1.0, 5000: 1.0}),
    ({NAME: "up", "job": "a"}, {4000: float("nan")}),
    ({NAME: "down", "job": "a", "ä.b": "ü"}, {2000: -1.5}),
    ({NAME: "down", "zone": "1"}, {2000: 2.5}),
]


def in_memory(open_tables):
    """The series as rule tests have them."""
    del open_tables
    counts = [len(samples) for _, samples in SERIES]
    values = [value for _, samples in SERIES for value in samples.values()]
    return SeriesInMemory(
        Samples(
            LabelSets.of([labels for labels, _ in SERIES]),
            np.cumsum([0, *counts]),
            np.array([time for _, samples in SERIES for time in samples]),
            np.array([0.0 if value is None else value for value in values]),
            np.array([value is None for value in values]),
        )
    )


def stored(open_tables):
    """The series as points that came from Prometheus."""
    return StoredSeries(open_tables(metrics=[row(labels, *sample) for labels, s in SERIES for sample in s.items()]))


def row(labels, time_ms, value):
    """A sample as a stored point."""
    attributes = {f"point.{name}:str": text for name, text in labels.items() if name != NAME}
    told = {"flags": 1} if value is None else {"value_double": value}
    fixed = {"metric_name": labels[NAME], "metric_type": "gauge", "scope_name": "prometheus"}
    return {**fixed, "time_ns": time_ms * 1_000_000, **attributes, **told}


@pytest.fixture(params=[in_memory, stored], ids=["in memory", "stored"])
def source(request, open_tables):
    """One source of the same series after another."""
    return request.param(open_tables)


def matcher(text):
    """A matcher from ``name=value``, with any of the four operators."""
    for operator in ("=~", "!~", "!=", "="):
        name, found, value = text.partition(operator)
        if found:
            return Matcher(name, operator, value)
    return Matcher(NAME, "=", text)


def selector(*texts, start_ms=0, end_ms=10_000, any_of=()):
    """A selector of some matchers."""
    alternatives = tuple(tuple(map(matcher, texts)) for texts in any_of)
    return Selector(tuple(map(matcher, texts)), start_ms, end_ms, any_of=alternatives)


def read(source, chosen):
    """Series with labels, times and values; NaN and markers as text."""
    samples = source.select(chosen)
    stale = np.zeros(len(samples.value), bool) if samples.is_stale is None else samples.is_stale
    values = ["stale" if s else str(v) for v, s in zip(samples.value.tolist(), stale.tolist(), strict=True)]
    found = []
    for place, labels in enumerate(samples.labels.rows()):
        own = slice(int(samples.offsets[place]), int(samples.offsets[place + 1]))
        times = samples.time_ms[own].tolist()
        found.append((labels, dict(zip(times, values[own], strict=True))))
    return [(labels, told) for labels, told in found if told]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (("up",), [0, 1, 2]),
        (("up", "job=a"), [1, 2]),
        (("up", "instance="), [2]),
        (("up", "instance!="), [0, 1]),
        (("up", "instance=~2|3"), [1]),
        (("up", "instance!~2|3"), [0, 2]),
        (("job=a",), [3, 1, 2]),
        (("zone=~.+",), [4]),
        (("ä.b=ü",), [3]),
        (("__name__=~u.|dow.",), [3, 4, 0, 1, 2]),
        (("__name__!=up", "job=~.*"), [3, 4]),
        (("nothing",), []),
    ],
)
def test_series_that_match_come_in_the_order_of_labels(source, texts, expected):
    """All series for which every matcher holds, with their labels, ordered by name and value of label after label."""
    assert [labels for labels, _ in read(source, selector(*texts))] == [SERIES[place][0] for place in expected]


def test_samples_of_the_range_are_left_open(source):
    """Samples after the start up to the end, by time, markers and NaN among them."""
    assert read(source, selector("up", start_ms=1000, end_ms=4000)) == [
        (SERIES[0][0], {2000: "0.0", 3000: "stale"}),
        (SERIES[2][0], {4000: "nan"}),
    ]


def test_alternatives(source):
    """A series for which one list of matchers holds wholly."""
    chosen = selector(any_of=[("up", "job=b"), ("down", "zone=1")])
    assert [labels for labels, _ in read(source, chosen)] == [SERIES[4][0], SERIES[0][0]]


def test_labels_and_series(source):
    """Names, values and label sets of what matches any selector, each once and sorted."""
    chosen = [selector("down"), selector("zone=1")]
    assert source.label_names(chosen) == [NAME, "job", "zone", "ä.b"]
    assert source.label_values("job", [selector("up"), selector("down")]) == ["a", "b"]
    assert source.label_values("missing", chosen) == []
    assert source.series(chosen) == [SERIES[3][0], SERIES[4][0]]


def test_a_bad_regular_expression(source):
    """What is no regular expression is refused with the field that holds it."""
    with pytest.raises(BadQuestionError):
        source.select(selector("up", "job=~("))
