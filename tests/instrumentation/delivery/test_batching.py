"""Queues between the application and a server that does not answer: nobody waits, memory is bounded, drops count."""

from __future__ import annotations

import threading

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext, TraceFlags

from spanglass.delivery.batching import Batcher
from spanglass.delivery.closing import Closing
from spanglass.delivery.processors import SpanBatcher

WAIT_S = 30


@pytest.fixture
def new_batcher():
    """Make queues of small items; ``drops`` gathers what they lost."""
    made = []

    def make(export, capacity=4, **options):
        drops = []
        batcher = Batcher(
            export,
            Closing(),
            what="items",
            capacity=capacity,
            dropped=lambda count, why: drops.append((count, why)),
            timeout_ns=1,
            **options,
        )
        made.append(batcher)
        return batcher, drops

    yield make
    for batcher in made:
        batcher.stop()


def test_ending_a_span_does_not_wait_for_a_server_that_hangs(hanging, new_delivery):
    """While a request hangs 1000 spans end: the queue holds 8, the oldest are dropped and counted; then it goes on."""
    delivery = new_delivery(hanging.url, capacity=8)
    delivery.end_spans("first")
    assert not delivery.provider.force_flush(0)  # the thread has it, and hangs
    hanging.wait_for(1)

    delivery.end_spans(*(f"span {number}" for number in range(1000)))
    assert not hanging.go.is_set()
    assert (len(delivery.spans.queue), dict(delivery.traces.dropped)) == (8, {"queue_full": 992})

    hanging.go.set()
    assert delivery.flush()
    assert hanging.span_names() == ["first", *(f"span {number}" for number in range(992, 1000))]
    assert delivery.traces.sent == 9


def test_items_go_in_order_in_batches_of_512(new_batcher):
    """Of 1200 items that were put in, a flush exports all, in order; no batch is larger than 512."""
    batches = []
    batcher, drops = new_batcher(batches.append, capacity=2000)
    for number in range(1200):
        batcher.put(number)
    assert batcher.flush(WAIT_S)

    assert [number for batch in batches for number in batch] == list(range(1200))
    assert max(map(len, batches)) <= 512
    assert (batcher.passed_on, drops) == (1200, [])


def test_what_is_put_in_is_exported_by_itself(new_batcher):
    """Without a flush, and without a full batch, an item is exported after the delay."""
    exported = threading.Event()
    batcher, _drops = new_batcher(lambda _batch: exported.set(), delay_s=0.01)
    batcher.put("item")
    assert exported.wait(WAIT_S)


def test_a_flush_gives_up_in_time(new_batcher):
    """A flush of a queue whose export hangs says that it was not done."""
    go = threading.Event()
    batcher, _drops = new_batcher(lambda _batch: go.wait(WAIT_S))
    batcher.put("item")
    assert not batcher.flush(0)
    go.set()


def test_an_export_that_raises_costs_its_batch_only(new_batcher, monkeypatch):
    """An exception in an exporter is ours to swallow: the next item is exported all the same."""
    monkeypatch.delenv("SPANGLASS_STRICT")
    exported = []

    def export(batch):
        if batch == ["bad"]:
            raise ValueError(batch)
        exported.extend(batch)

    batcher, _drops = new_batcher(export)
    batcher.put("bad")
    assert batcher.flush(WAIT_S)
    batcher.put("good")
    assert batcher.flush(WAIT_S)
    assert exported == ["good"]


def test_what_comes_after_the_end_is_dropped_and_counted(new_batcher):
    """A stopped queue takes nothing, and says so in the counts."""
    batcher, drops = new_batcher(lambda _batch: None)
    batcher.stop()
    batcher.put("late")
    assert (len(batcher), drops, batcher.flush(0)) == (0, [(1, "already_shutdown")], False)


def test_spans_that_are_not_sampled_are_not_queued(canned, new_delivery):
    """A span that is recorded and not sampled is not exported; its sampled neighbour is."""
    delivery = new_delivery(canned.url)
    unsampled = SpanContext(1, 2, is_remote=False, trace_flags=TraceFlags(0))
    delivery.spans.on_end(ReadableSpan("recorded only", context=unsampled))
    delivery.end_spans("sampled")
    assert delivery.flush()
    assert canned.span_names() == ["sampled"]


def test_a_signal_handler_may_log_while_its_thread_starts_the_queue(new_batcher, monkeypatch):
    """An item that is put in while the same thread starts the queue's thread is exported too, and nothing locks up."""
    exported = []
    batcher, _drops = new_batcher(exported.extend)
    start = threading.Thread.start

    def interrupted(thread):
        batcher.put("of the handler")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", interrupted)
    batcher.put("first")
    monkeypatch.undo()
    assert batcher.flush(WAIT_S)
    assert exported == ["first", "of the handler"]


def test_opentelemetrys_variables_of_queues_are_read(new_delivery, canned, caplog):
    """Delay and size of batches are what OTEL_BSP_* say; a value that is no positive number is named and not used."""
    delivery = new_delivery(canned.url)

    def made(**environ):
        batcher = SpanBatcher(
            delivery.exporters.spans, delivery.counts, Closing(), capacity=1000, timeout_ns=1, environ=environ
        )
        batcher.queue.stop()
        return batcher.queue._delay_s, batcher.queue._batch

    assert [
        made(),
        made(OTEL_BSP_SCHEDULE_DELAY="20", OTEL_BSP_MAX_EXPORT_BATCH_SIZE="7"),
        made(OTEL_BSP_SCHEDULE_DELAY="0"),
    ] == [(1.0, 512), (0.02, 7), (1.0, 512)]
    assert [record.getMessage() for record in caplog.records] == [
        "environment variable OTEL_BSP_SCHEDULE_DELAY: expected a positive whole number, so 1000 is used"
    ]
