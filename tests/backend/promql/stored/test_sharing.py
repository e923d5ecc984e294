"""Selectors that share readings are answered as if each had been read alone."""

from __future__ import annotations

import gc
import random
import weakref

import pytest
from stored_points import START_MS, as_text, point, selector

from spanglass_server.promql.evaluation.query import Options
from spanglass_server.promql.series.vectors import Steps
from spanglass_server.promql.stored import sharing
from spanglass_server.promql.stored.source import StoredSeries
from spanglass_server.store.part_cache import PartCache


def announced(session, **more):
    """Series of a session that shares readings."""
    series = StoredSeries(session, more.pop("cache", PartCache()), **more)
    series.announce((), Steps(0, 15_000, 1), Options())
    return series


def rows(seed, *, is_plain):
    """Points of many series: gauges, deltas, starts that differ, and such that only their resources tell apart."""
    chance = random.Random(seed)  # noqa: S311
    found = []
    for number in range(24):
        attributes = {"resource.service.name:str": f"s{number % 5}", "point.route:str": f"/{number % 2}"}
        columns = {}
        if is_plain or chance.random() < 0.4:
            attributes["resource.service.instance.id:str"] = str(number)
        if chance.random() < 0.5:
            attributes["resource.zone:str"] = chance.choice("ab")
        if not is_plain and chance.random() < 0.4:
            columns = {"kind": "sum", "temporality": chance.choice((1, 2)), "is_monotonic": True}
            columns["start"] = chance.choice((0, -100))
        found += [
            point(second, attributes=dict(attributes), value_double=chance.random(), **columns)
            for second in range(chance.randrange(3), 60, chance.choice((10, 20)))
        ]
        if number % 3 == 0:  # the same name from Prometheus, and in another unit, is another metric
            told = chance.choice(({"scope_name": "prometheus", "kind": "sum"}, {"metric_unit": "s"}))
            found += [point(second, attributes=dict(attributes), value_double=-1.0, **told) for second in (5, 25, 45)]
    chance.shuffle(found)
    return found


def selectors(seed):
    """Selectors of which many differ in the value of a label only."""
    chance = random.Random(seed)  # noqa: S311
    conditions = ("job=s1", "job=s2", "job=s9", "route=/1", "route=", "instance=7", "zone=a", "zone=", "job=~s[12]")
    for _ in range(40):
        name = chance.choice(("x", "x", "x_total", "x_seconds", "__name__=~x.*"))
        chosen = chance.sample((*conditions, "job!=s3"), chance.randrange(3))
        until = START_MS + chance.choice((30_000, 60_000))
        named = ("job", "route", "instance", *chance.choice(((), ("zone",))))
        yield selector(name, *chosen, between=(START_MS - 1, until), named=named)


@pytest.mark.parametrize("seed", range(4))
def test_answers_are_those_of_one_reading_each(open_tables, seed):
    """Whatever is selected in whatever order: labels, their order, times and values are the same."""
    session = open_tables(metrics=rows(seed, is_plain=seed == 0))
    shared, alone = announced(session), StoredSeries(session)
    for chosen in selectors(seed):
        found, expected = shared.select(chosen), alone.select(chosen)
        assert list(as_text(found).items()) == list(as_text(expected).items()), chosen
        assert (found.anew is None or not found.anew.any()) == (expected.anew is None or not expected.anew.any())


def readings(shared):
    """How many readings five selectors take that differ in a value, each asked twice."""
    for number in (*range(5), *range(5)):
        assert shared.select(selector("x", f"job=s{number}")).labels.size
    assert shared._sharing.asked == 10
    return shared._sharing.readings


def test_many_selectors_need_few_readings(open_tables, monkeypatch):
    """Equal selectors are read once; from the third on that differ in a value all come from one reading.

    Unless labels depend on what else is read, or the metric is too large: then each is read by itself.
    """
    plain = open_tables(metrics=rows(3, is_plain=True))
    cache = PartCache()
    assert readings(announced(plain, cache=cache)) == 3
    assert readings(announced(plain, cache=cache)) == 1  # it is known from the session before
    assert readings(announced(open_tables(metrics=rows(4, is_plain=False)))) == 6
    monkeypatch.setattr(sharing, "MOST_SAMPLES", 20)
    assert readings(announced(plain)) == 6


def test_what_was_shared_goes_with_the_session(open_tables):
    """No circle of references: the samples of a tick, and what its session saw, do not wait for a collector."""
    shared = announced(open_tables(metrics=rows(3, is_plain=True)))
    readings(shared)
    known = [weakref.ref(shared), weakref.ref(next(iter(shared._sharing._answers.values())).value)]
    gc.disable()
    try:
        del shared
        assert [each() for each in known] == [None, None]
    finally:
        gc.enable()
