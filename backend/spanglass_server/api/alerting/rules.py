"""Routes that list, give and change alert rules. They read files, so they run in the threads of queries."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from spanglass_server.alerting.ports import Threshold
from spanglass_server.alerting.rules.form.spec import RULES
from spanglass_server.api.alerting import rule_answers as answers
from spanglass_server.api.alerting import rule_bodies as bodies
from spanglass_server.api.alerting.bodies import ACTOR_HEADER, actor_of
from spanglass_server.api.alerting.standing import EDITABLE, Stand, alerter_json, change_json
from spanglass_server.api.errors import ApiError
from spanglass_server.api.fields import fields_of
from spanglass_server.api.params import Param
from spanglass_server.api.routing import Route
from spanglass_server.api.schema import schema_of
from spanglass_server.api.written import changed_version
from spanglass_server.times import format_time

if TYPE_CHECKING:
    from spanglass_core.alerting.rule import Rule
    from spanglass_server.alerting.desk import Desk
    from spanglass_server.alerting.ports import Found
    from spanglass_server.api.params import Params
    from spanglass_server.store.ports import QuerySession

UID = Param("uid", "text", help="The rule's uid.")
_VERSION = Param("version", "text", help="The version that is deleted, as it was given.", required=True)


def found_rule(desk: Desk, uid: str, field: str = "uid") -> Found:
    """Return a rule; ApiError saying which was probably meant."""
    return bodies.WRITTEN.found(uid, desk.book.rules(), field)


@dataclass(frozen=True, slots=True)
class Rules:
    """The handlers."""

    desk: Desk

    def list_(self, _: QuerySession, __: Params) -> answers.RuleList:
        """Return all rules, by name."""
        book, stand = self.desk.book, Stand.of(self.desk)
        rows = [stand.row(found) for found in book.rules().values()]
        return {
            "rules": sorted(rows, key=lambda row: (row["name"].lower(), row["uid"])),
            "problems": list(book.problems()),
            "alerter": alerter_json(stand.status),
        }

    def get(self, _: QuerySession, params: Params) -> answers.RuleAnswer:
        """Return one with everything."""
        return self._answer(found_rule(self.desk, params["uid"]))

    def yaml(self, _: QuerySession, params: Params) -> answers.RuleYaml:
        """Return one as YAML."""
        return {"yaml": RULES.to_yaml([found_rule(self.desk, params["uid"]).written])}

    def changes(self, _: QuerySession, params: Params) -> answers.RuleChanges:
        """Return who changed one, when, and to what; also of one that was deleted."""
        return {"rule": params["uid"], "changes": [change_json(each) for each in self.desk.book.changes(params["uid"])]}

    def versions(self, _: QuerySession, params: Params) -> answers.RuleVersions:
        """Return what one was before; also of one that was deleted."""
        return {
            "versions": [
                {"version": old.version, "replaced_time": format_time(replaced_ns), "rule": RULES.to_json(old.rule)}
                for replaced_ns, old in self.desk.book.versions(params["uid"])
            ]
        }

    def create(self, _: QuerySession, params: Params) -> answers.RuleAnswer:
        """Keep a new one."""
        fields = fields_of(params["body"], bodies.KEPT)
        rule = self._sound(bodies.rule_of(fields))
        bodies.WRITTEN.check_unused(rule.uid, self.desk.book.rules())
        return self._put(rule, "", fields, params)

    def replace(self, _: QuerySession, params: Params) -> answers.RuleAnswer:
        """Change one; its uid stays, whatever the new name, as alerts and links go by it."""
        fields = fields_of(params["body"], bodies.KEPT)
        before = self._editable(params["uid"])
        version = changed_version(fields, before.version)
        rule = self._sound(replace(bodies.rule_of(fields, stands=True), uid=before.rule.uid))
        return self._put(rule, version, fields, params)

    def delete(self, _: QuerySession, params: Params) -> answers.DeletedRule:
        """Delete one."""
        before = self._editable(params["uid"])
        if before.origin == "shipped":
            raise bodies.WRITTEN.read_only(before.uid, "it comes with the product; POST .../disable switches it off")
        with bodies.refusals():
            self.desk.book.delete(params["uid"], params["version"], actor_of({}, params), params["now_ns"])
        return {"uid": params["uid"]}

    def enable(self, _: QuerySession, params: Params) -> answers.RuleAnswer:
        """Switch one on."""
        return self._switch(params, is_on=True)

    def disable(self, _: QuerySession, params: Params) -> answers.RuleAnswer:
        """Switch one off."""
        return self._switch(params, is_on=False)

    def _switch(self, params: Params, *, is_on: bool) -> answers.RuleAnswer:
        fields = fields_of(params["body"], bodies.SWITCH)
        found, book = found_rule(self.desk, params["uid"]), self.desk.book
        uid, wanted = found.rule.uid, None if found.written.enabled == is_on else is_on  # as it is written: not tuned
        kept = next((each.threshold for each in book.thresholds() if each.rule_uid == uid), Threshold())
        with bodies.refusals():
            book.override(uid, replace(kept, enabled=wanted), actor_of(fields, params), params["now_ns"])
        return self._answer(found_rule(self.desk, uid))

    def _put(self, rule: Rule, version: str, fields: dict[str, object], params: Params) -> answers.RuleAnswer:
        with bodies.refusals():
            self.desk.book.put(rule, version, actor_of(fields, params), params["now_ns"])
        return self._answer(found_rule(self.desk, rule.uid))

    def _sound(self, rule: Rule) -> Rule:
        """Return a rule that can be evaluated; ApiError for another one."""
        failure = self.desk.evaluator.check(rule)
        if failure is not None:
            raise ApiError("bad_request", failure.message, field="rule.condition", column=failure.column or None)
        return rule

    def _editable(self, uid: str) -> Found:
        found = found_rule(self.desk, uid)
        if found.origin not in EDITABLE:
            hint = f"change it in {found.file}, or tune it: PUT /api/monitoring/thresholds/{uid}/"
            raise bodies.WRITTEN.read_only(uid, hint)
        return found

    def _answer(self, found: Found) -> answers.RuleAnswer:
        states = [known for known in self.desk.store.states() if known.rule_uid == found.rule.uid]
        return Stand.of(self.desk).answer(found, states)


def rule_routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes that list, give and change rules."""
    ask = Rules(desk)
    one = schema_of(answers.RuleAnswer)
    return (
        Route(
            path="/rules",
            summary="All alert rules with how they stand, and what is wrong with their files.",
            response=schema_of(answers.RuleList),
            query=ask.list_,
        ),
        Route(
            method="POST",
            path="/rules",
            summary="Keep a new rule.",
            parameters=(ACTOR_HEADER,),
            body=bodies.KEPT,
            response=one,
            status=201,
            query=ask.create,
        ),
        Route(
            path="/rules/{uid}",
            summary="One rule, the states of its keys, and its latest evaluations.",
            parameters=(UID,),
            response=one,
            query=ask.get,
        ),
        Route(
            method="PUT",
            path="/rules/{uid}",
            summary="Change a rule.",
            description="The body names the version that was changed; another one by then is a conflict.",
            parameters=(UID, ACTOR_HEADER),
            body=bodies.KEPT,
            response=one,
            query=ask.replace,
        ),
        Route(
            method="DELETE",
            path="/rules/{uid}",
            summary="Delete a rule; one that came with the product is again what it was.",
            parameters=(UID, _VERSION, ACTOR_HEADER),
            response=schema_of(answers.DeletedRule),
            query=ask.delete,
        ),
        Route(
            method="POST",
            path="/rules/{uid}/enable",
            summary="Switch a rule on, wherever it is written.",
            parameters=(UID, ACTOR_HEADER),
            body=bodies.SWITCH,
            response=one,
            query=ask.enable,
        ),
        Route(
            method="POST",
            path="/rules/{uid}/disable",
            summary="Switch a rule off, wherever it is written.",
            parameters=(UID, ACTOR_HEADER),
            body=bodies.SWITCH,
            response=one,
            query=ask.disable,
        ),
        Route(
            path="/rules/{uid}/yaml",
            summary="A rule as YAML.",
            parameters=(UID,),
            response=schema_of(answers.RuleYaml),
            query=ask.yaml,
        ),
        Route(
            path="/rules/{uid}/changes",
            summary="Who changed a rule or its thresholds, when, and to what.",
            parameters=(UID,),
            response=schema_of(answers.RuleChanges),
            query=ask.changes,
        ),
        Route(
            path="/rules/{uid}/versions",
            summary="What a rule was before.",
            parameters=(UID,),
            response=schema_of(answers.RuleVersions),
            query=ask.versions,
        ),
    )
