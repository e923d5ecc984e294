"""``/rules/{uid}``: one rule, its state, what it looked at in the last hours, its evaluations and its alerts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_server.pages.alerts import drawing, reading
from spanglass_server.pages.alerts.trying import Tried, backtest
from spanglass_server.pages.format import duration_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.responses import Response

    from spanglass_server.pages.visit import Visit

#: Ranges of the chart, the first being the one of a URL without any.
RANGES = (("6h", "6 h"), ("24h", "24 h"), ("7d", "7 days"))
ALERTS_SHOWN, EVALUATIONS_SHOWN, KEYS_SHOWN = 10, 20, 50
NO_ALERTS: dict[str, Any] = {"alerts": [], "total": 0}
#: What may be tuned, by its key in a rule, and how it is called.
TUNED = (("warning", "Warning"), ("error", "Error"), ("critical", "Critical"), ("recovery", "Recovered"))


async def show(visit: Visit) -> Response:
    """Render a rule; the chart is a backtest of it as it is now."""
    uid = visit.request.path_params["uid"]
    last = visit.param("last") if visit.param("last") in dict(RANGES) else RANGES[0][0]
    found, tried, alerts = await visit.together(
        visit.api("rules", uid),
        backtest(visit, {"uid": uid}, last),
        visit.attempt(reading.ask(visit, "alerts", rule=uid, limit=ALERTS_SHOWN), NO_ALERTS),
    )
    row = reading.rule(found, visit)
    status = found["status"] or {}
    return visit.page(
        "alerts/rule.html", ranged=False, rule=row, status_=status, facts=facts(found["rule"]), last=last,
        ranges=RANGES, tried=tried, drawing=_draw(tried, row, visit), tuned=TUNED,
        keys=tried.answer["keys"][:KEYS_SHOWN] if tried.answer else [],
        evaluations=[_evaluation(one) for one in reversed(status.get("evaluations", ()))][:EVALUATIONS_SHOWN],
        alerts=[reading.alert(one, visit) for one in alerts["alerts"]], alert_count=alerts["total"],
        alerts_problem=alerts["problem"], yaml=found.get("yaml", ""),
    )  # fmt: skip


def _draw(tried: Tried, row: Mapping[str, Any], visit: Visit) -> drawing.Drawing | None:
    """Draw what a backtest saw."""
    answer = tried.answer
    if not answer or answer["failure"]:
        return None
    start_ns, end_ns = (reading.time_ns(answer["evaluated"][name]) for name in ("start_time", "end_time"))
    bands = drawing.bands_of(answer["keys"], end_ns, reading.time_ns)
    course = drawing.Course(
        row["name"], answer["unit"], answer["series"], answer["thresholds"], bands, start_ns, end_ns
    )
    return drawing.draw(course, visit)


def facts(rule: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    """Return what is set of a rule, in words; what has its default is left out."""
    found = [
        ("Fires after", rule.get("for")),
        ("Keeps firing for", rule.get("keep_firing_for")),
        ("At least samples", rule.get("min_samples")),
        ("Evaluated every", rule.get("interval")),
        ("Waits for late data", rule.get("delay")),
        ("Window of rates", rule.get("window")),
        ("Without data", {"ok": "it is OK", "alert": "that is an alert"}.get(rule.get("no_data", ""))),
        ("One alert for each", ", ".join(rule.get("by") or ())),
        ("Labels", ", ".join(f"{name}={value}" for name, value in (rule.get("labels") or {}).items())),
        ("Channels", ", ".join(rule.get("channels") or ())),
        ("Owner", rule.get("owner")),
    ]
    return [(name, str(value)) for name, value in found if value]


def _evaluation(one: Mapping[str, Any]) -> dict[str, Any]:
    return {**one, "time_ns": reading.time_ns(one["time"]), "took": duration_text(one["duration_ns"])}
