"""Parts of what is stored: rows that never change, by keys under which what is made of them can be kept."""

from __future__ import annotations

from stored_spans import table

from spanglass_server.signals import Signal
from spanglass_server.store.contents import Chunk
from spanglass_server.store.ports import ALL_TIME, Window


def test_parts_are_segments_and_chunks_and_their_rows(bench):
    """Each row lies in one part, which has the columns of its rows and can be read whole, missing columns as null."""
    bench.write(table([{"n": 1, "span.a:str": "x"}, {"n": 2}]))
    bench.buffer(table([{"n": 3}]))

    def ask(session):
        return [
            (part.rows, "span.a:str" in part.columns, session.rows(_relation(session, part)))
            for part in session.parts(Signal.SPANS, ALL_TIME)
        ]

    def _relation(session, part):
        return session.part_relation(part, ["name", "span.a:str"])[1:-1]

    assert bench.engine.run_here(ask) == [
        (2, True, [{"name": "1", "span.a:str": "x"}, {"name": "2", "span.a:str": None}]),
        (1, False, [{"name": "3", "span.a:str": None}]),
    ]


def test_keys_stay_and_are_never_used_twice(bench):
    """A part keeps its key from session to session; rows that were merged or flushed are other parts.

    A few parts of a generation stay apart, so that what was made of them stays too; of more the last are merged.
    """

    def keys():
        return bench.engine.run_here(lambda session: [p.key for p in session.parts(Signal.SPANS, Window(0, 10))])

    def append_more():
        chunk = bench.store.contents.snapshot.chunks[Signal.SPANS][0]
        bench.store.append({Signal.SPANS: Chunk.of(chunk.generation, Signal.SPANS, chunk.table, chunk.arrived_ns)})

    bench.buffer(table([{"n": 1}]))
    for _ in range(3):
        append_more()
    first = keys()
    assert keys() == first
    append_more()
    merged = keys()
    bench.flush()
    flushed = keys()
    assert len(set(first)) == len(merged) == 4
    assert merged[:3] == first[:3]
    assert merged[3] not in first
    assert not {*first, *merged} & set(flushed)
    assert len(flushed) == 1


def test_parts_outside_the_window_are_left_out(bench):
    """Only what may hold rows of the window is listed."""
    bench.write(table([{"n": 1}]))
    bench.write(table([{"n": 50}]))

    parts = bench.engine.run_here(lambda session: session.parts(Signal.SPANS, Window(40, 60)))

    assert [(part.min_time_ns, part.max_time_ns) for part in parts] == [(50, 50)]


def test_a_part_tells_how_much_is_read_of_it(bench):
    """Of a segment it is what its columns take before compression, of memory what they take: large texts are seen."""
    for put, least in ((bench.write, 100_000), (bench.buffer, 200_000)):
        put(table([{"n": 1, "span.a:str": "x" * least}]))

    def ask(session):
        return [session.part_bytes(part) for part in session.parts(Signal.SPANS, ALL_TIME)]

    assert [found // 50_000 for found in bench.engine.run_here(ask)] == [2, 4]
