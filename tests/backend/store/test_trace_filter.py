"""The filter of trace ids never hides a trace, and lets few others through."""

from __future__ import annotations

import random

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanglass_server.store.segment_files.trace_filter import MINUTE_NS, TraceFilter

IDS = st.binary(min_size=16, max_size=16)


def built(ids):
    """A filter over ids, as a segment's writer makes it."""
    return TraceFilter.build(np.unique(TraceFilter.hashes(pa.chunked_array([pa.array(ids, pa.binary())]))))


def may_hold(held, trace_id):
    """Whether a filter lets one id through."""
    return held.may_hold(TraceFilter.hashes_of([trace_id]))


@given(st.lists(IDS, max_size=200), st.integers(0, 50))
def test_no_id_is_missed(ids, offset):
    """Every id that went in may be held, also when nulls stand between and the array is a slice of another."""
    padded = pa.array([b"\0" * 16] * offset + [x for each in ids for x in (each, None)], pa.binary())
    held = TraceFilter.build(np.unique(TraceFilter.hashes(padded.slice(offset))))

    assert all(may_hold(held, each) for each in ids)


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda rng, _: rng.randbytes(16), id="random"),
        pytest.param(lambda _, number: number.to_bytes(16, "big"), id="counted"),
        pytest.param(lambda _, number: number.to_bytes(16, "little"), id="counted little-endian"),
        pytest.param(lambda rng, _: bytes(8) + rng.randbytes(8), id="64-bit ids"),
    ],
)
def test_few_others_pass(make):
    """Of ids that are not there at most 0.5 % pass, however they were made up; the theory says 0.15 %."""
    rng = random.Random(1)  # noqa: S311 - sample data
    ids = [make(rng, number) for number in range(20_000)]
    held = built(ids[:10_000])
    passed = sum(may_hold(held, each) for each in ids[10_000:])

    assert passed <= 50
    assert len(held.bits) * 8 <= 15 * 10_000


@given(st.lists(st.tuples(IDS, st.integers(0, 50)), max_size=200))
def test_no_minute_is_missed(pairs):
    """Every id is held with each minute that it went in with, and the filter knows that it has minutes."""
    hashes = TraceFilter.hashes_of(trace_id for trace_id, _ in pairs)
    held = TraceFilter.of_spans(hashes, np.array([minute for _, minute in pairs], np.int64))
    found = set(held.minutes_of(hashes, 0, 50))

    assert held.has_minutes
    assert {(place, minute) for place, (_, minute) in enumerate(pairs)} <= found
    assert held.places_of(hashes) == list(range(len(pairs)))


def test_few_other_minutes_pass():
    """Of minutes that are not there at most 0.5 % pass."""
    rng = random.Random(1)  # noqa: S311 - sample data
    hashes = TraceFilter.hashes_of(rng.randbytes(16) for _ in range(2000))
    held = TraceFilter.of_spans(hashes, np.full(2000, 5))

    assert len(held.minutes_of(hashes, 0, 100)) - 2000 <= 2000 * 100 * 0.005


def written_before(hashes):
    """A filter as older versions wrote it: four probes, and a power of two of bits, ten or more for each hash."""
    size = 1 << (len(hashes) * 10 - 1).bit_length()
    flags = np.zeros(size, bool)
    for k in range(4):
        step = hashes >> np.uint64(32) | np.uint64(1)
        flags[(hashes & np.uint64(0xFFFFFFFF)) + np.uint64(k) * step & np.uint64(size - 1)] = True
    return TraceFilter(np.packbits(flags))


@pytest.mark.parametrize("make", [TraceFilter.build, written_before])
@pytest.mark.parametrize("count", [3, 200])  # few are asked for in another way than many
def test_filters_of_any_version_tell_where_traces_are(make, count):
    """Ids that went in with minutes are found in these, ids without minutes in all of the segment, others hardly."""
    rng = random.Random(1)  # noqa: S311 - sample data
    hashes = TraceFilter.hashes_of(rng.randbytes(16) for _ in range(2 * count))
    minutes = np.arange(count) % 5
    marks = np.arange(16, dtype=np.uint64) * np.uint64(0xAF251AF3B0F025B5)
    pairs = TraceFilter.with_minutes(hashes[:count], minutes)
    with_minutes, without = make(np.concatenate([hashes[:count], pairs, marks])), make(hashes[:count])
    last_ns = 5 * MINUTE_NS - 1
    found = set(with_minutes.ranges_of(hashes, 7, last_ns))
    begun = {(place, int(at) * MINUTE_NS, int(at + 1) * MINUTE_NS) for place, at in enumerate(minutes)}
    whole = set(without.ranges_of(hashes, 7, last_ns))

    assert (with_minutes.has_minutes, without.has_minutes) == (True, False)
    assert begun <= found
    assert len(found) <= 1.2 * count + 1
    assert {(place, 7, last_ns + 1) for place in range(count)} <= whole
    assert len(whole) <= 1.1 * count + 1


def test_filters_of_older_versions_have_no_minutes():
    """A filter over ids alone is told from one that has minutes, however full it is."""
    rng = random.Random(1)  # noqa: S311 - sample data
    assert not any(built([rng.randbytes(16) for _ in range(count)]).has_minutes for count in range(200))


def test_other_lengths_are_not_there():
    """An id of another length than 16 bytes is held by no filter, an empty filter holds nothing."""
    assert not may_hold(built([b"x" * 16]), b"x" * 15)
    assert not may_hold(built([]), b"x" * 16)


def test_one_of_several_is_enough():
    """Asked for several ids, a filter holds one if any may be there."""
    held = built([b"x" * 16])

    assert held.may_hold(TraceFilter.hashes_of([b"y" * 16, b"x" * 16, b"short"]))
