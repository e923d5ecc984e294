"""Routes that check, keep, change and delete objectives, and say what was changed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from spanglass_server.api.alerting.bodies import ACTOR_HEADER, actor_of
from spanglass_server.api.fields import fields_of, text_of
from spanglass_server.api.params import Param, limit_param
from spanglass_server.api.routing import Route
from spanglass_server.api.schema import schema_of
from spanglass_server.api.slo import answers, bodies, shown
from spanglass_server.api.written import changed_version, refusals
from spanglass_server.forms.nodes import MAX_CHARACTERS
from spanglass_server.slo.desk import TRIED
from spanglass_server.slo.form.spec import OBJECTIVES
from spanglass_server.slo.model import MINUTE_NS
from spanglass_server.slo.openslo.reading import take_over
from spanglass_server.times import format_time

if TYPE_CHECKING:
    from spanglass_server.api.params import Params
    from spanglass_server.forms.book import Found
    from spanglass_server.forms.listed import Read
    from spanglass_server.slo.desk import SloDesk
    from spanglass_server.slo.model import Objective
    from spanglass_server.store.ports import QuerySession

UID: Final = Param("uid", "text", help="The objective's uid.")
_VERSION: Final = Param("version", "text", help="The version that is deleted, as it was given.", required=True)


def found_slo(desk: SloDesk, uid: str) -> Found[Objective]:
    """Return an objective; ApiError saying which was probably meant."""
    return bodies.WRITTEN.found(uid, desk.book.found())


@dataclass(frozen=True, slots=True)
class Keeping:
    """The handlers."""

    desk: SloDesk

    def create(self, _: QuerySession, params: Params) -> answers.KeptSlo:
        """Keep a new one."""
        fields = fields_of(params["body"], bodies.KEPT)
        objective = bodies.WRITTEN.one(bodies.WRITTEN.read(fields))
        bodies.WRITTEN.check_unused(objective.uid, self.desk.book.found())
        return self._put(objective, "", fields, params)

    def replace(self, _: QuerySession, params: Params) -> answers.KeptSlo:
        """Change one; its uid stays, whatever the new name, as links and alerts go by it."""
        fields = fields_of(params["body"], bodies.KEPT)
        before = self._editable(params["uid"])
        version = changed_version(fields, before.version)
        return self._put(
            replace(bodies.WRITTEN.one(bodies.WRITTEN.read(fields, stands=True)), uid=before.uid),
            version,
            fields,
            params,
        )

    def delete(self, _: QuerySession, params: Params) -> answers.DeletedSlo:
        """Delete one, and its alert rules with it."""
        before = self._editable(params["uid"])
        with refusals():
            self.desk.delete(before.uid, params["version"], actor_of({}, params))
        return {"uid": before.uid}

    def check(self, _: QuerySession, params: Params) -> answers.CheckedSlos:
        """Return what is wrong with objectives that are typed."""
        read = self._typed(params)
        objectives = read.values
        return {
            "slos": [OBJECTIVES.to_json(objective) for objective in objectives],
            "yaml": OBJECTIVES.to_yaml(objectives) if objectives else "",
            "problems": [dict(problem.as_json()) for problem in read.problems],
        }

    def import_(self, _: QuerySession, params: Params) -> answers.ImportedSlos:
        """Return objectives of OpenSLO as ours, and what can't be taken; nothing is kept."""
        fields = fields_of(params["body"], bodies.OPENSLO)
        taken = take_over(text_of(fields, "yaml", longest=MAX_CHARACTERS) + "\n")
        return {
            "slos": [OBJECTIVES.to_json(objective) for objective in taken.objectives],
            "yaml": OBJECTIVES.to_yaml(taken.objectives) if taken.objectives else "",
            "problems": [dict(problem.as_json()) for problem in taken.problems],
            "notes": [dict(note.as_json()) for note in taken.notes],
        }

    def try_(self, session: QuerySession, params: Params) -> answers.TriedSlo:
        """Return what one that is typed would have had in the last day."""
        tried = self.desk.try_out(session, bodies.WRITTEN.one(self._typed(params)))
        now = params["now_ns"] // MINUTE_NS + 1
        return {
            "range": shown.range_json(now - TRIED, now),
            "budget": shown.budget_json(tried.budget),
            "burn_rate": tried.rate,
            "episodes": [shown.episode_json(each) for each in tried.episodes],
        }

    def versions(self, _: QuerySession, params: Params) -> answers.SloVersions:
        """Return what one was before; also of one that was deleted."""
        return {
            "versions": [
                {
                    "version": old.version,
                    "replaced_time": format_time(time_ns),
                    "slo": OBJECTIVES.to_json(old.value),
                }
                for time_ns, old in self.desk.book.versions(params["uid"])
            ]
        }

    def changes(self, _: QuerySession, params: Params) -> answers.SloChanges:
        """Return what people changed, of one or of all."""
        found = self.desk.changes(params.get("uid") or "", params["limit"])
        return {"changes": [shown.change_json(change) for change in found]}

    def _put(self, objective: Objective, version: str, fields: dict[str, object], params: Params) -> answers.KeptSlo:
        with refusals():
            found = self.desk.put(objective, version, actor_of(fields, params))
        lacking = self.desk.lacking(found.value)
        return {
            "uid": found.uid,
            "version": found.version,
            "slo": OBJECTIVES.to_json(found.value),
            "lacking": lacking,
        }

    def _typed(self, params: Params) -> Read[Objective]:
        """What a body holds that somebody types, of new ones or of those that stand."""
        fields = fields_of(params["body"], bodies.TYPED)
        return bodies.WRITTEN.read(fields, stands=self.desk.book.found())

    def _editable(self, uid: str) -> Found[Objective]:
        found = found_slo(self.desk, uid)
        if found.origin != "kept":
            raise bodies.WRITTEN.read_only(uid, f"change it in {found.file}")
        return found


def keeping_routes(desk: SloDesk) -> tuple[Route, ...]:
    """Return the routes; those with words in the path come before those with an id there."""
    ask = Keeping(desk)
    kept, changes = schema_of(answers.KeptSlo), schema_of(answers.SloChanges)
    return (
        Route(
            method="POST",
            path="/slos",
            summary="Keep a new objective.",
            description="Its alert rules are made with it.",
            parameters=(ACTOR_HEADER,),
            body=bodies.KEPT,
            response=kept,
            status=201,
            query=ask.create,
        ),
        Route(
            method="POST",
            path="/slos/check",
            summary="What is wrong with objectives that are typed.",
            body=bodies.TYPED,
            response=schema_of(answers.CheckedSlos),
            query=ask.check,
        ),
        Route(
            method="POST",
            path="/slos/import",
            summary="Objectives of OpenSLO as they are written here, and what can't be taken.",
            description="Nothing is kept.",
            body=bodies.OPENSLO,
            response=schema_of(answers.ImportedSlos),
            query=ask.import_,
        ),
        Route(
            method="POST",
            path="/slos/try",
            summary="What an objective that is typed would have had in the last day.",
            body=bodies.TYPED,
            response=schema_of(answers.TriedSlo),
            query=ask.try_,
        ),
        Route(
            path="/slos/changes",
            summary="What people changed of objectives, newest first.",
            parameters=(limit_param(100, 1000),),
            response=changes,
            query=ask.changes,
        ),
        Route(
            method="PUT",
            path="/slos/{uid}",
            summary="Change an objective, and its alert rules with it.",
            description="The body names the version that was changed; another one by then is a conflict.",
            parameters=(UID, ACTOR_HEADER),
            body=bodies.KEPT,
            response=kept,
            query=ask.replace,
        ),
        Route(
            method="DELETE",
            path="/slos/{uid}",
            summary="Delete an objective, and its alert rules with it.",
            parameters=(UID, _VERSION, ACTOR_HEADER),
            response=schema_of(answers.DeletedSlo),
            query=ask.delete,
        ),
        Route(
            path="/slos/{uid}/versions",
            summary="What an objective was before.",
            parameters=(UID,),
            response=schema_of(answers.SloVersions),
            query=ask.versions,
        ),
        Route(
            path="/slos/{uid}/changes",
            summary="What people changed of an objective, newest first.",
            parameters=(UID, limit_param(100, 1000)),
            response=changes,
            query=ask.changes,
        ),
    )
