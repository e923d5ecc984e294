"""Routes about the rules of grouping."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from spanglass_core.grouping.rules import Rule
from spanglass_server.api.errors import ApiError
from spanglass_server.api.fields import ACTOR, MAX_NAME, NOBODY_NAMED, actor_of, body_schema, fields_of
from spanglass_server.api.issues import bodies
from spanglass_server.api.issues.changing import refusals
from spanglass_server.api.params import RANGE, Param
from spanglass_server.api.routing import Route
from spanglass_server.api.schema import ANYTHING, schema_of, table
from spanglass_server.issues.ports import UnknownRuleError
from spanglass_server.issues.tracker import rules_of
from spanglass_server.query.issues import answers
from spanglass_server.query.issues.preview import preview_rule
from spanglass_server.times import format_time

if TYPE_CHECKING:
    from spanglass_server.api.params import Params
    from spanglass_server.issues.model import RuleRecord
    from spanglass_server.issues.occurrences.regrouping import Progress
    from spanglass_server.query.issues.known import KnownIssues
    from spanglass_server.store.ports import QuerySession

_RULE = {**table(ANYTHING), "description": "service, match, action: docs/grouping.md"}
_WITH_RULE = body_schema({"rule": _RULE, "actor": ACTOR}, ["rule"])
_ACTOR = body_schema({"actor": ACTOR})


class Regroups(Protocol):
    """Return stored occurrences new keys; ``issues.regrouping.Regrouping``."""

    progress: Progress

    def ask(self) -> Progress:
        """Begin, unless it runs."""


@dataclass(frozen=True, slots=True)
class _Grouping:
    """The handlers."""

    issues: KnownIssues
    regroups: Regroups

    def list_(self, _: QuerySession, __: Params) -> answers.RuleList:
        """Return the rules."""
        return {"rules": [_rule_json(record) for record in self.issues.store.rules().rules]}

    def add(self, _: QuerySession, params: Params) -> answers.GroupingRule:
        """Add a rule."""
        body = fields_of(params["body"], _WITH_RULE)
        given = _rule(body)
        with refusals("rule"):
            return _rule_json(self.issues.store.add_rule(given.as_json(), actor_of(body), params["now_ns"]))

    def delete(self, session: QuerySession, params: Params) -> answers.RuleList:
        """Delete a rule."""
        actor = (params["actor"] or NOBODY_NAMED)[:MAX_NAME]
        try:
            with refusals("rule"):
                self.issues.store.delete_rule(params["rule"], actor, params["now_ns"])
        except UnknownRuleError as error:
            raise ApiError("not_found", str(error), field="rule") from error
        return self.list_(session, params)

    def preview(self, session: QuerySession, params: Params) -> answers.GroupingPreview:
        """Try a rule."""
        rule = _rule(fields_of(params["body"], _WITH_RULE))
        standing = rules_of(self.issues.store.rules())
        return preview_rule(session, self.issues, standing, rule, params["window"])

    def regroup(self, params: Params) -> answers.RegroupProgress:
        """Begin to regroup."""
        fields_of(params["body"], _ACTOR)
        return _progress(self.regroups.ask())

    def progress(self, _: Params) -> answers.RegroupProgress:
        """How far it is."""
        return _progress(self.regroups.progress)


def _rule(body: dict[str, Any]) -> Rule:
    try:
        return Rule.read(bodies.rule_of(body))
    except ValueError as error:
        field, _, message = str(error).partition(": ")
        raise ApiError("bad_request", message or field, field=f"rule.{field}" if message else "rule") from error


def _rule_json(record: RuleRecord) -> answers.GroupingRule:
    return {
        "id": record.id,
        "rule": {key: value for key, value in record.body.items() if key != "id"},
        "time": format_time(record.created_ns),
        "who": record.actor,
    }


def _progress(progress: Progress) -> answers.RegroupProgress:
    return {
        "is_running": progress.is_running,
        "done": progress.done,
        "total": progress.total,
        "moved": progress.moved,
        "error": progress.error,
    }


def grouping_routes(issues: KnownIssues, regroups: Regroups) -> tuple[Route, ...]:
    """Return the routes."""
    ask = _Grouping(issues, regroups)
    return (
        Route(
            path="/grouping/rules",
            summary="The rules of grouping that stand, oldest first.",
            response=schema_of(answers.RuleList),
            query=ask.list_,
        ),
        Route(
            method="POST",
            path="/grouping/rules",
            summary="Add a rule of grouping, for what comes from now on.",
            description="POST /api/v1/issues/regroup applies it to what is stored.",
            body=_WITH_RULE,
            response=schema_of(answers.GroupingRule),
            query=ask.add,
        ),
        Route(
            method="DELETE",
            path="/grouping/rules/{rule}",
            summary="Delete a rule of grouping.",
            parameters=(
                Param("rule", "integer", help="The rule's id."),
                Param("actor", "text", help="Who does it, a free name."),
            ),
            response=schema_of(answers.RuleList),
            query=ask.delete,
        ),
        Route(
            method="POST",
            path="/grouping/preview",
            summary="Which issues would split or merge under a rule.",
            parameters=RANGE,
            body=_WITH_RULE,
            response=schema_of(answers.GroupingPreview),
            query=ask.preview,
        ),
        Route(
            method="POST",
            path="/issues/regroup",
            summary="Group stored occurrences anew, by the rules that stand.",
            description="It runs in the background; asked while it runs, this tells how far it is.",
            body=_ACTOR,
            response=schema_of(answers.RegroupProgress),
            reply=ask.regroup,
        ),
        Route(
            path="/issues/regroup",
            summary="How far regrouping is.",
            response=schema_of(answers.RegroupProgress),
            reply=ask.progress,
        ),
    )
