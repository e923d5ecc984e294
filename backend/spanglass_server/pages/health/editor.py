"""``/health/checks/new`` and ``/health/checks/{uid}/edit``: the form of a check, tried before it is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_server.pages.health import fields, reading

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response

    from spanglass_server.pages.visit import Visit


async def show_new(visit: Visit) -> Response:
    """Render an empty form; ``?kind=`` chooses what is looked at."""
    kind = visit.param("kind")
    known = {one.name for one in fields.KINDS}
    return _page(visit, {}, kind if kind in known else fields.KINDS[0].name)


async def show_edit(visit: Visit) -> Response:
    """Render the form of a check that was made here; others are changed where they stand."""
    uid = visit.request.path_params["uid"]
    found = await visit.api("checks", uid)
    if not found["editable"] or found["kind"] not in {one.name for one in fields.KINDS}:
        return visit.page("health/elsewhere.html", ranged=False, status=409, check=reading.check(found))
    return _page(visit, found["check"], found["kind"], uid=uid, version=found["version"])


def _page(visit: Visit, check: Mapping[str, Any], kind: str, *, uid: str = "", version: str = "") -> Response:
    return visit.page(
        "health/editor.html", ranged=False, check=check, kind=kind, uid=uid, version=version, kinds=fields.KINDS,
        common=fields.COMMON, typed=fields.typed,
    )  # fmt: skip
