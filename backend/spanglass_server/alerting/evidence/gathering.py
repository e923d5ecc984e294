"""All of an alert's evidence, part by part: within a time, and without the parts that fail."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

import duckdb

from spanglass_server.alerting.evidence import around, cause, changes, examples, issues, past, slow, values
from spanglass_server.alerting.evidence.subject import Held, Subject, subject_of
from spanglass_server.alerting.model import Failure
from spanglass_server.query.comparing.groups import standing_out
from spanglass_server.times import NS_PER_SECOND, format_time

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence
    from typing import Any

    from spanglass_core.alerting.rule import Rule
    from spanglass_server.alerting.evidence.answers import AttributesShown, Change, Evidence, LeftOut, SimilarAlert
    from spanglass_server.alerting.evidence.examples import Bad
    from spanglass_server.alerting.evidence.shared import Shared
    from spanglass_server.alerting.model import Alert, Readings
    from spanglass_server.alerting.ports import AlertStore, Evaluator, RuleBook
    from spanglass_server.query.issues.known import KnownIssues
    from spanglass_server.store.ports import QuerySession

T = TypeVar("T")
_LOG = logging.getLogger(__name__)
_MOST_ATTRIBUTES = 8
#: Attributes that tell the outcome, the place in the code or the process's own properties: no reason of anything.
_NO_REASONS = (
    "exception.", "error.type", "error", "otel.status", "http.response.status_code", "http.status_code",
    "http.status_text", "rpc.grpc.status_code", "rpc.response.status_code", "http.response.body.size",
    "http.response_content_length", "db.response.status_code",
    "code.", "service.name", "thread.", "telemetry.", "spanglass.", "process.command", "process.executable",
    "process.runtime", "process.owner", "client.port", "network.peer.port", "net.peer.port", "net.sock.peer.port",
)  # fmt: skip

#: They take two thirds of the time, and nothing of them is shared: left out for most issues of a storm of new ones.
_LONG = ("examples", "attributes")
_BRIEF = "many alerts opened at once; the issue's page shows it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Settings: the interval and window of rules that name none; how many seconds gathering takes at most.

    No part begins after that; ``clock_s`` never goes back.
    """

    interval_ns: int = 15 * NS_PER_SECOND
    window_ns: int = 120 * NS_PER_SECOND
    limit_s: float = 10.0
    clock_s: Callable[[], float] = time.monotonic


class Evidences:
    """An ``EvidenceSource`` over stored records, the issue store, and alerts before."""

    def __init__(
        self, evaluator: Evaluator, store: AlertStore, book: RuleBook, known: KnownIssues, timing: Timing
    ) -> None:
        self._evaluator = evaluator
        self._store = store
        self._book = book
        self._known = known
        self._timing = timing

    def gather(
        self, session: QuerySession, rule: Rule, alert: Alert, readings: Readings, shared: Shared
    ) -> Mapping[str, Any]:
        """The evidence of an alert; see ``answers.Evidence``. Raises only if the session was stopped."""
        at_ns = alert.created_ns  # the tick at which it fired; readings may have later ones, when some are made up for
        parts = _Parts(self._timing.clock_s, self._timing.limit_s, shared)
        course = parts.run("value", lambda: self._course(session, rule, alert, shared)) or values.of_readings(
            readings, alert
        )
        held = course.held(at_ns)
        subject = subject_of(session, rule, alert, Held(held.since_ns, at_ns), self._timing.window_ns)
        if subject.topic == "latency":
            found = parts.run(
                "slow", lambda: slow.with_slow(session, subject, course.readings.thresholds, course.readings.unit)
            )
            subject = found or subject
        evidence: Evidence = {
            "version": 1, "gathered_time": format_time(at_ns), "cause": "", "clues": [], "about": subject.shown(),
            "value": values.shown(alert, course), "left_out": parts.left_out,
        }  # fmt: skip
        similar = parts.run("similar", lambda: self._similar(alert, subject, shared))
        if similar:
            evidence["similar"] = similar
        bad = self._bad(session, subject, parts)
        subject = replace(subject, onset_ns=bad.onset_ns if bad else 0)
        self._of_records(session, subject, bad, evidence, parts)
        self._of_surroundings(session, subject, evidence, parts)
        operation = bad.main_name if bad else ""
        clues = cause.clues(evidence, subject, operation, course.before(held.since_ns))
        evidence["clues"] = clues
        evidence["cause"] = cause.cause(clues, evidence, subject, operation)
        return dict(evidence)

    def _course(self, session: QuerySession, rule: Rule, alert: Alert, shared: Shared) -> values.Course:
        steps = values.steps_of(rule, alert.created_ns, self._timing.interval_ns)
        found = shared.once(
            ("course", rule.uid, steps), lambda: self._evaluator.evaluate(session, [rule], steps)[rule.uid]
        )
        if isinstance(found, Failure):
            raise _NotFoundError(found.message)
        return values.of_readings(found, alert)

    def _similar(self, alert: Alert, subject: Subject, shared: Shared) -> list[SimilarAlert]:
        def latest(rule_uid: str, service: str) -> Sequence[Alert]:
            return shared.once(("alerts", rule_uid, service), lambda: past.latest(self._store, rule_uid, service))

        return past.similar_alerts(self._store, latest, self._book.rules(), alert, subject)

    def _bad(self, session: QuerySession, subject: Subject, parts: _Parts) -> Bad | None:
        if subject.issue:
            return parts.run("bad", lambda: issues.told_by(session, self._known, subject))
        if not subject.bad or (not subject.service and subject.topic in {"host", "other", "process"}):
            return None
        return parts.run("bad", lambda: examples.find_bad(session, subject))

    def _of_records(
        self, session: QuerySession, subject: Subject, bad: Bad | None, evidence: Evidence, parts: _Parts
    ) -> None:
        """What sets bad records apart, examples, issues."""
        is_brief = bool(subject.issue) and parts.shared.is_brief
        if bad is not None and is_brief:
            parts.left_out += [{"part": part, "reason": _BRIEF} for part in _LONG]
        if bad is not None and bad.trace_ids and not is_brief:
            found = parts.run("examples", lambda: examples.examples(session, subject, bad, subject.at_ns))
            if found:
                evidence["examples"] = found
        if bad is not None and not is_brief:
            compared = parts.run("attributes", lambda: self._attributes(session, subject, bad))
            if compared is not None:
                evidence["attributes"] = compared
        trace_ids = bad.trace_ids if bad else ()
        began = {each["failure"]["service"] for each in evidence.get("examples", []) if each["failure"]}
        behind = parts.run("issues", lambda: issues.issues_behind(session, self._known, subject, trace_ids, began))
        if behind:
            evidence["issues"] = behind

    def _attributes(self, session: QuerySession, subject: Subject, bad: Bad) -> AttributesShown:
        if subject.issue:
            return issues.attributes_of(session, self._known, subject, _NO_REASONS, _MOST_ATTRIBUTES)
        operation = bad.main_name
        groups = subject.of_operation(operation).groups(session)
        # of records of several services, which one fails may be all there is to say
        telling = () if subject.is_of_one_service else ("service.name",)
        no_reasons = tuple(each for each in _NO_REASONS if each not in telling)
        return {"operation": operation, **standing_out(session, groups, no_reasons, _MOST_ATTRIBUTES)}

    def _of_surroundings(self, session: QuerySession, subject: Subject, evidence: Evidence, parts: _Parts) -> None:
        """Figures of the service, what changed, logs of errors, processes."""
        window = subject.window
        if subject.service:
            times = subject.before, window, subject.start_ns
            figures = parts.once("figures", (subject.service, *times), lambda: around.figures_of(session, subject))
            if figures is not None and figures["operations"]:
                evidence["figures"] = figures
            wanted = around.filter_of_logs(subject)
            logs = parts.once("logs", (wanted, window), lambda: around.error_logs(session, wanted, window))
            if logs:
                evidence["logs"] = logs
        found = parts.run("changes", lambda: _changes(session, subject, evidence, parts.shared))
        if found:
            evidence["changes"] = found
        if subject.host or subject.topic == "process":
            of = subject.host, subject.service, subject.name, window
            processes = parts.once("processes", of, lambda: around.processes_of(session, subject))
            if processes:
                evidence["processes"] = processes


class _NotFoundError(Exception):
    """A part could not be found out; the message says why."""


class _Parts:
    """Runs the parts, and keeps which are left out and why."""

    def __init__(self, clock_s: Callable[[], float], limit_s: float, shared: Shared) -> None:
        self.shared = shared
        self._clock_s = clock_s
        self._until_s = clock_s() + limit_s
        self.left_out: list[LeftOut] = []

    def run(self, part: str, find: Callable[[], T]) -> T | None:
        """The part, None if it failed or there is no time left. A session that was stopped is no matter of parts."""
        if self._clock_s() >= self._until_s:
            self.left_out.append({"part": part, "reason": "there was no time left"})
            return None
        try:
            return find()
        except duckdb.InterruptException:
            raise
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one part, the others are worth having
            if not isinstance(error, _NotFoundError):
                _LOG.warning("evidence: %s could not be found out", part, exc_info=True)
            self.left_out.append({"part": part, "reason": str(error) or type(error).__name__})
            return None

    def once(self, part: str, key: tuple[Hashable, ...], find: Callable[[], T]) -> T | None:
        """The part, which is the same for all alerts of a key."""
        return self.run(part, lambda: self.shared.once((part, *key), find))


def _changes(session: QuerySession, subject: Subject, evidence: Evidence, shared: Shared) -> list[Change]:
    """Of the service itself, of the one where failures began, and whether one that is called fell silent."""
    failures = [each["failure"] for each in evidence.get("examples", []) if each["failure"]]
    began = [failure["service"] for failure in failures]
    called = [failure["peer"]["service"] for failure in failures if failure["peer"] and failure["peer"]["service"]]
    own = [subject.service] if subject.service else []
    seen = changes.Seen(session, changes.looked_at(subject), shared)
    found = changes.changes_of(seen, subject, [*own, *began])
    for service in dict.fromkeys([*called, *(own if subject.topic == "silence" else [])]):
        found += changes.silent_service(seen, subject, service)
    if "figures" in evidence:
        found += changes.new_operations(subject, evidence["figures"]["operations"])
    return found
