"""Types of the answers about findings, and findings as they are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, TypedDict

from spanglass_server.findings.figures import confidence, cost_per_day_ns
from spanglass_server.findings.leak import leak_of
from spanglass_server.findings.model import Kind, State
from spanglass_server.findings.words import WORDS, seen
from spanglass_server.query.answers import HexId, JsonSchema, Nanoseconds, Slot, Time, UnixSeconds
from spanglass_server.times import NS_PER_SECOND, format_time

if TYPE_CHECKING:
    from spanglass_server.findings.model import Evidence, Known
    from spanglass_server.store.ports import QuerySession

FindingKind = Literal[
    "n_plus_one", "repeated_query", "consecutive_calls", "slow_query", "slow_call", "large_payload", "chatty_calls",
    "lock_wait", "retries", "queue_wait", "gap", "regression", "grows_with_size", "memory_leak",
]  # fmt: skip
FindingState = Literal["open", "dismissed"]


class Dismissed(TypedDict):
    """Who dismissed a finding, why and when."""

    reason: str
    actor: str
    time: Time


class GrownProcess(TypedDict):
    """A process whose memory grows; ``release_since`` is told where its release is newer than others."""

    instance: str
    host: str
    pid: str
    release: str
    release_since: Time | None
    since: Time
    from_bytes: int
    to_bytes: int
    bytes_per_hour: int


class MemoryLeak(TypedDict):
    """Processes of a service that grow, the fastest first, as of the last look; ``processes`` is how many run."""

    time: Time
    processes: int
    grown: list[GrownProcess]


class Finding(TypedDict):
    """A finding, with figures of the last 24 hours; ``subject``: a statement, an address, a name or a number's key."""

    id: int
    kind: FindingKind
    title: str
    service: str
    slot: Slot
    operation: str
    subject: str
    seen: Annotated[str, JsonSchema({"description": "what was seen, in a sentence"})]
    advice: Annotated[str, JsonSchema({"description": "what to do, in a sentence"})]
    confidence: Annotated[float, JsonSchema({"minimum": 0, "maximum": 1})]
    hits: Annotated[int, JsonSchema({"description": "requests that showed it"})]
    requests: Annotated[int, JsonSchema({"description": "requests of the operation"})]
    cost_per_day_ns: Annotated[Nanoseconds, JsonSchema({"description": "time of requests that it costs in a day"})]
    first_time: Time
    last_time: Time
    state: FindingState
    dismissed: Dismissed | None
    leak: Annotated[MemoryLeak | None, JsonSchema({"description": "of kind memory_leak alone"})]


class FindingCounts(TypedDict):
    """How many findings match, by state."""

    open: int
    dismissed: int


class FindingList(TypedDict):
    """Findings, those that cost most first."""

    findings: list[Finding]
    counts: FindingCounts


class EvidenceTrace(TypedDict):
    """A request that shows a finding: ``span_id`` is the first span of it."""

    trace_id: HexId
    span_id: HexId
    start_time: Time
    duration_ns: Nanoseconds
    calls: int
    cost_ns: Nanoseconds


class FindingHour(TypedDict):
    """Requests of an hour that showed it."""

    t: UnixSeconds
    hits: int


class OneFinding(Finding):
    """A finding with its evidence and hours."""

    detail: Annotated[str, JsonSchema({"description": "the costliest statement as it was sent, or a figure"})]
    evidence: list[EvidenceTrace]
    hours: list[FindingHour]


class TraceFinding(TypedDict):
    """What is found in one trace; ``id`` is null until it was seen often enough to be a finding."""

    id: int | None
    kind: FindingKind
    title: str
    service: str
    operation: str
    subject: str
    advice: str
    span_id: HexId
    calls: int
    cost_ns: Nanoseconds
    state: FindingState | None


class TraceFindings(TypedDict):
    """What is found in one trace, what costs most first."""

    findings: list[TraceFinding]


def finding_json(session: QuerySession, known: Known, watched_ns: int) -> Finding:
    """Write a finding; ``watched_ns`` is how much of the last day was looked at."""
    words = WORDS[known.place.kind]
    return {
        "id": known.id,
        "kind": known.place.kind.value,
        "title": words.title,
        "service": known.place.service,
        "slot": session.service_slot(known.place.service),
        "operation": known.place.operation,
        "subject": known.place.subject,
        "seen": seen(known),
        "advice": words.advice,
        "confidence": round(confidence(known), 2),
        "hits": round(known.hits),
        "requests": max(round(known.requests), round(known.hits)),
        "cost_per_day_ns": cost_per_day_ns(known, watched_ns),
        "first_time": format_time(known.first_ns),
        "last_time": format_time(known.last_ns),
        "state": known.state.value,
        "dismissed": {"reason": known.reason, "actor": known.actor, "time": format_time(known.changed_ns)}
        if known.state is State.DISMISSED
        else None,
        "leak": _leak_json(known),
    }


def _leak_json(known: Known) -> MemoryLeak | None:
    leak = leak_of(known)
    if leak is None:
        return None
    return {
        "time": format_time(leak.seen_ns),
        "processes": leak.processes,
        "grown": [
            {
                "instance": one.instance,
                "host": one.host,
                "pid": one.pid,
                "release": one.release,
                "release_since": format_time(one.release_since_ns) if one.release_since_ns else None,
                "since": format_time(one.since_ns),
                "from_bytes": one.from_bytes,
                "to_bytes": one.to_bytes,
                "bytes_per_hour": one.bytes_per_hour,
            }
            for one in leak.grown
        ],
    }


def one_json(session: QuerySession, known: Known, watched_ns: int) -> OneFinding:
    """Write a finding with all that is known of it."""
    return {
        **finding_json(session, known, watched_ns),
        "detail": "" if known.place.kind is Kind.MEMORY_LEAK else known.detail,
        "evidence": [evidence_json(each) for each in known.evidence],
        "hours": [{"t": hour_ns / NS_PER_SECOND, "hits": round(hits)} for hour_ns, hits in known.hours],
    }


def evidence_json(evidence: Evidence) -> EvidenceTrace:
    """Write a request that shows a finding."""
    return {
        "trace_id": evidence.trace_id.hex(),
        "span_id": evidence.span_id.hex(),
        "start_time": format_time(evidence.start_ns),
        "duration_ns": evidence.ns,
        "calls": evidence.calls,
        "cost_ns": evidence.waste_ns,
    }
