"""When a heartbeat is due, and what it means that it was called, or was not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from spanglass_core.units import format_duration
from spanglass_server.health.cron import parse_cron
from spanglass_server.health.model import Call, Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.health.check import Heartbeat


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What is known of a heartbeat: since when it is waited for, its last end, and a beginning after that.

    The server did not run from ``absent_from_ns`` to ``absent_to_ns``: what was due then may have been called in vain.
    """

    known_ns: int
    ended: Call | None = None
    begun: Call | None = None
    took_ns: int = 0  # from the beginning to the end of the last whole run
    absent_from_ns: int = 0
    absent_to_ns: int = 0

    def after(self, call: Call) -> Memory:
        """What is known after one more call."""
        if call.kind == "start":
            return replace(self, begun=call)
        took_ns = call.time_ns - self.begun.time_ns if self.begun is not None else 0
        return replace(self, ended=call, begun=None, took_ns=took_ns)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a heartbeat is, why, and when that changes by itself (0: never)."""

    status: Status
    detail: str
    until_ns: int


def remembered(calls: Sequence[Call], known_ns: int, absent_from_ns: int, absent_to_ns: int) -> Memory:
    """What follows from the calls that are kept, newest first."""
    memory = Memory(known_ns=known_ns, absent_from_ns=absent_from_ns, absent_to_ns=absent_to_ns)
    for call in reversed(calls):
        memory = memory.after(call)
    return memory


def judged(heartbeat: Heartbeat, memory: Memory, now_ns: int) -> Verdict:
    """How a heartbeat is now."""
    ended, begun = memory.ended, memory.begun
    if begun is not None and heartbeat.longest_ns and now_ns >= begun.time_ns + heartbeat.longest_ns:
        limit = format_duration(heartbeat.longest_ns)
        return Verdict(Status.UNHEALTHY, f"the job began at {_time(begun.time_ns)} and has not ended within {limit}", 0)
    if ended is not None and ended.kind == "fail":
        said = f": {ended.text}" if ended.text else ""
        return Verdict(Status.UNHEALTHY, f"the job said at {_time(ended.time_ns)} that it has failed{said}", 0)
    due_ns = next_due_ns(heartbeat, ended.time_ns if ended is not None else memory.known_ns)
    late_ns = due_ns + heartbeat.grace_ns
    excused = _was_absent(memory, due_ns, late_ns)
    if excused:
        due_ns = next_due_ns(heartbeat, memory.absent_to_ns)
        late_ns = due_ns + heartbeat.grace_ns
    if now_ns >= late_ns:
        last = f"the last call was at {_time(ended.time_ns)}" if ended is not None else "it was never called"
        return Verdict(Status.UNHEALTHY, f"a call was due at {_time(due_ns)}; {last}", 0)
    until_ns = late_ns
    if begun is not None and heartbeat.longest_ns:
        until_ns = min(until_ns, begun.time_ns + heartbeat.longest_ns)
    if excused:
        return Verdict(Status.UNKNOWN, "a call was due while this server did not run", until_ns)
    if ended is None:
        return Verdict(Status.UNKNOWN, f"it was not called yet; the first call is due at {_time(due_ns)}", until_ns)
    return Verdict(Status.HEALTHY, f"the next call is due at {_time(due_ns)}", until_ns)


def next_due_ns(heartbeat: Heartbeat, after_ns: int) -> int:
    """When the next call is due after a time."""
    if heartbeat.every_ns:
        return after_ns + heartbeat.every_ns
    return parse_cron(heartbeat.cron).next_ns(after_ns, ZoneInfo(heartbeat.time_zone)) or 2**63 - 1


def _was_absent(memory: Memory, due_ns: int, late_ns: int) -> bool:
    """Whether the server did not run at some of the time in which the call was due."""
    return bool(memory.absent_to_ns) and due_ns < memory.absent_to_ns and late_ns > memory.absent_from_ns


def _time(time_ns: int) -> str:
    return f"{datetime.fromtimestamp(time_ns // 10**9, UTC):%Y-%m-%d %H:%M:%S} UTC"
