"""The list of issues: those with occurrences in a range, a page at a time.

Two statements: the first counts all matching occurrences by key, which is all that choosing and sorting takes; the
second reads the rest for the issues of the page only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spanglass_server.issues.states import OPEN_STATES, State
from spanglass_server.query.cursors import Cursor
from spanglass_server.query.errors import BadQuestionError
from spanglass_server.query.issues.figures import described_steps, figures, middle_ns, titled
from spanglass_server.query.issues.occurrences.matching import match_occurrences
from spanglass_server.query.language.compiling.sql import TRUE, Sql
from spanglass_server.query.statements import one_of, rows, statement
from spanglass_server.query.window import Buckets, describe
from spanglass_server.times import format_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.query.issues.answers import IssueList, ListedIssue, StateCounts
    from spanglass_server.query.issues.known import Known, KnownIssues
    from spanglass_server.query.issues.occurrences.matching import Occurrences
    from spanglass_server.store.ports import QuerySession, Window

#: What lists can be sorted by, as whole numbers.
SORTS = {
    "last_seen": Sql("last_seen"),
    "first_seen": Sql("first_seen"),
    "events": Sql("events"),
    "users": Sql("coalesce(users, 0)"),
    "trend": Sql("round(1000 * (2 * later - events) / sqrt(events))::BIGINT"),
}
#: Words for several states.
STATE_WORDS = {"open": tuple(sorted(OPEN_STATES)), "all": tuple(State)}
NOBODY = "none"


@dataclass(frozen=True, slots=True)
class IssueQuestion:
    """The issues that somebody asks for. ``assignee`` None is anybody, ``none`` nobody."""

    window: Window
    filter: str = ""
    states: Sequence[str] = ("open",)
    service: str | None = None
    assignee: str | None = None


@dataclass(frozen=True, slots=True)
class IssueOrder:
    """Which page of them."""

    sort: str = "last_seen"
    descending: bool = True
    limit: int = 50
    cursor: str | None = None

    @property
    def name(self) -> str:
        """What cursors of these pages are written for."""
        return f"{self.sort} {'desc' if self.descending else 'asc'}"


def list_issues(
    session: QuerySession, issues: KnownIssues, question: IssueQuestion, order: IssueOrder, now_ns: int, buckets: int
) -> IssueList:
    """Answer ``GET /api/v1/issues``."""
    known = issues.at(session, now_ns)
    occurrences = match_occurrences(session, known, question.window, question.filter, question.service)
    found = _page(session, known, occurrences, question, order)
    shown = [row for row in found[: order.limit] if row["id"] is not None]
    has_more = len(found) > order.limit
    steps = Buckets.about(question.window, buckets)
    summaries = [known.snapshot.issues[row["id"]] for row in shown]
    counted = figures(session, known, occurrences, summaries, steps)
    listed: list[ListedIssue] = [
        {
            **titled(session, issue, now_ns),
            **counted[issue.id],
            "first_seen_time": format_time(issue.first_seen_ns),
            "first_release": issue.first_release or None,
        }
        for issue in summaries
    ]
    return {
        "window": describe(question.window),
        "issues": listed,
        "next_cursor": _cursor(shown[-1], order) if has_more else None,
        "counts": _counts(found[0]),
        **described_steps(steps),
    }


def _page(
    session: QuerySession, known: Known, occurrences: Occurrences, question: IssueQuestion, order: IssueOrder
) -> list[dict[str, Any]]:
    """Find the page's issues and one more; a row without an id where there are none."""
    relation = occurrences.relation(session, ("issue_key", "user") if order.sort == "users" else ("issue_key",))
    more = Sql("")
    if order.sort == "users":
        more = statement("issues/users", relation=relation, where=occurrences.predicate, issues=known.table)
    return rows(
        session,
        statement(
            "issues/list",
            middle_ns=middle_ns(question.window),
            relation=relation,
            where=occurrences.predicate,
            issues=known.table,
            of_issue=_assigned(question.assignee),
            value=SORTS[order.sort],
            more=more,
            states=one_of(read_states(question.states)),
            after=_after(order),
            direction=Sql("DESC" if order.descending else "ASC"),
            count=order.limit + 1,
        ),
    )


def read_states(words: Sequence[str]) -> list[str]:
    """Return the states that words ask for; BadQuestionError for one that is none."""
    states: dict[str, None] = {}
    for word in words or ("open",):
        if word not in STATE_WORDS and word not in set(State):
            choices = ", ".join((*State, *STATE_WORDS))
            raise BadQuestionError(f"{word!r} is no state of issues", field="state", hint=f"choose of {choices}")
        states.update(dict.fromkeys(map(str, STATE_WORDS.get(word, (word,)))))
    return list(states)


def _assigned(assignee: str | None) -> Sql:
    if assignee is None:
        return TRUE
    return Sql("assignee = ?", ("" if assignee == NOBODY else assignee,))


def _after(order: IssueOrder) -> Sql:
    cursor = Cursor.decode(order.cursor, order.name)
    if cursor is None:
        return TRUE
    sign = "<" if order.descending else ">"
    issue_id = cursor.id.decode("utf-8", "replace")
    return Sql(f"(value {sign} ? OR (value = ? AND id {sign} ?))", (cursor.value, cursor.value, issue_id))


def _cursor(row: dict[str, Any], order: IssueOrder) -> str:
    return Cursor(row["value"], row["id"].encode()).encode(order.name)


def _counts(row: dict[str, Any]) -> StateCounts:
    return {
        "new": row["new"],
        "ongoing": row["ongoing"],
        "regressed": row["regressed"],
        "resolved": row["resolved"],
        "ignored": row["ignored"],
    }
