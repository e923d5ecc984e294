"""Counts, errors and latency of the spans of a range: of services, of their requests over time, of operations.

Exact figures of up to some million spans come from the columns that are kept of their parts, those of more from SQL.
Where a sampler kept only some of the spans, they are estimated.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from spanglass_server.query.language.compiling.service_sql import SERVICE_NAME, is_service
from spanglass_server.query.language.compiling.sql import TRUE, Sql, all_of, any_of
from spanglass_server.query.services.estimates import PROBABILITY, counting, estimate
from spanglass_server.query.span_figures.cells import Grouping
from spanglass_server.query.span_figures.columns import is_request
from spanglass_server.query.span_figures.kept import NO_STEPS_NS, KeptSpans, by_group, by_step
from spanglass_server.query.statements import rows, statement
from spanglass_server.query.window import Buckets
from spanglass_server.service_names import SERVICE, service_name
from spanglass_server.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from spanglass_server.query.span_figures.columns import Operation
    from spanglass_server.query.span_figures.joining import Figures
    from spanglass_server.store.ports import QuerySession, Window

Row = dict[str, Any]
#: What of operations comes first: those that took most time, or had most spans.
Order = Literal["total_ns", "requests"]

_COLUMNS = ("start_time_ns", "duration_ns", "status_code", SERVICE)
_OPERATION_COLUMNS = (*_COLUMNS, "kind", "name")
_BY_STEP = ("service", "bucket")


@dataclass(frozen=True, slots=True)
class Role:
    """Spans that may count as requests: a predicate and the columns it needs.

    ``chosen`` and ``roots`` say the same of columns of spans (``Grouping``). ``together``: services are not told apart,
    and their name is "".
    """

    predicate: Sql
    columns: tuple[str, ...]
    chosen: Callable[[Operation], bool]
    roots: bool = False
    together: bool = False

    @property
    def service(self) -> Sql:
        """What spans are grouped as, in SQL."""
        return Sql("''") if self.together else SERVICE_NAME

    def label(self, operation: Operation) -> str:
        """What spans of an operation are grouped as."""
        return "" if self.together else operation.service

    def grouping(self, step_ns: int, services: frozenset[str] | None) -> Grouping:
        """The same for columns of spans; that of all requests is asked for so often that its cells are kept."""
        if services is None:
            name = f"requests of {'all' if self.together else 'each'}" if self.chosen is is_request else None
            return Grouping(self.chosen, self.label, step_ns, name, self.roots)
        return Grouping(
            lambda each: each.service in services and self.chosen(each), self.label, step_ns, roots=self.roots
        )

    def of_all(self) -> Role:
        """The same of all services together."""
        return replace(self, together=True)


#: All spans.
SPANS = Role(TRUE, (), lambda _: True)
REQUESTS = Role(Sql("kind IN (2, 5)"), ("kind",), is_request)
#: Requests of services that have none.
ROOTS = Role(Sql("parent_span_id IS NULL"), ("parent_span_id",), lambda _: True, roots=True)


def named(operation: str) -> Role:
    """Spans of a name, of any kind."""
    return Role(Sql("name = ?", (operation,)), ("name",), lambda each: each.name == operation)


class Measuring:
    """The figures of one range. Rows have the names that SQL gives its columns."""

    def __init__(self, session: QuerySession, window: Window) -> None:
        self._session = session
        self._window = window
        sampled = session.has_column(Signal.SPANS, window, PROBABILITY)
        self._counts, self._columns = counting((PROBABILITY,) if sampled else ())
        self._kept = None if sampled else KeptSpans.of(session, window)

    def totals(self) -> list[Row]:
        """Count all spans of every service: ``service``, ``spans``, ``last_ns``."""
        if self._kept is not None:
            found = self._kept.totals().items()
            return [{"service": name, "spans": total.spans, "last_ns": total.last_ns} for name, total in found]
        relation = self._relation("start_time_ns", SERVICE)
        spans = self._counts["spans"]
        return rows(self._session, statement("services", service=SERVICE_NAME, relation=relation, spans=spans))

    def requests(
        self, role: Role, steps: Buckets | None, *, whole: bool, services: Collection[str] | None = None
    ) -> dict[str, list[Row]]:
        """Measure the spans of a role, of some services or all, by service.

        A service's rows are those of its steps (``bucket`` 0 without ``steps``), and with ``whole`` one of all, whose
        ``bucket`` is None.
        """
        only = None if services is None else frozenset(map(service_name, services))
        if self._kept is not None:
            grouping = role.grouping(NO_STEPS_NS if steps is None else steps.step_ns, only)
            found = _of_kept(self._kept, grouping, steps, whole=whole)
        else:
            found = self._asked(role, steps or _one(self._window), only, whole=whole)
        by_service: dict[str, list[Row]] = defaultdict(list)
        for row in found:
            by_service[row["service"]].append(row)
        return by_service

    def _asked(self, role: Role, steps: Buckets, services: frozenset[str] | None, *, whole: bool) -> list[Row]:
        relation = self._relation(*_COLUMNS, *role.columns)
        only = TRUE if services is None else any_of([is_service(name) for name in sorted(services)])
        where = all_of([role.predicate, only])
        bucket = Sql("(start_time_ns - ?) // ?", (steps.first_ns, steps.step_ns))
        sets = (("service",), _BY_STEP) if whole else (_BY_STEP,)
        if self._columns:
            return estimate(self._session, relation, where, {"service": role.service, "bucket": bucket}, sets=sets)
        groupings = Sql(", ".join(f"({', '.join(names)})" for names in sets))
        request = statement(
            "requests", service=role.service, bucket=bucket, relation=relation, where=where, sets=groupings
        )
        return rows(self._session, request)

    def operations(self, service: str, limit: int, role: Role = SPANS, order: Order = "total_ns") -> list[Row]:
        """Measure the spans of a service that are of a role by name and kind, most time or most spans first."""
        where = all_of([is_service(service), role.predicate])
        if self._kept is not None:
            found = _kept_operations(self._kept, service_name(service), role, order)
            return found[:limit]
        relation = self._relation(*_OPERATION_COLUMNS)
        if self._columns:
            keys = {"operation": Sql("name"), "kind": Sql("kind")}
            return estimate(self._session, relation, where, keys, order=f"{order} DESC", limit=limit)
        request = statement("operations", relation=relation, where=where, order=Sql(order), count=limit)
        return rows(self._session, request)

    def _relation(self, *columns: str) -> Sql:
        return Sql(self._session.relation(Signal.SPANS, self._window, {*columns, *self._columns}))


def _one(window: Window) -> Buckets:
    """Make the whole range one bucket."""
    return Buckets(window.start_ns, window.end_ns - window.start_ns, 1)


def _of_kept(kept: KeptSpans, grouping: Grouping, steps: Buckets | None, *, whole: bool) -> list[Row]:
    first = 0 if steps is None else steps.first_ns // steps.step_ns
    cells = kept.cells(grouping)
    found = [_of_service(row, row["step"] - first) for row in _rows(by_step(cells))]
    if whole:
        found += [_of_service(row, None) for row in _rows(by_group(cells))]
    return found


def _of_service(row: Row, bucket: int | None) -> Row:
    return {"service": row["label"], "bucket": bucket, **row}


def _kept_operations(kept: KeptSpans, service: str, role: Role, order: Order) -> list[Row]:
    grouping = Grouping(lambda each: each.service == service and role.chosen(each), lambda each: each[1:], NO_STEPS_NS)
    found = [
        {"operation": row["label"][0], "kind": row["label"][1], **row} for row in _rows(by_step(kept.cells(grouping)))
    ]
    found.sort(key=lambda row: _most_first(row, order))
    return found


def _most_first(row: Mapping[str, Any], order: Order) -> tuple[Any, ...]:
    name, kind = row["operation"], row["kind"]
    return -row[order], name is None, name or "", kind is None, kind or 0


def _rows(figures: Figures | None) -> list[Row]:
    return [] if figures is None else figures.rows()
