"""Routes that change issues. The issue store serialises changes, and each is durable when it is answered."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass_server.api.errors import ApiError, disk_error
from spanglass_server.api.fields import ACTOR, MAX_TEXT, actor_of, body_schema, fields_of, text_of
from spanglass_server.api.issues import bodies
from spanglass_server.api.issues.bodies import CHANGE_FIELDS, IDS
from spanglass_server.api.issues.reading import ISSUE
from spanglass_server.api.routing import Route
from spanglass_server.api.schema import STRING, schema_of
from spanglass_server.issues.ports import InvalidChangeError, UnknownIssueError
from spanglass_server.query.issues import answers
from spanglass_server.query.issues.figures import titled
from spanglass_server.query.issues.one import comment_json, merge_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from spanglass_server.api.params import Params
    from spanglass_server.query.issues.known import KnownIssues
    from spanglass_server.store.ports import QuerySession

_CHANGE_ONE = body_schema(CHANGE_FIELDS)
_CHANGE_MANY = body_schema({"ids": IDS, **CHANGE_FIELDS}, ["ids"])
_COMMENT = body_schema({"text": {**STRING, "maxLength": MAX_TEXT}, "actor": ACTOR}, ["text"])
_MERGE = body_schema({"ids": IDS, "into": STRING, "actor": ACTOR}, ["ids", "into"])
_UNMERGE = body_schema(
    {
        "id": STRING,
        "merge": {"type": "integer", "description": "one of merged of the issue"},
        "keys": {"type": "array", "items": STRING, "description": "or some of its keys"},
        "actor": ACTOR,
    },
    ["id"],
)


@contextmanager
def refusals(field: str) -> Iterator[None]:
    """Turn what the issue store refuses into errors of the API; ``field`` named the issues."""
    try:
        yield
    except UnknownIssueError as error:
        raise ApiError("not_found", str(error), field=field, hint="GET /api/v1/issues lists issues") from error
    except InvalidChangeError as error:
        raise ApiError("bad_request", str(error), field=error.field) from error
    except OSError as error:
        raise disk_error(error) from error


@dataclass(frozen=True, slots=True)
class _Changes:
    """The handlers."""

    issues: KnownIssues

    def shown(self, session: QuerySession, ids: Iterable[str], now_ns: int) -> list[answers.Titled]:
        """Write issues as they are now, each once."""
        found = {issue.id: issue for issue in (self.issues.issue(each).summary for each in ids)}
        return [titled(session, issue, now_ns) for issue in found.values()]

    def change(self, session: QuerySession, params: Params) -> answers.ChangedIssues:
        """Change one."""
        body = fields_of(params["body"], _CHANGE_ONE)
        return self._apply(session, [params["issue"].upper()], body, params["now_ns"], "issue")

    def change_many(self, session: QuerySession, params: Params) -> answers.ChangedIssues:
        """Change several."""
        body = fields_of(params["body"], _CHANGE_MANY)
        return self._apply(session, bodies.ids_of(body), body, params["now_ns"], "ids")

    def _apply(
        self, session: QuerySession, ids: list[str], body: dict[str, object], now_ns: int, field: str
    ) -> answers.ChangedIssues:
        wanted = bodies.change_of(body, now_ns)
        with refusals(field):
            self.issues.store.change(ids, wanted, actor_of(body), now_ns)
        return {"issues": self.shown(session, ids, now_ns)}

    def comment(self, _: QuerySession, params: Params) -> answers.Comment:
        """Comment on one."""
        body = fields_of(params["body"], _COMMENT)
        text, actor = text_of(body, "text", longest=MAX_TEXT), actor_of(body)
        with refusals("issue"):
            return comment_json(self.issues.store.comment(params["issue"].upper(), text, actor, params["now_ns"]))

    def merge(self, session: QuerySession, params: Params) -> answers.MergedIssues:
        """Merge several."""
        body = fields_of(params["body"], _MERGE)
        ids, into = bodies.ids_of(body), text_of(body, "into").upper()
        with refusals("ids"):
            merges = self.issues.store.merge(ids, into, actor_of(body), params["now_ns"])
        (issue,) = self.shown(session, [into], params["now_ns"])
        return {"issue": issue, "merges": [merge_json(each) for each in merges]}

    def unmerge(self, session: QuerySession, params: Params) -> answers.ChangedIssues:
        """Undo a merge, or those that brought some keys."""
        body = fields_of(params["body"], _UNMERGE)
        if ("merge" in body) == ("keys" in body):
            hint = "merge undoes one merge, keys those that brought some keys"
            raise ApiError("bad_request", "one of merge and keys is needed", field="merge", hint=hint)
        issue_id, actor, now_ns = text_of(body, "id").upper(), actor_of(body), params["now_ns"]
        with refusals("id"):
            before = self.issues.store.issue(issue_id)
            if "keys" in body:
                self.issues.store.unmerge_keys(issue_id, bodies.keys_of(body), actor, now_ns)
            else:
                known = {merge.id for merge in before.merges}
                self.issues.store.unmerge([_merge_of(body["merge"], known)], actor, now_ns)
        return {"issues": self.shown(session, [issue_id, *(merge.issue for merge in before.merges)], now_ns)}


def _merge_of(merge: object, known: set[int]) -> int:
    if not isinstance(merge, int) or merge not in known:
        hint = "take a merge of merged of the issue"
        raise ApiError("bad_request", f"{merge!r} is no merge of this issue", field="merge", hint=hint)
    return merge


def changing_routes(issues: KnownIssues) -> tuple[Route, ...]:
    """Return the routes that change issues."""
    changes = _Changes(issues)
    return (
        Route(
            method="PATCH",
            path="/issues/{issue}",
            summary="Change the state or the assignee of an issue.",
            parameters=(ISSUE,),
            body=_CHANGE_ONE,
            response=schema_of(answers.ChangedIssues),
            query=changes.change,
        ),
        Route(
            method="PATCH",
            path="/issues",
            summary="Change the state or the assignee of several issues: of all, or of none.",
            body=_CHANGE_MANY,
            response=schema_of(answers.ChangedIssues),
            query=changes.change_many,
        ),
        Route(
            method="POST",
            path="/issues/{issue}/comments",
            summary="Comment on an issue.",
            parameters=(ISSUE,),
            body=_COMMENT,
            response=schema_of(answers.Comment),
            query=changes.comment,
        ),
        Route(
            method="POST",
            path="/issues/merge",
            summary="Make several issues of one service one.",
            body=_MERGE,
            response=schema_of(answers.MergedIssues),
            query=changes.merge,
        ),
        Route(
            method="POST",
            path="/issues/unmerge",
            summary="Undo a merge: each issue is itself again.",
            body=_UNMERGE,
            response=schema_of(answers.ChangedIssues),
            query=changes.unmerge,
        ),
    )
