"""``/anomalies``: what is unusual for its time, and one of them with what its requests have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from spanglass_server.anomalies.answers import TITLES
from spanglass_server.pages.ports import ApiError
from spanglass_server.pages.problem import of_api
from spanglass_server.pages.trends import anomaly_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response

    from spanglass_server.pages.visit import Visit

_LIMIT: Final = 100
#: What stands in the URL, and its name.
VIEWS: Final = (("lately", "Now and lately"), ("open", "Now"), ("fine", "Fine"), ("all", "All"))
KINDS: Final = [(kind.value, title) for kind, title in TITLES.items()]


async def show(visit: Visit) -> Response:
    """Render the list."""
    view = next((key for key, _ in VIEWS if key == visit.param("state")), VIEWS[0][0])
    asked = {"kind": visit.param("kind"), "text": visit.exact("text"), "service": visit.exact("service")}
    problem, found = None, anomaly_rows.NOTHING
    said: list[Mapping[str, Any]] = []
    try:
        found = await visit.api("anomalies", **asked, state=view, limit=_LIMIT)
        said = (await visit.api("anomaly-feedback"))["feedback"] if view == "fine" else []
    except ApiError as error:
        problem = of_api(error, visit)
    return visit.page(
        "trends/anomalies.html", ranged=False, status=problem.status if problem else 200, problem=problem, view=view,
        views=VIEWS, kinds=KINDS, counts=found["counts"], is_filtered=any(asked.values()), total=found["total"],
        rows=[anomaly_rows.row(one) for one in found["anomalies"]], said=said, enabled=found["enabled"],
        learning=_learning(found), ready_time=found["ready_time"],
        series=sum(each["series"] for each in found["watching"]),
        dropped=found["anomalies_left_out"], left_out=found["metrics_left_out"],
        problems=[each for each in found["watching"] if each["problem"]],
    )  # fmt: skip


async def show_one(visit: Visit) -> Response:
    """Render one."""
    one = await visit.api("anomalies", str(visit.request.path_params["anomaly"]))
    said: list[Mapping[str, Any]] = []
    if one["state"] == "fine":
        feedback = await visit.attempt(visit.api("anomaly-feedback"), {"feedback": []})
        said = [
            each for each in feedback["feedback"]
            if each["holds"] and (each["kind"], each["labels"]) == (one["kind"], one["labels"])
        ]  # fmt: skip
    return visit.page(
        "trends/anomaly.html", ranged=False, one=one, row=anomaly_rows.row(one), said=said,
        chart=anomaly_rows.large(one, visit), links=anomaly_rows.links(one, visit),
    )  # fmt: skip


def _learning(found: Mapping[str, Any]) -> str:
    """What is not judged yet, in words; "" where all is."""
    names = [each["source"] for each in found["watching"] if not each["is_ready"]]
    if not found["watching"] or found["ready_time"]:
        return "operations, metrics and log patterns"
    return " and ".join(names)
