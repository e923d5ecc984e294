"""``/findings``: what makes requests slow and can be mended, what costs most first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, get_args

from spanglass_server.findings.answers import FindingKind
from spanglass_server.findings.model import Kind
from spanglass_server.findings.words import WORDS
from spanglass_server.pages.findings import reading
from spanglass_server.pages.ports import ApiError
from spanglass_server.pages.problem import of_api

if TYPE_CHECKING:
    from starlette.responses import Response

    from spanglass_server.pages.visit import Visit

_LIMIT: Final = 200
#: What stands in the URL, and its name.
VIEWS: Final = (("open", "Open"), ("dismissed", "Dismissed"), ("all", "All"))
KINDS: Final = [(kind, WORDS[Kind(kind)].title) for kind in get_args(FindingKind)]


async def show(visit: Visit) -> Response:
    """Render the list."""
    view = next((key for key, _ in VIEWS if key == visit.param("state")), VIEWS[0][0])
    asked = {"service": visit.exact("service"), "kind": visit.param("kind")}
    problem, found = None, reading.NOTHING
    try:
        found = await visit.api("findings", **asked, state=view, limit=_LIMIT)
    except ApiError as error:
        problem = of_api(error, visit)
    return visit.page(
        "findings/list.html", ranged=False, status=problem.status if problem else 200, problem=problem, view=view,
        views=VIEWS, kinds=KINDS, counts=found["counts"], is_filtered=any(asked.values()),
        rows=[reading.row(one, visit) for one in found["findings"]],
    )  # fmt: skip
