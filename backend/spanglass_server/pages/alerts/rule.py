"""``/rules/{uid}``: one rule, its state, what it looked at in the last hours, its evaluations and its alerts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_server.pages.alerts import drawing, reading, words
from spanglass_server.pages.alerts.trying import Tried, backtest
from spanglass_server.pages.rendering.format import duration_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.responses import Response

    from spanglass_server.pages.visit import Visit

#: Ranges of the chart, the first being the one of a URL without any.
RANGES = (("6h", "6 h"), ("24h", "24 h"), ("7d", "7 days"))
ALERTS_SHOWN, EVALUATIONS_SHOWN, KEYS_SHOWN, CHANGES_SHOWN = 10, 20, 50, 10
NO_ALERTS: dict[str, Any] = {"alerts": [], "total": 0}
#: How a rule writes a duration that is not set.
NOTHING = (None, "", "0s", "0", "off")
#: What may be tuned, by its key in a rule, and how it is called.
TUNED = (("warning", "Warning"), ("error", "Error"), ("critical", "Critical"), ("recovery", "Recovered"))


async def show(visit: Visit) -> Response:
    """Render a rule; the chart is a backtest of it as it is now."""
    uid = visit.request.path_params["uid"]
    last = visit.param("last") if visit.param("last") in dict(RANGES) else RANGES[0][0]
    found, tried, alerts, written, changes = await visit.together(
        visit.api("rules", uid),
        backtest(visit, {"uid": uid}, last),
        visit.attempt(reading.ask(visit, "alerts", rule=uid, limit=ALERTS_SHOWN), NO_ALERTS),
        visit.attempt(visit.api("rules", uid, "yaml"), {"yaml": ""}),
        visit.attempt(visit.api("rules", uid, "changes"), {"changes": []}),
    )
    row = reading.rule(found, visit)
    return visit.page(
        "alerts/rule.html", ranged=False, rule=row, facts=facts(found["rule"]), last=last, ranges=RANGES, tried=tried,
        drawing=_draw(tried, row, visit), tuned=_tuned(found["threshold"]),
        fires={_key(one["labels"]): one for one in tried.answer["keys"]} if tried.answer else {},
        keys=[_state(one, row["unit"]) for one in found["key_states"][:KEYS_SHOWN]], key_count=len(found["key_states"]),
        evaluations=[_evaluation(one) for one in found["evaluations"][:EVALUATIONS_SHOWN]],
        alerts=[reading.alert(one, visit) for one in alerts["alerts"]], alert_count=alerts["total"],
        alerts_problem=alerts["problem"], yaml=written["yaml"], key_of=_key,
        changes=[{**one, "time_ns": reading.time_ns(one["time"])} for one in changes["changes"][:CHANGES_SHOWN]],
    )  # fmt: skip


def _key(labels: Mapping[str, str]) -> str:
    return " ".join(f"{name}={value}" for name, value in sorted(labels.items()))


def _state(one: Mapping[str, Any], unit: str) -> dict[str, Any]:
    """Return a key with the words of its state."""
    phase = one["phase"] if one["health"] == "ok" or one["phase"] != "inactive" else one["health"]
    look = words.STATES["firing" if phase == "keep_firing" else phase]
    since = one["fired_time"] if phase in {"firing", "keep_firing"} else one["pending_time"]
    return {**one, "look": look, "value_text": words.text(one["value"], unit), "since_ns": reading.time_ns(since)}


def _tuned(threshold: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the form that tunes a rule begins with: field of the API, name, and how it is typed."""
    fields = [
        (f"{name}_threshold", title, words.written(threshold[f"{name}_threshold"], threshold["unit"]))
        for name, title in TUNED
    ]
    seconds = threshold["duration"]
    return {"fields": fields, "duration": f"{seconds:g}s" if seconds else "", "by": threshold["updated_by"],
            "time_ns": reading.time_ns(threshold["updated_at"])}  # fmt: skip


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
        ("Fires after", _time(rule["for"])),
        ("Keeps firing for", _time(rule["keep_firing_for"])),
        ("At least samples", rule["min_samples"] or ""),
        ("Evaluated every", _time(rule["interval"])),
        ("Waits for late data", _time(rule["delay"])),
        ("Window of rates", _time(rule["window"])),
        ("Without data", {"ok": "it is OK", "alert": "that is an alert"}.get(rule["no_data"], "")),
        ("One alert for each", ", ".join(rule["by"])),
        ("Labels", ", ".join(f"{name}={value}" for name, value in rule["labels"].items())),
        ("Channels", ", ".join(rule["channels"])),
        ("Responses", ", ".join(rule.get("responses", ()))),
        ("Owner", rule["owner"]),
    ]
    return [(name, str(value)) for name, value in found if value]


def _time(text: str | None) -> str:
    """Return a duration of a rule; nothing for the default."""
    return "" if text in NOTHING else str(text)


def _evaluation(one: Mapping[str, Any]) -> dict[str, Any]:
    return {**one, "time_ns": reading.time_ns(one["time"]), "took": duration_text(one["duration_ns"])}
