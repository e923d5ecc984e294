"""The snapshot of what is stored changes in one step, and readers keep what they saw."""

from __future__ import annotations

import threading

from stored_spans import segment, table

from spanglass_server.signals import Signal
from spanglass_server.store.contents import Chunk, Contents
from spanglass_server.store.ports import Window

SPANS = Signal.SPANS


def chunk(generation, *numbers):
    """A chunk of numbered spans."""
    return Chunk.of(generation, SPANS, table([{"n": number} for number in numbers]), 0)


def file_of(data_dir, number):
    """Make the file that a segment stands for, and return the segment."""
    held = segment(number)
    path = data_dir / held.file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return held


def test_a_removed_file_stays_until_its_readers_are_done(tmp_path):
    """The last of the readers that may still see a removed segment lets its file go, not an earlier one."""
    first, second = file_of(tmp_path, 1), file_of(tmp_path, 2)
    contents = Contents(tmp_path, [first])
    path = tmp_path / first.file
    with contents.reading() as early:
        with contents.reading():
            contents.replace(add=[second], remove=[1])
            with contents.reading() as late:
                still_there = [path.exists()]
        still_there.append(path.exists())

    assert (early.segments[SPANS], late.segments[SPANS]) == ((first,), (second,))
    assert still_there == [True, True]
    assert not path.exists()
    assert (tmp_path / second.file).exists()


def test_a_reader_of_the_new_picture_holds_no_old_file(tmp_path):
    """A file that only readers before its removal could need is deleted although a later one still reads."""
    contents = Contents(tmp_path, [file_of(tmp_path, 1)])
    early = contents.reading()
    early.__enter__()
    contents.replace(remove=[1])
    with contents.reading():
        early.__exit__(None, None, None)
        there = (tmp_path / segment(1).file).exists()

    assert not there


def test_small_chunks_of_a_generation_are_joined(tmp_path):
    """A thousand chunks of a row are a few chunks; generations stay apart, and no row is lost."""
    contents = Contents(tmp_path, [])
    for number in range(1000):
        contents.append({SPANS: chunk(1 + number // 900, number)})
    chunks = contents.snapshot.chunks[SPANS]
    rows = [(held.generation, time) for held in chunks for time in held.table["start_time_ns"].to_pylist()]

    assert len(chunks) < 25
    assert rows == [(1 + number // 900, number) for number in range(1000)]
    assert all(held.overlaps(Window(held.min_time_ns, held.max_time_ns + 1)) for held in chunks)


def test_a_flushed_row_is_seen_once_at_any_moment(tmp_path):
    """Readers that look again and again while generations become segments see each row once, never twice or not."""
    contents = Contents(tmp_path, [])
    generations, seen, done = 300, [], threading.Event()

    def write():
        for generation in range(1, generations + 1):
            contents.append({SPANS: chunk(generation, *range(10))})
            if generation > 3:
                contents.replace(add=[segment(generation - 3)], flushed=generation - 3)
        done.set()

    def read():
        last = 0
        while not done.is_set():
            with contents.reading() as snapshot:
                segments = {held.id for held in snapshot.segments[SPANS]}
                chunks = {held.generation for held in snapshot.chunks[SPANS]}
            union = segments | chunks
            seen.append((segments.isdisjoint(chunks), union == set(range(1, len(union) + 1)), len(union) >= last))
            last = len(union)

    threads = [threading.Thread(target=work) for work in (read, read, write)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert set(seen) == {(True, True, True)}
    assert contents._readers == {}
