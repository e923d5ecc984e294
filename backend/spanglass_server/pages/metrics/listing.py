"""The page of all metrics: what there is, of whom, how many series, and how each went."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_server.pages.metrics import kinds
from spanglass_server.pages.rendering import charts
from spanglass_server.pages.rendering.format import parse_time_ns
from spanglass_server.pages.rendering.units import unit_of, unit_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from starlette.responses import Response

    from spanglass_server.pages.visit import Visit

Row = dict[str, Any]
SORTS: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    "name": lambda row: row["name"].lower(),
    "series": lambda row: row["series"],
    "points": lambda row: row["points"],
    "last": lambda row: row["last_ns"],
}
#: How a list is sorted, and the range of a URL without one: what has stopped is looked for further back.
DEFAULT_SORT = {"historical": "last"}
LONGEST_DEFAULT = {"historical": "7d"}
#: Ranges offered on the tab of what has stopped, besides the usual ones.
LONG_RANGES = (("7d", "7 days"), ("30d", "30 days"), ("90d", "90 days"), ("365d", "1 year"))
PAGE_ROWS, BUCKETS = 100, 40
#: How a metric's shape is called.
SHAPES = {"gauge": "gauge", "counter": "counter", "histogram": "histogram", "native_histogram": "histogram",
          "summary": "summary"}  # fmt: skip


async def show(visit: Visit) -> Response:
    """``/metrics``."""
    tab = visit.param("tab") if visit.param("tab") in dict(kinds.TABS) else "all"
    visit.longest_default = LONGEST_DEFAULT.get(tab, visit.longest_default)
    window = visit.window.as_params()
    answer = await visit.api(
        "metrics", "catalog", **window, text=visit.param("q"), service=visit.exact("service"), limit=100_000
    )
    rows = [_row(metric, visit) for metric in answer["metrics"]]
    shown = [row for row in rows if kinds.is_in(tab, row)]
    sort = visit.param("sort") if visit.param("sort") in SORTS else DEFAULT_SORT.get(tab, "name")
    ascending = visit.param("order") == "asc" if visit.param("order") else sort == "name"
    shown.sort(key=SORTS[sort], reverse=not ascending)
    page = _page(visit, len(shown))
    listed = shown[page * PAGE_ROWS : (page + 1) * PAGE_ROWS]
    courses = await _courses(visit, listed)
    listed = [row | {"spark": _spark(row, courses, visit)} for row in listed]
    return visit.page(
        "metrics/list.html", tab=tab, tabs=_tabs(rows), rows=listed,
        found=len(shown), total=len(rows), series=sum(row["series"] for row in rows), sort=sort, ascending=ascending,
        stopped=[row for row in rows if row["stopped"]], page=page, pages=-(-len(shown) // PAGE_ROWS),
        services=sorted({name for row in rows for name in row["services"]} | ({visit.exact("service")} - {""})),
        long_ranges=LONG_RANGES, problem=courses["problem"], truncated=answer["truncated"],
    )  # fmt: skip


def _row(metric: Mapping[str, Any], visit: Visit) -> Row:
    last_ns = parse_time_ns(metric["last_time"])
    return {
        **metric,
        "last_ns": last_ns,
        "age_ns": max(0, visit.clock.now_ns - last_ns),
        "stopped": visit.window.end_ns - last_ns > kinds.STOPPED_NS,
        "kind": kinds.kind_of(metric["name"]),
        "shape_name": SHAPES[metric["shape"]],
        "unit_text": unit_text(unit_of(metric["name"], metric["unit"])),
    }


def _tabs(rows: Sequence[Row]) -> list[tuple[str, str, int]]:
    return [(tab, name, sum(kinds.is_in(tab, row) for row in rows)) for tab, name in kinds.TABS]


def _page(visit: Visit, found: int) -> int:
    text = visit.param("page")
    wanted = int(text) - 1 if text.isdecimal() and text.isascii() and len(text) < 7 else 0  # noqa: PLR2004 - a million
    return max(0, min(wanted, (found - 1) // PAGE_ROWS))


def stored_name(metric: Mapping[str, Any]) -> str:
    """Return the stored name whose course is a metric's: of a histogram of Prometheus the number of observations."""
    counted = f"{metric['name']}_count"
    return counted if counted in metric["parts"] else next(iter(metric["parts"]), metric["name"])


async def _courses(visit: Visit, listed: Sequence[Row]) -> dict[str, Any]:
    names = ",".join(sorted({stored_name(row) for row in listed if "," not in row["name"]}))
    if not names:
        return {"courses": [], "problem": None}
    question = visit.api("metrics", "courses", **visit.window.as_params(), names=names, buckets=BUCKETS)
    return await visit.attempt(question, {"courses": []})


def _spark(row: Row, courses: Mapping[str, Any], visit: Visit) -> dict[str, str] | None:
    wanted = (stored_name(row), row["unit"])
    found = [each for each in courses["courses"] if (each["name"], each["unit"]) == wanted]
    found = [each for each in found if each["type"] == row["type"]] or found
    if not found:
        return None
    times = [courses["start"] + place * courses["step_s"] for place, _ in enumerate(found[0]["values"])]
    return charts.spark(visit.buckets(times, courses["step_s"]).whole(found[0]["values"]))
