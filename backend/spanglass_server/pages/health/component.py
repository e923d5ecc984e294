"""``/health/components/{uid}``: one component: how it is, why, who says so, its figures, its past."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from spanglass_server.pages.health import reading
from spanglass_server.pages.health.history import history

if TYPE_CHECKING:
    from starlette.responses import Response

    from spanglass_server.pages.visit import Visit


async def show(visit: Visit) -> Response:
    """Render a component with the checks that it is made of."""
    uid = visit.request.path_params["uid"]
    found, whole, checks, past = await visit.together(
        visit.api("components", uid), visit.api("health"), visit.api("checks"), history(visit, "components", uid)
    )
    mine = set(found["checks"])
    return visit.page(
        "health/component.html", ranged=False, component=reading.component(found), past=past,
        badge=f"/status/{quote(uid, safe='')}/badge.svg" if found["public"] and whole["status_page"] else "",
        checks=[reading.check(one) for one in checks["checks"] if one["uid"] in mine],
    )  # fmt: skip
