"""Which services work together: those that have spans in the same traces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.query.language.compiling.service_sql import SERVICE_NAME
from spanglass_server.query.language.compiling.sql import Sql
from spanglass_server.query.statements import rows, statement
from spanglass_server.query.window import clamp
from spanglass_server.service_names import SERVICE
from spanglass_server.signals import Signal
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from spanglass_server.store.ports import QuerySession

#: Traces are looked at from so long before an alert on: a service that has just fallen silent is in older ones. Where
#: these minutes have none, an hour does.
_BEFORE_NS = (600 * NS_PER_SECOND, 3600 * NS_PER_SECOND)
#: So many of the newest traces say with whom a service works.
_TRACES = 200


def companions(session: QuerySession, service: str, before_ns: int) -> frozenset[str]:
    """Services with spans in the newest traces of a service, in the time before; empty where it has none."""
    for long_ns in _BEFORE_NS:
        window = clamp(before_ns - long_ns, before_ns + 1)
        relation = Sql(session.relation(Signal.SPANS, window, {"trace_id", "start_time_ns", SERVICE}))
        asked = statement("companions", service=SERVICE_NAME, relation=relation, own_name=service, count=_TRACES)
        found = frozenset(row["service"] for row in rows(session, asked))
        if found:
            return found
    return frozenset()
