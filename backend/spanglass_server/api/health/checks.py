"""Routes that list, give, change and try checks. They read files, and may wait for a run: so they run in threads."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from spanglass_server.api.alerting.bodies import ACTOR_HEADER, actor_of
from spanglass_server.api.errors import ApiError
from spanglass_server.api.fields import fields_of
from spanglass_server.api.health import answers, bodies, shown
from spanglass_server.api.params import Param
from spanglass_server.api.routing import Route
from spanglass_server.api.schema import schema_of
from spanglass_server.api.written import changed_version, refusals
from spanglass_server.health.form.spec import CHECKS
from spanglass_server.times import format_time

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanglass_server.api.params import Params
    from spanglass_server.forms.book import Found
    from spanglass_server.health.check import Check
    from spanglass_server.health.desk import HealthDesk
    from spanglass_server.health.model import CheckView, Run
    from spanglass_server.store.ports import QuerySession

_LOG = logging.getLogger(__name__)

UID = Param("uid", "text", help="The check's uid.")
_VERSION = Param("version", "text", help="The version that is deleted, as it was given.", required=True)


def found_check(desk: HealthDesk, uid: str) -> CheckView:
    """Return a check; ApiError saying which was probably meant."""
    try:
        return desk.check(uid)
    except KeyError:
        return bodies.WRITTEN.found(uid, {view.uid: view for view in desk.checks()})


@dataclass(frozen=True, slots=True)
class Checks:
    """The handlers."""

    desk: HealthDesk

    def list_(self, _: QuerySession, __: Params) -> answers.CheckList:
        """Return all checks, by name."""
        return {
            "checks": [shown.check_json(view) for view in self.desk.checks()],
            "problems": [str(problem) for problem in self.desk.problems()],
            "enabled": self.desk.defaults.enabled,
        }

    def get(self, _: QuerySession, params: Params) -> answers.CheckPage:
        """Return one with everything."""
        return shown.check_page(found_check(self.desk, params["uid"]), self.desk)

    def create(self, _: QuerySession, params: Params) -> answers.KeptCheck:
        """Keep a new one."""
        fields = fields_of(params["body"], bodies.KEPT)
        check = bodies.check_of(fields)
        bodies.WRITTEN.check_unused(check.uid, self.desk.book.found())
        return self._put(check, "", fields, params)

    def replace(self, _: QuerySession, params: Params) -> answers.KeptCheck:
        """Change one; its uid stays, whatever the new name, as history and links go by it."""
        fields = fields_of(params["body"], bodies.KEPT)
        before = self._editable(params["uid"])
        version = changed_version(fields, before.version)
        return self._put(replace(bodies.check_of(fields, stands=True), uid=before.uid), version, fields, params)

    def delete(self, _: QuerySession, params: Params) -> answers.DeletedCheck:
        """Delete one; its history stays until it is purged."""
        before = self._editable(params["uid"])
        with refusals():
            self.desk.delete(before.uid, params["version"])
        _LOG.info("check %s was deleted by %s", before.uid, actor_of({}, params))
        return {"uid": before.uid}

    def versions(self, _: QuerySession, params: Params) -> answers.CheckVersions:
        """Return what one was before; also of one that was deleted."""
        return {
            "versions": [
                {"version": old.version, "replaced_time": format_time(time_ns), "check": CHECKS.to_json(old.value)}
                for time_ns, old in self.desk.book.versions(params["uid"])
            ]
        }

    def check(self, _: QuerySession, params: Params) -> answers.CheckedChecks:
        """Return what is wrong with checks that are typed."""
        read = bodies.WRITTEN.read(fields_of(params["body"], bodies.TYPED), stands=self.desk.book.found())
        return {
            "checks": [CHECKS.to_json(check) for check in read.values],
            "problems": [dict(problem.as_json()) for problem in read.problems],
        }

    def try_(self, _: QuerySession, params: Params) -> answers.RunJson:
        """Run one that is typed, once."""
        check = bodies.check_of(fields_of(params["body"], bodies.TYPED), stands=self.desk.book.found())
        return self._run(check, lambda: self.desk.try_out(check))

    def run(self, _: QuerySession, params: Params) -> answers.RunJson:
        """Run one of the server's once more."""
        fields_of(params["body"], bodies.NOTHING)
        view = found_check(self.desk, params["uid"])
        if view.found is None:
            raise ApiError("conflict", "an application runs this check, not the server", field="uid")
        return self._run(view.found.value, lambda: self.desk.run_now(view.uid))

    def _run(self, check: Check, work: Callable[[], Run]) -> answers.RunJson:
        if check.heartbeat is not None:
            hint = "call its URL, heartbeat_path of GET /api/v1/checks/{uid}"
            raise ApiError("conflict", "a heartbeat is called, and not run", field="check", hint=hint)
        try:
            return shown.run_json(work())
        except OSError as error:
            raise ApiError("unavailable", str(error), hint="try again") from error

    def _put(self, check: Check, version: str, fields: dict[str, object], params: Params) -> answers.KeptCheck:
        with refusals():
            found = self.desk.put(check, version)
        _LOG.info("check %s was %s by %s", check.uid, "changed" if version else "made", actor_of(fields, params))
        return {"uid": found.uid, "version": found.version, "check": CHECKS.to_json(found.value)}

    def _editable(self, uid: str) -> Found[Check]:
        view = found_check(self.desk, uid)
        if view.found is None or view.found.origin != "kept":
            where = "an application" if view.found is None else view.found.file
            raise bodies.WRITTEN.read_only(uid, f"change it in {where}")
        return view.found


def check_routes(desk: HealthDesk) -> tuple[Route, ...]:
    """Return the routes about checks; those with words in the path come before those with an id there."""
    ask = Checks(desk)
    kept, run = schema_of(answers.KeptCheck), schema_of(answers.RunJson)
    return (
        Route(
            path="/checks",
            summary="All health checks with how they stand, those of applications too.",
            response=schema_of(answers.CheckList),
            query=ask.list_,
        ),
        Route(
            method="POST",
            path="/checks",
            summary="Keep a new check.",
            parameters=(ACTOR_HEADER,),
            body=bodies.KEPT,
            response=kept,
            status=201,
            query=ask.create,
        ),
        Route(
            method="POST",
            path="/checks/check",
            summary="What is wrong with checks that are typed.",
            body=bodies.TYPED,
            response=schema_of(answers.CheckedChecks),
            query=ask.check,
        ),
        Route(
            method="POST",
            path="/checks/try",
            summary="Run a check that is typed, once, with no consequence.",
            body=bodies.TYPED,
            response=run,
            query=ask.try_,
        ),
        Route(
            path="/checks/{uid}",
            summary="One check with its latest runs, and how it is written.",
            parameters=(UID,),
            response=schema_of(answers.CheckPage),
            query=ask.get,
        ),
        Route(
            method="PUT",
            path="/checks/{uid}",
            summary="Change a check.",
            description="The body names the version that was changed; another one by then is a conflict.",
            parameters=(UID, ACTOR_HEADER),
            body=bodies.KEPT,
            response=kept,
            query=ask.replace,
        ),
        Route(
            method="DELETE",
            path="/checks/{uid}",
            summary="Delete a check; its history stays until it is too old.",
            parameters=(UID, _VERSION, ACTOR_HEADER),
            response=schema_of(answers.DeletedCheck),
            query=ask.delete,
        ),
        Route(
            method="POST",
            path="/checks/{uid}/run",
            summary="Run a check of the server once more, with no consequence for its status.",
            parameters=(UID,),
            body=bodies.NOTHING,
            response=run,
            query=ask.run,
        ),
        Route(
            path="/checks/{uid}/versions",
            summary="What a check was before.",
            parameters=(UID,),
            response=schema_of(answers.CheckVersions),
            query=ask.versions,
        ),
    )
