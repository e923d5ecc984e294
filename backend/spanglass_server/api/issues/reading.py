"""Routes that show issues and their occurrences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.api.params import CURSOR_PARAM, FILTER, ORDER, RANGE, Param, limit_param
from spanglass_server.api.routing import Route
from spanglass_server.api.schema import schema_of
from spanglass_server.query.issues import answers
from spanglass_server.query.issues.listing import SORTS, IssueOrder, IssueQuestion, list_issues
from spanglass_server.query.issues.occurrences.listing import FIRST, LATEST, list_occurrences
from spanglass_server.query.issues.occurrences.one import show_occurrence
from spanglass_server.query.issues.one import show_issue

if TYPE_CHECKING:
    from spanglass_server.api.params import Params
    from spanglass_server.query.issues.known import KnownIssues
    from spanglass_server.store.ports import QuerySession

ISSUE = Param("issue", "text", help="The issue's id, such as CHECKOUT-12.")
_BUCKETS = Param("buckets", "integer", 30, "Most points of a series.", minimum=1, maximum=1000)


def reading_routes(issues: KnownIssues) -> tuple[Route, ...]:
    """Return the routes that show issues."""

    def list_(session: QuerySession, params: Params) -> answers.IssueList:
        question = IssueQuestion(
            window=params["window"],
            filter=params["filter"] or "",
            states=params["state"] or (),
            service=params["service"],
            assignee=params["assignee"],
        )
        order = IssueOrder(params["sort"], params["order"] == "desc", params["limit"], params["cursor"])
        return list_issues(session, issues, question, order, params["now_ns"], params["buckets"])

    def show(session: QuerySession, params: Params) -> answers.IssuePage:
        return show_issue(session, issues, params["issue"], params["window"], params["now_ns"], params["buckets"])

    def occurrences(session: QuerySession, params: Params) -> answers.OccurrenceList:
        issue, at = params["issue"], params["at"]
        return list_occurrences(session, issues, issue, at=at, limit=params["limit"], cursor=params["cursor"])

    def occurrence(session: QuerySession, params: Params) -> answers.OccurrencePage:
        return show_occurrence(session, issues, params["issue"], params["occurrence"])

    return (
        Route(
            path="/issues",
            summary="Issues with occurrences in the range.",
            parameters=(
                *RANGE,
                FILTER,
                Param(
                    "state",
                    "keys",
                    help="new, ongoing, regressed, resolved, ignored, comma-separated; open (the default: the first "
                    "three), or all.",
                ),
                Param("service", "text", help="Only issues of this service."),
                Param("assignee", "text", help="Only those assigned to this name; none: those of nobody."),
                Param("sort", "choice", "last_seen", "What to sort by.", choices=tuple(SORTS)),
                ORDER,
                limit_param(50),
                CURSOR_PARAM,
                _BUCKETS,
            ),
            response=schema_of(answers.IssueList),
            query=list_,
        ),
        Route(
            path="/issues/{issue}",
            summary="One issue: why it is grouped, its figures in the range, and what was done about it.",
            parameters=(ISSUE, *RANGE, _BUCKETS),
            response=schema_of(answers.IssuePage),
            query=show,
        ),
        Route(
            path="/issues/{issue}/occurrences",
            summary="Occurrences of an issue, at any time.",
            parameters=(
                ISSUE,
                Param(
                    "at",
                    "text",
                    LATEST,
                    f"{LATEST}: newest first; {FIRST}: oldest first; an occurrence's id: that one and those before it.",
                ),
                limit_param(50),
                CURSOR_PARAM,
            ),
            response=schema_of(answers.OccurrenceList),
            query=occurrences,
        ),
        Route(
            path="/issues/{issue}/occurrences/{occurrence}",
            summary="One occurrence: the exception as it was sent, and what happened just before.",
            parameters=(ISSUE, Param("occurrence", "text", help=f"The occurrence's id, {LATEST} or {FIRST}.")),
            response=schema_of(answers.OccurrencePage),
            query=occurrence,
        ),
    )
