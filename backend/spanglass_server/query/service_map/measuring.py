"""What the service map is made of, from spans: calls by whom they name, who answered them, and requests of services.

Who answers is told by the server spans below the calls. Looking for them takes a join, so in ranges of many spans it is
made over some slices: an address belongs to whom it belongs all the time. In ranges of very many the calls are those of
slices too, scaled up.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from spanglass_server.query.differences.slices import rows_within, slices
from spanglass_server.query.language.compiling.service_sql import SERVICE_NAME
from spanglass_server.query.language.compiling.sql import Sql, all_of, union_all
from spanglass_server.query.records import match_records
from spanglass_server.query.service_map.distribution import QUANTILES, Figures, joined, measured
from spanglass_server.query.services.estimates import counting
from spanglass_server.query.statements import rows, statement
from spanglass_server.query.window import widen
from spanglass_server.service_names import SERVICE
from spanglass_server.signals import Signal, sql_type
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from spanglass_server.query.records import Records
    from spanglass_server.store.ports import QuerySession, Window

#: What a call names, by the names of today; older ones are read too.
KEYS: Final = {
    "system": "db.system.name",
    "namespace": "db.namespace",
    "messaging": "messaging.system",
    "queue": "messaging.destination.name",
    "address": "server.address",
    "port": "server.port",
    "peer": "service.peer.name",
    "old_peer": "peer.service",
}
#: Callers and addresses; more are left out, those with the fewest calls.
_MOST = 5000
#: With more spans in the range, the join looks at so many, ...
_JOINED, _SPANS_JOINED = 500_000, 200_000
#: ... and with more than these, calls and requests are those of so many: ten million would take a second on two cores.
#: Of 10,000 calls over ten million spans 2,000 are then seen, which is exact to 2 %.
_MEASURED, _SPANS_MEASURED = 4_000_000, 2_000_000
#: The server's half of a call may begin so much later or, as clocks differ, earlier.
_APART_NS = 60 * NS_PER_SECOND
CLIENT, PRODUCER, CONSUMER = 3, 4, 5
_TELLING = frozenset({CLIENT, PRODUCER, CONSUMER})
_CALLS = Sql("kind IN (3, 4, 5)")
_TEXT = "::VARCHAR"


class Named(NamedTuple):
    """Who calls, of which kind of span, and what the call names; "" for what it does not."""

    service: str
    kind: int
    system: str = ""
    namespace: str = ""
    messaging: str = ""
    queue: str = ""
    address: str = ""
    port: str = ""
    peer: str = ""


@dataclass(frozen=True, slots=True)
class Served:
    """Calls that a service served: those of spans that match, and how many in all."""

    matching: Figures = field(default_factory=Figures)
    calls: float = 0


@dataclass(frozen=True, slots=True)
class Measured:
    """Calls by what they name; callees of those that were served, by the same; requests of services.

    ``is_sampled``: who was called is known from a part of the range. ``kept`` is the share of the spans that a sampler
    kept, None for all.
    """

    calls: Mapping[Named, Figures]
    callees: Mapping[Named, Mapping[str, Served]]
    services: Mapping[str, Figures]
    is_sampled: bool
    kept: float | None


def measure(session: QuerySession, window: Window, filter_text: str) -> Measured:
    """Measure the calls of the spans that match; FilterError for a filter that can't be understood."""
    records = match_records(session, Signal.SPANS, window, filter_text)
    keys, columns = _keys(records)
    counts, counted = counting(records.known)
    shared = {**counts, "points": Sql(f"{list(QUANTILES)}"), "count": _MOST}
    named = Sql(f"{SERVICE_NAME.text} AS service, kind, {keys.text}", keys.parameters)
    needed = {SERVICE, "kind", "status_code", "duration_ns", *counted}
    read = _slices(session, records, _MEASURED, _SPANS_MEASURED)
    relation = _union([part.relation(session, {*needed, *columns}) for part in read.records])
    where = all_of([records.predicate, _CALLS])
    calls = rows(session, statement("service_map/calls", **shared, keys=named, relation=relation, where=where))
    relation = _union([part.relation(session, needed) for part in read.records])
    services = statement(
        "service_map/services", **shared, service=SERVICE_NAME, relation=relation, where=records.predicate
    )
    requests = rows(session, services)
    joined_over = _slices(session, records, _JOINED, _SPANS_JOINED)
    times = read.times
    return Measured(
        {name: found.times(times) for name, found in _by_name(calls).items()},
        _by_callee(_callees(session, joined_over.records, keys, columns), joined_over.times),
        {name: found.times(times) for name, found in _by_service(requests).items()},
        len(joined_over.records) > 1,
        _kept([*calls, *requests], times),
    )


def _keys(records: Records) -> tuple[Sql, frozenset[str]]:
    """What a call names as SQL with names, and the columns that it reads.

    Millions of spans are grouped by it. So what another key reads too is not read again, and whole numbers become
    texts afterwards: that took a quarter of the time.
    """
    texts: list[str] = []
    parameters: list[Any] = []
    columns = frozenset[str]()
    written: set[Sql] = set()
    for name, key in KEYS.items():
        expression, read = records.expression(key, "filter")
        value = "NULL::VARCHAR" if expression in written else f"({expression.text}){'' if _is_number(read) else _TEXT}"
        texts.append(f"{value} AS {name}")
        parameters += () if expression in written else expression.parameters
        columns |= read
        written.add(expression)
    return Sql(", ".join(texts), tuple(parameters)), columns


def _is_number(read: Collection[str]) -> bool:
    """Whether all that is read for a key are whole numbers."""
    return bool(read) and all(sql_type(Signal.SPANS, column) == "BIGINT" for column in read)


class _Slices(NamedTuple):
    """A range, or slices of it, of whose spans the range has so many times as many."""

    records: Sequence[Records]
    times: float


def _slices(session: QuerySession, records: Records, most: int, wanted: int) -> _Slices:
    """The range if it has at most so many spans, else slices of it that have about as many as are wanted.

    They hold equally many spans each, wherever these lie in time: nobody's load is the same all day.
    """
    parts = session.parts(records.signal, records.window)
    spans = rows_within(parts, records.window)
    if spans <= most:
        return _Slices([records], 1)
    windows = slices(parts, records.window, wanted / spans)
    relation = _union([Sql(session.relation(records.signal, window, (records.time,))) for window in windows])
    (read,) = rows(session, statement("service_map/read", relation=relation))
    return _Slices([records.narrowed(window) for window in windows], max(1, spans / max(1, read["spans"])))


def _union(relations: Sequence[Sql]) -> Sql:
    """The rows of all of them."""
    whole = union_all([Sql(f"SELECT * FROM {each.text}", each.parameters) for each in relations])  # noqa: S608 - made by storage
    return Sql(f"({whole.text})", whole.parameters)


def _callees(
    session: QuerySession, parts: Sequence[Records], keys: Sql, columns: Collection[str]
) -> list[dict[str, Any]]:
    own = {"trace_id", "span_id", SERVICE, "kind", "status_code", "duration_ns", *columns, *parts[0].columns}
    answered = {"trace_id", "parent_span_id", SERVICE, "kind", "status_code", "duration_ns"}
    windows = [part.window for part in parts]
    callers = [Sql(session.relation(Signal.SPANS, window, own)) for window in windows]
    served = [Sql(session.relation(Signal.SPANS, widen(window, _APART_NS), answered)) for window in windows]
    return rows(
        session,
        statement(
            "service_map/callees",
            service=SERVICE_NAME,
            keys=keys,
            names=Sql(", ".join(KEYS)),
            relation=_union(callers),
            where=parts[0].predicate,
            all=_union(served),
            points=Sql(f"{list(QUANTILES)}"),
            count=_MOST,
        ),
    )


def _by_name(found: list[dict[str, Any]]) -> dict[Named, Figures]:
    of_name: dict[Named, Figures] = {}
    for row in found:
        name = _named(row)
        of_name[name] = joined((of_name.get(name, Figures()), _figures(row)))
    return of_name


def _by_service(found: list[dict[str, Any]]) -> dict[str, Figures]:
    """The requests of each service, none of one that has other spans only."""
    services = dict.fromkeys((row["service"] for row in found), Figures())
    return services | {row["service"]: _figures(row) for row in found if row["are_requests"]}


def _by_callee(found: list[dict[str, Any]], times: float) -> dict[Named, dict[str, Served]]:
    """Who served which calls, so many times as often as in the slices; spans may name other things of the same call."""
    of_name: dict[Named, dict[str, Served]] = {}
    for row in found:
        callees = of_name.setdefault(_named(row), {})
        before = callees.get(row["callee"], Served())
        matching = joined((before.matching, _figures(row).times(times)))
        callees[row["callee"]] = Served(matching, before.calls + row["all_calls"])
    return of_name


def _named(row: dict[str, Any]) -> Named:
    """What is not called is not named: a server span's address is its own."""
    kind = row["kind"] or 0
    if kind not in _TELLING:
        return Named(row["service"], 0)
    texts = {name: "" if row[name] is None else str(row[name]) for name in KEYS}
    peer = texts.pop("peer") or texts["old_peer"]
    del texts["old_peer"]
    return Named(row["service"], kind, **texts, peer=peer)


def _figures(row: dict[str, Any]) -> Figures:
    return measured(row["calls"] or 0, row["errors"] or 0, row["points"])


def _kept(found: list[dict[str, Any]], times: float) -> float | None:
    stored, calls = sum(row["stored"] or 0 for row in found), sum(row["calls"] or 0 for row in found)
    share = (stored / calls if stored and stored < calls else 1) / times
    return share if share < 1 else None
