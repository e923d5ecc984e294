"""Who was called over a range, and how that went: spans grouped by service, kind, and what they name as their peer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from spanglass_server.query.language.compiling.service_sql import SERVICE_NAME
from spanglass_server.query.language.compiling.sql import Sql
from spanglass_server.query.records import match_records
from spanglass_server.query.services.estimates import PROBABILITY, estimate
from spanglass_server.query.statements import rows, statement
from spanglass_server.query.traces.identity import kind_name
from spanglass_server.service_names import SERVICE
from spanglass_server.signals import Signal

if TYPE_CHECKING:
    from spanglass_server.store.ports import QuerySession, Window

#: What a span names, by the names of today; older ones are read too.
_KEYS: Final = {
    "system": "db.system.name",
    "namespace": "db.namespace",
    "address": "server.address",
    "port": "server.port",
    "queue": "messaging.destination.name",
    "method": "http.request.method",
}
_MOST: Final = 2000


@dataclass(frozen=True, slots=True)
class Calls:
    """Spans of one kind and one peer. Parts of the peer that are not named are ""; ``is_http`` is of servers."""

    service: str
    kind: str
    system: str
    namespace: str
    address: str
    port: str
    queue: str
    is_http: bool
    calls: int
    errors: int
    p95_ns: int | None
    last_ns: int


def list_calls(session: QuerySession, window: Window) -> list[Calls]:
    """All calls of a range, most first, at most 2,000 groups."""
    records = match_records(session, Signal.SPANS, window, "kind in (server, client, producer, consumer)")
    keys: dict[str, Sql] = {"service": SERVICE_NAME, "kind": Sql("kind")}
    columns = {"kind", "start_time_ns", "duration_ns", "status_code", SERVICE}
    for name, key in _KEYS.items():
        expression, needed = records.expression(key, key)
        keys[name] = Sql(f"({expression.text})::VARCHAR", expression.parameters)
        columns |= needed
    keys["method"] = Sql(f"kind = 2 AND {keys['method'].text} IS NOT NULL", keys["method"].parameters)
    if PROBABILITY in records.known:
        relation = records.relation(session, {*columns, PROBABILITY})
        found = estimate(session, relation, records.predicate, keys, limit=_MOST)
    else:
        found = rows(
            session,
            statement(
                "span_groups",
                keys=Sql(
                    ", ".join(f"{sql.text} AS {name}" for name, sql in keys.items()),
                    tuple(parameter for sql in keys.values() for parameter in sql.parameters),
                ),
                names=Sql(", ".join(keys)),
                relation=records.relation(session, columns),
                where=records.predicate,
                count=_MOST,
            ),
        )
    return [_calls(row) for row in found]


def _calls(row: dict[str, Any]) -> Calls:
    quantiles = row["quantiles_ns"] or (None, None, None)
    return Calls(
        service=row["service"],
        kind=kind_name(row["kind"]),
        system=row["system"] or "",
        namespace=row["namespace"] or "",
        address=row["address"] or "",
        port=row["port"] or "",
        queue=row["queue"] or "",
        is_http=bool(row["method"]),
        calls=row["requests"],
        errors=row["errors"],
        p95_ns=None if quantiles[1] is None else round(quantiles[1]),
        last_ns=row["last_ns"],
    )
