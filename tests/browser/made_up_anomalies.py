"""Made-up anomalies, in the shape that the API gives them: one of each kind."""

from __future__ import annotations

import math
from dataclasses import replace

from made_up import HOSTILE, NOW_NS

from spanglass_server.anomalies.answers import anomaly_json, feedback_json
from spanglass_server.anomalies.model import Course, Fine, Key, Kind, Known, Seen
from spanglass_server.pages.ports import ApiError

STEP_NS = 300 * 10**9
SHOWN = 144
TRACE_ID = "4f1c2b77d06e4b9c8a53f0e1b2c6a90e"
#: Kind, labels, unit, side, usual value, that at the peak; steps since it began, and how many it lasted (None: on).
MADE = (
    (Kind.FAILURES, {"service_name": "payments", "span_name": "POST /charges"}, "ratio", 1, 0.004, 0.31, 7, None),
    (Kind.DURATION, {"service_name": "checkout", "span_name": "POST /checkout"}, "s", 1, 0.18, 0.92, 20, 11),
    (Kind.REQUESTS, {"service_name": "storefront", "span_name": "GET /"}, "/s", -1, 42.0, 9.0, 12, None),
    (Kind.METRIC, {"__name__": "queue.size", "service_name": "mailer", "queue": "mails"}, "", 1, 12.0, 840.0, 15, None),
    (Kind.LOGS, {"pattern": "card <*> refused by <*>"}, "/s", 1, 0.0, 1.4, 7, None),
)


def known(number, made, *, name="", is_fine=False):
    """One of them; ``name`` stands in place of what its labels are called by."""
    kind, labels, unit, side, usual, peak, began, lasted = made
    labels = {key: name or value for key, value in labels.items()}
    places = range(SHOWN)
    expected = [usual * (1 + 0.2 * math.sin(place / 23)) for place in places]
    last = SHOWN - began + (lasted or began)
    values = [
        peak * (0.9 + 0.1 * math.sin(place)) if SHOWN - began <= place < last else
        expected[place] * (1 + 0.08 * math.sin(place * 2.3))
        for place in places
    ]  # fmt: skip
    course = Course((NOW_NS - SHOWN * STEP_NS) // 10**6, values, expected, [each * 0.7 for each in expected],
                    [each * 1.3 + 0.01 for each in expected])  # fmt: skip
    start_ns = NOW_NS - began * STEP_NS
    seen = Seen(start_ns + 2 * STEP_NS, peak, usual, usual * 0.7, usual * 1.3 + 0.01, 24.0 - number, 0.08, 120.0)
    end_ns = None if lasted is None else start_ns + lasted * STEP_NS
    title = name or " ".join(labels.values())
    key = Key(kind, tuple(sorted(labels.items())))
    return Known(number, key, title, unit, side, kind is Kind.LOGS, start_ns, end_ns, end_ns or NOW_NS - STEP_NS,
                 seen, 840.0, course.written(), is_fine)  # fmt: skip


class MadeUpAnomalies:
    """Answers of ``/anomalies`` and ``/anomaly-feedback`` in a scenario."""

    def __init__(self, scenario) -> None:
        name = HOSTILE if scenario == "hostile" else ""
        self.known = [] if scenario in {"empty", "one"} else [
            known(number, made, name=name, is_fine=number == 4) for number, made in enumerate(MADE, 1)
        ]  # fmt: skip
        self.fine = [
            Fine(3, each.key, each.title, "a load test", "mina", NOW_NS - 10**12, None)
            for each in self.known if each.is_fine
        ]  # fmt: skip
        self.ready = scenario != "empty"

    def get(self, parts, params):
        """Answer a question."""
        if parts[0] == "anomaly-feedback":
            return {"feedback": [feedback_json(each, NOW_NS) for each in self.fine]}
        if len(parts) > 1:
            return self._one(int(parts[1]))
        states = {"open": ("open",), "lately": ("open", "ended"), "fine": ("fine",), "all": ("open", "ended", "fine")}
        found = [
            each for each in self.known
            if each.state in states[params.get("state", "lately")]
            and params.get("service") in {None, "", each.key.service}
            and params.get("operation") in {None, "", dict(each.key.labels).get("span_name")}
            and params.get("kind") in {None, "", each.key.kind}
        ]  # fmt: skip
        count = {state: sum(each.state == state for each in self.known) for state in ("open", "ended", "fine")}
        watching = {"series": 612, "left_out": 0, "hours": 504, "past_hours": 504, "problem": None, "judged_time": None}
        return {
            "anomalies": [anomaly_json(each) for each in found], "total": len(found), "counts": count,
            "watching": [{"source": name, "is_ready": self.ready, **watching} for name in ("operations", "logs")],
            "anomalies_left_out": 0, "metrics_left_out": 0, "enabled": True, "ready_time": None,
        }  # fmt: skip

    async def __call__(self, method, path, params, body=None):
        """Call one fine, or take that back, as the API would."""
        number = int(path.split("/")[4])
        if method == "POST":
            self.known = [replace(each, is_fine=each.is_fine or each.id == number) for each in self.known]
            one = next(each for each in self.known if each.id == number)
            self.fine.insert(0, Fine(9, one.key, one.title, body["reason"], body["actor"], NOW_NS, None))
            return feedback_json(self.fine[0], NOW_NS)
        key = next(each.key for each in self.fine if each.id == number)
        self.known = [replace(each, is_fine=each.is_fine and each.key != key) for each in self.known]
        self.fine = [
            replace(each, undone_ns=NOW_NS, undone_by=params["actor"]) if each.id == number else each
            for each in self.fine
        ]  # fmt: skip
        return self.get(["anomaly-feedback"], {})

    def _one(self, number):
        each = next((one for one in self.known if one.id == number), None)
        if each is None:
            raise ApiError(404, {"code": "not_found", "message": f"there is no anomaly {number}"})
        value = {"filter": 'payment.provider = "bank-b"', "selected_share": 0.98, "baseline_share": 0.31}
        is_operation = "span_name" in dict(each.key.labels)
        trace = {"trace_id": TRACE_ID, "start_time": anomaly_json(each)["start_time"], "duration_ns": 420_000_000}
        return {
            **anomaly_json(each),
            "compared": "failed requests of its time beside the others" if is_operation else None,
            "differences": [{"key": "payment.provider", "values": [value]}] if is_operation else [],
            "traces": [trace] if is_operation else [],
        }
