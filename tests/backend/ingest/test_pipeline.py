"""The way in: every caller is answered once, with what became of its request, whatever fails behind it."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
import weakref

import pytest
from nodes import Clock, spans
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs

from spanglass_server.ingest.budget import ByteBudget
from spanglass_server.ingest.decoding.decode import DecodeLimits, Decoder
from spanglass_server.ingest.digests import DigestWindow
from spanglass_server.ingest.journal.file import JournalError
from spanglass_server.ingest.pipeline import Pipeline
from spanglass_server.ingest.ports import Accepted, IngestError, Refusal
from spanglass_server.self_metrics import registry as own
from spanglass_server.self_metrics.registry import Telemetry
from spanglass_server.signals import Signal
from spanglass_server.supervision import Backoff, Supervisor

PATIENCE_S = 60


async def until(condition):
    """Wait for what another thread does."""

    def wait():
        end = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < end
            time.sleep(0.001)

    await asyncio.to_thread(wait)


class Generations:
    """A journal in memory, which fails or waits when it is told to."""

    def __init__(self, digests):
        self.problem = self.behind = self.error = None
        self.batches = []
        self.go = threading.Event()
        self.go.set()
        self.asked = threading.Event()
        self._digests = digests

    def append(self, entries, decoded):
        """Take a batch."""
        self.asked.set()
        assert self.go.wait(PATIENCE_S)
        if self.error is not None:
            raise self.error
        self.batches.append(([entry.body for entry in entries], sum(part.row_count for part in decoded)))
        for entry in entries:
            self._digests.add(1, entry.digest, entry.received_ns)


class Way:
    """A pipeline with all its threads, and what it stands on."""

    def __init__(self, max_bytes=1 << 20):
        self.telemetry = Telemetry()
        self.supervisor = Supervisor(self.telemetry, Backoff(0.001, 0.001))
        self.decoder = Decoder(DecodeLimits())
        digests = DigestWindow(10**9)
        self.generations = Generations(digests)
        self.budget = ByteBudget(max_bytes)
        self.pipeline = Pipeline(
            *(self.decoder, self.generations, digests, self.telemetry, Clock(), self.budget, self.supervisor)
        )

    async def submit(self, body, signal=Signal.SPANS):
        """Submit a body, with patience."""
        return await asyncio.wait_for(self.pipeline.submit(signal, body), PATIENCE_S)

    def submit_all(self, *bodies):
        """Submit bodies at once; each one's answer or error."""

        async def submit():
            return await asyncio.gather(*map(self.submit, bodies), return_exceptions=True)

        return asyncio.run(submit())

    def refusals(self, *bodies):
        """Submit bodies that are refused; why each is."""
        return [(answer.refusal, str(answer)) for answer in self.submit_all(*bodies)]


@pytest.fixture
def way():
    made = Way()
    yield made
    made.generations.go.set()
    made.supervisor.stop()
    made.pipeline.close()


def test_requests_are_journaled_and_answered(way):
    """Each caller gets the count of its own records; what is empty is answered without the journal."""
    answers = way.submit_all(spans("a", "b"), spans("c"), b"")

    assert answers == [Accepted(2), Accepted(1), Accepted(0)]
    assert sorted(body for bodies, _ in way.generations.batches for body in bodies) == sorted(
        [spans("a", "b"), spans("c")]
    )
    assert sum(rows for _, rows in way.generations.batches) == 3
    assert way.budget.held_bytes == 0


def test_what_waits_shares_one_write(way):
    """While one batch is written, all that comes meanwhile becomes one batch, whatever its signals are."""
    way.generations.go.clear()
    log = ResourceLogs(scope_logs=[ScopeLogs(log_records=[LogRecord(time_unix_nano=1)] * 2)])
    logs = ExportLogsServiceRequest(resource_logs=[log]).SerializeToString()

    async def submit():
        first = asyncio.create_task(way.submit(spans("first")))
        await asyncio.to_thread(way.generations.asked.wait, PATIENCE_S)
        others = [asyncio.create_task(way.submit(spans(f"n{number}"))) for number in range(19)]
        others.append(asyncio.create_task(way.submit(logs, Signal.LOGS)))
        await until(lambda: way.pipeline._incoming.qsize() == 20)
        way.generations.go.set()
        return await asyncio.gather(first, *others)

    answers = asyncio.run(submit())

    assert answers == [Accepted(1)] * 20 + [Accepted(2)]
    assert [(len(bodies), rows) for bodies, rows in way.generations.batches] == [(1, 1), (20, 21)]


def test_bad_bodies_harm_no_others(way):
    """What is no OTLP is refused alone, with no digest kept, so that it is refused again."""
    broken = b"\xff\xff"
    for _ in range(2):
        (refused, accepted) = way.submit_all(broken, spans("a"))
        assert refused.refusal is Refusal.MALFORMED
        assert accepted.accepted + accepted.duplicate == 1

    assert [bodies for bodies, _ in way.generations.batches] == [[spans("a")]]


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (JournalError(28, "the journal can't be written (No space left on device)"), "the journal can't be written"),
        (MemoryError(), "storing failed in the server; see its log"),
    ],
)
def test_a_failed_write_is_an_answer(way, error, message):
    """Every caller of the batch, followers included, may send again; nothing of it is remembered as stored."""
    way.generations.error = error
    body = spans("a")
    refused = way.refusals(body, body, spans("b"))
    way.generations.error = None

    assert [refusal for refusal, _ in refused] == [Refusal.UNAVAILABLE] * 3
    assert all(message in text for _, text in refused)
    assert way.submit_all(body) == [Accepted(1)]
    assert way.pipeline.health is None


def test_a_refused_request_is_let_go(way):
    """Nothing of it waits for the collector of cycles, which counts objects and not what they hold."""
    way.generations.error = JournalError(28, "No space left on device")

    async def submit():
        reservation = way.pipeline.admit(100)
        refusals = []
        try:
            await way.pipeline.submit(Signal.SPANS, spans("a"), reservation)
        except IngestError as error:  # pytest.raises would keep it
            refusals.append(error.refusal)
        assert refusals == [Refusal.UNAVAILABLE]
        way.generations.error = None  # its traceback has the batch
        return weakref.ref(reservation)

    gc.disable()
    try:
        left = asyncio.run(submit())
        asyncio.run(until(lambda: left() is None))  # the pipeline's thread may have it still
    finally:
        gc.enable()


@pytest.mark.parametrize("part", ["decoder.check", "pipeline._decode_or_fail"])
def test_a_decoder_that_breaks_answers_its_callers(way, monkeypatch, part):
    """Whatever it raises, and wherever in the thread, callers are answered and the next request is taken."""
    owner, method = part.split(".")
    with monkeypatch.context() as patched:
        patched.setattr(getattr(way, owner), method, _raising(MemoryError()))
        refused = way.refusals(spans("a"))

    assert refused == [(Refusal.UNAVAILABLE, "decoding failed in the server; see its log")]
    assert way.submit_all(spans("a")) == [Accepted(1)]


def _raising(error):
    def fail(*_):
        raise error

    return fail


def test_each_caller_of_a_failed_batch_is_answered_once(way, monkeypatch):
    """One whose bytes another one sends too, or that was told already that it is stored, has one answer as well."""
    answers: dict[str, list[object]] = {name: [] for name in ("stored", "first", "resend")}

    async def submit():
        await way.submit(spans("a"))
        entered, go = threading.Event(), threading.Event()
        check = way.decoder.check

        def broken(signal, bodies, received_ns, form):
            if bodies == [spans("wait")]:
                entered.set()
                assert go.wait(PATIENCE_S)
                return check(signal, bodies, received_ns, form)
            raise MemoryError

        monkeypatch.setattr(way.decoder, "check", broken)
        waiting = asyncio.create_task(way.submit(spans("wait")))
        await asyncio.to_thread(entered.wait, PATIENCE_S)
        for name, body in zip(answers, [spans("a"), spans("b"), spans("b")], strict=True):
            way.pipeline.offer(Signal.SPANS, body, answers[name].append)
        go.set()
        await waiting
        await until(lambda: all(answers.values()))
        monkeypatch.setattr(way.decoder, "check", check)
        await way.submit(spans("c"))  # the next batch: by then a second answer would be there

    asyncio.run(submit())

    assert answers["stored"] == [Accepted(0, duplicate=True)]
    for name in ("first", "resend"):
        assert [type(answer) for answer in answers[name]] == [IngestError]
    assert way.budget.held_bytes == 0


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_without_its_threads_nothing_is_taken(way):
    """When a thread has ended, requests are refused at once with the reason, instead of waiting for ever."""
    way.generations.error = SystemExit()

    async def submit():
        task = asyncio.create_task(way.submit(spans("a")))
        await until(lambda: way.pipeline.health is not None)
        task.cancel()
        with pytest.raises(IngestError, match="the server's thread 'decoder' has ended; restart the server"):
            await way.submit(spans("b"))

    asyncio.run(submit())


def test_admission_names_what_is_wrong(way):
    """Nothing is taken while the journal refuses, flushes lag, or the pipeline stops; each says why."""
    refusals = []
    for name, reason in (("problem", "the disk is full"), ("behind", "segments can't be written (full)")):
        setattr(way.generations, name, reason)
        refusals += way.refusals(spans("a"))
        setattr(way.generations, name, None)
    way.pipeline.close()
    refusals += way.refusals(spans("a"))

    assert refusals == [
        (Refusal.UNAVAILABLE, "the disk is full; send again later"),
        (Refusal.OVERLOADED, "segments can't be written (full); send again later"),
        (Refusal.UNAVAILABLE, "the server is stopping; send again later"),
    ]


def test_a_cancelled_caller_costs_nothing(way):
    """Its request is stored all the same, and the callers behind it are answered."""
    way.generations.go.clear()

    async def submit():
        gone = asyncio.create_task(way.submit(spans("gone")))
        await asyncio.to_thread(way.generations.asked.wait, PATIENCE_S)
        gone.cancel()
        after = asyncio.create_task(way.submit(spans("after")))
        await asyncio.sleep(0)
        way.generations.go.set()
        return await after

    assert asyncio.run(submit()) == Accepted(1)
    assert [bodies for bodies, _ in way.generations.batches] == [[spans("gone")], [spans("after")]]


def test_what_is_stored_is_counted(way):
    """Records by signal, and resends; a request that failed counts nothing."""
    way.submit_all(spans("a", "b"), spans("a", "b"))
    way.generations.error = MemoryError()
    way.submit_all(spans("c"))

    assert way.telemetry._values[own.RECEIVED_RECORDS] == {("spans",): 2}
    assert way.telemetry._values[own.DUPLICATE_REQUESTS] == {("spans",): 1}
