"""What sets the requests of an anomaly apart, and traces that show it: read when somebody looks at it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from spanglass_server.anomalies.model import OPERATION, STEP_MS, Kind
from spanglass_server.query.answers import whole
from spanglass_server.query.differences.answering import find_differences
from spanglass_server.query.differences.asked import DifferenceQuestion, Selection
from spanglass_server.query.matching import SpanQuestion
from spanglass_server.query.traces.search import Page, search_traces
from spanglass_server.store.ports import Window
from spanglass_server.times import NS_PER_MS, NS_PER_SECOND

if TYPE_CHECKING:
    from spanglass_server.anomalies.model import Known
    from spanglass_server.store.ports import QuerySession

#: So much of an anomaly is looked at, from its start on, and so much before it.
_LONGEST_NS, _BEFORE_NS = 3600 * NS_PER_SECOND, 3600 * NS_PER_SECOND
_MOST_KEYS, _MOST_TRACES = 8, 5
_REQUESTS: Final = "kind:server or kind:consumer"


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is compared, in words, and which traces show it."""

    words: str
    question: DifferenceQuestion
    traces: SpanQuestion
    sort: str = "time"


def gather(session: QuerySession, known: Known, now_ns: int) -> dict[str, Any]:
    """Return ``compared`` (what is, in words), ``differences`` and ``traces``; nothing of what is no operation's."""
    asked = _asked(known)
    if asked is None:
        return {"compared": None, "differences": [], "traces": []}
    found = search_traces(session, asked.traces, Page(_MOST_TRACES, asked.sort), now_ns)
    return {
        "compared": asked.words,
        "differences": find_differences(session, asked.question, _MOST_KEYS)["keys"],
        "traces": found["traces"],
    }


def window_of(known: Known) -> Window:
    """The time of an anomaly that is looked at."""
    end_ns = max(known.end_ns or known.seen_ns, known.start_ns + STEP_MS * NS_PER_MS)
    return Window(known.start_ns, min(end_ns, known.start_ns + _LONGEST_NS))


def _asked(known: Known) -> _Asked | None:
    labels, window = dict(known.key.labels), window_of(known)
    before = Window(window.start_ns - _BEFORE_NS, window.start_ns)
    spans = SpanQuestion(window, _REQUESTS, known.key.service or None, labels.get(OPERATION))
    if known.key.kind is Kind.FAILURES:
        failed = SpanQuestion(window, f"({_REQUESTS}) and status:error", spans.service, spans.operation)
        question = DifferenceQuestion(spans, Selection("status:error"))
        return _Asked("failed requests of its time beside the others", question, failed)
    if known.key.kind is Kind.DURATION:
        if known.side < 0:
            most_ns = whole(known.peak.low * NS_PER_SECOND)
            fast = SpanQuestion(window, _REQUESTS, spans.service, spans.operation, max_duration_ns=most_ns)
            question = DifferenceQuestion(spans, Selection(max_ns=most_ns))
            return _Asked("requests faster than usual beside the others of its time", question, fast)
        least_ns = whole(known.peak.high * NS_PER_SECOND)
        question = DifferenceQuestion(spans, Selection(min_ns=least_ns))
        slow = SpanQuestion(window, _REQUESTS, spans.service, spans.operation, least_ns)
        return _Asked("requests slower than usual beside the others of its time", question, slow, "duration")
    if known.key.kind is not Kind.REQUESTS:
        return None
    times = Selection(start_ns=window.start_ns, end_ns=window.end_ns), _times(before)
    if known.side > 0:
        return _Asked("requests of its time beside those of the hour before", DifferenceQuestion(spans, *times), spans)
    earlier = SpanQuestion(before, _REQUESTS, spans.service, spans.operation)
    question = DifferenceQuestion(earlier, times[1], times[0])
    return _Asked("requests of the hour before, which are missing, beside those of its time", question, spans)


def _times(window: Window) -> Selection:
    return Selection(start_ns=window.start_ns, end_ns=window.end_ns)
