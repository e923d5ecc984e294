"""Points that lie in several segments and chunks of a real store, and what is kept of them."""

from __future__ import annotations

import pyarrow as pa
import pytest
from stored_points import START_MS, as_text, gauge, point, selector
from stored_spans import Bench

from spanglass_server.promql.errors import PromqlError
from spanglass_server.promql.stored.source import StoredSeries, most_samples
from spanglass_server.signals import FIXED_COLUMNS, AttributeColumn, Signal
from spanglass_server.store.part_cache import PartCache

TYPES = {"UINTEGER": pa.uint32(), "UBIGINT[]": pa.list_(pa.uint64()), "DOUBLE[]": pa.list_(pa.float64())}


@pytest.fixture
def bench(tmp_path):
    """Open a store and an engine over an empty directory, closed after the test."""
    opened = Bench(tmp_path / "data")
    yield opened
    opened.close()


def table(*rows):
    """Points as ingest gives them: columns that no row has are absent."""
    names = dict.fromkeys(name for row in rows for name in row)
    types = {name: TYPES.get(FIXED_COLUMNS[Signal.METRICS].get(name, "")) for name in names}
    columns = {name: pa.array([row.get(name) for row in rows], types[name]) for name in names}
    return pa.table(
        {name: column.dictionary_encode() if is_encoded(name) else column for name, column in columns.items()}
    )


def is_encoded(name):
    """Whether ingest gives a column as a dictionary."""
    attribute = AttributeColumn.parse(name)
    return name == "metric_name" or (attribute is not None and attribute.type == "str")


def ask(bench, cache, *conditions, **more):
    """Series with their samples, through a session of the store."""
    return bench.engine.run_here(lambda s: as_text(StoredSeries(s, cache).select(selector(*conditions, **more))))


def test_a_series_goes_through_all_parts(bench):
    """Samples of one series come from all segments and chunks, whatever columns each has and in which order."""
    bench.write(table(gauge(0, 1, a="1"), gauge(0, 2, b="2")), Signal.METRICS)
    bench.write(table(gauge(20, 3, a="1"), gauge(10, 4, a="1"), gauge(10, 5)), Signal.METRICS)
    bench.buffer(table(gauge(30, 6, a="1"), gauge(5, 7, b="2")), Signal.METRICS)
    assert ask(bench, PartCache(), "x") == {
        "x{}": [(10, 5)],
        "x{a=1}": [(0, 1), (10, 4), (20, 3), (30, 6)],
        "x{b=2}": [(0, 2), (5, 7)],
    }


def test_late_points_are_put_in_order(bench):
    """Points that come late stand where their time is; of one time the one that came last stays."""
    bench.write(table(gauge(0, 1), gauge(10, 2), gauge(20, 3)), Signal.METRICS)
    bench.write(table(gauge(5, 4), gauge(10, 5)), Signal.METRICS)
    assert ask(bench, PartCache(), "x") == {"x{}": [(0, 1), (5, 4), (10, 5), (20, 3)]}


def test_what_was_decoded_is_not_read_again(bench):
    """The second question about the same parts runs no statement, one about a new part reads that alone."""
    cache, statements = PartCache(), []

    def counted(session):
        plain = session.execute
        session.execute = lambda *arguments: (statements.append(1), plain(*arguments))[1]
        return as_text(StoredSeries(session, cache).select(selector("x")))

    bench.write(table(gauge(0, 1, a="1")), Signal.METRICS)
    first = bench.engine.run_here(counted)
    read = len(statements)
    assert bench.engine.run_here(counted) == first
    assert len(statements) == read
    bench.buffer(table(gauge(10, 2, a="1")), Signal.METRICS)
    assert bench.engine.run_here(counted) == {"x{a=1}": [(0, 1), (10, 2)]}
    assert len(statements) < 2 * read


def test_streams_that_are_new_join_those_known(bench):
    """Series that appear later, and such that were there before, have their own labels."""
    cache = PartCache()
    for place in range(4):
        bench.write(table(*(gauge(10 * place, n, a=str(n)) for n in range(place, place + 3))), Signal.METRICS)
        found = ask(bench, cache, "x", between=(START_MS + 10_000 * place - 1, START_MS + 10_000 * place))
        assert found == {f"x{{a={n}}}": [(10 * place, n)] for n in range(place, place + 3)}


def test_nothing_is_kept_of_parts_that_are_gone(bench):
    """Nor the labels of their series and what was chosen of them, which are many of each minute."""
    cache = PartCache()
    bench.write(table(gauge(0, 1, a="1")), Signal.METRICS)
    bench.buffer(table(gauge(10, 2, a="1")), Signal.METRICS)
    assert ask(bench, cache, "x") == {"x{a=1}": [(0, 1), (10, 2)]}
    before = {key[0] for key in cache._held}
    assert {"piece", "labels", "chosen"} <= before, before

    cache.forget_all_but(())
    assert {key[0] for key in cache._held}.isdisjoint({"piece", "labels", "chosen"})


def test_deltas_are_summed_over_parts(bench):
    """The running sum goes on from part to part, from the first point of what is asked."""
    kind = {"kind": "sum", "temporality": 1, "is_monotonic": True}
    for place in range(3):
        row = point(10 * place + 10, start=10 * place, **kind, value_int=5)
        bench.write(table(row | {"temporality": 1}), Signal.METRICS)
    assert ask(bench, PartCache(), "x_total") == {"x_total{}": [(10, 5), (20, 10), (30, 15)]}
    late = (START_MS + 15_000, START_MS + 30_000)
    assert ask(bench, PartCache(), "x_total", between=late) == {"x_total{}": [(20, 5), (30, 10)]}


def test_the_cache_holds_no_more_than_it_may():
    """What was not asked for longest goes first; a value of half the cache is not kept at all."""
    cache = PartCache(100)
    for key in "abc":
        cache.kept(key, lambda key=key: key, lambda _: 40)
    assert (cache.get("a"), cache.get("b"), cache.get("c"), cache.bytes) == (None, "b", "c", 80)
    cache.put("d", "d", 60)
    assert (cache.get("d"), cache.bytes) == (None, 80)
    cache.put("b", "b again", 10)
    assert (cache.get("b"), cache.bytes) == ("b again", 50)


def test_too_many_samples_are_refused(bench):
    """A selector that would read more than may be read is refused with the limit and what to do."""
    bench.write(table(*(gauge(n, n, a=str(n % 3)) for n in range(12))), Signal.METRICS)

    def read(session):
        return StoredSeries(session, max_samples=11).select(selector("x"))

    with pytest.raises(PromqlError, match="more than 11; ask for a shorter range, or for fewer series"):
        bench.engine.run_here(read)
    assert most_samples(64) == 2
