"""What API and pages use of findings: listed by what they cost, one of them, those of a trace, and dismissing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass_server.findings.agenda import MINUTE_NS
from spanglass_server.findings.answers import finding_json, one_json
from spanglass_server.findings.detecting.detect import detect
from spanglass_server.findings.detecting.reading import read_spans
from spanglass_server.findings.figures import DAY_NS, is_current
from spanglass_server.findings.model import Kind, State
from spanglass_server.findings.words import WORDS
from spanglass_server.store.ports import ALL_TIME

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from spanglass_server.findings.answers import FindingList, OneFinding, TraceFinding, TraceFindings
    from spanglass_server.findings.model import Dismissal, Known, Sighting
    from spanglass_server.findings.store.store import FindingStore
    from spanglass_server.store.ports import QuerySession


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which findings somebody asks for; None leaves out a condition. Of no state: all, also those seen too seldom."""

    service: str | None = None
    operation: str | None = None
    kind: str | None = None
    state: State | None = State.OPEN

    def holds(self, known: Known) -> bool:
        """Whether a finding is meant, of whatever state."""
        place = known.place
        pairs = ((self.service, place.service), (self.operation, place.operation), (self.kind, place.kind.value))
        return all(wanted is None or wanted == own for wanted, own in pairs)


class FindingDesk:
    """Methods may be called from any thread; ``OSError`` where the file of findings can't be read or written."""

    def __init__(self, store: FindingStore, clock_ns: Callable[[], int]) -> None:
        self._store = store
        self._clock_ns = clock_ns
        self._kept: tuple[tuple[int, int], list[Known]] = ((-1, -1), [])

    def known(self) -> list[Known]:
        """All findings, with figures of the last day."""
        now_ns = self._clock_ns()
        version = self._store.changes, now_ns // MINUTE_NS
        kept, found = self._kept
        if kept != version:
            found = self._store.known(now_ns)
            self._kept = version, found
        return found

    def current(self) -> list[Known]:
        """Those that are open and were seen often enough, without evidence."""
        now_ns = self._clock_ns()
        found = self._store.known(now_ns, with_evidence=False)
        return [one for one in found if one.state is State.OPEN and is_current(one, now_ns)]

    def listing(self, session: QuerySession, wanted: Wanted, limit: int) -> FindingList:
        """Findings, those that cost most first."""
        now_ns, watched_ns = self._clock_ns(), self.watched_ns()
        meant = [one for one in self.known() if wanted.holds(one)]
        by_state = {
            State.OPEN: [one for one in meant if one.state is State.OPEN and is_current(one, now_ns)],
            State.DISMISSED: [one for one in meant if one.state is State.DISMISSED],
        }
        shown = meant if wanted.state is None else by_state[wanted.state]
        shown = sorted(shown, key=_urgency)[:limit]
        return {
            "findings": [finding_json(session, one, watched_ns) for one in shown],
            "counts": {"open": len(by_state[State.OPEN]), "dismissed": len(by_state[State.DISMISSED])},
        }

    def one(self, session: QuerySession, finding: int) -> OneFinding:
        """One finding; ``UnknownFindingError``."""
        return one_json(session, self._store.one(finding, self._clock_ns()), self.watched_ns())

    def change(self, finding: int, change: Dismissal) -> None:
        """Dismiss a finding or open it again; ``UnknownFindingError``."""
        self._store.change(finding, change, self._clock_ns())

    def of_trace(self, session: QuerySession, trace_id: bytes) -> TraceFindings:
        """What is found in the spans of one trace, what costs most first; dismissed findings are among them."""
        spans = read_spans(session, ALL_TIME, trace_ids=(trace_id,))
        found: Sequence[Sighting] = detect(session, spans, session.table(spans)) if spans.num_rows else ()
        known = {one.place: one for one in self.known()}
        return {"findings": [_in_trace(one, known.get(one.place)) for one in found]}

    def watched_ns(self) -> int:
        """How much of the last day was looked at: since the first minute of it that was."""
        now_ns = self._clock_ns()
        first = self._store.first_minute((now_ns - DAY_NS) // MINUTE_NS)
        return 0 if first is None else now_ns - first * MINUTE_NS


def _urgency(one: Known) -> tuple[bool, float, int]:
    """Leaks first: they end in a crash, whatever time they cost before; then what costs most."""
    return one.place.kind is not Kind.MEMORY_LEAK, -one.waste_ns, one.id


def _in_trace(sighting: Sighting, known: Known | None) -> TraceFinding:
    place, words = sighting.place, WORDS[sighting.place.kind]
    return {
        "id": None if known is None else known.id,
        "kind": place.kind.value,
        "title": words.title,
        "service": place.service,
        "operation": place.operation,
        "subject": place.subject,
        "advice": words.advice,
        "span_id": sighting.evidence[0].span_id.hex() if sighting.evidence else "",
        "calls": sighting.calls,
        "cost_ns": sighting.waste_ns,
        "state": None if known is None else known.state.value,
    }
