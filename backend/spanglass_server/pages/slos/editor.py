"""``/slos/new`` and ``/slos/{uid}/edit``: the form of an objective, tried before it is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from spanglass_server.pages.slos import reading, words
from spanglass_server.slo.model import WINDOWS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response

    from spanglass_server.pages.visit import Visit

_NO_CHECKS: Final[dict[str, Any]] = {"checks": []}
_LATENCY: Final = "latency"


async def show_new(visit: Visit) -> Response:
    """Render an empty form; ``?service=`` begins with its requests."""
    service = visit.exact("service")
    spans = f'service.name = "{service}" and kind = server' if service and '"' not in service else ""
    return await _page(visit, {"spans": spans, "good": "status != error" if spans else "", "target": "99.9%"})


async def show_edit(visit: Visit) -> Response:
    """Render the form of an objective that was made here; others are changed where they stand."""
    uid = visit.request.path_params["uid"]
    found = await visit.api("slos", uid)
    if not found["editable"]:
        return visit.page("slos/elsewhere.html", ranged=False, status=409, one=found, row=reading.row(found, visit))
    return await _page(visit, found["slo"], uid=uid, version=found["version"])


async def _page(visit: Visit, slo: Mapping[str, Any], *, uid: str = "", version: str = "") -> Response:
    checks = await visit.attempt(visit.api("checks"), _NO_CHECKS)
    return visit.page(
        "slos/editor.html", ranged=False, slo=slo, uid=uid, version=version, windows=WINDOWS,
        window_words=words.WINDOWS,
        checks=[each for each in checks["checks"] if each["source"] == "check"],
        latency="" if slo.get(_LATENCY) in (None, "0s") else slo[_LATENCY],
    )  # fmt: skip
