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
              priority=70, rule="slow", rule_name="Slow", status="acknowledged", acknowledged_by="Kim",
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
        return {"history": [], "notes": [], "evidence": {}} | found

    def _list(self, params):
        statuses = params.get("status", "")
        wanted = [
            one for one in self.alerts.values()
            if (not statuses or one["status"] in statuses.replace("open", "active,acknowledged").split(","))
            and all(one[name] == (params.get(name) or one[name]) for name in ("severity", "service", "host", "rule"))
            and params.get("text", "").lower() in one["title"].lower()
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
