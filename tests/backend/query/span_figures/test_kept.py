"""Figures from kept columns are those that SQL gives, whatever parts the spans lie in."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stored_spans import Bench

from spanglass_server.query.matching import SpanQuestion
from spanglass_server.query.services import counts
from spanglass_server.query.services.counts import count_spans
from spanglass_server.query.services.services import list_operations, list_services, service_series, total_series
from spanglass_server.query.span_figures import joining
from spanglass_server.query.span_figures.cells import sort_together
from spanglass_server.service_names import SERVICE, UNKNOWN_SERVICE
from spanglass_server.signals import Signal
from spanglass_server.store.part_cache import PartCache
from spanglass_server.store.ports import QueryError, QueryTimeoutError, Window
from spanglass_server.store.sessions.stopping import Stop

MINUTE = 60 * 10**9
START = 1_000 * MINUTE
WINDOW = Window(START + 30 * 10**9, START + 5 * MINUTE)
WHOLE = Window(START, START + 9 * MINUTE)
NO_WHOLE_MINUTE = Window(START + MINUTE // 4, START + MINUTE * 5 // 4 + 10**9)

SPANS = st.fixed_dictionaries(
    {
        "at": st.integers(0, 6 * MINUTE - 1),
        "service": st.sampled_from(["web", "db", "", " ", None]),
        "name": st.sampled_from(["GET /", "query", None]),
        "kind": st.sampled_from([None, 0, 1, 2, 2, 2, 3, 5, 255]),
        "duration": st.one_of(st.integers(0, 1_000), st.integers(0, 2**55)),
        "status": st.sampled_from([None, 1, 2]),
        "parent": st.sampled_from([None, b"parentid", bytes(8)]),
    }
)


def stored(spans):
    """Stored rows of drawn spans; columns that none has are absent."""
    ids = [number.to_bytes(16, "big") for number in range(1, len(spans) + 1)]
    columns = {
        "trace_id": pa.array(ids, pa.binary()),
        "span_id": pa.array([each[:8] for each in ids], pa.binary()),
        "parent_span_id": pa.array([span["parent"] for span in spans], pa.binary()),
        SERVICE: pa.array([span["service"] for span in spans], pa.string()).dictionary_encode(),
        "name": pa.array([span["name"] for span in spans], pa.string()),
        "kind": pa.array([span["kind"] for span in spans], pa.uint8()),
        "start_time_ns": pa.array([START + span["at"] for span in spans], pa.int64()),
        "duration_ns": pa.array([span["duration"] for span in spans], pa.int64()),
        "status_code": pa.array([span["status"] for span in spans], pa.uint8()),
    }
    return pa.table({name: column for name, column in columns.items() if column.null_count < len(column)})


def ask(session):
    """Every figure of services and operations, and counts over time."""
    return [
        list_services(session, WINDOW, 0),
        list_services(session, WINDOW, 5),
        total_series(session, WINDOW, 5),
        *(list_operations(session, WINDOW, service, 3) for service in ("web", UNKNOWN_SERVICE)),
        list_operations(session, WINDOW, "web", 3, only_requests=True, order="requests"),
        service_series(session, WINDOW, "web", None, 5),
        service_series(session, WINDOW, "web", "GET /", 5),
        count_spans(session, SpanQuestion(WINDOW), 5),
        count_spans(session, SpanQuestion(WHOLE), 5),
        *(count_spans(session, SpanQuestion(NO_WHOLE_MINUTE), buckets) for buckets in (1, 7)),
    ]


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    parts=st.lists(st.lists(SPANS, min_size=1, max_size=30), min_size=1, max_size=4),
    buffered=st.integers(0, 2),
    few=st.sampled_from([512, 0]),
)
def test_kept_figures_are_those_of_sql(tmp_path_factory, monkeypatch, parts, buffered, few):
    """Segments and memory, inside the range and across its ends, asked twice: counts, percentiles, order are SQL's."""
    bench = Bench(tmp_path_factory.mktemp("figures") / "data")
    try:
        for place, spans in enumerate(parts):
            (bench.buffer if len(parts) - place <= buffered else bench.write)(stored(spans))
        monkeypatch.setattr(joining, "_FEW", few)
        found = [bench.engine.run_here(ask) for _ in range(2)]
        bench.engine.kept = PartCache(0)  # nothing can be kept, so SQL answers
        monkeypatch.setattr(counts, "counts_over_time", lambda *_: None)
        expected = bench.engine.run_here(ask)
        monkeypatch.undo()
    finally:
        bench.close()
    assert found == [expected, expected]


def test_a_repeated_question_reads_nothing(tmp_path):
    """What was read of parts is kept: the second answer runs no SQL and opens no file, though the window moves.

    What was merged is forgotten.
    """
    bench = Bench(tmp_path / "data")
    span = {"at": 2 * MINUTE, "service": "web", "name": "GET /", "kind": 2, "duration": 7, "status": 2, "parent": None}
    for at in (2, 3):
        bench.write(stored([span | {"at": at * MINUTE}, span | {"at": at * MINUTE + 1}]))
    later = Window(WINDOW.start_ns, WINDOW.end_ns + MINUTE // 2)

    def ask_without_files(session):
        session.execute = session.part_table = None  # neither can be called
        return list_services(session, later, 5)["services"][0]

    bench.engine.run_here(lambda session: list_services(session, WINDOW, 5))
    found = bench.engine.run_here(ask_without_files)
    assert (found["requests"], found["errors"], found["p99_ns"], len(found["series"])) == (4, 4, 7, 6)
    for at in (1, 2):
        bench.write(stored([span | {"at": at * MINUTE}]))
    assert bench.store.compact() == 4
    kept_bytes = bench.engine.kept.bytes
    assert bench.engine.run_here(lambda session: len(session.parts(Signal.SPANS, later))) == 1
    assert (kept_bytes > 0, bench.engine.kept.bytes) == (True, 0)
    bench.close()


def test_a_file_that_cannot_be_read_is_an_error(tmp_path):
    """A projection that is gone or damaged is told as such, as SQL tells it; a query that was stopped reads none."""
    bench = Bench(tmp_path / "data")
    span = {"at": MINUTE, "service": "web", "name": "GET /", "kind": 2, "duration": 7, "status": 2, "parent": None}
    bench.write(stored([span]))
    (file,) = (tmp_path / "data" / "projections").glob("*/*")
    file.write_bytes(b"no Parquet")
    for _ in range(2):
        with pytest.raises(QueryError, match="stored data could not be read"):
            bench.engine.run_here(lambda session: list_services(session, WINDOW, 5))
        file.unlink(missing_ok=True)
    stop = Stop()

    def ask_and_stop(session):
        stop.now()
        return list_services(session, WINDOW, 5)

    with pytest.raises(QueryTimeoutError):
        bench.engine.run_here(ask_and_stop, stop)
    bench.close()


def test_large_numbers_are_sorted_too():
    """Pairs that do not fit into one number of 63 bits are sorted as pairs."""
    code, value = pa.array([1, 0, 2**20, 1]).to_numpy(), pa.array([5, 2**60, 3, 1]).to_numpy()
    found = sort_together(code, value)
    assert [column.tolist() for column in found] == [[0, 1, 1, 2**20], [2**60, 1, 5, 3]]
