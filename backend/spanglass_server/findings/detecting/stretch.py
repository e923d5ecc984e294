"""All that one stretch of spans tells: patterns, and figures that are kept to be judged over hours."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from spanglass_server.findings.detecting.detect import detect, evidence_of
from spanglass_server.findings.detecting.reading import read_spans
from spanglass_server.query.language.sql import Sql
from spanglass_server.query.statements import rows, statement

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spanglass_server.findings.model import Evidence, Sighting
    from spanglass_server.store.ports import Part, QuerySession, Window

#: So many operations, and numbers beside durations, are kept of a stretch: those that took the most time.
_MOST_OPERATIONS, _MOST_SIZES = 300, 300


@dataclass(frozen=True, slots=True)
class Stretch:
    """What was read of a stretch. ``durations`` and ``sizes`` are rows of their statements.

    ``slowest`` are requests of each operation (service, name), ``served`` counts them.
    """

    spans: int = 0
    sightings: Sequence[Sighting] = ()
    durations: Sequence[Mapping[str, Any]] = ()
    sizes: Sequence[Mapping[str, Any]] = ()
    slowest: Mapping[tuple[str, str], Sequence[Evidence]] = field(default_factory=dict)


def count_minutes(session: QuerySession, part: Part) -> dict[int, int]:
    """Count the spans of a part by the minute, since 1970, in which they begin."""
    relation = Sql(session.part_relation(part, ("start_time_ns",)))
    found = rows(session, statement("findings/minutes", relation=relation))
    return {row["minute"]: row["spans"] for row in found}


def read_stretch(session: QuerySession, window: Window, own: Window) -> Stretch:
    """Read the spans of a window, and tell of the requests that began in ``own``, a part of it."""
    spans = read_spans(session, window)
    if not spans.num_rows:
        return Stretch()
    name = session.table(spans)
    bounds: dict[str, Any] = {"spans": Sql(name), "start_ns": own.start_ns, "end_ns": own.end_ns}
    slowest = rows(session, statement("findings/slowest", **bounds, most=_MOST_OPERATIONS))
    return Stretch(
        spans=spans.num_rows,
        sightings=detect(session, spans, name, own),
        durations=rows(session, statement("findings/durations", **bounds, most=_MOST_OPERATIONS)),
        sizes=rows(session, statement("findings/sizes", **bounds, most=_MOST_SIZES)),
        slowest={(row["service"], row["operation"]): evidence_of(row["evidence"]) for row in slowest},
    )
