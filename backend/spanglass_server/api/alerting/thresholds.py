"""Routes about the thresholds of rules, below ``/api/monitoring``: in force at the next tick, and audited."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spanglass_server.alerting.ports import Threshold
from spanglass_server.api.alerting import rule_answers as answers
from spanglass_server.api.alerting.alerts import PREFIX
from spanglass_server.api.alerting.bodies import ACTOR_HEADER, BY, actor_of
from spanglass_server.api.alerting.rule_bodies import refusals
from spanglass_server.api.alerting.rules import found_rule
from spanglass_server.api.alerting.standing import change_json
from spanglass_server.api.alerting.tuned import LEVELS, changed, threshold_json
from spanglass_server.api.errors import ApiError
from spanglass_server.api.fields import body_schema, fields_of
from spanglass_server.api.params import Param
from spanglass_server.api.routing import Route
from spanglass_server.api.schema import schema_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spanglass_server.alerting.desk import Desk
    from spanglass_server.alerting.ports import Found, KeptThreshold
    from spanglass_server.api.params import Params
    from spanglass_server.store.ports import QuerySession

_RULE = Param("rule", "text", help="The rule's uid.")
#: The kind of change that thresholds make.
_TUNED = "tuned"
_NUMBER = {"type": ["number", "null"], "description": "in base units; null for the rule's own"}
_FIELDS: dict[str, Any] = {
    **dict.fromkeys(LEVELS, _NUMBER),
    "duration": {"type": ["number", "string", "null"], "description": "seconds, or a text such as 5m"},
    "enabled": {"type": ["boolean", "null"]},
}
_ONE = body_schema({**_FIELDS, "by": BY})
_FIELDS_OF_ONE = body_schema(_FIELDS)
_MANY = body_schema(
    {"thresholds": {"type": "object", "additionalProperties": _FIELDS_OF_ONE}, "by": BY}, ["thresholds"]
)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The handlers."""

    desk: Desk

    def list_(self, _: QuerySession, __: Params) -> answers.ThresholdList:
        """Return those of all rules, by uid."""
        return self._shown(self.desk.book.rules().values())

    def get(self, _: QuerySession, params: Params) -> answers.ThresholdJson:
        """Return those of one."""
        found = found_rule(self.desk, params["rule"], "rule")
        return threshold_json(found.rule, self._kept().get(found.rule.uid))

    def change(self, session: QuerySession, params: Params) -> answers.ThresholdJson:
        """Change those of one."""
        fields = fields_of(params["body"], _ONE)
        given = {name: value for name, value in fields.items() if name in _FIELDS}
        if not given:
            hint = f"send one of {', '.join(_FIELDS)}"
            raise ApiError("bad_request", "nothing is to be changed", field="warning_threshold", hint=hint)
        self._apply({params["rule"]: given}, actor_of(fields, params), params["now_ns"], "rule")
        return self.get(session, params)

    def change_many(self, _: QuerySession, params: Params) -> answers.ThresholdList:
        """Change those of some rules: of all that are named, or of none where one can't be."""
        fields = fields_of(params["body"], _MANY)
        thresholds = fields["thresholds"]
        if not isinstance(thresholds, dict) or not thresholds:
            hint = 'send {"thresholds": {"checkout-errors": {"warning_threshold": 0.1}}}'
            raise ApiError("bad_request", "thresholds names no rule", field="thresholds", hint=hint)
        given = {uid: fields_of(change, _FIELDS_OF_ONE) for uid, change in thresholds.items()}
        self._apply(given, actor_of(fields, params), params["now_ns"], "thresholds")
        known = self.desk.book.rules()
        return self._shown(known[uid] for uid in given)

    def history(self, _: QuerySession, params: Params) -> answers.RuleChanges:
        """Return all changes of one, the newest first."""
        uid = found_rule(self.desk, params["rule"], "rule").rule.uid
        changes = [change_json(change) for change in self.desk.book.changes(uid) if change.kind == _TUNED]
        return {"rule": uid, "changes": changes}

    def _apply(self, given: dict[str, dict[str, Any]], by: str, now_ns: int, field: str) -> None:
        kept, changes = self._kept(), {}
        for uid, fields in given.items():
            written = found_rule(self.desk, uid, field).written
            before = kept[uid].threshold if uid in kept else Threshold()
            changes[uid] = changed(written, before, fields, f"thresholds.{uid}." if field == "thresholds" else "")
        with refusals():
            for uid, threshold in changes.items():
                self.desk.book.override(uid, threshold, by, now_ns)

    def _kept(self) -> dict[str, KeptThreshold]:
        return {kept.rule_uid: kept for kept in self.desk.book.thresholds()}

    def _shown(self, found: Iterable[Found]) -> answers.ThresholdList:
        kept = self._kept()
        rows = [threshold_json(each.rule, kept.get(each.rule.uid)) for each in found]
        return {"thresholds": sorted(rows, key=lambda row: row["rule"])}


def threshold_routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes."""
    ask = Thresholds(desk)
    many, one = schema_of(answers.ThresholdList), schema_of(answers.ThresholdJson)
    return (
        Route(
            prefix=PREFIX,
            path="/thresholds/",
            summary="The thresholds of all rules, as they are in force.",
            response=many,
            query=ask.list_,
        ),
        Route(
            method="PUT",
            prefix=PREFIX,
            path="/thresholds/",
            summary="Change the thresholds of some rules, from the next evaluation on.",
            parameters=(ACTOR_HEADER,),
            body=_MANY,
            response=many,
            query=ask.change_many,
        ),
        Route(
            prefix=PREFIX,
            path="/thresholds/{rule}/",
            summary="The thresholds of one rule.",
            parameters=(_RULE,),
            response=one,
            query=ask.get,
        ),
        Route(
            method="PUT",
            prefix=PREFIX,
            path="/thresholds/{rule}/",
            summary="Change the thresholds of one rule, from the next evaluation on.",
            parameters=(_RULE, ACTOR_HEADER),
            body=_ONE,
            response=one,
            query=ask.change,
        ),
        Route(
            prefix=PREFIX,
            path="/thresholds/{rule}/history/",
            summary="Who changed the thresholds of one rule, when, and to what.",
            parameters=(_RULE,),
            response=schema_of(answers.RuleChanges),
            query=ask.history,
        ),
    )
