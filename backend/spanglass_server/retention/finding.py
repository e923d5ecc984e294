"""Which traces of a range of time each policy names, out of what is stored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from spanglass_server.query.language.compiling.service_sql import SERVICE_NAME, is_service
from spanglass_server.query.language.compiling.sql import Sql, all_of, any_of
from spanglass_server.query.matching import SpanQuestion, match_spans, within
from spanglass_server.query.services.estimates import PROBABILITY, WEIGHT
from spanglass_server.query.statements import statement
from spanglass_server.retention.model import P99
from spanglass_server.retention.occupied import DAY_NS
from spanglass_server.service_names import SERVICE
from spanglass_server.signals import Signal

if TYPE_CHECKING:
    from spanglass_server.query.matching import Matching
    from spanglass_server.retention.model import Policy
    from spanglass_server.retention.occupied import Occupied
    from spanglass_server.store.ports import QuerySession, Window

#: A trace is judged by its spans so many hours around the rows that are looked at: others may lie in segments beside.
REACH_HOURS: Final = 1
_LEAST_REQUESTS: Final = 100
_MOST_OPERATIONS: Final = 2000
_REQUEST_COLUMNS: Final = (SERVICE, "name", "kind", "duration_ns", "start_time_ns")
_NO_TRACES: Final = pa.array([], pa.binary())

#: Bounds of slow traces by day, service and operation, of some days since 1970.
Bounds = Callable[["QuerySession", Sequence[int]], Sequence[tuple[int, str, str, int]]]


@dataclass(frozen=True, slots=True)
class Named:
    """The traces that a policy names, each once."""

    policy: Policy
    traces: Any


def named(session: QuerySession, policies: Sequence[Policy], occupied: Occupied, bounds: Bounds) -> list[Named]:
    """Find the traces of each policy in some hours."""
    slow = bounds(session, occupied.days) if any(policy.slower_than == P99 for policy in policies) else ()
    return [
        Named(policy, _together([_traces(session, policy, window, slow) for window in occupied.windows]))
        for policy in policies
    ]


def _together(found: Sequence[Any]) -> Any:
    return pa.concat_arrays(found) if found else _NO_TRACES


def _traces(session: QuerySession, policy: Policy, window: Window, slow: Sequence[tuple[int, str, str, int]]) -> Any:
    if policy.keep == "exemplars":
        return _of_exemplars(session, window)
    matching = match_spans(session, _question(policy, window))
    where = all_of([matching.where, *_more(policy)])
    if policy.slower_than == P99:
        return _slow(session, matching, where, slow)
    columns = {
        "trace_id",
        *([SERVICE] if policy.services else []),
        *(["status_code"] if policy.keep == "errors" else []),
    }
    found = statement("retention/kept_traces", relation=matching.relation(session, columns), where=where)
    return _ids(session, found)


def _question(policy: Policy, window: Window) -> SpanQuestion:
    bound_ns = policy.bound_ns if policy.keep == "slow" else 0
    return SpanQuestion(window, filter=policy.filter, min_duration_ns=bound_ns or None)


def _more(policy: Policy) -> list[Sql]:
    """What a span has to be besides matching the filter."""
    conditions = [any_of([is_service(name) for name in policy.services])] if policy.services else []
    return [*conditions, Sql("status_code = 2")] if policy.keep == "errors" else conditions


def _of_exemplars(session: QuerySession, window: Window) -> Any:
    column = "exemplar_trace_id"
    if not any(column in part.columns for part in session.parts(Signal.METRICS, window)):
        return _NO_TRACES
    relation = Sql(session.relation(Signal.METRICS, window, (column,), require=(column,)))
    return _ids(session, statement("retention/exemplar_traces", relation=relation))


def _slow(session: QuerySession, matching: Matching, where: Sql, bounds: Sequence[tuple[int, str, str, int]]) -> Any:
    if not bounds:
        return _NO_TRACES
    days, services, names, bounds_ns = zip(*bounds, strict=True)
    table = pa.table({
        "bound_day": pa.array(days, pa.int64()),
        "bound_service": pa.array(services, pa.string()),
        "bound_name": pa.array(names, pa.string()),
        "bound_ns": pa.array(bounds_ns, pa.int64()),
    })  # fmt: skip
    found = statement(
        "retention/slow_traces",
        relation=matching.relation(session, {"trace_id", *_REQUEST_COLUMNS}),
        bounds=Sql(session.table(table)),
        service=SERVICE_NAME,
        day_ns=Sql(str(DAY_NS)),
        where=where,
    )
    return _ids(session, found)


def _ids(session: QuerySession, found: Sql) -> Any:
    """The ids that a statement finds, as one array."""
    ids = pc.drop_null(session.execute(found.text, list(found.parameters))["trace_id"].cast(pa.binary()))
    return ids.combine_chunks() if ids.num_chunks else _NO_TRACES


def measure_bounds(session: QuerySession, window: Window) -> list[tuple[int, str, str, int]]:
    """Measure bounds of slow requests of the days of a range: day since 1970, service, operation, nanoseconds."""
    sampled = PROBABILITY in session.columns(Signal.SPANS, window)
    columns = (*_REQUEST_COLUMNS, PROBABILITY) if sampled else _REQUEST_COLUMNS
    weight = {"weight": Sql(WEIGHT)} if sampled else {}
    found = statement(
        "retention/bounds_of_sampled" if sampled else "retention/bounds",
        relation=Sql(session.relation(Signal.SPANS, window, columns)),
        where=within(window),
        service=SERVICE_NAME,
        day_ns=Sql(str(DAY_NS)),
        least=_LEAST_REQUESTS,
        most=_MOST_OPERATIONS,
        **weight,
    )
    rows = session.rows(found.text, list(found.parameters))
    return [(row["day"], row["service"], row["name"], row["bound_ns"]) for row in rows]
