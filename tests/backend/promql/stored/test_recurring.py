"""Questions about records that come again: a new part is read once for all of them, and each gets its own counts."""

from __future__ import annotations

import pyarrow as pa
import pytest
from stored_points import START_MS, memory_of_others
from stored_spans import Bench

from spanglass_server.promql.engine import range_query
from spanglass_server.promql.evaluation.query import Options
from spanglass_server.promql.series.vectors import Steps
from spanglass_server.promql.stored import source
from spanglass_server.promql.stored.counting import counts
from spanglass_server.promql.stored.counting.source import counted_samples
from spanglass_server.promql.stored.source import StoredSeries
from spanglass_server.signals import Signal
from spanglass_server.store.part_cache import PartCache

BASE_MS = START_MS // 30_000 * 30_000
RULES = (
    "sum by (http_route) (increase(spans_total[2m]))",
    """sum by (http_route) (increase(spans_total{__filter__='"what?" = 1 or name="a?"'}[2m]))""",
    """sum by (http_route) (increase(spans_total{__filter__='"what?" = true or name="a?"'}[2m]))""",
    *(f'sum by (http_route) (increase(spans_total{{__filter__="service:s{n}"}}[2m]))' for n in range(4)),
    'sum by (http_route) (increase(spans_total{__filter__="status:error", service_name="s1"}[5m]))',
    'sum by (http_route) (increase(span_duration_seconds_sum{__filter__="duration > 100ms"}[2m]))',
    'sum by (http_route) (increase(spans_total{__filter__="no.such.key:1"}[2m]))',
    'histogram_quantile(0.5, sum by (le) (rate(span_duration_seconds_bucket{__filter__="service:s1"}[2m])))',
    'histogram_quantile(0.5, sum by (le) (rate(span_duration_seconds_bucket{__filter__="service:s2"}[2m])))',
)


@pytest.fixture
def bench(tmp_path):
    """Open a store and an engine over an empty directory, closed after the test."""
    opened = Bench(tmp_path / "data")
    yield opened
    opened.close()


def spans(second, count=60):
    """Spans of three services from a second on."""
    at = [BASE_MS * 10**6 + (second + place % 25) * 10**9 for place in range(count)]
    text = pa.dictionary(pa.int32(), pa.string())
    return pa.table(
        {
            "resource.service.name:str": pa.array([f"s{place % 3}" for place in range(count)]).cast(text),
            "span.http.route:str": pa.array([f"/{place % 2}" for place in range(count)]).cast(text),
            "name": pa.array(["GET"] * count).cast(text),
            "span.what?:int": pa.array([place % 2 for place in range(count)], pa.int64()),
            "span.what?:bool": pa.array([place % 7 == 0 for place in range(count)]),
            "kind": pa.array([2] * count, pa.int32()),
            "status_code": pa.array([2 if place % 5 == 0 else 0 for place in range(count)], pa.int32()),
            "start_time_ns": pa.array(at, pa.int64()),
            "duration_ns": pa.array([place * 10_000_000 for place in range(count)], pa.int64()),
        }
    )


def values(bench, cache, at_ms, statements, *, is_announced=False):
    """What each rule says at a time, and how many statements that took."""

    def ask(session):
        series = StoredSeries(session, cache)
        if is_announced:
            series.announce((*RULES, "no expression(", "x{__filter__='a'}"), Steps(at_ms, 15_000, 1), Options())
        plain = session.execute
        session.execute = lambda *arguments: (statements.append(arguments[0]), plain(*arguments))[1]
        steps = Steps(at_ms, 15_000, 1)
        found = [range_query(series, text, steps, Options(each_alone=True)).value for text in RULES]
        told = [(map(str, one.labels.rows()), one.values[:, 0].round(9).tolist()) for one in found]
        return [sorted(zip(*each, strict=True)) for each in told]  # sums of floats may be added up in any order

    return bench.engine.run_here(ask)


def test_a_new_part_is_read_once_for_all_that_recur(bench):
    """From the third time on a small new part takes one statement; the counts are right."""
    cache, needed = PartCache(), []
    for tick in range(4):
        bench.write(spans(30 * tick), Signal.SPANS)
        statements = []
        at_ms = BASE_MS + 30_000 * (tick + 1)
        found = values(bench, cache, at_ms, statements)
        assert found == values(bench, PartCache(), at_ms, [])
        needed.append(len(statements))
    assert needed[0] == len(RULES) - 1  # no part can have the key that none has
    assert needed[2:] == [1, 1]
    statements.clear()
    assert values(bench, PartCache(), at_ms, statements, is_announced=True) == found
    assert len(statements) == len(needed)  # one for each of four parts, though nothing was asked before


def test_counts_that_are_kept_hold_no_whole_answer(bench):
    """What is kept of a statement's answer is its own: an array that looks into it would hold all of its columns."""
    bench.write(spans(0), Signal.SPANS)
    cache = PartCache()
    values(bench, cache, BASE_MS + 30_000, [])

    kept = [held.value for key, held in cache._held.items() if key[0] == "counts"]
    arrays = [array for each in kept for array in (each.series, each.step, each.bucket, each.value)]
    assert sum(len(array) for array in arrays) > len(arrays)
    assert memory_of_others(*arrays) == []


def test_of_a_large_part_only_what_is_asked_for_is_read(bench, monkeypatch):
    """A part of hours is read in slices of a quarter of an hour, those of the window only; the counts are the same."""
    hour = pa.concat_tables([spans(60 * minute, 10) for minute in range(600)])
    bench.write(hour, Signal.SPANS)
    at_ms = BASE_MS + 5 * 3_600_000
    statements = []
    whole = values(bench, PartCache(), at_ms, [])
    monkeypatch.setattr(counts, "_WHOLE_ROWS", 100)
    assert values(bench, PartCache(), at_ms, statements) == whole
    assert len(statements) in range(len(RULES) - 1, 2 * len(RULES))
    assert all("start_time_ns < " in text for text in statements)


def test_equal_counts_of_many_expressions_are_put_together_once(bench, monkeypatch):
    """Also where expressions name other labels, as long as those are of no attribute; the answers are the same."""
    made = []

    def noted(*asked):
        made.append(asked)
        return counted_samples(*asked)

    monkeypatch.setattr(source, "counted_samples", noted)
    bench.write(spans(0), Signal.SPANS)
    expressions = [f"sum by ({by}) (rate(spans_total[2m]))" for by in ("service_name", "le", "http_route", "span_kind")]

    def ask(session):
        alone, together = StoredSeries(session), StoredSeries(session)
        together.announce((), Steps(BASE_MS, 15_000, 1), Options())
        steps = Steps(BASE_MS + 30_000, 15_000, 1)
        told = []
        for series in (alone, together):
            answers = [range_query(series, text, steps).value for text in expressions]
            told.append([(one.labels.rows(), one.values.tolist()) for one in answers])
            told.append(len(made))
        return told

    expected, of_alone, found, of_both = bench.engine.run_here(ask)
    assert found == expected
    assert (of_alone, of_both - of_alone) == (4, 2)
