"""The routes about policies of retention: in force, checked, previewed, changed, and what was changed."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from spanglass_server.api.alerting.bodies import ACTOR_HEADER, actor_of
from spanglass_server.api.fields import text_of
from spanglass_server.api.params import limit_param
from spanglass_server.api.retention import bodies
from spanglass_server.api.routing import Route
from spanglass_server.api.schema import schema_of
from spanglass_server.api.written import refusals
from spanglass_server.retention import answers
from spanglass_server.retention.form import to_json, to_yaml
from spanglass_server.retention.model import PoliciesError, Version
from spanglass_server.retention.preview import Asked, preview
from spanglass_server.retention.sampling import Known
from spanglass_server.signals import Signal
from spanglass_server.times import format_time

if TYPE_CHECKING:
    from spanglass_server.api.params import Params
    from spanglass_server.retention.desk import RetentionDesk
    from spanglass_server.store.ports import QuerySession

_SECOND_NS: Final = 10**9
#: Of a query's deadline, for reading segments of a preview: the last one that was begun has to end too.
_SHARE: Final = 0.4


@dataclass(frozen=True, slots=True)
class _Handlers:
    desk: RetentionDesk
    deadline_s: float

    def show(self, _: QuerySession, params: Params) -> answers.Retention:
        """What is in force, and how far it is carried out."""
        book, policies = self.desk.book, self.desk.book.policies
        return {
            **to_json(policies),  # type: ignore[typeddict-item]  # policies and ordinary
            "yaml": "" if policies.is_empty else to_yaml(policies),
            "version": book.version,
            "file": None if book.file is None else str(book.file),
            "problem": book.problem,
            "ages_s": {str(signal): age / _SECOND_NS for signal, age in self.desk.ages_ns.items()},
            "max_bytes": self.desk.max_bytes,
            "standing": self.desk.standing(params["now_ns"]),
        }

    def change(self, session: QuerySession, params: Params) -> answers.Retention:
        """Have others in force."""
        policies, fields = bodies.kept_of(params["body"])
        note = text_of(fields, "note", longest=bodies.LONGEST_NOTE)
        change = Version(0, params["now_ns"], actor_of(fields, params), note, "")
        try:
            with refusals(elsewhere="policies"):
                self.desk.book.replace(policies, change, fields["version"])
        except PoliciesError as error:
            raise bodies.refused(error) from error
        return self.show(session, params)

    def check(self, _: QuerySession, params: Params) -> answers.CheckedPolicies:
        """What is wrong with policies that are typed."""
        try:
            policies, _fields = bodies.policies_of(params["body"])
        except PoliciesError as error:
            return {"yaml": "", "problems": [problem.as_json() for problem in error.problems]}
        return {"yaml": to_yaml(policies), "problems": []}

    def preview(self, session: QuerySession, params: Params) -> answers.RetentionPreview:
        """What policies that are typed would free and keep."""
        try:
            policies, _fields = bodies.policies_of(params["body"])
        except PoliciesError as error:
            raise bodies.refused(error) from error
        age_ns = self.desk.ages_ns.get(Signal.SPANS, 0)
        end = time.monotonic() + self.deadline_s * _SHARE
        asked = Asked(policies, age_ns, Known(self.desk.held(), self.desk.bounds), params["now_ns"])
        return preview(session, asked, lambda: time.monotonic() < end)

    def changes(self, _: QuerySession, params: Params) -> answers.PolicyChanges:
        """What people changed."""
        return {
            "changes": [
                {
                    "version": one.number,
                    "time": format_time(one.time_ns),
                    "by": one.actor,
                    "note": one.note,
                    "yaml": one.text,
                }
                for one in self.desk.book.versions(params["limit"])
            ]
        }


def retention_routes(desk: RetentionDesk, deadline_s: float) -> tuple[Route, ...]:
    """Return the routes; a preview reads for a part of the deadline of queries."""
    ask = _Handlers(desk, deadline_s)
    return (
        Route(
            path="/retention",
            summary="Policies of retention in force, and how far they are carried out.",
            response=schema_of(answers.Retention),
            query=ask.show,
        ),
        Route(
            method="PUT",
            path="/retention",
            summary="Have other policies of retention in force.",
            description=(
                "All of them at once, as JSON or YAML. What they say of stored traces is done in the background, and "
                "can't be undone: POST /api/v1/retention/preview tells before what it frees."
            ),
            parameters=(ACTOR_HEADER,),
            body=bodies.KEPT,
            response=schema_of(answers.Retention),
            query=ask.change,
        ),
        Route(
            method="POST",
            path="/retention/check",
            summary="What is wrong with policies that are typed.",
            body=bodies.TYPED,
            response=schema_of(answers.CheckedPolicies),
            query=ask.check,
        ),
        Route(
            method="POST",
            path="/retention/preview",
            summary="What policies that are typed would free of the stored spans at once, and keep.",
            description=(
                "Out of at most twelve segments; the others are taken to be like them, and the error is told. Log "
                "records that would stay with their traces are not counted."
            ),
            body=bodies.TYPED,
            response=schema_of(answers.RetentionPreview),
            query=ask.preview,
        ),
        Route(
            path="/retention/changes",
            summary="What people changed of the policies of retention, newest first.",
            parameters=(limit_param(50, 500),),
            response=schema_of(answers.PolicyChanges),
            query=ask.changes,
        ),
    )
