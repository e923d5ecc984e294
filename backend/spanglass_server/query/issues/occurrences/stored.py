"""What the issue store wants to know of stored occurrences: keys that it has not heard of, and what came since."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from spanglass_core.grouping.fingerprint import CURRENT_VERSION, title_of
from spanglass_server.issues.escalation import HOURS
from spanglass_server.issues.model import Sighting
from spanglass_server.issues.states import IgnoredCounts
from spanglass_server.query.language.compiling.sql import Sql
from spanglass_server.query.statements import rows, statement
from spanglass_server.query.window import clamp
from spanglass_server.signals import Signal
from spanglass_server.store.ports import ALL_TIME
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from spanglass_server.issues.model import Due
    from spanglass_server.store.ports import QuerySession

_HOUR_NS = 3600 * NS_PER_SECOND
_KEY_COLUMNS = ("time_ns", "issue_key", "service_name", "release", "environment", "type", "message", "culprit")


def unknown_keys(session: QuerySession, known: Collection[int]) -> list[Sighting]:
    """Return what is stored of all keys but these; without the inputs of their fingerprints, which are not stored."""
    relation = Sql(session.relation(Signal.OCCURRENCES, ALL_TIME, _KEY_COLUMNS))
    found = rows(session, statement("issues/stored_keys", occurrences=relation, known=list(known)))
    return [
        Sighting(
            key=row["issue_key"],
            service=row["service_name"],
            title=title_of(row["type"], row["message"]),
            type=row["type"],
            message=row["message"],
            culprit=row["culprit"],
            version=CURRENT_VERSION,
            inputs=(),
            first_ns=row["first_ns"],
            last_ns=row["last_ns"],
            release=row["release"],
            environment=row["environment"],
        )
        for row in found
    ]


def since_ignored(session: QuerySession, due: Sequence[Due], now_ns: int) -> Mapping[str, IgnoredCounts]:
    """Return what occurred of ignored issues, by issue id."""
    start_ns = min(now_ns - (HOURS + 1) * _HOUR_NS, *(one.since_ns for one in due))
    columns = ("time_ns", "issue_key", "user")
    parts = {
        "occurrences": Sql(session.relation(Signal.OCCURRENCES, clamp(start_ns, ALL_TIME.end_ns), columns)),
        "due": _due(due),
    }
    totals = {row["issue"]: row for row in rows(session, statement("issues/since_ignored", **parts))}
    hours: dict[str, dict[int, int]] = defaultdict(dict)
    for row in rows(session, statement("issues/hours_of_ignored", now_ns=now_ns, **parts)):
        hours[row["issue"]][row["hours_ago"]] = row["events"]
    return {
        one.issue: IgnoredCounts(
            since_ns=one.since_ns,
            events=totals[one.issue]["events"] if one.issue in totals else 0,
            users=totals[one.issue]["users"] if one.issue in totals else 0,
            hours_before=tuple(hours[one.issue].get(ago, 0) for ago in range(HOURS, 0, -1)),
            this_hour=hours[one.issue].get(0, 0),
        )
        for one in due
    }


def _due(due: Sequence[Due]) -> Sql:
    pairs = [(one.issue, key, one.since_ns) for one in due for key in one.keys]
    issues, keys, since = (list(column) for column in zip(*pairs, strict=True)) if pairs else ([], [], [])
    return statement("issues/due", issues=issues, keys=keys, since=since)
