"""All events of issues in columns, read on as they come, and which of them a filter means."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pyarrow as pa

from spanglass_server.issues.ports import UnknownIssueError
from spanglass_server.query.errors import FilterError
from spanglass_server.query.issues.occurrences.matching import ISSUE_FIELDS, issue_condition, renamed
from spanglass_server.query.language import compile_filter, parse_filter
from spanglass_server.query.language.compiling.conditions import Contains, scalar_condition
from spanglass_server.query.language.compiling.sql import Sql, all_of, any_of, negated
from spanglass_server.query.language.parsing.ast import And, Compare, Exists, In, Not, Or, Related, Text
from spanglass_server.signals import Signal, ValueType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.issues.model import Event, IssueSummary
    from spanglass_server.issues.ports import IssueStore
    from spanglass_server.query.language.parsing.ast import Field, Filter

#: Columns of the log. ``id`` is the issue's, and what stands from there on is known of it when the event is read.
SCHEMA = pa.schema(
    [
        ("kind", pa.string()),
        ("time_ns", pa.int64()),
        ("service_name", pa.string()),
        ("release", pa.string()),
        ("environment", pa.string()),
        ("id", pa.string()),
        ("type", pa.string()),
        ("message", pa.string()),
        ("culprit", pa.string()),
        ("title", pa.string()),
    ]
)
_AT_ONCE = 1000


class EventLog:
    """The events of an issue store, oldest first; safe for any thread. Events never change, and none is deleted."""

    def __init__(self, store: IssueStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._rows = SCHEMA.empty_table()
        self._last = 0  # the id of the last event read
        self._version = -1

    def rows(self) -> pa.Table:
        """All events until now, in the columns of ``SCHEMA``; quick when there are no new ones."""
        with self._lock:
            version = self._store.version()
            while version != self._version:
                events = self._store.events(self._last, _AT_ONCE)
                if events:
                    self._rows = pa.concat_tables([self._rows, self._table(events)]).combine_chunks()
                    self._last = events[-1].id
                if len(events) < _AT_ONCE:
                    self._version = version
            return self._rows

    def _table(self, events: Sequence[Event]) -> pa.Table:
        known = self._store.snapshot().issues
        issues = {event.issue: known.get(event.issue) or self._merged(event.issue) for event in events}
        rows = [_row(event, issues[event.issue]) for event in events]
        columns = zip(*rows, strict=True)
        arrays = [pa.array(column, field.type) for column, field in zip(columns, SCHEMA, strict=True)]
        return pa.table(arrays, schema=SCHEMA)

    def _merged(self, issue_id: str) -> IssueSummary | None:
        """What an issue was merged into."""
        try:
            return self._store.issue(issue_id).summary
        except UnknownIssueError:  # pragma: no cover - an event's issue is never deleted
            return None


def _row(event: Event, issue: IssueSummary | None) -> tuple[str | int, ...]:
    told = ("", "", "", "") if issue is None else (issue.type, issue.message, issue.culprit, issue.title)
    return (event.kind.value, event.time_ns, event.service, event.release, event.environment, event.issue, *told)


def event_condition(text: str) -> Sql:
    """Which rows of the log a filter means.

    Of the fields of issues and occurrences it knows those that an event has. What is so only now (state, assignee)
    and what records say (attributes, users, traces) is none of them: ``FilterError``, as for a filter that is none.
    """
    return _condition(parse_filter(text)) if text.strip() else Sql("true")


def _condition(node: Filter) -> Sql:
    match node:
        case And(terms):
            return all_of([_condition(term) for term in terms])
        case Or(terms):
            return any_of([_condition(term) for term in terms])
        case Not(term):
            return negated(_condition(term))
        case Text(value):
            in_title = scalar_condition("title", ValueType.STR, Contains(value))
            return any_of([_of_columns(node, None), in_title])
        case Related():  # an error
            return _of_columns(node, None)
        case Compare(field) | In(field) | Exists(field):
            column = None if field.quoted else ISSUE_FIELDS.get(field.name)
            return issue_condition(node, field) if column in SCHEMA.names else _of_columns(node, field)


def _of_columns(node: Compare | In | Exists | Text | Related, field: Field | None) -> Sql:
    compiled = compile_filter(renamed(node), Signal.OCCURRENCES, ())
    if field is not None and (not compiled.columns or not compiled.columns <= {*SCHEMA.names}):
        known = (
            "service",
            "exception.type",
            "exception.message",
            "culprit",
            "title",
            "issue",
            "release",
            "environment",
        )
        raise FilterError(
            f"events of issues do not know {field.name!r}",
            field.column,
            known,
            "an event has what is known of its issue, not the attributes of the records that tell of it",
        )
    return Sql(compiled.sql, tuple(compiled.parameters))
