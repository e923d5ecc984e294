"""What is said of a finding: its title, what was seen, and what to do about it, in plain sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from spanglass_server.findings.leak import leak_of
from spanglass_server.findings.model import Kind
from spanglass_server.times import NS_PER_MS, NS_PER_SECOND

if TYPE_CHECKING:
    from spanglass_server.findings.leak import Leak
    from spanglass_server.findings.model import Known

#: From so many minutes on times are told in hours.
_LONG_MIN: Final = 120


class Words(NamedTuple):
    """Of a pattern: its name, what was seen (with places for figures), and what to do.

    ``certainty`` is how often the pattern is what it seems, judged by what else looks alike.
    """

    title: str
    seen: str
    advice: str
    certainty: float


WORDS: Final[dict[Kind, Words]] = {
    Kind.N_PLUS_ONE: Words(
        "N+1 queries",
        "{each} statements of one form in a request, with other values each time.",
        "Ask for all of them at once: a join, or a list of values in one statement (select_related, "
        "prefetch_related or joinedload in ORMs). Many rows are written in one INSERT or with executemany.",
        0.95,
    ),
    Kind.REPEATED_QUERY: Words(
        "Repeated identical query",
        "The same statement with the same values {each} times in a request.",
        "Ask once and keep the answer for the rest of the request, or cache it.",
        0.95,
    ),
    Kind.CONSECUTIVE_CALLS: Words(
        "Calls one after the other",
        "{each} calls that only read, each sent when the one before was answered, with nothing done between them.",
        "If none needs the answer of another, send them at once (asyncio.gather, a thread pool), or ask for all in one "
        "call.",
        0.6,
    ),
    Kind.SLOW_QUERY: Words(
        "Slow query",
        "A statement that takes {per_call} on average when it is slow.",
        "Look at its plan (EXPLAIN): an index on the columns in WHERE and ORDER BY, fewer columns and rows, "
        "or a summary that is kept.",
        0.9,
    ),
    Kind.SLOW_CALL: Words(
        "Slow external call",
        "A call to a host that sends no spans takes {per_call} on average when it is slow.",
        "Set a time-out that fits the request, cache answers that may be old, or make the call outside of the request.",
        0.85,
    ),
    Kind.LARGE_PAYLOAD: Words(
        "Large payload",
        "Bodies of up to {megabytes} MB.",
        "Ask for pages, only the fields that are needed, and compression; let large files be fetched from where they "
        "lie.",
        0.9,
    ),
    Kind.CHATTY_CALLS: Words(
        "Chatty HTTP calls",
        "{each} calls to one host in a request.",
        "Ask for many things in one call, or keep answers: each call costs a round trip.",
        0.85,
    ),
    Kind.LOCK_WAIT: Words(
        "Waiting for a lock or pool",
        "{per_call} of waiting on average before the work can begin.",
        "Hold the lock for less time, lock less at once, or make the pool larger; look at what holders do meanwhile.",
        0.85,
    ),
    Kind.RETRIES: Words(
        "Retries",
        "A call is made {each} times in a request, because it fails.",
        "Mend what fails; meanwhile wait longer between attempts, with chance, limit them, and retry at one level.",
        0.9,
    ),
    Kind.QUEUE_WAIT: Words(
        "Messages wait in a queue",
        "{per_hit} on average from when a message is sent until a consumer takes it.",
        "Run more consumers, or let each message take less time; while more come than are taken, all wait longer and "
        "longer. Dismiss it where messages wait on purpose.",
        0.8,
    ),
    Kind.GAP: Words(
        "Time without spans",
        "{per_hit} of a request in which no span says what is done.",
        "Put a span around the work (spanglass.span), turn on the instrumentation of the library that is used "
        "there, or look at a profile.",
        0.7,
    ),
    Kind.REGRESSION: Words(
        "Slower than before",
        "Requests became slower than with {subject}: {detail}.",
        "Compare the operation with the time before: what the slow traces have in common, and what was released.",
        0.85,
    ),
    Kind.GROWS_WITH_SIZE: Words(
        "Time grows with size",
        "The more {subject}, the longer it takes: {detail}.",
        "Work in pages or batches of a limited size, or outside of the request; look for loops within loops.",
        0.75,
    ),
    Kind.MEMORY_LEAK: Words(
        "Memory leak",
        "{detail}.",
        "Look at what is kept for good: caches without a limit, lists that are only added to, listeners that nobody "
        "removes; tracemalloc, or a heap dump of the process, says what grows. Until then restart it in time.",
        0.9,
    ),
}  # fmt: skip


def seen(known: Known) -> str:
    """Return what was seen of a finding in the last day."""
    hits, calls = max(known.hits, 1.0), max(known.calls, 1.0)
    leak = leak_of(known)
    size = int(known.detail) if known.place.kind is Kind.LARGE_PAYLOAD and known.detail.isdecimal() else 0
    return WORDS[known.place.kind].seen.format(
        each=f"{calls / hits:.0f}",
        per_call=_duration(known.waste_ns / calls),
        per_hit=_duration(known.waste_ns / hits),
        megabytes=f"{size / 1e6:.1f}",
        subject=known.place.subject,
        detail=known.detail if leak is None else _growth(leak),
    )


def _growth(leak: Leak) -> str:
    """How the memory grows, in words: of the process that grows fastest."""
    worst, number = leak.grown[0], len(leak.grown)
    which = f"{number} of {leak.processes} processes" if leak.processes > 1 else "the process"
    where = " on ".join(filter(None, (worst.instance or worst.pid, worst.host)))
    minutes = (leak.seen_ns - worst.since_ns) / NS_PER_SECOND / 60
    lasts = f"{minutes:.0f} min" if minutes < _LONG_MIN else f"{minutes / 60:.0f} h"
    release = f"; it runs release {worst.release}, which is newer than others" if worst.release_since_ns else ""
    return (
        f"The memory of {which} grows and does not come back: {where or 'one'} from {_mib(worst.from_bytes)} to "
        f"{_mib(worst.to_bytes)} in {lasts}, {_mib(worst.bytes_per_hour)} an hour{release}"
    )


def _mib(size: int) -> str:
    return f"{size / (1 << 20):.0f} MiB"


def _duration(ns: float) -> str:
    ms = ns / NS_PER_MS
    return f"{ms:.0f} ms" if ms < 1000 else f"{ms / 1000:.1f} s"  # noqa: PLR2004 - a second
