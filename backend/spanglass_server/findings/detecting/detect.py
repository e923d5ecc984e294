"""The detectors, run one after the other over the spans of a stretch of time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from spanglass_server.findings.detecting.candidates import candidates
from spanglass_server.findings.detecting.limits import BUSY, LIMITS
from spanglass_server.findings.model import Evidence, Kind, Place, Sighting
from spanglass_server.query.language.compiling.sql import Sql
from spanglass_server.query.statements import rows, run, statement

if TYPE_CHECKING:
    from spanglass_server.store.ports import QuerySession

#: Of one stretch of time, those that cost most.
_MOST_FOUND: Final = 300
#: Columns that not all detectors give.
_DOUBTS: Final = pa.schema([("is_doubtful", pa.bool_()), ("is_offset", pa.bool_())]).empty_table()
NO_MINUTES: Final = pa.schema([("minute", pa.int64())]).empty_table()


def patterns(session: QuerySession, spans: pa.Table, name: str) -> pa.Table | None:
    """Return a row for each pattern in each request; ``spans`` are those of ``read_spans``, a table of this name.

    ``kind`` and ``subject`` say what it is, ``request`` and ``span`` are rows of ``spans``, ``calls`` of it took part,
    and ``waste_ns`` might be saved; what ``is_doubtful`` may be of a busy machine, or, if ``is_offset``, of clocks
    that differ (NULL: is not). None if there can't be any.
    """
    found = []
    for detector, needed in candidates(spans).items():
        read = name if needed is None else session.table(spans.filter(pa.array(needed)))
        found.append(run(session, statement(f"findings/{detector}", spans=Sql(read), **LIMITS[detector])))
    return pa.concat_tables([_DOUBTS, *found], promote_options="permissive") if found else None


def detect(session: QuerySession, spans: pa.Table, name: str, busy: pa.Table = NO_MINUTES) -> list[Sighting]:
    """Return what is found in requests that are told of; see ``patterns``.

    What is doubtful is left out of minutes that are ``busy``: nobody knows what it would have been.
    """
    found = patterns(session, spans, name)
    if found is None or not found.num_rows:
        return []
    grouped = statement(
        "findings/grouped", found=Sql(session.table(found)), spans=Sql(name), most=_MOST_FOUND,
        busy=Sql(session.table(busy)),
    )  # fmt: skip
    return [_sighting(row) for row in rows(session, grouped)]


def busy_minutes(session: QuerySession, name: str) -> pa.Table:
    """Return the minutes, since 1970, in which services waited for the machine."""
    return run(session, statement("findings/busy", spans=Sql(name), **BUSY))


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
        doubtful=row["doubtful"],
        minutes=row["minutes"],
    )
