"""``rules`` and ``alerts``: our rules and alerts as Prometheus tells of its own."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spanglass_core.alerting.lifecycle import OPEN
from spanglass_server.alerting.ports import AlertFilter
from spanglass_server.alerting.watching.status import RuleStatus
from spanglass_server.api.errors import ApiError
from spanglass_server.api.params import Param
from spanglass_server.api.prometheus.answers.rule_texts import (
    ACTIVE,
    NEVER,
    active_alert,
    alerting_rule,
    labels_of,
    recording_rule,
)
from spanglass_server.api.prometheus.problems import BadParameterError
from spanglass_server.api.prometheus.routing import PrometheusRoute, Reply
from spanglass_server.api.prometheus.selecting import selectors_of
from spanglass_server.api.schema import ANYTHING, STRING, array
from spanglass_server.promql.stored.matching import accepted
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from spanglass_server.alerting.desk import Desk
    from spanglass_server.alerting.ports import Found, RecordingStatus
    from spanglass_server.api.prometheus.params import Form
    from spanglass_server.api.prometheus.routing import Question
    from spanglass_server.promql.ports import Matcher, Selector
    from spanglass_server.store.ports import QuerySession

_MOST_ALERTS = 10_000
_UNKNOWN = RuleStatus()


@dataclass(frozen=True, slots=True)
class Told:
    """Our rules at one moment, in Prometheus' words. ``interval_ns`` is that of rules without one."""

    desk: Desk
    interval_ns: int

    def alerts(self, _: Question) -> Reply:
        """What is pending or fires."""
        known = self.desk.book.rules()
        of_rules = self._of_rules(known)
        return Reply.of({"alerts": [alert for uid in sorted(of_rules) for alert in of_rules[uid]]})

    def rules(self, question: Question) -> Reply:
        """All rules by group, those that the parameters choose."""
        form = question.form
        if form.text("type") not in {"", "alert", "record"}:
            raise BadParameterError("type", f'not supported value "{form.text("type")}"')
        known = self.desk.book.rules() if form.text("type") != "record" else {}
        chosen = [found for found in known.values() if _is_chosen(found, form)]
        if form.texts("match[]"):
            matches = _any_of(question.session, selectors_of(form))
            chosen = [found for found in chosen if matches(labels_of(found.rule))]
        alerts = {} if form.text("exclude_alerts") in {"1", "t", "true", "T", "TRUE", "True"} else self._of_rules(known)
        groups = _with_recordings(self._groups(chosen, alerts), self._recordings(form, question.session))
        limit, token = form.count("group_limit"), form.text("group_next_token")
        return Reply.of(_page(groups, limit, token))

    def _recordings(self, form: Form, session: QuerySession) -> list[RecordingStatus]:
        """Recording rules that the parameters choose."""
        known = self.desk.recordings() if form.text("type") != "alert" else ()
        asked = {"rule_name[]": "record", "rule_group[]": "group", "file[]": "file"}
        chosen = [
            each
            for each in known
            if all(not form.texts(name) or getattr(each, field) in form.texts(name) for name, field in asked.items())
        ]
        if form.texts("match[]"):
            matches = _any_of(session, selectors_of(form))
            chosen = [each for each in chosen if matches(each.labels)]
        return chosen

    def _groups(self, chosen: Iterable[Found], alerts: Mapping[str, list[Any]]) -> list[dict[str, Any]]:
        status = self.desk.status().rules
        by_group: dict[tuple[str, str], list[Found]] = defaultdict(list)
        for found in chosen:
            by_group[found.file or found.origin, found.group or found.origin].append(found)
        return [
            self._group(file, name, sorted(members, key=lambda found: (found.line, found.rule.uid)), status, alerts)
            for (file, name), members in sorted(by_group.items())
        ]

    def _group(
        self,
        file: str,
        name: str,
        members: Sequence[Found],
        status: Mapping[str, RuleStatus],
        alerts: Mapping[str, list[Any]],
    ) -> dict[str, Any]:
        rules = [
            alerting_rule(found.rule, status.get(found.rule.uid, _UNKNOWN), alerts.get(found.rule.uid, ()))
            for found in members
        ]
        every_ns = members[0].rule.interval_ns or self.interval_ns
        return {
            "name": name,
            "file": file,
            "rules": rules,
            "interval": every_ns / NS_PER_SECOND,
            "limit": 0,
            "evaluationTime": sum(rule["evaluationTime"] for rule in rules),
            "lastEvaluation": max(rule["lastEvaluation"] for rule in rules),
        }

    def _of_rules(self, known: Mapping[str, Found]) -> dict[str, list[dict[str, Any]]]:
        """The active keys of each rule, as alerts."""
        wanted = AlertFilter(statuses=tuple(OPEN), source="rule")  # what others raise is no rule's, and may be more
        opened = {alert.id: alert for alert in self.desk.store.alerts(wanted, limit=_MOST_ALERTS)}
        found: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for state in self.desk.store.states():
            if state.rule_uid in known and state.state.phase in ACTIVE:
                alert = opened.get(state.alert_id)
                found[state.rule_uid].append(active_alert(known[state.rule_uid].rule, state, alert))
        return found


def _with_recordings(groups: list[dict[str, Any]], recordings: Iterable[RecordingStatus]) -> list[dict[str, Any]]:
    """Groups with their recording rules, which stand before alerts: they are evaluated before them."""
    found = {(group["file"], group["name"]): group for group in groups}
    for each in recordings:
        group = found.setdefault(
            (each.file, each.group),
            {
                "name": each.group,
                "file": each.file,
                "rules": [],
                "interval": each.interval_ns / NS_PER_SECOND,
                "limit": each.limit,
                "evaluationTime": 0.0,
                "lastEvaluation": NEVER,
            },
        )
        rule = recording_rule(each)
        place = sum(other["type"] == "recording" for other in group["rules"])
        group["rules"].insert(place, rule)
        group["limit"] = each.limit
        group["evaluationTime"] += rule["evaluationTime"]
        group["lastEvaluation"] = max(group["lastEvaluation"], rule["lastEvaluation"])
    return [found[key] for key in sorted(found)]


def _is_chosen(found: Found, form: Form) -> bool:
    asked = {
        "rule_name[]": found.rule.name,
        "rule_group[]": found.group or found.origin,
        "file[]": found.file or found.origin,
    }
    return all(not form.texts(name) or value in form.texts(name) for name, value in asked.items())


def _any_of(session: QuerySession, selectors: Sequence[Selector]) -> Any:
    """Make the test whether labels match one of the selectors."""

    def holds(matchers: Iterable[Matcher], labels: Mapping[str, str]) -> bool:
        return all(bool(accepted(session, each, [labels.get(each.name, "")])[0]) for each in matchers)

    def matches(labels: Mapping[str, str]) -> bool:
        return any(
            holds(each.matchers, labels) and (not each.any_of or any(holds(any_, labels) for any_ in each.any_of))
            for each in selectors
        )

    return matches


def _page(groups: list[dict[str, Any]], limit: int, token: str) -> dict[str, Any]:
    """The groups from that of a token on, at most so many, and the token of the next one."""
    if token and not limit:
        message = "group_limit needs to be present in order to paginate over the groups"
        raise ApiError("bad_request", f'invalid parameter "group_next_token": {message}')
    tokens = [hashlib.sha1(f"{group['file']};{group['name']}".encode()).hexdigest() for group in groups]  # noqa: S324
    if token and token not in tokens:
        message = "invalid group_next_token: the group is not there any more"
        raise ApiError("bad_request", f'invalid parameter "group_next_token": {message}')
    start = tokens.index(token) if token else 0
    end = start + limit if limit else len(groups)
    return {"groups": groups[start:end], **({"groupNextToken": tokens[end]} if end < len(groups) else {})}


def rule_routes(told: Told) -> tuple[PrometheusRoute, ...]:
    """Return the routes."""
    return (
        PrometheusRoute(
            path="/rules",
            summary="Alert and recording rules by group, with how they stand.",
            parameters=(
                Param("type", "text", help="alert or record: only those."),
                Param("rule_name[]", "text", help="Only rules of these names; may be repeated."),
                Param("rule_group[]", "text", help="Only groups of these names; may be repeated."),
                Param("file[]", "text", help="Only rules of these files; may be repeated."),
                Param("match[]", "text", help="Only rules whose labels match; may be repeated."),
                Param("exclude_alerts", "text", help="true leaves the alerts of the rules out."),
                Param("group_limit", "text", help="Most groups to return."),
                Param("group_next_token", "text", help="groupNextToken of the page before."),
            ),
            data={
                "type": "object",
                "properties": {"groups": array(ANYTHING), "groupNextToken": STRING},
                "required": ["groups"],
            },
            query=told.rules,
        ),
        PrometheusRoute(
            path="/alerts",
            summary="Alerts of rules that are pending or fire.",
            data={"type": "object", "properties": {"alerts": array(ANYTHING)}, "required": ["alerts"]},
            query=told.alerts,
        ),
    )
