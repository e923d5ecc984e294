"""Acknowledged records become rows in memory: all that were there at the call, batched, each once."""

from __future__ import annotations

import threading

import pytest
from nodes import NOW_NS, spans
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from spanglass_server.ingest import pending as module
from spanglass_server.ingest import shredding
from spanglass_server.ingest.attributes.limits import ShredLimits
from spanglass_server.ingest.decoding.decode import DecodeLimits, Decoder
from spanglass_server.ingest.pending import Pending
from spanglass_server.ingest.shredding import Shredding
from spanglass_server.self_metrics.registry import Telemetry
from spanglass_server.signals import Signal
from spanglass_server.store.segment_files.catalog import LocalCatalog
from spanglass_server.store.segment_files.retention import RetentionLimits
from spanglass_server.store.store import Store, StoreLimits

DECODER = Decoder(DecodeLimits())


@pytest.fixture(params=["decode", "check"])
def decoded(request):
    """Makes the records of a request with a span of each name, decoded or only checked."""

    def make(*names):
        (result,) = getattr(DECODER, request.param)(Signal.SPANS, [spans(*names)], [NOW_NS])
        return result[0]

    return make


@pytest.fixture
def store(tmp_path):
    catalog = LocalCatalog(tmp_path / "catalog.sqlite")
    yield Store(tmp_path, catalog, StoreLimits(1000, RetentionLimits({})), Telemetry())
    catalog.close()


@pytest.fixture
def pending(store):
    return Pending(Shredding(store, ShredLimits(), Telemetry()))


def rows(store):
    """The names in memory, with their generation."""
    return [
        (chunk.generation, name)
        for chunk in store.contents.snapshot.chunks[Signal.SPANS]
        for name in chunk.table["name"].to_pylist()
    ]


def test_what_was_added_is_in_memory_after_a_call(store, pending, decoded):
    """Each record once, in its generation, in the order in which it was added; nothing waits any more."""
    pending.add(1, decoded("a", "b"))
    pending.add(1, decoded("c"))
    pending.add(2, decoded("d"))
    waiting = pending.size_bytes
    pending.settle()
    pending.settle()

    assert rows(store) == [(1, "a"), (1, "b"), (1, "c"), (2, "d")]
    assert waiting > 0
    assert pending.size_bytes == 0


def test_a_call_ends_while_others_add(store, pending, decoded, monkeypatch):
    """What is added during a call waits for the next one, however fast it comes."""
    shred = shredding.shred

    def while_more_comes(parts, budget, limits, families):
        pending.add(1, decoded("later"))
        return shred(parts, budget, limits, families)

    pending.add(1, decoded("a"))
    with monkeypatch.context() as patched:
        patched.setattr(shredding, "shred", while_more_comes)
        pending.settle()
    at_once = rows(store)
    pending.settle()

    assert at_once == [(1, "a")]
    assert rows(store) == [(1, "a"), (1, "later")]


def test_who_waited_for_another_thread_shreds_nothing_more(store, pending, decoded, monkeypatch):
    """What was there at its call is in memory then; what came since waits for more, and for the next call."""
    shred, waits = shredding.shred, threading.Event()
    second = threading.Thread(target=pending.settle, args=[lambda: waits.set() or False])

    def while_another_asks(parts, budget, limits, families):
        second.start()
        waits.wait()
        pending.add(1, decoded("later"))
        return shred(parts, budget, limits, families)

    pending.add(1, decoded("a"))
    with monkeypatch.context() as patched:
        patched.setattr(shredding, "shred", while_another_asks)
        pending.settle()
        second.join()
    at_once = rows(store)
    pending.settle()

    assert at_once == [(1, "a")]
    assert rows(store) == [(1, "a"), (1, "later")]


def test_a_stopped_call_ends_and_loses_nothing(store, pending, decoded, monkeypatch):
    """Between two batches, or while another thread shreds; what it left is there for the next call, in order."""
    monkeypatch.setattr(module, "_BATCH_BYTES", 1)
    for name in "abc":
        pending.add(1, decoded(name))
    looks = iter([False, True])
    pending.settle(lambda: next(looks))
    first = rows(store)
    with pending._turn:
        waiting = threading.Thread(target=pending.settle, args=[lambda: True])
        waiting.start()
        waiting.join()
    pending.add(2, decoded("e"))
    pending.settle(lambda: True)
    pending.settle()

    assert first == [(1, "a")]
    assert rows(store) == [(1, "a"), (1, "b"), (1, "c"), (2, "e")]


def test_too_little_memory_says_nothing_of_the_records(store, pending, decoded, monkeypatch):
    """They wait for the next call, each once; only a part that fails alone again and again is given up."""
    shred, short = shredding.shred, [True]

    def failing(parts, budget, limits, families):
        if short[0] and (len(parts) > 1 or "big" in parts[0].batch.to_pylist().__repr__()):
            raise MemoryError
        return shred(parts, budget, limits, families)

    monkeypatch.setattr(shredding, "shred", failing)
    for name in ("a", "big", "c"):
        pending.add(1, decoded(name))
    with pytest.raises(MemoryError):
        pending.settle()
    meanwhile, damaged = rows(store), set(pending.damaged)
    short[0] = False
    pending.settle()
    after = rows(store)
    short[0] = True
    pending.add(2, decoded("big"))
    for _ in range(module._MEMORY_FAILURES_MAX):
        with pytest.raises(MemoryError):
            pending.settle()
    pending.settle()

    assert (meanwhile, damaged) == ([(1, "a")], set())
    assert after == rows(store) == [(1, "a"), (1, "big"), (1, "c")]
    assert (pending.damaged, pending.size_bytes) == ({2}, 0)


def test_a_bad_part_costs_no_other(store, pending, decoded, monkeypatch):
    """One that can't become columns is left out alone; its generation is damaged until it is forgotten."""
    shred = shredding.shred

    def failing(parts, budget, limits, families):
        if "bad" in [part.batch for part in parts].__repr__():
            raise ValueError("as a defect would")
        return shred(parts, budget, limits, families)

    monkeypatch.setattr(shredding, "shred", failing)
    for name in ("a", "bad", "c"):
        pending.add(1, decoded(name))
    pending.settle()
    damaged = set(pending.damaged)
    pending.forget(1)

    assert rows(store) == [(1, "a"), (1, "c")]
    assert (damaged, pending.damaged, pending.size_bytes) == ({1}, set(), 0)


def test_records_that_wait_say_of_which_traces_they_may_be(store, pending, decoded, monkeypatch):
    """Until they are in the store, also while they are shredded; spans and log records, and no others."""
    shred, during = shredding.shred, []

    def looking(parts, budget, limits, families):
        during.append(pending.may_be_of([b"0" * 15 + b"a"]))
        return shred(parts, budget, limits, families)

    def may_be_of(name):
        return pending.may_be_of([b"\xff" * 16, name.encode().rjust(16, b"0")])

    monkeypatch.setattr(shredding, "shred", looking)
    request = ExportLogsServiceRequest()
    request.resource_logs.add().scope_logs.add().log_records.add(trace_id=b"0" * 15 + b"c")
    (logs,) = DECODER.decode(Signal.LOGS, [request.SerializeToString()], [NOW_NS])
    pending.add(1, decoded("a", "b"))
    pending.add(1, logs[0])
    waiting = [may_be_of(name) for name in "abcd"]
    pending.settle()

    assert waiting == [True, True, True, False]
    assert during[0]
    assert not any(may_be_of(name) for name in "abcd")
    assert rows(store) == [(1, "a"), (1, "b")]


def test_a_bad_request_costs_none_that_was_checked_with_it(store, pending, monkeypatch):
    """Requests that were checked in one call are divided where they can't become columns together; order stays."""
    shred = shredding.shred

    def failing(parts, budget, limits, families):
        if "bad" in [part.batch for part in parts].__repr__():
            raise ValueError("as a defect would")
        return shred(parts, budget, limits, families)

    monkeypatch.setattr(shredding, "shred", failing)
    results = DECODER.check(Signal.SPANS, [spans("a", "b"), spans("bad"), spans("c")], [NOW_NS] * 3)
    for parts, _ in results:
        pending.add(1, parts)
    waiting = pending.rows_of(Signal.SPANS)
    pending.settle()

    assert [len(parts) for parts, _ in results] == [1, 0, 0]
    assert (waiting, pending.rows_of(Signal.SPANS), pending.size_bytes) == (4, 0, 0)
    assert rows(store) == [(1, "a"), (1, "b"), (1, "c")]
    assert pending.damaged == {1}


@pytest.mark.parametrize("ended_by", ["settle", "close"])
def test_who_adds_may_wait_for_room(pending, decoded, monkeypatch, ended_by):
    """Until few enough bytes wait, or nobody makes columns any more; not at all where there is room."""
    pending.add(1, decoded("a"))
    pending.wait_for_room(pending.size_bytes, 3600)
    is_waiting, ended = threading.Event(), []
    wait_for = pending._changed.wait_for
    monkeypatch.setattr(pending._changed, "wait_for", lambda *given: (is_waiting.set(), wait_for(*given)))
    waiting = threading.Thread(target=lambda: ended.append(pending.wait_for_room(0, 3600)))
    waiting.start()
    is_waiting.wait()
    before = list(ended)
    getattr(pending, ended_by)()
    waiting.join()

    assert (before, ended) == ([], [None])


def test_what_a_query_had_shredded_makes_others_wait_no_less(store, monkeypatch):
    """The longest wait begins with the first record after the last query, not with those that it has had shredded."""
    monkeypatch.setattr(module, "_SOON_S", 0.0)
    times = [0.0]
    pending = Pending(Shredding(store, ShredLimits(), Telemetry()), lambda: times[-1])
    waits = []
    monkeypatch.setattr(pending._changed, "wait", lambda timeout_s: (waits.append(timeout_s), times.append(99.0)))
    for name, added_s in (("before", 0.0), ("after", 11.0)):
        times.append(added_s)
        pending.add(1, DECODER.check(Signal.SPANS, [spans(name)], [NOW_NS])[0][0])
        if name == "before":
            times.append(10.0)
            pending.settle()
    times.append(12.0)
    went_on = pending.step()

    assert (went_on, waits[0], rows(store)) == (True, 11.0 + 16.0 - 12.0, [(1, "before"), (1, "after")])


def test_few_records_wait_for_more_and_many_do_not(store, pending, monkeypatch):
    """Many are shredded soon, few after the longest wait; the end of the server is not held up by either."""
    monkeypatch.setattr(module, "_SOON_S", 0.0)
    monkeypatch.setattr(module, "_LATEST_S", 3600.0)
    few, many = (DECODER.check(Signal.SPANS, [spans(name)], [NOW_NS])[0][0] for name in ("few", "many"))
    pending.add(1, few)
    steps = []
    thread = threading.Thread(target=lambda: steps.append(pending.step()))
    thread.start()
    before = rows(store)
    monkeypatch.setattr(module, "_SOON_BYTES", pending.size_bytes + 1)
    pending.add(1, many)
    thread.join()
    both = rows(store)
    pending.add(1, few)
    monkeypatch.setattr(module, "_LATEST_S", 0.0)
    steps.append(pending.step())
    pending.add(1, few)
    pending.close()
    steps.append(pending.step())

    assert before == []
    assert both == [(1, "few"), (1, "many")]
    assert rows(store) == [*both, (1, "few")]
    assert steps == [True, True, False]
    assert pending.size_bytes > 0
