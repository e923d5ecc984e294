"""Routes about issues as a whole: what stands out, which issues records belong to, releases, and events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass_server.api.issues.reading import ISSUE
from spanglass_server.api.params import RANGE, Param, limit_param
from spanglass_server.api.routing import Route
from spanglass_server.api.schema import schema_of
from spanglass_server.query.issues import answers
from spanglass_server.query.issues.attributes import attribute_shares
from spanglass_server.query.issues.events import list_events
from spanglass_server.query.issues.occurrences.of_records import MAX_RECORDS, issues_of
from spanglass_server.query.issues.releases import list_releases

if TYPE_CHECKING:
    from spanglass_server.api.params import Params
    from spanglass_server.query.issues.known import KnownIssues
    from spanglass_server.store.ports import QuerySession


@dataclass(frozen=True, slots=True)
class _Questions:
    """The handlers."""

    issues: KnownIssues

    def attributes(self, session: QuerySession, params: Params) -> answers.AttributeList:
        """What stands out in an issue."""
        return attribute_shares(session, self.issues, params["issue"], params["window"], params["limit"])

    def of(self, session: QuerySession, params: Params) -> answers.IssuesOfRecords:
        """Which issues records belong to."""
        traces, logs = params["traces"] or (), params["logs"] or ()
        return issues_of(session, self.issues, traces, logs, params["now_ns"])

    def releases(self, session: QuerySession, params: Params) -> answers.ReleaseList:
        """Releases of one service or all."""
        return list_releases(session, self.issues, params["window"], params["service"], params["limit"])

    def events(self, _: QuerySession, params: Params) -> answers.IssueEventList:
        """Events after one."""
        return list_events(self.issues, params["after"], params["limit"])


def figure_routes(issues: KnownIssues) -> tuple[Route, ...]:
    """Return the routes."""
    ask = _Questions(issues)
    return (
        Route(
            path="/issues/{issue}/attributes",
            summary="Values of attributes that an issue has more often than all traffic of its service.",
            parameters=(ISSUE, *RANGE, limit_param(20, 100)),
            response=schema_of(answers.AttributeList),
            query=ask.attributes,
        ),
        Route(
            path="/issue-occurrences",
            summary="The issues that the exceptions of traces and log records belong to.",
            parameters=(
                Param("traces", "keys", help="Ids of traces, comma-separated.", maximum=MAX_RECORDS),
                Param("logs", "keys", help="Ids of log records, comma-separated.", maximum=MAX_RECORDS),
            ),
            response=schema_of(answers.IssuesOfRecords),
            query=ask.of,
        ),
        Route(
            path="/releases",
            summary="Releases with their issues and the share of requests without a crash, the newest first.",
            parameters=(*RANGE, Param("service", "text", help="Only releases of this service."), limit_param(50)),
            response=schema_of(answers.ReleaseList),
            query=ask.releases,
        ),
        Route(
            path="/issue-events",
            summary="New issues, regressions, escalations and ends of ignoring, the oldest first.",
            parameters=(
                Param("after", "integer", 0, "Only events after the one of this id.", minimum=0),
                limit_param(100),
            ),
            response=schema_of(answers.IssueEventList),
            query=ask.events,
        ),
    )
