"""The way in: bodies are decoded and checked, journaled with one fsync for all that wait, and acknowledged.

Two threads work behind ``submit``. The *decoder* gathers waiting bodies, recognises resends, decodes and checks. The
*committer* journals what passed, hands it to ``Pending``, where queries find it, and only then resolves the waiting
calls. While one fsync is under way the next batch gathers, so latency stays near one fsync under any load. What is
little is committed by the decoder: it is checked in a millisecond, and waking another thread costs as much as the rest.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from spanglass_server.ingest.budget import Reservation
from spanglass_server.ingest.decoding.decode import are_undated
from spanglass_server.ingest.digests import DigestWindow, digest_of
from spanglass_server.ingest.journal.file import Entry, JournalError
from spanglass_server.ingest.ports import Accepted, Form, IngestError, Refusal
from spanglass_server.self_metrics import registry as own
from spanglass_server.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from spanglass_server.ingest.budget import ByteBudget
    from spanglass_server.ingest.decoding.checked import Checked
    from spanglass_server.ingest.decoding.decode import Decoded, Decoder
    from spanglass_server.ingest.journal.generations import Generations
    from spanglass_server.ingest.ports import Judged
    from spanglass_server.self_metrics.registry import Telemetry
    from spanglass_server.supervision import Supervisor

_LOG = logging.getLogger(__name__)
_GATHER_BODIES = 64  # decoded in one call at most
_INTERVAL_S = 0.005  # between calls that had several: 2,000 requests a second come ten at a time, not three
#: That the decoder commits by itself: ten requests of ten spans. With four times as many, the next were not checked
#: while these were synced, and 64 senders had their answers after 44 to 48 ms in the median instead of 28 to 33.
_FEW_BYTES = 64 << 10
_GATHER_BYTES = 2 << 20  # 4000 spans: 11 ms that hold the interpreter's lock


@dataclass(slots=True, eq=False)
class _Item:
    """One call of ``submit`` on its way."""

    signal: Signal
    body: bytes
    received_ns: int
    loop: asyncio.AbstractEventLoop
    answer: Callable[[Judged], None]
    held: Reservation
    form: Form = Form.OTLP
    digest: bytes = b""
    decoded: Sequence[Decoded | Checked] = ()
    result: Accepted | None = None
    followers: list[_Item] = field(default_factory=list)
    is_answered: bool = False


class Pipeline:
    """The one implementation of ``Ingest``."""

    def __init__(
        self,
        decoder: Decoder,
        generations: Generations,
        digests: DigestWindow,
        telemetry: Telemetry,
        clock_ns: Callable[[], int],
        budget: ByteBudget,
        supervisor: Supervisor,
    ) -> None:
        self._decoder = decoder
        self._generations = generations
        self._digests = digests
        self._telemetry = telemetry
        self._clock_ns = clock_ns
        self._budget = budget
        self._under_way: dict[bytes, _Item] = {}
        self._dedupe = threading.Lock()
        self._stopping = False
        self._committing = threading.Lock()
        self._several = False  # whether the last call of the decoder had several bodies ...
        self._began_s = 0.0  # ... and when it began
        self._incoming: queue.SimpleQueue[_Item | None] = queue.SimpleQueue()
        self._checked: queue.SimpleQueue[list[_Item] | None] = queue.SimpleQueue()
        self._threads = [
            supervisor.start("decoder", self._decode_step),
            supervisor.start("committer", self._commit_step),
        ]

    @property
    def health(self) -> str | None:
        """See ``Ingest``."""
        if self._stopping:
            return "the server is stopping"
        return next((thread.problem for thread in self._threads if thread.ended), self._generations.problem)

    def admit(self, size_bytes: int) -> Reservation:
        """See ``Ingest``."""
        if (problem := self.health) is not None:
            raise IngestError(Refusal.UNAVAILABLE, f"{problem}; send again later")
        if (reason := self._generations.behind) is not None:
            raise IngestError(Refusal.OVERLOADED, f"{reason}; send again later")
        return Reservation(self._budget, size_bytes)

    async def submit(
        self, signal: Signal, body: bytes, reservation: Reservation | None = None, form: Form = Form.OTLP
    ) -> Accepted:
        """See ``Ingest``."""
        done: asyncio.Future[Accepted] = asyncio.get_running_loop().create_future()
        self.offer(signal, body, partial(_resolve_future, done), reservation, form)
        try:
            return await done
        finally:
            del done  # it keeps an error whose traceback has this frame, and so the body

    def offer(
        self,
        signal: Signal,
        body: bytes,
        answer: Callable[[Judged], None],
        reservation: Reservation | None = None,
        form: Form = Form.OTLP,
    ) -> None:
        """See ``Ingest``."""
        if self._stopping:
            raise IngestError(Refusal.UNAVAILABLE, f"{self.health}; send again later")
        held = self.admit(len(body)) if reservation is None else reservation.transfer(len(body))
        loop = asyncio.get_running_loop()
        if not body:
            loop.call_soon(answer, Accepted(0))
            return
        self._incoming.put(_Item(signal, body, self._clock_ns(), loop, answer, held, form))

    def close(self) -> None:
        """Refuse what comes from now on, and finish what was taken. Blocks."""
        self._stopping = True
        self._incoming.put(None)
        decoder, committer = self._threads
        decoder.join()
        self._checked.put(None)  # a decoder that broke has not said so
        committer.join()

    # The decoder's thread

    def _decode_step(self) -> bool:
        items, more = self._gather()
        try:
            alike: dict[tuple[Signal, Form], list[_Item]] = defaultdict(list)
            for item in items:
                alike[item.signal, item.form].append(item)
            passed = [item for same in alike.values() for item in self._decode_or_fail(same)]
            if passed:
                self._hand_over(passed)
        except Exception:
            self._fail(items, IngestError(Refusal.UNAVAILABLE, "decoding failed in the server; see its log"))
            raise
        return more

    def _decode_or_fail(self, items: list[_Item]) -> list[_Item]:
        try:
            return self._decode(items)
        except Exception:  # noqa: BLE001 - the callers are answered, and others go on
            _LOG.exception("decoding failed")
            self._fail(items, IngestError(Refusal.UNAVAILABLE, "decoding failed in the server; see its log"))
            return []

    def _gather(self) -> tuple[list[_Item], bool]:
        """All that waits, up to the limits of one call; False once the pipeline is closed and empty."""
        items: list[_Item] = []
        size = 0
        item = self._incoming.get()
        if item is not None:
            self._let_more_come()
        while item is not None:
            items.append(item)
            size += len(item.body)
            if len(items) == _GATHER_BODIES or size >= _GATHER_BYTES:
                break
            try:
                item = self._incoming.get_nowait()
            except queue.Empty:
                break
        self._several = len(items) > 1
        return items, item is not None

    def _let_more_come(self) -> None:
        """Under load have calls begin at intervals: several requests at once cost little more than one."""
        now_s = time.monotonic()
        if self._several and (left_s := self._began_s + _INTERVAL_S - now_s) > 0:
            time.sleep(left_s)
            now_s += left_s
        self._began_s = now_s

    def _decode(self, items: list[_Item]) -> list[_Item]:
        """Decode and check requests of one signal and form; returns those that are to be stored."""
        fresh = [item for item in items if not self._is_resend(item)]
        if not fresh:
            return []
        signal, form = fresh[0].signal, fresh[0].form
        bodies, received_ns = [item.body for item in fresh], [item.received_ns for item in fresh]
        with self._telemetry.timed(own.DECODE_SECONDS, signal):
            results = self._decoder.check(signal, bodies, received_ns, form)
        passed = []
        for item, result in zip(fresh, results, strict=True):
            if isinstance(result, IngestError):
                self._fail([item], result)
                continue
            item.decoded, verdict = result
            item.result = verdict.result(form)
            for reason, count in verdict.reasons.items():
                self._telemetry.add(own.REJECTED_RECORDS, count, signal, reason)
            if verdict.accepted:
                passed.append(item)
            else:
                self._succeed([item])  # nothing to keep: an empty request, or one whose records were all rejected
        return passed

    def _hand_over(self, items: list[_Item]) -> None:
        """Have requests committed: here and now if they are small and none are before them."""
        is_little = sum(len(item.body) for item in items) <= _FEW_BYTES
        if not is_little or not self._committing.acquire(blocking=False):
            self._checked.put(items)
            return
        try:
            if self._checked.empty():
                self._commit(items)
            else:
                self._checked.put(items)
        finally:
            self._committing.release()

    def _is_resend(self, item: _Item) -> bool:
        """Whether the request was stored before, or is on its way: then it is answered with the first one."""
        item.digest = digest_of(item.signal, item.body, None if item.form is Form.OTLP else item.form)
        with self._dedupe:
            if item.digest not in self._under_way and item.digest not in self._digests:
                self._under_way[item.digest] = item
                return False
        if self._is_undated(item):
            item.digest = digest_of(item.signal, item.body, unlike_others=True)
        with self._dedupe:
            first = self._under_way.get(item.digest)
            if first is not None:
                first.followers.append(item)
            elif item.digest in self._digests:
                item.result = Accepted(0, duplicate=True)
            else:
                self._under_way[item.digest] = item
                return False
        self._telemetry.add(own.DUPLICATE_REQUESTS, 1, item.signal)
        if item.result is not None:
            item.result = replace(item.result, kinds=self._kinds(item))
            self._release([item], None)
        return True

    def _is_undated(self, item: _Item) -> bool:
        """Whether equal bytes are no resend: see ``digests``. Decodes the body for it, which few are known to need."""
        if item.signal is not Signal.LOGS:
            return False
        (result,) = self._decoder.decode(item.signal, [item.body], [item.received_ns])
        return not isinstance(result, IngestError) and are_undated(result[0])

    def _kinds(self, item: _Item) -> dict[str, int]:
        """How much of each kind a resend holds: senders of remote write are told it again."""
        if item.form is Form.OTLP:
            return {}
        (result,) = self._decoder.decode(item.signal, [item.body], [item.received_ns], item.form)
        return {} if isinstance(result, IngestError) else result[1].kinds

    # The committer's thread

    def _commit_step(self) -> bool:
        batch = self._checked.get()
        items: list[_Item] = []
        while batch is not None:
            items += batch
            try:
                batch = self._checked.get_nowait()
            except queue.Empty:
                break
        if items:
            with self._committing:
                self._commit(items)
        return batch is not None

    def _commit(self, items: list[_Item]) -> None:
        entries = [Entry(item.signal, item.received_ns, item.digest, item.body, item.form) for item in items]
        try:
            self._generations.append(entries, [part for item in items for part in item.decoded])
        except JournalError as error:
            self._telemetry.add(own.STORAGE_ERRORS, 1, "journal")
            self._fail(items, IngestError(Refusal.UNAVAILABLE, f"{error.strerror}; send again later"))
            return
        except Exception:  # noqa: BLE001 - the callers are answered, and the thread goes on
            _LOG.exception("committing failed")
            self._fail(items, IngestError(Refusal.UNAVAILABLE, "storing failed in the server; see its log"))
            return
        self._succeed(items)

    # The ends of both

    def _succeed(self, items: Sequence[_Item]) -> None:
        counts: Counter[Signal] = Counter()
        for item in items:
            if item.result is not None:
                counts[item.signal] += item.result.accepted
        for signal, count in counts.items():
            self._telemetry.add(own.RECEIVED_RECORDS, count, signal)
        self._release(items, None)

    def _fail(self, items: Sequence[_Item], error: IngestError) -> None:
        self._release(items, error)

    def _release(self, items: Sequence[_Item], error: IngestError | None) -> None:
        """Resolve calls, and those that waited for the same bytes with them; each once, whoever else answers it too.

        A resend is in a batch of its own as well, which may fail before its first is stored, or after.
        """
        waiting: list[_Item] = []
        with self._dedupe:
            for item in items:
                if self._under_way.get(item.digest) is item:
                    del self._under_way[item.digest]
            for item in items:
                if not item.is_answered:
                    item.is_answered = True
                    waiting.append(item)
                for follower in item.followers:
                    if not follower.is_answered:
                        follower.is_answered = True
                        follower.result = _as_resend(item.result)
                        waiting.append(follower)
        _resolve(waiting, error)


def _as_resend(result: Accepted | None) -> Accepted | None:
    return None if result is None else replace(result, accepted=0, duplicate=True)


def _resolve(items: Sequence[_Item], error: IngestError | None) -> None:
    """Answer waiting calls in their own event loops, with one wake-up each loop; their bytes are held no longer."""
    for item in items:
        item.held.release()
    by_loop: dict[asyncio.AbstractEventLoop, list[_Item]] = defaultdict(list)
    for item in items:
        by_loop[item.loop].append(item)
    for loop, same in by_loop.items():
        try:
            loop.call_soon_threadsafe(_set_results, same, error)
        except RuntimeError:  # the loop is closed: nobody waits any more
            _LOG.debug("%d answers came after their event loop had ended", len(same))


def _set_results(items: Sequence[_Item], error: IngestError | None) -> None:
    for item in items:
        judged = error or item.result
        if judged is None:
            continue
        try:
            item.answer(judged)
        except Exception:  # noqa: BLE001 - the others are answered
            _LOG.exception("an answer failed")


def _resolve_future(done: asyncio.Future[Accepted], judged: Judged) -> None:
    if done.done():  # the caller was cancelled
        return
    if isinstance(judged, IngestError):
        done.set_exception(judged)
    else:
        done.set_result(judged)
