"""Where the failure of a trace began, why, and who did not answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, TypedDict

from spanglass_server.error_text import one_line
from spanglass_server.query.one_trace.peers import is_database, peer_of, who_answers
from spanglass_server.query.one_trace.reasons import exceptions_of, has_code, is_handled, reason, said, says_why
from spanglass_server.query.rows.log_rows import LogRows
from spanglass_server.query.window import clamp
from spanglass_server.signals import Signal
from spanglass_server.store.ports import OfTraces
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.query.one_trace.reasons import JsonSpan
    from spanglass_server.store.ports import QuerySession

#: Logs about a failure are looked for this far around the span.
_AROUND_NS = 300 * NS_PER_SECOND
_LEAST_ERROR = 17  # severity number


class PeerShown(TypedDict):
    """Who was called; each part is null where it is not known."""

    host: str | None
    port: int | None
    service: str | None


class Failure(TypedDict):
    """Where and why a trace failed, and who did not answer."""

    key: str
    service: str
    name: str
    reason: str
    peer: PeerShown | None


class Place(NamedTuple):
    """Where a span stands in its trace: what is read of all of them."""

    key: str
    parent_key: str | None
    depth: int
    start_ns: int
    kind: str
    status: str


#: Returns a span as the API shows it, by its place in the order of the tree.
Whole = Callable[[int], "JsonSpan"]
#: Returns those of its events that tell of an exception, which are read of many more spans than all the rest.
Exceptions = Callable[[int], "Sequence[JsonSpan]"]


def failure(
    session: QuerySession, trace_id: bytes, places: Sequence[Place], whole: Whole, exceptions: Exceptions
) -> Failure | None:
    """Return where and why a trace failed, None if nothing did.

    ``places`` are in the order of the tree, at least those of the failing spans and of all below them; ``whole`` is
    asked for the few spans that tell of the failure.
    """
    place = where_it_began(places, whole, exceptions)
    if place is None:
        return None
    began, start_ns = whole(place), places[place].start_ns
    peer = peer_of(began)
    if peer is not None and not is_database(began) and not _was_served(places, place):
        peer = who_answers(session, peer, start_ns)
    return {
        "key": began["key"],
        "service": began["service"],
        "name": began["name"],
        "reason": (not says_why(began) and _logged(session, trace_id, began, start_ns)) or reason(began),
        "peer": None if peer is None else {"host": peer.host, "port": peer.port, "service": peer.service},
    }


def _was_served(places: Sequence[Place], caller: int) -> bool:
    return any(span.parent_key == places[caller].key and span.kind == "server" for span in places)


def _logged(session: QuerySession, trace_id: bytes, span: JsonSpan, at_ns: int) -> str:
    """Return what the last error says that was logged in a span."""
    window = clamp(at_ns - _AROUND_NS, at_ns + span["duration_ns"] + _AROUND_NS)
    wanted = OfTraces([trace_id], [bytes.fromhex(span["span_id"])])
    records = LogRows(session.trace_rows(Signal.LOGS, window, wanted), session.service_slot)
    errors = [row for row in range(records.count) if (records.value("severity_number", row) or 0) >= _LEAST_ERROR]
    latest = max(errors, key=lambda row: records.value("time_ns", row), default=None)
    if latest is None:
        return ""
    record = records.as_json(latest, "")
    return said(record["attributes"]) or one_line(record["body"])


def where_it_began(places: Sequence[Place], whole: Whole, exceptions: Exceptions | None = None) -> int | None:
    """Return the place of the span where the failure of a trace began; None if none failed.

    It is the deepest of the failing spans, the earliest of those: what it raised, its callers only passed on. One that
    began after a span above it had raised only reports the failure: the 500 that is sent, the rollback. When the
    deepest failing span has nothing but a code to say, an exception recorded below it on a span of unset status is
    what happened: Go records a panic without setting the status. Of a call whose callee recorded one and never
    answered, the caller only knows that the connection ended. A recorded exception alone is no failure.
    """
    events_of = exceptions or (lambda at: exceptions_of(whole(at)))
    raised: dict[str | None, int] = {}
    began: int | None = None
    for at, span in enumerate(places):
        above_ns = raised.get(span.parent_key)
        if above_ns is not None:
            raised[span.key] = above_ns
        if span.status != "error":
            continue
        is_report = above_ns is not None and above_ns <= span.start_ns
        if not is_report and (began is None or _deeper(span, places[began])):
            began = at
        events = events_of(at)
        if events:
            own_ns = span.start_ns + min(event["offset_ns"] for event in events)
            raised[span.key] = own_ns if above_ns is None else min(own_ns, above_ns)
    if began is None:
        return None
    if says_why(whole(began)):
        found = _unanswered_below(places, began, whole, events_of)
    else:
        found = _panicked_below(places, began, events_of)
    return began if found is None else found


def _deeper(span: Place, than: Place) -> bool:
    return (-span.depth, span.start_ns) < (-than.depth, than.start_ns)


def _panicked_below(places: Sequence[Place], began: int, exceptions: Exceptions) -> int | None:
    """Return the deepest span below one that recorded an exception which it did not handle, without a status."""
    found = None
    for at in range(began + 1, len(places)):
        if places[at].depth <= places[began].depth:
            break
        if _panicked(places[at], exceptions(at)) and (found is None or _deeper(places[at], places[found])):
            found = at
    return found


def _unanswered_below(places: Sequence[Place], began: int, whole: Whole, exceptions: Exceptions) -> int | None:
    """Return the first server span that a call led to, that panicked, and that has no code: it sent no answer."""
    caller = places[began]
    for at in range(began + 1, len(places)) if caller.kind == "client" else ():
        if places[at].depth <= caller.depth:
            break
        is_callee = places[at].parent_key == caller.key and places[at].kind == "server"
        if is_callee and _panicked(places[at], exceptions(at)) and not has_code(whole(at)):
            return at
    return None


def _panicked(place: Place, exceptions: Sequence[JsonSpan]) -> bool:
    return place.status == "unset" and any(not is_handled(event) for event in exceptions)
