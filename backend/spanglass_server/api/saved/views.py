"""The routes about saved views: listed, saved, changed, deleted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from spanglass_server.api.errors import ApiError
from spanglass_server.api.fields import body_schema, fields_of, text_of
from spanglass_server.api.params import Param, id_param
from spanglass_server.api.routing import Route
from spanglass_server.api.saved.refusals import refusals
from spanglass_server.api.schema import STRING, schema_of
from spanglass_server.saved import answers
from spanglass_server.saved.model import LONGEST_NAME, LONGEST_URL, View

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass_server.api.params import Params
    from spanglass_server.api.schema import Schema
    from spanglass_server.saved.store.views import Views
    from spanglass_server.store.ports import QuerySession

_TEXTS: Final = {"name": LONGEST_NAME, "url": LONGEST_URL, "owner": 200}
_SWITCHES: Final = ("shared", "pinned", "default")
_VIEW: Final = id_param("view")
_BOOLEAN: Final[Schema] = {"type": "boolean"}
_FIELDS: Final[Mapping[str, Schema]] = {
    "name": {**STRING, "maxLength": LONGEST_NAME},
    "url": {**STRING, "maxLength": LONGEST_URL, "description": "path and parameters of a page"},
    "owner": {**STRING, "maxLength": _TEXTS["owner"], "description": "who keeps it, a free name"},
    "shared": {**_BOOLEAN, "description": "whether everybody sees it; left out: false"},
    "pinned": {**_BOOLEAN, "description": "whether it stands in the navigation; left out: false"},
    "default": {**_BOOLEAN, "description": "whether the navigation opens its page so; left out: false"},
}
_NEW: Final = body_schema(_FIELDS, ("name", "url", "owner"))
_CHANGE: Final = body_schema(_FIELDS)


@dataclass(frozen=True, slots=True)
class _Handlers:
    views: Views

    def list(self, _: QuerySession, params: Params) -> answers.SavedViews:
        """Views that a reader sees; the shared ones without a name."""
        with refusals():
            seen = self.views.seen_by(params["owner"] or "")
        page = params["page"]
        return {"views": [answers.view_json(one) for one in seen if page in (None, one.view.page)]}

    def save(self, _: QuerySession, params: Params) -> answers.SavedView:
        """Keep one."""
        view = View(**_given(params["body"], _NEW))
        with refusals():
            number = self.views.save(view, params["now_ns"])
            return answers.view_json(self.views.one(number))

    def change(self, _: QuerySession, params: Params) -> answers.SavedView:
        """Change some of its fields."""
        changes = _given(params["body"], _CHANGE)
        with refusals():
            self.views.change(params["view"], changes, params["now_ns"])
            return answers.view_json(self.views.one(params["view"]))

    def delete(self, _: QuerySession, params: Params) -> answers.Deleted:
        """Forget one."""
        with refusals():
            self.views.delete(params["view"])
        return {"deleted": params["view"]}


def _given(body: Any, schema: Schema) -> dict[str, Any]:
    """Return the fields that a body has; ApiError naming the one at fault."""
    fields = fields_of(body, schema)
    given: dict[str, Any] = {name: text_of(fields, name, "", _TEXTS[name]) for name in _TEXTS if name in fields}
    for name in set(_SWITCHES) & set(fields):
        if not isinstance(fields[name], bool):
            raise ApiError("bad_request", f"{name} is neither true nor false", field=name, hint="send true or false")
        given[name] = fields[name]
    return given


def view_routes(views: Views) -> tuple[Route, ...]:
    """Return the routes."""
    handlers = _Handlers(views)
    return (
        Route(
            path="/views",
            summary="Saved views: the shared ones, and those of an owner.",
            parameters=(
                Param("owner", "text", help="Whose views besides the shared ones."),
                Param("page", "text", help="Only views of this page, a path."),
            ),
            response=schema_of(answers.SavedViews),
            query=handlers.list,
        ),
        Route(
            method="POST",
            path="/views",
            summary="Save a page's address as a view.",
            description="A name is there once among the shared views, and once among those of an owner.",
            body=_NEW,
            response=schema_of(answers.SavedView),
            status=201,
            query=handlers.save,
        ),
        Route(
            method="PATCH",
            path="/views/{view}",
            summary="Change some fields of a view.",
            parameters=(_VIEW,),
            body=_CHANGE,
            response=schema_of(answers.SavedView),
            query=handlers.change,
        ),
        Route(
            method="DELETE",
            path="/views/{view}",
            summary="Delete a view.",
            parameters=(_VIEW,),
            response=schema_of(answers.Deleted),
            query=handlers.delete,
        ),
    )
