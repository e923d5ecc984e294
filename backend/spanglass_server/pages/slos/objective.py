"""``/slos/{uid}``: one objective: what is left of its budget and since when, what used it, its rules, its course."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any, Final

from spanglass_server.pages.rendering import charts
from spanglass_server.pages.rendering.format import duration_text, parse_time_ns, rfc3339, to_datetime
from spanglass_server.pages.slos import reading, words
from spanglass_server.pages.window import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.responses import Response

    from spanglass_server.pages.visit import Visit

_HOUR_S: Final = 3600
_MOST_EPISODES: Final = 10
_MOST_CHANGES: Final = 20
_MOST_CAUSES: Final = 8
#: Steps of the charts in hours, the first with so few steps that they can be told apart.
_STEPS: Final = (1, 2, 4, 6, 12, 24)
_MOST_STEPS: Final = 200
#: Views of the past: what stands in the URL, its name, and how many days.
VIEWS: Final = {"window": ("Window", 0), "7d": ("7 days", 7), "30d": ("30 days", 30), "90d": ("90 days", 90)}


async def show(visit: Visit) -> Response:
    """Render it."""
    uid = visit.request.path_params["uid"]
    one = await visit.api("slos", uid)
    view = visit.param("last") if visit.param("last") in VIEWS else "window"
    range_ = _range(one, view, visit)
    history, found, changes = await visit.together(
        visit.api("slos", uid, "history", **range_),
        visit.api("slos", uid, "episodes", **range_, limit=_MOST_EPISODES),
        visit.attempt(visit.api("slos", uid, "changes", limit=_MOST_CHANGES), {"changes": []}),
    )
    episodes = [_episode(each, one, visit) for each in found["episodes"]]
    return visit.page(
        "slos/one.html", ranged=False, one=one, row=reading.row(one, visit), view=view, views=VIEWS,
        rules=[_rule(rule, one) for rule in one["rules"]], episodes=episodes, words=words,
        worst=_worst(found["episodes"], one), charts=_charts(history, visit),
        days=[_day(day, one) for day in reversed(_since_first(history["days"]))],
        changes=[{**each, "time_ns": parse_time_ns(each["time"])} for each in changes["changes"]],
        since_ns=parse_time_ns(one["since_time"]) if one["since_time"] else 0,
        last_ns=parse_time_ns(one["last_event_time"]) if one["last_event_time"] else 0,
        bad_traces=_traces(one, range_, visit),
    )  # fmt: skip


def _range(one: Mapping[str, Any], view: str, visit: Visit) -> dict[str, str]:
    now_ns = visit.clock.now_ns
    if view == "window":
        return {"start": one["window_range"]["start_time"], "end": rfc3339(now_ns)}
    return {"start": rfc3339(now_ns - VIEWS[view][1] * 24 * _HOUR_S * SECOND_NS), "end": rfc3339(now_ns)}


def _rule(rule: Mapping[str, Any], one: Mapping[str, Any]) -> dict[str, Any]:
    """Return a rule with how fast the budget burns over both of its windows."""
    rates = [one["burn_rates"].get(rule[name]) for name in ("long", "short")]
    return {
        **rule,
        "name": rule["uid"].removeprefix(f"slo-{one['uid']}-"),  # what tells it from the others is never cut
        "rates": [words.rate(rate) for rate in rates],
        "over": [rate is not None and rate > rule["rate"] for rate in rates],
        "text": words.rate(rule["rate"]),
    }


def _episode(each: Mapping[str, Any], one: Mapping[str, Any], visit: Visit) -> dict[str, Any]:
    """Return a stretch of time with ways to its bad spans, and to what is different about them."""
    start_ns, end_ns = parse_time_ns(each["start_time"]), parse_time_ns(each["end_time"])
    times = {"start": rfc3339(start_ns), "end": rfc3339(end_ns)}
    return {
        **each,
        "start_ns": start_ns,
        "lasted": duration_text(end_ns - start_ns),
        "traces": _traces(one, times, visit),
        "differences": visit.link(
            "/differences", {**times, "filter": one["spans_filter"], "selected": _bad(one)}
        ) if one["spans_filter"] else "",
    }  # fmt: skip


def _bad(one: Mapping[str, Any]) -> str:
    """Return the filter of the bad ones among the spans that count."""
    return str(one["bad_filter"]).removeprefix(f"({one['spans_filter']}) and ")


def _traces(one: Mapping[str, Any], times: Mapping[str, str], visit: Visit) -> str:
    """Return the search for traces with bad spans; "" for an objective over a check."""
    return visit.link("/traces", {**times, "filter": one["bad_filter"]}) if one["bad_filter"] else ""


def _worst(found: Sequence[Mapping[str, Any]], one: Mapping[str, Any]) -> dict[str, str]:
    """Return the question what is different about the bad spans of the worst stretch, which script asks; {} for none.

    It reads spans of that time, so the page does not wait for it.
    """
    if not found or not one["spans_filter"]:
        return {}
    times = {"start": found[0]["start_time"], "end": found[0]["end_time"]}
    return {**times, "filter": one["spans_filter"], "selected": _bad(one), "limit": str(_MOST_CAUSES)}


def _since_first(days: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """Return the days from the first one with any event on."""
    first = next((place for place, day in enumerate(days) if day["budget"]["total"]), len(days))
    return days[first:]


def _day(day: Mapping[str, Any], one: Mapping[str, Any]) -> dict[str, Any]:
    own = day["budget"]
    return {
        "start_ns": parse_time_ns(day["start_time"]),
        "good": words.percent(own["good"], one["target"]),
        "is_bad": own["good"] is not None and own["good"] < one["target"],
        "total": words.count(own["total"]),
        "bad": words.count(own["bad"]),
        "left": words.left(day["left"]),
        "is_over": day["left"] is not None and day["left"] <= 0,
        "when": f"{to_datetime(parse_time_ns(day['start_time']), UTC):%a %-d %b}",
    }


def _charts(history: Mapping[str, Any], visit: Visit) -> dict[str, charts.Chart]:
    """Return what was left of the budget, and the events that were bad, in steps that can be told apart."""
    count = len(history["times"])
    hours = next((step for step in _STEPS if count <= step * _MOST_STEPS), _STEPS[-1])
    starts = range(0, count, hours)
    times = [parse_time_ns(history["times"][start]) / SECOND_NS for start in starts]
    buckets = charts.Buckets(times, hours * _HOUR_S)
    left = [_last(history["left"][start : start + hours]) for start in starts]
    bad = [sum(history["bad"][start : start + hours]) for start in starts]
    return {
        "left": charts.lines(
            "Budget left", buckets, [charts.Series("left", "", left)], visit.clock, text=words.mark,
            ceiling=charts.nice_ceiling,
        ),
        "bad": charts.bars("Bad events", buckets, [charts.Series("bad", "err", bad)], visit.clock),
    }  # fmt: skip


def _last(values: Sequence[float | None]) -> float | None:
    return next((value for value in reversed(values) if value is not None), None)
