"""Issues of the error tracker behind an alert: those of the bad traces, else those of the service in the window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.alerting.evidence.examples import MOST_BAD, bad_of
from spanglass_server.alerting.evidence.words import shortened
from spanglass_server.query.comparing.groups import is_no_id
from spanglass_server.query.issues.attributes import attribute_shares
from spanglass_server.query.language.compiling.sql import TRUE, Sql
from spanglass_server.query.statements import one_of, rows, run, statement
from spanglass_server.query.window import widen
from spanglass_server.signals import Signal
from spanglass_server.times import NS_PER_SECOND, format_time

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from typing import Any

    from spanglass_server.alerting.evidence.answers import AttributesShown, IssueShown
    from spanglass_server.alerting.evidence.examples import Bad
    from spanglass_server.alerting.evidence.subject import Subject
    from spanglass_server.issues.model import IssueSummary
    from spanglass_server.query.comparing.groups import StandingOut
    from spanglass_server.query.issues.known import KnownIssues
    from spanglass_server.store.ports import QuerySession

_MOST = 3
_MOST_KEYS = 50
#: So many of the bad traces are looked at.
_MOST_TRACES = 200
_AROUND_NS = 60 * NS_PER_SECOND


def issues_behind(
    session: QuerySession, known: KnownIssues, subject: Subject, trace_ids: Sequence[bytes], began_in: Collection[str]
) -> list[IssueShown]:
    """The issues with most occurrences; first the one that the alert itself names, then those of some services.

    ``began_in`` are the services where failures began: what others raised because of that tells less.
    """
    snapshot = known.snapshot()
    traces = list(dict.fromkeys(trace_ids))[:_MOST_TRACES]
    found = _rows(session, subject, traces) if traces else []
    of_traces = bool(found)
    if not found and (subject.service or subject.issue):
        found = _rows(session, subject, ())
    by_issue: dict[str, tuple[IssueSummary, list[dict[str, Any]]]] = {}
    for row in found:
        issue = snapshot.by_key.get(row["issue_key"])
        if issue is not None:
            by_issue.setdefault(issue.id, (issue, []))[1].append(row)
    named = snapshot.issues.get(subject.issue)
    if named is not None and named.id not in by_issue:
        by_issue[named.id] = (named, [])
    shown = [_shown(issue, rows_, subject, len(traces) if of_traces else 0) for issue, rows_ in by_issue.values()]
    shown.sort(
        key=lambda each: (
            each["issue"] != subject.issue, each["service"] not in began_in, -each["events"], each["issue"]
        )
    )  # fmt: skip
    return shown[:_MOST]


def told_by(session: QuerySession, known: KnownIssues, subject: Subject) -> Bad:
    """The spans that tell the newest occurrences of the issue that the alert is about."""
    keys = known.summary(subject.issue).keys
    window = widen(subject.both(), _AROUND_NS)
    occurrences = session.relation(Signal.OCCURRENCES, window, ("trace_id", "span_id", "time_ns", "issue_key"))
    found = statement(
        "comparing/told_by",
        occurrences=Sql(occurrences),
        spans=Sql(session.relation(Signal.SPANS, window, ("trace_id", "span_id", "duration_ns", "name"))),
        keys=one_of(keys),
        count=MOST_BAD,
    )
    return bad_of(run(session, found), subject)


def attributes_of(
    session: QuerySession, known: KnownIssues, subject: Subject, skipped: tuple[str, ...], limit: int
) -> AttributesShown:
    """What sets the issue's occurrences apart from all records of its service; keys as in ``standing_out``."""
    found = attribute_shares(
        session, known, subject.issue, subject.both(), 4 * limit, recent_ns=subject.window.start_ns
    )
    attributes: list[StandingOut] = [
        {
            "key": each["key"],
            "value": value["value"],
            "share": value["share"],
            "other_share": value["baseline_share"],
            "lift": round(value["share"] / value["baseline_share"], 2) if value["baseline_share"] else None,
            "count": value["count"],
            "other_count": value["baseline_count"],
            "difference": value["difference"],
        }
        for each in found["attributes"]
        if not each["key"].startswith(skipped)
        for value in each["values"]
        if is_no_id(value["count"], value["baseline_count"] - value["count"])
    ]
    return {"operation": "", "bad": found["counted"], "others": found["baseline"], "attributes": attributes[:limit]}


def _rows(session: QuerySession, subject: Subject, traces: Sequence[bytes]) -> list[dict[str, Any]]:
    window = widen(subject.window, _AROUND_NS) if traces else subject.window
    columns = ("time_ns", "issue_key", "service_name", "message", "trace_id")
    service = Sql("service_name = ?", (subject.service,)) if subject.service else TRUE
    found = statement(
        "comparing/issues_of_traces",
        relation=Sql(session.relation(Signal.OCCURRENCES, window, columns, trace_ids=traces)),
        where=Sql(f"trace_id IN {one_of(traces).text}") if traces else service,
        count=_MOST_KEYS,
    )
    return rows(session, found)


def _shown(issue: IssueSummary, found: Sequence[dict[str, Any]], subject: Subject, traces: int) -> IssueShown:
    latest = max(found, key=lambda row: row["last_ns"], default=None)
    return {
        "issue": issue.id,
        "title": shortened(issue.title),
        "service": issue.service,
        "state": issue.state(subject.at_ns).value,
        "culprit": shortened(issue.culprit),
        "message": shortened((latest and latest["message"]) or issue.message),
        "events": sum(row["events"] for row in found),
        "share": round(min(1.0, sum(row["traces"] for row in found) / traces), 4) if traces else None,
        "first_seen_time": format_time(issue.first_seen_ns),
        "is_new": issue.first_seen_ns >= subject.before.start_ns,
    }
