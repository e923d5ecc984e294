"""All that one stretch of spans tells: patterns, and figures that are kept to be judged over hours."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from spanglass_server.findings.agenda import MINUTE_NS
from spanglass_server.findings.detecting.candidates import WAITING, candidates
from spanglass_server.findings.detecting.detect import NO_MINUTES, busy_minutes, detect, evidence_of
from spanglass_server.findings.detecting.reading import read_spans
from spanglass_server.findings.model import Kind, Place
from spanglass_server.query.language.compiling.sql import Sql
from spanglass_server.query.statements import rows, statement
from spanglass_server.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from spanglass_server.findings.detecting.reading import Marks
    from spanglass_server.findings.model import Evidence, Sighting
    from spanglass_server.store.ports import Part, QuerySession, Window

#: So many operations, and numbers beside durations, are kept of a stretch: those that took the most time.
_MOST_OPERATIONS, _MOST_SIZES = 300, 300
#: Of a window with more rows that no part has counts of, spans are not counted.
_MOST_COUNTED = 1_000_000
_PLACE: Final = ("kind", "service", "operation", "subject")


@dataclass(frozen=True, slots=True)
class Stretch:
    """What was read of a stretch. ``durations`` and ``sizes`` are rows of their statements.

    ``slowest`` are requests of each operation (service, name). ``told`` are the marks of the spans that are told of.
    ``alike`` says how many requests, or calls, are like those of places that are doubtful, slow or not.
    """

    spans: int = 0
    sightings: Sequence[Sighting] = ()
    durations: Sequence[Mapping[str, Any]] = ()
    sizes: Sequence[Mapping[str, Any]] = ()
    slowest: Mapping[tuple[str, str], Sequence[Evidence]] = field(default_factory=dict)
    alike: Mapping[Place, int] = field(default_factory=dict)
    told: Marks = field(default_factory=lambda: np.empty(0, np.uint64))


def count_minutes(session: QuerySession, part: Part) -> dict[int, int]:
    """Count the spans of a part by the minute, since 1970, in which they begin."""
    relation = Sql(session.part_relation(part, ("start_time_ns",)))
    found = rows(session, statement("findings/minutes", relation=relation))
    return {row["minute"]: row["spans"] for row in found}


def count_window(session: QuerySession, window: Window) -> dict[int, int]:
    """Count the spans of the parts of a window by the minute, since 1970, in which they begin.

    Nothing where too many would have to be read.
    """
    found: Counter[int] = Counter()
    unknown = []
    for part in session.parts(Signal.SPANS, window):
        if part.minute_counts is not None:
            counts = part.minute_counts
            found.update(dict(zip(counts.minutes.tolist(), counts.spans.tolist(), strict=True)))
        elif part.min_time_ns // MINUTE_NS == part.max_time_ns // MINUTE_NS:
            found[part.min_time_ns // MINUTE_NS] += part.rows
        else:
            unknown.append(part)
    if sum(part.rows for part in unknown) > _MOST_COUNTED:
        return {}
    for part in unknown:
        found.update(count_minutes(session, part))
    return found


def read_stretch(
    session: QuerySession, window: Window, own: Window, seen: Marks | None = None, doubted: Collection[Place] = ()
) -> Stretch:
    """Read the spans of a window, and tell of requests that began in ``own``, a part of it, and are not ``seen``.

    What is like that of places that are ``doubted`` is counted, also where nothing is found.
    """
    spans = read_spans(session, window, own=own, seen=seen)
    told = spans["mark"].filter(spans["is_told"]).to_numpy()
    if not told.size:
        return Stretch(spans.num_rows)
    name = session.table(spans)
    slowest = rows(session, statement("findings/slowest", spans=Sql(name), most=_MOST_OPERATIONS))
    may_wait = bool(doubted) or not WAITING.isdisjoint(candidates(spans))
    busy = busy_minutes(session, name) if may_wait else NO_MINUTES
    sightings = detect(session, spans, name, busy)
    doubted = {*doubted, *(one.place for one in sightings if one.doubtful)}
    return Stretch(
        spans=spans.num_rows,
        sightings=sightings,
        durations=rows(session, statement("findings/durations", spans=Sql(name), most=_MOST_OPERATIONS)),
        sizes=rows(session, statement("findings/sizes", spans=Sql(name), most=_MOST_SIZES)),
        slowest={(row["service"], row["operation"]): evidence_of(row["evidence"]) for row in slowest},
        alike=_alike(session, name, doubted, busy) if doubted else {},
        told=told,
    )


def _alike(session: QuerySession, spans: str, places: Collection[Place], busy: pa.Table) -> dict[Place, int]:
    """How many requests or calls are like those of some places, in minutes that are not busy."""
    table = pa.table({name: [getattr(place, name) for place in places] for name in _PLACE})
    tables = {"spans": Sql(spans), "places": Sql(session.table(table)), "busy": Sql(session.table(busy))}
    found = rows(session, statement("findings/alike", **tables))
    return {Place(Kind(row["kind"]), row["service"], row["operation"], row["subject"]): row["alike"] for row in found}
