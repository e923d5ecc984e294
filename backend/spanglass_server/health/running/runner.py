"""Runs the server's checks on schedule: one event loop in one thread, where a check that hangs delays no other."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from spanglass_server.health.checkers.running import run_check
from spanglass_server.health.flapping import Patience, advanced
from spanglass_server.health.heartbeats import Memory, judged, remembered
from spanglass_server.health.model import CheckState, Run, Status, check_subject
from spanglass_server.health.running.agenda import Agenda
from spanglass_server.health.running.trust import way_of
from spanglass_server.self_metrics import registry as own

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping, Sequence

    from spanglass_server.forms.book import Found
    from spanglass_server.health.check import Check
    from spanglass_server.health.model import Call, Kept
    from spanglass_server.health.running.around import Around

_LOG = logging.getLogger(__name__)

_LOOK_EVERY_S: Final = 1.0  # at what is written
_LOOK_WITHOUT_CHECKS_S: Final = 2.0  # the same while nothing is
_WITHOUT_CHECKS_S: Final = 60.0  # a pause while there are none; the first one ends it
#: Runs of a check that are remembered: 2,000 checks take 30 MB of them.
_RUNS: Final = 30
#: While a status is in doubt a check runs again after a third of its interval, within these bounds.
_DOUBT_SHARE: Final = 3
_DOUBT_NS: Final = (10**9, 10 * 10**9)
#: What a cancelled run may take to clean up before it is left to itself.
_CLEAN_UP_S: Final = 0.5
_TRY_MORE_S: Final = 5.0
#: A check that was not seen for so long, beyond two of its intervals, was not watched.
_UNSEEN_NS: Final = 30 * 10**9


class CheckRunner:
    """The ``Runner``. ``step`` is the work of a supervised thread; ``stop`` ends it."""

    def __init__(self, around: Around) -> None:
        self._around = around
        self._agenda = Agenda()
        self._found: Mapping[str, Found[Check]] = {}
        self._states: dict[str, CheckState] = {}
        self._memories: dict[str, Memory] = {}
        self._runs: dict[str, deque[Run]] = {}
        self._running: dict[str, asyncio.Task[Run]] = {}
        self._background: set[asyncio.Task[None]] = set()
        self._kept: dict[str, Kept] | None = None  # of before the start, until a check is taken
        self._looked_ns = 0  # when the last look at what is written began
        self._lock = threading.Lock()  # over states and runs, which other threads read
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = threading.Event()
        self._stopping = threading.Event()
        self._wake: asyncio.Event | None = None

    # -- the Runner's interface, for any thread

    def states(self) -> Mapping[str, CheckState]:
        """See ``Runner``."""
        with self._lock:
            return dict(self._states)

    @property
    def is_idle(self) -> bool:
        """Whether there are no checks to run."""
        return not self._states

    def runs(self, uid: str) -> Sequence[Run]:
        """See ``Runner``."""
        with self._lock:
            return list(reversed(self._runs.get(uid, ())))

    def next_ns(self, uid: str) -> int:
        """See ``Runner``."""
        due_ns = self._agenda.due_ns(uid)
        clocks = self._around.clocks
        return clocks.now_ns() + due_ns - clocks.steady_ns() if due_ns else 0

    def try_out(self, check: Check, *, trusted: bool) -> Run:
        """See ``Runner``."""
        wait_s = self._timeout_ns(check) / 1e9 + _TRY_MORE_S
        if not self._ready.wait(_TRY_MORE_S) or self._loop is None:
            raise OSError("checks are not run at the moment: /server says what is wrong")
        return asyncio.run_coroutine_threadsafe(self._bounded(check, trusted=trusted), self._loop).result(wait_s)

    def called(self, uid: str, call: Call) -> None:
        """See ``Runner``."""
        loop = self._loop
        if loop is not None:
            loop.call_soon_threadsafe(self._take_call, uid, call)

    def stop(self) -> None:
        """End the work, and cancel what runs."""
        self._stopping.set()
        loop, wake = self._loop, self._wake
        if loop is not None and wake is not None and not loop.is_closed():
            loop.call_soon_threadsafe(wake.set)

    def step(self) -> bool:
        """Run checks until ``stop``; False then. What it raises is a fault, after which it is called again."""
        if not self._stopping.is_set():
            asyncio.run(self._main())
        return not self._stopping.is_set()

    # -- on the loop

    async def _main(self) -> None:
        self._loop, self._wake = asyncio.get_running_loop(), asyncio.Event()
        self._running.clear()
        self._ready.set()
        looking = self._loop.create_task(self._keep_looking())
        looking.add_done_callback(lambda _: self._wake_up())  # with what it failed with
        try:
            while not self._stopping.is_set():
                if looking.done():
                    looking.result()  # raises what it failed with
                for uid, due_ns in self._agenda.due(self._around.clocks.steady_ns()):
                    self._begin(uid, due_ns)
                await self._pause()
        finally:
            self._ready.clear()
            tasks = [looking, *self._running.values(), *self._background]
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=_CLEAN_UP_S)

    async def _keep_looking(self) -> None:
        """Look at what is written once a second, beside what runs; less often while nothing is."""
        while True:
            found = self._found
            await self._look()
            if self._found is not found:
                self._wake_up()
            await asyncio.sleep(_LOOK_EVERY_S if self._found else _LOOK_WITHOUT_CHECKS_S)

    async def _pause(self) -> None:
        """Wait until something is due, or one is woken."""
        assert self._wake is not None  # noqa: S101 - set where the loop begins
        next_ns = self._agenda.next_ns()
        if next_ns is None:
            wait_s = _WITHOUT_CHECKS_S
        else:
            wait_s = min(max(0.0, (next_ns - self._around.clocks.steady_ns()) / 1e9), _LOOK_EVERY_S)
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._wake.wait()
        self._wake.clear()

    async def _look(self) -> None:
        """Take what is written now."""
        around = self._around
        if self._kept is None:
            self._kept = dict(await asyncio.to_thread(around.store.kept))
        looked_ns = around.clocks.now_ns()
        found = await asyncio.to_thread(around.book.found) if around.defaults.enabled else {}
        if found is not self._found:
            await self._take_all(found)
        self._looked_ns = looked_ns

    async def _take_all(self, found: Mapping[str, Found[Check]]) -> None:
        """Take checks as they are written now, in the place of those before."""
        around = self._around
        on = {uid: each for uid, each in found.items() if each.value.enabled}
        for uid in [uid for uid in self._states if uid not in on]:
            self._drop(uid, "switched off" if uid in found else "the check is no more")
        for uid, each in on.items():
            if uid not in self._states:
                await self._take(each)
            elif each.value.heartbeat is not None and uid not in self._memories:  # it was of another kind
                await self._remember(each, None)
        self._found = found
        intervals = {uid: each.value.interval_ns or around.defaults.interval_ns for uid, each in on.items()}
        self._agenda.sync(intervals, around.clocks.steady_ns())

    async def _take(self, found: Found[Check]) -> None:
        """Begin with a check: as it stood before a short stop of the server, else as one that is not known."""
        assert self._kept is not None  # noqa: S101 - read before
        around, uid, now_ns = self._around, found.uid, self._around.clocks.now_ns()
        kept = self._kept.pop(check_subject(uid), None)
        state = CheckState(since_ns=now_ns)
        if kept is not None:
            interval_ns = found.value.interval_ns or around.defaults.interval_ns
            state = CheckState(status=kept.status, since_ns=kept.since_ns, detail=kept.detail)
            if kept.status is not Status.UNKNOWN and now_ns - kept.seen_ns > 2 * interval_ns + _UNSEEN_NS:
                lost = CheckState(since_ns=kept.seen_ns, detail="this server did not run")
                around.results.changed(found.value, state, lost, kept.seen_ns)
                state = lost
        if found.value.heartbeat is not None:
            await self._remember(found, kept)
        with self._lock:
            self._states[uid] = state
        around.results.seen(found.value, state, now_ns)

    async def _remember(self, found: Found[Check], kept: Kept | None) -> None:
        """Read the calls of a heartbeat; ``kept`` is how it stood before the server stopped.

        Of one that is new, or was switched on again, none from before counts: nobody waited for calls, nor took them.
        """
        calls: Sequence[Call] = await asyncio.to_thread(self._around.store.calls, found.uid)
        if kept is None:
            calls = [each for each in calls if each.time_ns >= self._looked_ns]
        now_ns = self._around.clocks.now_ns()
        known_ns = kept.since_ns if kept is not None and not calls else now_ns
        absent_ns = kept.seen_ns if kept is not None else 0
        self._memories[found.uid] = remembered(calls, known_ns, absent_ns, now_ns if absent_ns else 0)

    def _drop(self, uid: str, why: str) -> None:
        now_ns = self._around.clocks.now_ns()
        with self._lock:
            state = self._states.pop(uid)
            self._runs.pop(uid, None)
        self._memories.pop(uid, None)
        self._around.results.dropped(uid, state, replace(CheckState(since_ns=now_ns), detail=why), now_ns)

    def _begin(self, uid: str, due_ns: int) -> None:
        found, steady_ns = self._found[uid], self._around.clocks.steady_ns()
        self._around.telemetry.observe(own.HEALTH_CHECK_LATENESS_SECONDS, (steady_ns - due_ns) / 1e9)
        self._agenda.at(uid, self._agenda.following_ns(uid, steady_ns))
        if found.value.heartbeat is not None:
            if uid in self._memories:  # else it was dropped a moment ago
                self._judge(found)
        elif uid not in self._running:  # else it hangs beyond all timeouts, and was told of
            self._in_background(self._run(found))

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._background.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._background.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _LOG.error("a result of a health check could not be taken in, a fault of this server", exc_info=error)

    async def _run(self, found: Found[Check]) -> None:
        uid = found.uid
        run = await self._bounded(found.value, trusted=found.origin == "settings", key=uid)
        current = self._found.get(uid)
        if current is None or uid not in self._states or current.value != found.value:
            return  # it was changed or deleted while it ran
        self._take_run(found.value, run, Patience(found.value.failures, found.value.successes))
        state = self._states[uid]
        if state.bad or (state.good and not state.flapping):
            wait_ns = self._interval_ns(found.value) // _DOUBT_SHARE
            least_ns, most_ns = _DOUBT_NS
            again_ns = self._around.clocks.steady_ns() + min(most_ns, max(least_ns, wait_ns))
            if again_ns < self._agenda.due_ns(uid):
                self._agenda.at(uid, again_ns)
                self._wake_up()

    async def _bounded(self, check: Check, *, trusted: bool, key: str = "") -> Run:
        """Run a check; one that does not even end when it is cancelled is told of, and left to itself."""
        around, timeout_ns = self._around, self._timeout_ns(check)
        started_ns = around.clocks.now_ns()
        egress = way_of(check, around.egress, trusted=trusted)
        task = asyncio.get_running_loop().create_task(run_check(check, egress, timeout_ns, started_ns))
        if key:
            self._running[key] = task
            task.add_done_callback(lambda _: self._running.pop(key, None))
        try:
            done, _ = await asyncio.wait({task}, timeout=timeout_ns / 1e9 + _CLEAN_UP_S)
        except asyncio.CancelledError:
            task.cancel()
            raise
        if done:
            return task.result()
        task.cancel()
        text = f"no answer within {timeout_ns / 1e9:g} s, and it does not stop"
        return Run(started_ns=started_ns, latency_ns=timeout_ns, status=Status.UNHEALTHY, detail=text)

    def _take_call(self, uid: str, call: Call) -> None:
        memory, found = self._memories.get(uid), self._found.get(uid)
        if memory is None or found is None or found.value.heartbeat is None:
            return
        self._memories[uid] = memory.after(call)
        self._judge(found, called=call.kind != "start")

    def _judge(self, found: Found[Check], *, called: bool = False) -> None:
        """Look at a heartbeat, and again when its status would change by itself."""
        heartbeat, memory = found.value.heartbeat, self._memories[found.uid]
        assert heartbeat is not None  # noqa: S101 - asked before
        clocks = self._around.clocks
        now_ns = clocks.now_ns()
        verdict = judged(heartbeat, memory, now_ns)
        took_ns = memory.took_ns if called else 0
        run = Run(started_ns=now_ns - took_ns, latency_ns=took_ns, status=verdict.status, detail=verdict.detail)
        self._take_run(found.value, run, Patience(1, 1), told=called)
        if verdict.until_ns:
            again_ns = clocks.steady_ns() + max(0, verdict.until_ns - now_ns)
            if again_ns < self._agenda.due_ns(found.uid):
                self._agenda.at(found.uid, again_ns)
                self._wake_up()

    def _take_run(self, check: Check, run: Run, patience: Patience, *, told: bool = True) -> None:
        """Keep a run with what it means; ``told``: it is one that is worth remembering."""
        before = self._states[check.uid]
        state = advanced(before, run, patience)
        changed = state.status is not before.status
        if not told:
            state = replace(state, run=before.run)  # of a heartbeat the last call is shown, not the last look
        with self._lock:
            self._states[check.uid] = state
            if told or changed:
                self._runs.setdefault(check.uid, deque(maxlen=_RUNS)).append(run)
        now_ns = run.started_ns + run.latency_ns
        self._around.results.ran(check, run if told and run.latency_ns else None, state, now_ns)
        if changed:
            self._around.results.changed(check, before, state, now_ns)
        self._around.telemetry.add(own.HEALTH_CHECK_RUNS, 1, check.kind, run.status)

    def _wake_up(self) -> None:
        if self._wake is not None:
            self._wake.set()

    def _timeout_ns(self, check: Check) -> int:
        """As it says, else the server's own, but never longer than its interval."""
        if check.timeout_ns:
            return check.timeout_ns
        return min(self._around.defaults.timeout_ns, self._interval_ns(check))

    def _interval_ns(self, check: Check) -> int:
        return check.interval_ns or self._around.defaults.interval_ns
