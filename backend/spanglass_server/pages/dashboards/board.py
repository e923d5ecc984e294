"""``/dashboards/{uid}``: one dashboard. Panels load their data by themselves, with script."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_core.units import parse_duration_ns
from spanglass_server.pages.dashboards import plain
from spanglass_server.pages.rendering.columns import as_data
from spanglass_server.pages.window import PRESETS, SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.responses import Response

    from spanglass_server.pages.visit import Visit

#: Seconds between two loads that a reader may choose, besides the dashboard's own.
PERIODS_S = (0, 5, 10, 30, 60, 300)
#: What a reader may compare with, as the URL has it.
COMPARISONS = (("", "No comparison"), ("period", "Period before"), ("day", "Day before"), ("week", "Week before"))


async def show(visit: Visit) -> Response:
    """Render the frame of a dashboard: titles, places, and its definition for the script."""
    answer = await visit.api("dashboards", visit.request.path_params["uid"])
    dashboard = answer["dashboard"]
    _begin_with(visit, dashboard["range"])
    if visit.param("plain"):
        return await plain.show(visit, dashboard)
    period_s = refresh_s(visit.param("refresh"), dashboard["refresh_interval"])
    titles = {panel["id"]: panel["title"] for panel in dashboard["panels"]}
    return visit.page(
        "dashboards/board.html",
        answer=answer,
        dashboard=dashboard,
        panels=[{**place, "title": titles[place["panel"]]} for place in in_order(answer["layout"])],
        data=as_data(answer),
        period_s=period_s,
        comparisons=COMPARISONS,
        periods=sorted({*PERIODS_S, period_s}),
        period_name=period_name,
    )


def _begin_with(visit: Visit, length: str) -> None:
    """Show the dashboard's own range where the URL has none, if it is one of the presets; else an hour."""
    if length in {preset for preset, _ in PRESETS}:
        visit.longest_default = length


def in_order(layout: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Places in reading order: row by row."""
    return sorted(map(dict, layout), key=lambda place: (place["y"], place["x"]))


def refresh_s(asked: str, own: str) -> int:
    """Seconds between two loads: what the URL asks, else what the dashboard says; 0 for none."""
    if asked.isdecimal() and len(asked) < 7:  # noqa: PLR2004 - days at most
        return int(asked)
    return 0 if own == "off" else max(1, parse_duration_ns(own) // SECOND_NS)


def period_name(seconds: int) -> str:
    """Return ``every 30 s``, or ``no refresh``."""
    if not seconds:
        return "no refresh"
    number, unit = (seconds // 60, "min") if seconds >= 60 and seconds % 60 == 0 else (seconds, "s")  # noqa: PLR2004
    return f"every {number} {unit}"
