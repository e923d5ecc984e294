"""All metrics of a small part, read by one statement: each selector finds what it finds when it is asked alone."""

from __future__ import annotations

import pytest
from stored_points import as_text, gauge, memory_of_others, point, selector, stale
from stored_spans import Bench
from test_several_parts import table

from spanglass_server.promql.stored.source import StoredSeries
from spanglass_server.signals import Signal
from spanglass_server.store.part_cache import PartCache

COUNTER = {"kind": "sum", "temporality": 2, "is_monotonic": True, "start": 0}
NAMES = ("x", "c_total", "d_total", "h_bucket", "h_count", "h_sum", "e_count", "q", "q_count", "p")


def points(second):
    """A point or two of each kind of metric; one series ends."""
    histogram = {"count": 3, "sum": 4.5, "bucket_counts": [1, 2], "explicit_bounds": [0.5]}
    return table(
        gauge(second, 1, a="1"),
        gauge(second, 2, a="2"),
        stale(gauge(second + 1, 2, a="2")),
        point(second, name="c", value_int=5, **COUNTER),
        point(second + 10, name="d", start=second, kind="sum", temporality=1, is_monotonic=True, value_int=5),
        point(second, name="h", kind="histogram", temporality=2, start=0, **histogram),
        point(second, name="e", kind="exponential_histogram", temporality=2, start=0, count=7, sum=1.5, scale=1),
        point(second, name="q", kind="summary", count=2, sum=1.0, quantiles=[0.5], quantile_values=[0.25]),
        point(second, name="p", value_double=9.0, scope_name="prometheus"),
    )


def found(session, series, statements):
    """What selectors of all names find, and how many statements that took."""
    plain = session.execute
    session.execute = lambda *arguments: (statements.append(arguments[0]), plain(*arguments))[1]
    try:
        return {name: as_text(series.select(selector(name))) for name in NAMES}
    finally:
        session.execute = plain


@pytest.fixture
def bench(tmp_path):
    """Open a store and an engine over an empty directory, closed after the test."""
    opened = Bench(tmp_path / "data")
    yield opened
    opened.close()


def test_a_small_part_is_read_once_for_all_its_metrics(bench):
    """Announced expressions find the same as others; from the second part on, all it takes is one statement.

    A second one reads what came from Prometheus, whose series have other labels.
    """
    cache, counts = PartCache(), []
    for second in (0, 30, 60):
        bench.write(points(second), Signal.METRICS)

        def ask(session):
            series, statements = StoredSeries(session, cache).share(), []
            together = found(session, series, statements)
            counts.append(len([text for text in statements if "of_values" in text]))
            return together, found(session, StoredSeries(session, PartCache()), [])

        together, alone = bench.engine.run_here(ask)
        assert together == alone
        assert all(together.values())
    assert counts[0] > 2
    assert counts[1:] == [2, 2]
    streams = [held.value for key, held in cache._held.items() if key[0] == "streams"]
    assert streams
    assert memory_of_others(*(array for known in streams for array in (known.numbers, known.streams.keys))) == []
