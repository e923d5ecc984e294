"""Made-up alerts in the shapes of docs/api.md, which people can change."""

from __future__ import annotations

from made_up import HOSTILE, NOW_NS, rfc

from spanglass_server.pages.ports import ApiError

MINUTE_NS = 60 * 1_000_000_000
LEGAL = {"active": ("acknowledged", "resolved", "dismissed"), "acknowledged": ("active", "resolved", "dismissed")}
SEVERITIES = ("critical", "error", "warning", "info")
RULE = "high-error-rate"


def alert(number, title, severity, status="active", **more):
    """Return one alert as the API lists it."""
    created_ns = NOW_NS - more.pop("age_min", 26) * MINUTE_NS
    over = status in {"resolved", "dismissed"}
    service, host = more.pop("service", "checkout"), more.pop("host", None)
    key = {"service_name": service} if service else {"host_name": host} if host else {}
    base = {
        "id": f"{number:08d}-0000-4000-8000-000000000000", "alert_type": RULE, "rule": RULE,
        "rule_name": "High error rate", "title": title, "description": "", "severity": severity, "status": status,
        "possible": list(LEGAL.get(status, ())), "source": "rule", "service": service, "host": host,
        "firing": not over, "value": 0.082, "unit": "ratio", "count": 1, "priority": 60, "owner": "", "runbook": "",
        "part_of": None,
        "created_at": rfc(created_ns), "updated_at": rfc(created_ns), "acknowledged_at": None, "acknowledged_by": None,
        "resolved_at": rfc(created_ns + 9 * MINUTE_NS) if over else None, "resolved_by": "rule" if over else None,
        "details": {"key": key, "labels": {"team": "shop", **more.pop("labels", {})}, "channels": ["shop-oncall"],
                    "fingerprint": f"{number:016x}"},
    }  # fmt: skip
    return base | more


def shop():
    """Return the alerts of the shop."""
    return [
        alert(1, "Error rate of checkout is 8.2 %, above 5 %", "critical", priority=92, owner="Ines", count=3,
              runbook="https://wiki.example/checkout"),
        alert(2, "Disk / of shop-2 is 93.1 % full", "warning", value=0.931, age_min=180, priority=41, service=None,
              host="shop-2", rule="disk-usage", rule_name="Disk usage"),
        alert(3, "p95 of payments is 2.4 s, above 1 s", "error", value=2.4, unit="s", service="payments", age_min=4,
              priority=70, rule="slow", rule_name="Slow", status="acknowledged",
              part_of="00000001-0000-4000-8000-000000000000", acknowledged_by="Kim",
              acknowledged_at=rfc(NOW_NS - 2 * MINUTE_NS)),
        alert(4, "Nightly export took longer than an hour", "info", source="application", rule="", rule_name="",
              value=None, unit="", priority=5, service="mailer", age_min=700),
        alert(5, "Error rate of checkout is 6 %, above 5 %", "critical", "resolved", age_min=2000),
        alert(6, "Error rate of cart is 5.1 %, above 5 %", "critical", "dismissed", service="cart", age_min=4000,
              resolved_by="Kim"),
    ]  # fmt: skip


def of_scenario(scenario):
    """Return the alerts of a scenario."""
    if scenario == "many":
        kinds = [("checkout", "payments", "cart")[i % 3] for i in range(10_000)]
        return [
            alert(i, f"Error rate of {kind} is above 5 %", SEVERITIES[i % 4], service=kind, priority=i % 100, age_min=i)
            for i, kind in enumerate(kinds)
        ]
    if scenario == "hostile":
        return [alert(1, HOSTILE, "critical", service=HOSTILE, labels={HOSTILE: HOSTILE}, owner=HOSTILE)]
    return shop() if scenario in {"shop", "slow"} else shop()[:1] if scenario == "one" else []


TRACE_ID = "4f1c2b77d06e4b9c8a53f0e1b2c6a90e"


def evidence():
    """Return what is known about the failing checkout."""
    fired_s = (NOW_NS - 26 * MINUTE_NS) / 1e9
    times = [fired_s - 3600 + i * 60 for i in range(61)]
    window = {"start_time": rfc(NOW_NS - 36 * MINUTE_NS), "end_time": rfc(NOW_NS - 26 * MINUTE_NS)}
    figures = (
        {"spans": 4760, "errors": 391, "p95_ns": 1_940_000_000},
        {"spans": 4810, "errors": 14, "p95_ns": 320_000_000},
    )
    operation = {"operation": "POST /orders", "kind": "server", "now": figures[0], "before": figures[1]}
    return {
        "version": 1, "gathered_time": rfc(NOW_NS - 26 * MINUTE_NS),
        "cause": "391 of 4 760 requests of checkout fail since release 2.14.0 with CurrencyNotPriced, all in NOK.",
        "clues": ["release 2.14.0"], "about": {
            "topic": "errors", "signal": "spans", "service": "checkout", "host": "",
            "filter": 'service.name = "checkout"', "bad": "status = error", "since_time": rfc(NOW_NS - 28 * MINUTE_NS),
            "window": window, "before": window},
        "value": {"value": 0.082, "unit": "ratio", "thresholds": [{"severity": "critical", "value": 0.05}],
                  "times_s": times, "values": [0.004 + (0.08 if i > 56 else 0) for i in range(61)], "bounds": None},
        "figures": {"now": figures[0], "before": figures[1], "failed_share": 0.082, "operations": [operation]},
        "attributes": {"bad": 391, "others": 4369, "attributes": [
            {"key": key, "value": value, "share": share, "other_share": other, "lift": 9.0, "count": 391,
             "other_count": 12, "difference": 0.8}
            for key, value, share, other in
             (("shop.currency", "NOK", 0.98, 0.04), ("service.version", "2.14.0", 1, 0.41))]},
        "examples": [
            {"role": role, "trace_id": TRACE_ID, "span_id": "0000000000000001", "time": rfc(NOW_NS - 27 * MINUTE_NS),
             "service": "checkout", "operation": "POST /orders", "duration_ns": 1_940_000_000 // place,
             "reason": "no rate for 'NOK' in price list 2026-10", "failure": {}, "time_spent": None}
            for place, role in enumerate(("worst", "typical", "newest"), 1)],
        "issues": [{"issue": "CHECKOUT-12", "title": "CurrencyNotPriced", "service": "checkout", "state": "new",
                    "culprit": "shop.checkout.pricing in convert", "message": "no rate for 'NOK' in price list 2026-10",
                    "events": 391, "share": 1.0, "first_seen_time": rfc(NOW_NS - 30 * MINUTE_NS), "is_new": True}],
        "changes": [{"kind": "release", "service": "checkout", "value": "2.14.0", "time": rfc(NOW_NS - 30 * MINUTE_NS),
                     "seconds_before": 120.0, "text": "checkout 2.14.0 took over from 2.13.2"}],
        "similar": [{"alert": "00000005-0000-4000-8000-000000000000", "title": "Error rate of checkout is 6 %",
                     "same": True, "severity": "critical", "status": "resolved",
                     "created_time": rfc(NOW_NS - 2000 * MINUTE_NS),
                     "resolved_time": rfc(NOW_NS - 1990 * MINUTE_NS), "duration_ns": 10 * MINUTE_NS,
                     "resolved_by": "Kim",
                     "reason": "rolled back"}],
        "left_out": [],
    }  # fmt: skip


def history():
    """Return what became of an alert so far."""
    fired = {"time": rfc(NOW_NS - 26 * MINUTE_NS), "kind": "fired", "by": "rule", "text": "", "severity": "critical",
             "value": 0.082}  # fmt: skip
    note = {**fired, "time": rfc(NOW_NS - 20 * MINUTE_NS), "kind": "note", "by": "Ines",
            "text": "Looking at the price list.",
            "severity": None, "value": None}  # fmt: skip
    return [fired, note]


class MadeUpAlerts:
    """Alerts of one scenario; ``changes`` has what was sent to change them."""

    def __init__(self, scenario):
        self.scenario = scenario
        self.reset()

    def reset(self):
        """Forget all changes."""
        self.changes, self.version = [], 0
        self.alerts = {one["id"]: one for one in of_scenario(self.scenario)}

    def count_open(self):
        """Return how many alerts are open."""
        return sum(one["status"] in LEGAL for one in self.alerts.values())

    def get(self, parts, params):
        """Answer a question: the list, or one alert."""
        if parts == [""]:
            return self._list(params)
        return self._one(parts[0])

    def _one(self, alert_id):
        if alert_id not in self.alerts:
            raise ApiError(404, {"code": "not_found", "message": "there is no alert of that id"})
        found = self.alerts[alert_id]
        known = evidence() if found["id"].startswith("00000001") and self.scenario == "shop" else {}
        possible = list(LEGAL.get(found["status"], ()))
        return {"history": history(), "notes": [], "evidence": known} | found | {"possible": possible}

    def _list(self, params):
        statuses = params.get("status", "")
        wanted = [
            one for one in self.alerts.values()
            if (not statuses or one["status"] in statuses.replace("open", "active,acknowledged").split(","))
            and all(one[name] == (params.get(name) or one[name]) for name in ("severity", "service", "host", "rule"))
            and params.get("text", "").lower() in one["title"].lower()
            and params.get("part_of", one["part_of"] or "none") == (one["part_of"] or "none")
            and all(one["details"]["labels"].get(pair.partition("=")[0]) == pair.partition("=")[2]
                    for pair in filter(None, params.get("labels", "").split(",")))
        ]  # fmt: skip
        wanted.sort(key=lambda one: (one["priority"], one["created_at"]), reverse=True)
        at, limit = int(params.get("cursor") or 0), int(params.get("limit", 50))
        every = list(self.alerts.values())
        return {
            "alerts": wanted[at : at + limit], "total": len(wanted), "version": self.version,
            "next_cursor": str(at + limit) if at + limit < len(wanted) else None,
            "counts": {name: {value: sum(one[name] == value for one in every) for value in values}
                       for name, values in (("status", ("active", "acknowledged", "resolved", "dismissed")),
                                            ("severity", SEVERITIES))},
        }  # fmt: skip

    def write(self, method, parts, body):
        """Change something as the API would."""
        self.changes.append((method, "/".join(parts), body))
        found = self._one(parts[0])
        if parts[1:2] == ["notes"]:
            entry = {"time": rfc(NOW_NS), "kind": "note", "by": body["by"], "text": body["text"], "severity": None,
                     "value": None}  # fmt: skip
            self.alerts[parts[0]] = found | {"history": [*found["history"], entry]}
            return self.alerts[parts[0]]
        status = body.get("status")
        if status and status not in LEGAL.get(found["status"], ()):
            message = f"an alert that is {found['status']} can't become {status}"
            raise ApiError(409, {"code": "conflict", "message": message, "hint": "load the page again"})
        more = {"acknowledged_by": body["by"]} if status == "acknowledged" else {"resolved_by": body["by"]}
        self.alerts[parts[0]] = found | ({"status": status, **more} if status else {}) | {
            name: body[name] for name in ("owner",) if name in body
        }  # fmt: skip
        self.version += 1
        return self.alerts[parts[0]]
