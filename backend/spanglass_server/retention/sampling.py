"""What some segments of spans hold, by the policy that names a trace first and by service; the rest is inferred."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from spanglass_server.retention.finding import measure_bounds, named
from spanglass_server.retention.judging import Classes
from spanglass_server.retention.occupied import HOUR_NS, occupied_by, runs
from spanglass_server.service_names import SERVICE, service_name
from spanglass_server.store.keeping.rows import THINNED, TRACE_ID, one_in_of
from spanglass_server.store.ports import Window

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from spanglass_server.retention.model import Policies
    from spanglass_server.store.ports import Part, QuerySession

#: Segments that are read at most; the others are taken to be like them.
MOST_PARTS: Final = 12


@dataclass(frozen=True, slots=True)
class Known:
    """Pinned traces with evidence, and bounds of slow requests of those days of which they are kept."""

    held: frozenset[bytes]
    bounds: Callable[[Sequence[int]], Mapping[int, Sequence[tuple[str, str, int]]]]


@dataclass(frozen=True, slots=True)
class Looked:
    """One segment: its spans by class and service, what thinning takes of these, and traces by class.

    Classes are in the order of the policies; then come held traces, and all others (as in ``judging``).
    """

    part: Part
    services: Sequence[str]
    spans: NDArray[Any]
    received: NDArray[Any]  # by class, as many as came: what was thinned counts as often as it stands for
    thinned: NDArray[Any]  # of the others by service, past the age at which they are thinned
    traces: NDArray[Any]


def look(
    session: QuerySession,
    parts: Sequence[Part],
    policies: Policies,
    known: Known,
    goes_on: Callable[[], bool],
) -> list[Looked]:
    """Look at segments at even distances in time, one at least, as long as ``goes_on``; the first and last come first.

    A trace is judged by what lies in the range of its segment. Bounds of slow requests are those of that range too, for
    days of which none are kept.
    """
    in_time = sorted(parts, key=lambda part: (part.min_time_ns, part.key))
    count = min(len(in_time), MOST_PARTS)
    places = sorted({place * (len(in_time) - 1) // max(1, count - 1) for place in range(count)})
    spread = sorted(range(len(places)), key=lambda place: (f"{place:04b}"[::-1], place))  # halves, quarters, eighths
    found: list[Looked] = []
    for place in spread:
        if found and not goes_on():
            break
        found.append(_look(session, in_time[places[place]], policies, known))
    return found


def _look(session: QuerySession, part: Part, policies: Policies, known: Known) -> Looked:
    def bounds(session: QuerySession, days: Sequence[int]) -> Sequence[tuple[int, str, str, int]]:
        kept = known.bounds(days)
        missing = [day for day in days if day not in kept]
        found = [(day, *row) for day, rows in kept.items() for row in rows]
        for first, last in runs(missing):
            hours = occupied.hours[(occupied.hours >= 24 * first) & (occupied.hours < 24 * (last + 1))]
            window = Window(int(hours[0]) * HOUR_NS, (int(hours[-1]) + 1) * HOUR_NS)
            found += [row for row in measure_bounds(session, window) if row[0] in missing]
        return found

    occupied = occupied_by(session, part)
    classes = Classes(known.held, named(session, policies.policies, occupied, bounds))
    table = session.part_table(part, (TRACE_ID, SERVICE, *THINNED))
    ids = pa.concat_arrays([chunk.cast(pa.binary()) for chunk in table[TRACE_ID].chunks])
    places = classes.of(ids) % (len(policies.policies) + 2)
    services, codes = _services(table)
    shape = (len(policies.policies) + 2, len(services))
    spans = np.bincount(places * shape[1] + codes, minlength=shape[0] * shape[1]).reshape(shape)
    others, one_in = places == shape[0] - 1, one_in_of(table)
    received = np.bincount(places, one_in, minlength=shape[0])
    thinned = np.bincount(codes[others], _lost(one_in[others], policies), minlength=shape[1])
    traces = [pc.count_distinct(ids.filter(pa.array(places == place))).as_py() for place in range(shape[0])]
    return Looked(part, services, spans, received, thinned, np.array(traces, np.int64))


def _services(table: Any) -> tuple[list[str], NDArray[Any]]:
    """The names of services, and the place of each row's."""
    if SERVICE not in table.column_names:
        return [service_name(None)], np.zeros(table.num_rows, np.int64)
    column = table[SERVICE].cast(pa.string()).combine_chunks()
    column = column.chunk(0) if isinstance(column, pa.ChunkedArray) else column
    encoded = pc.fill_null(column, "").dictionary_encode()
    names = [service_name(name) for name in encoded.dictionary.to_pylist()]
    distinct = list(dict.fromkeys(names))
    known = np.array([distinct.index(name) for name in names], np.int64)
    return distinct, known[encoded.indices.to_numpy()]


def _lost(one_in: NDArray[Any], policies: Policies) -> NDArray[Any]:
    """Which share of rows thinning takes, by how far they are thinned already."""
    wanted = policies.ordinary.keep_one_in if policies.ordinary is not None else 1
    share: NDArray[Any] = np.maximum(0.0, 1 - one_in / wanted)
    return share
