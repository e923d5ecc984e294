"""When services and hosts last sent something of each family, from the stored records of a range."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spanglass_server.query.coverage.families import FAMILIES
from spanglass_server.query.language.compiling.service_sql import SERVICE_NAME
from spanglass_server.query.language.compiling.sql import Sql
from spanglass_server.query.records import match_records
from spanglass_server.query.statements import one_of, rows, statement
from spanglass_server.query.use.activity import IS_EVENT, SESSION_KEY, USER_KEYS, first_text
from spanglass_server.service_names import OWN_SERVICE, SERVICE, service_name
from spanglass_server.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass_server.store.ports import QuerySession, Window

#: ``db.system.name`` of caches, which are no databases here.
CACHES = ("redis", "memcached", "valkey", "keydb", "dragonfly")
#: Times by what is told: families, and what makes some of them required (``entries``, ``cache_calls``, ``failures``).
Told = dict[str, int]


@dataclass(frozen=True, slots=True)
class Subjects:
    """Services and hosts by name, with when each last told of what, in nanoseconds since 1970."""

    services: dict[str, Told]
    hosts: dict[str, Told]


def read_subjects(session: QuerySession, window: Window) -> Subjects:
    """Read what all services of a range told of, and all hosts that a metric names."""
    found = Subjects({}, {})
    for row in (*_spans(session, window), *_logs(session, window), *_exceptions(session, window)):
        _keep(found.services, service_name(row["service"]), row)
    for row in _points(session, window):
        told = {row["family"]: row["last_ns"]} if row["family"] else {}
        if row["service"] is not None:
            _keep(found.services, row["service"], told)
        elif row["host"]:
            _keep(found.hosts, row["host"], told)
    found.services.pop(OWN_SERVICE, None)  # results of the server's own health checks
    return found


def _keep(subjects: dict[str, Told], name: str, told: Mapping[str, Any]) -> None:
    kept = subjects.setdefault(name, {})
    for key, time_ns in told.items():
        if key != "service" and time_ns is not None:
            kept[key] = max(time_ns, kept.get(key, time_ns))


def _spans(session: QuerySession, window: Window) -> list[dict[str, Any]]:
    records = match_records(session, Signal.SPANS, window)
    (system, of_system), (server, of_server), (distribution, of_distribution) = (
        records.expression(key, "filter") for key in ("db.system.name", "server.address", "telemetry.distro.name")
    )
    (user, of_user), (named, of_session) = first_text(records, USER_KEYS), first_text(records, (SESSION_KEY,))
    database = Sql(f"lower(CAST({system.text} AS VARCHAR))", system.parameters)
    is_cache = Sql(f"coalesce({database.text} IN {one_of(CACHES).text}, false)", (*database.parameters, *CACHES))
    needed = {"kind", "parent_span_id", "status_code", SERVICE}
    relation = records.relation(session, needed.union(of_system, of_server, of_distribution, of_user, of_session))
    sql = statement(
        "coverage/spans", service=SERVICE_NAME, database=database, is_cache=is_cache, server=server, user=user,
        named=named, distribution=distribution, relation=relation,
    )  # fmt: skip
    return rows(session, sql)


def _logs(session: QuerySession, window: Window) -> list[dict[str, Any]]:
    records = match_records(session, Signal.LOGS, window)
    (user, of_user), (named, of_session) = first_text(records, USER_KEYS), first_text(records, (SESSION_KEY,))
    relation = records.relation(session, {"event_name", SERVICE}.union(of_user, of_session))
    sql = statement(
        "coverage/logs", service=SERVICE_NAME, is_event=IS_EVENT, user=user, named=named, relation=relation,
        where=records.predicate,
    )  # fmt: skip
    return rows(session, sql)


def _exceptions(session: QuerySession, window: Window) -> list[dict[str, Any]]:
    relation = Sql(session.relation(Signal.OCCURRENCES, window, ("service_name", "time_ns")))
    return rows(session, statement("coverage/exceptions", relation=relation))


def _points(session: QuerySession, window: Window) -> list[dict[str, Any]]:
    records = match_records(session, Signal.METRICS, window)
    host, columns = records.expression("host.name", "filter")
    proofs = [(family.key, beginning) for family in FAMILIES for beginning in family.metrics]
    sql = statement(
        "coverage/points", service=SERVICE_NAME, host=host,
        relation=records.relation(session, ("metric_name", SERVICE, *columns)),
        families=[key for key, _ in proofs], beginnings=[beginning for _, beginning in proofs],
    )  # fmt: skip
    return rows(session, sql)
