"""The detectors, run one after the other over the spans of a stretch of time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from spanglass_server.findings.model import Evidence, Kind, Place, Sighting
from spanglass_server.query.language.sql import Sql
from spanglass_server.query.statements import rows, run, statement
from spanglass_server.times import NS_PER_MS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass_server.store.ports import QuerySession, Window

#: From so many calls on a statement is asked once for each of something, or asked for what is known already.
_LEAST_CALLS, _LEAST_SAME, _LEAST_CHATTY, _LEAST_CHAIN = 5, 3, 10, 3
#: Calls with longer pauses between them are polls, or the work between them is what takes the time.
_MOST_GAP_NS: Final = 100 * NS_PER_MS
#: Loops are told of from this share of the request on, or from so much time on.
_LOOP_SHARE, _LOOP_NS = 0.05, 100 * NS_PER_MS
#: What is slow: statements, and calls to others; each also by its share of the request.
_SLOW_QUERY_NS, _SLOW_CALL_NS = 100 * NS_PER_MS, 300 * NS_PER_MS
_SLOW_SHARE: Final = 0.2
#: Of all like calls so many are slow: one that waited for a disk once says nothing.
_OFTEN: Final = 0.1
_CHAIN_NS, _CHAIN_GAPS, _CHAIN_LEAST = 30 * NS_PER_MS, 0.1, 0.1
_LARGE_BYTES: Final = 1_000_000
_LOCK_NS: Final = 20 * NS_PER_MS
_GAP_NS, _GAP_SHARE = 100 * NS_PER_MS, 0.5
#: Of one stretch of time, those that cost most.
_MOST_FOUND: Final = 300

_DETECTORS: Final[Mapping[str, Mapping[str, Any]]] = {
    "repeated_queries": {
        "least_calls": _LEAST_CALLS, "least_same": _LEAST_SAME, "most_gap_ns": _MOST_GAP_NS,
        "notable_share": _LOOP_SHARE, "notable_ns": _LOOP_NS,
    },
    "consecutive_calls": {
        "least_calls": _LEAST_CHAIN, "notable_ns": _CHAIN_NS, "notable_share": _SLOW_SHARE,
        "most_gaps_share": _CHAIN_GAPS, "least_share": _CHAIN_LEAST,
    },
    "slow_queries": {"slow_ns": _SLOW_QUERY_NS, "often": _OFTEN, "notable_share": _SLOW_SHARE},
    "slow_calls": {"slow_ns": _SLOW_CALL_NS, "often": _OFTEN, "notable_share": _SLOW_SHARE},
    "large_payloads": {"large_bytes": _LARGE_BYTES},
    "chatty_calls": {
        "least_calls": _LEAST_CHATTY, "most_gap_ns": _MOST_GAP_NS, "notable_share": _LOOP_SHARE,
        "notable_ns": _LOOP_NS,
    },
    "lock_waits": {"notable_ns": _LOCK_NS, "notable_share": _SLOW_SHARE},
    "retries": {},
    "gaps": {"notable_ns": _GAP_NS, "notable_share": _GAP_SHARE},
}  # fmt: skip


def patterns(session: QuerySession, spans: str) -> pa.Table:
    """Return a row for each pattern in each request; ``spans`` names a table of ``read_spans``.

    ``kind`` and ``subject`` say what it is, ``request`` and ``span`` are rows of ``spans``, ``calls`` of it took part,
    and ``waste_ns`` might be saved.
    """
    table = Sql(spans)
    found = [run(session, statement(f"findings/{name}", spans=table, **limits)) for name, limits in _DETECTORS.items()]
    return pa.concat_tables(found, promote_options="permissive")


def detect(session: QuerySession, spans: str, window: Window) -> list[Sighting]:
    """Return what is found in requests that began in a window; ``spans`` names a table of ``read_spans``."""
    found = patterns(session, spans)
    if not found.num_rows:
        return []
    grouped = statement(
        "findings/grouped", found=Sql(session.table(found)), spans=Sql(spans), start_ns=window.start_ns,
        end_ns=window.end_ns, most=_MOST_FOUND,
    )  # fmt: skip
    return [_sighting(row) for row in rows(session, grouped)]


def evidence_of(found: list[dict[str, Any]] | None) -> tuple[Evidence, ...]:
    """Return evidence from the structs that statements give."""
    return tuple(Evidence(**each) for each in found or ())


def _sighting(row: dict[str, Any]) -> Sighting:
    return Sighting(
        place=Place(Kind(row["kind"]), row["service"], row["operation"], row["subject"]),
        requests=row["requests"],
        hits=row["hits"],
        calls=row["calls"],
        waste_ns=row["waste_ns"],
        first_ns=row["first_ns"],
        last_ns=row["last_ns"],
        detail=row["detail"] or "",
        evidence=evidence_of(row["evidence"]),
    )
