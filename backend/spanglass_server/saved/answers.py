"""Types of the answers about what is saved, and saved views as they are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypedDict

from spanglass_server.query.answers import JsonSchema, Time
from spanglass_server.times import format_time

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanglass_server.saved.model import KeptView
    from spanglass_server.saved.store.views import Views


class SavedView(TypedDict):
    """A page's address with a name."""

    id: int
    name: str
    url: Annotated[str, JsonSchema({"description": "path and parameters"})]
    page: Annotated[str, JsonSchema({"description": "the path"})]
    owner: str
    shared: Annotated[bool, JsonSchema({"description": "whether everybody sees it"})]
    pinned: Annotated[bool, JsonSchema({"description": "whether it stands in the navigation"})]
    default: Annotated[bool, JsonSchema({"description": "whether the navigation opens its page so"})]
    created_time: Time
    changed_time: Time


class SavedViews(TypedDict):
    """The answer of ``GET /api/v1/views``."""

    views: list[SavedView]


class Deleted(TypedDict):
    """What was deleted."""

    deleted: int


def view_json(kept: KeptView) -> SavedView:
    """Return a view as it is shown."""
    view = kept.view
    return {
        "id": kept.id,
        "name": view.name,
        "url": view.url,
        "page": view.page,
        "owner": view.owner,
        "shared": view.shared,
        "pinned": view.pinned,
        "default": view.default,
        "created_time": format_time(kept.created_ns),
        "changed_time": format_time(kept.changed_ns),
    }


def seen_views(views: Views) -> Callable[[str], list[SavedView]]:
    """Return what lists the views that a reader sees; none where they can't be read: every page asks."""

    def seen(owner: str) -> list[SavedView]:
        try:
            return [view_json(one) for one in views.seen_by(owner)]
        except OSError:
            return []

    return seen
