"""Made-up components and checks in the shapes of docs/api.md."""

from __future__ import annotations

from made_up import HOSTILE, NOW_NS, rfc

from spanglass_server.pages.ports import ApiError

HOUR_NS = 3_600 * 10**9
DAY_NS = 24 * HOUR_NS
WHY = "the status is 503, not 2xx"


def component(uid, name, area, status, **more):
    """Return one component."""
    return {
        "uid": uid, "name": name, "area": area, "status": status, "since_time": rfc(NOW_NS - 3 * HOUR_NS),
        "last_time": rfc(NOW_NS - 9 * 10**9), "latency_ns": 83_000_000,
        "reason": "" if status == "healthy" else WHY, "sources": ["check"], "checks": ["shop"], "critical": True,
        "service": None, "host": None, "public": False, "figures": {},
    } | more  # fmt: skip


def check(uid, name, kind, status, **more):
    """Return one check, with everything."""
    written = {"name": name, "uid": uid, "interval": "0s", "critical": True, "enabled": True, "public": False,
               kind: {"url": "https://shop.example/health", "status": ["2xx"], "verify": True}}  # fmt: skip
    return {
        "uid": uid, "name": name, "kind": kind, "area": "api", "component": name, "source": "check", "critical": True,
        "enabled": True, "status": status, "since_time": rfc(NOW_NS - 3 * HOUR_NS),
        "last_time": rfc(NOW_NS - 9 * 10**9), "latency_ns": 83_000_000, "detail": "" if status == "healthy" else WHY,
        "flapping": False, "interval_ns": 30 * 10**9, "service": None, "instances": 0, "public": False,
        "target": "https://shop.example/health", "figures": {}, "check": written, "yaml": "monitoring: …\n",
        "version": "v1", "origin": "kept", "file": "checks/x.yaml", "line": None, "editable": True, "description": "",
        "owner": "Ines", "runbook": "https://wiki.example/shop", "next_time": rfc(NOW_NS + 20 * 10**9),
        "heartbeat_path": None, "calls": [],
        "runs": [{"time": rfc(NOW_NS - i * 30 * 10**9), "latency_ns": 80_000_000 + i, "status": status, "detail": "",
                  "figures": {}} for i in range(12)],
    } | more  # fmt: skip


def of_scenario(scenario):
    """Return the components and the checks of a scenario."""
    if scenario in {"empty", "one", "rootless", "raised", "open"}:
        return [], []
    if scenario == "hostile":
        return ([component("x", HOSTILE, "api", "unhealthy", reason=HOSTILE, service=HOSTILE, host=HOSTILE)],
                [check("x", HOSTILE, "http", "unhealthy", detail=HOSTILE, target=HOSTILE, owner=HOSTILE, yaml=HOSTILE,
                       runbook="javascript:alert(1)", description=HOSTILE)])  # fmt: skip
    if scenario == "many":
        statuses = ("healthy", "healthy", "degraded", "unhealthy", "unknown")
        return ([component(f"c-{i}", f"Part {i}", "dependency", statuses[i % 5]) for i in range(2_000)],
                [check(f"k-{i}", f"Check {i}", "tcp", statuses[i % 5]) for i in range(2_000)])  # fmt: skip
    figures = {"request_rate": {"value": 12.5, "unit": "/s"}, "error_rate": {"value": 0.02, "unit": "ratio"}}
    components = [
        component("api-shop", "Shop", "api", "healthy"),
        component("api-payments", "Payments", "api", "unhealthy", checks=["payments"]),
        component("database-orders", "orders", "database", "degraded", critical=False, sources=["telemetry"]),
        component("service-checkout", "checkout", "service", "healthy", sources=["telemetry", "application"],
                  service="checkout", checks=["app"], figures=figures),
        component("system-spanglass", "spanglass", "system", "healthy", sources=["server"], latency_ns=None, checks=[]),
    ]  # fmt: skip
    beat = {"time": rfc(NOW_NS - 9 * HOUR_NS), "kind": "ok", "text": "412 rows"}
    own = {"origin": None, "editable": False, "check": None, "yaml": None, "version": None, "file": None, "runs": []}
    checks = [
        check("shop", "Shop", "http", "healthy"),
        check("payments", "Payments", "http", "unhealthy", flapping=True),
        check("backup", "Nightly backup", "heartbeat", "unknown", heartbeat_path="/heartbeat/abc", calls=[beat],
              latency_ns=None, last_time=None),
        check("sessions", "Sessions", "redis", "healthy", origin="settings", editable=False, file="spanglass.yaml"),
        check("app", "queue", "application", "healthy", service="checkout", source="application", target="", **own),
    ]  # fmt: skip
    return components, checks


class MadeUpHealth:
    """The health of one scenario."""

    def __init__(self, scenario):
        self.components, self.checks = of_scenario(scenario)

    def get(self, kind, parts, params):
        """Answer a question."""
        if "query" in params:
            return self._response_times(params)
        if parts and parts[-1] == "uptime":
            return self._uptime()
        if parts and parts[-1] == "changes":
            return {"changes": self._changes(), "next_cursor": None}
        if kind == "health":
            return self._whole()
        if kind == "checks" and not parts:
            return {"checks": self.checks, "problems": [], "enabled": True}
        found = next((one for one in getattr(self, kind) if one["uid"] == parts[0]), None)
        if found is None:
            raise ApiError(404, {"code": "not_found", "message": "there is none of that uid"})
        return found

    @staticmethod
    def _response_times(params):
        start, step = int(params["start"]), int(params["step"])
        values = [[start + i * step, str(0.08 + 0.01 * (i % 7))] for i in range(200)]
        return {"status": "success", "data": {"resultType": "matrix", "result": [{"metric": {}, "values": values}]}}

    def _whole(self):
        bad = [one for one in self.components if one["status"] in {"unhealthy", "degraded"}]
        reasons = [{"component": one["uid"], "name": one["name"], "status": one["status"], "text": one["reason"],
                    "points": 25.0 if one["status"] == "unhealthy" else 4.5} for one in bad]  # fmt: skip
        return {"status": "unhealthy" if bad else "healthy", "score": 70 if bad else 100, "reasons": reasons,
                "since_time": rfc(NOW_NS - HOUR_NS), "time": rfc(NOW_NS), "counts": {}, "components": self.components,
                "enabled": True, "status_page": True, "version": 1}  # fmt: skip

    def _changes(self):
        names = [f"check/{one['uid']}" for one in self.checks][:2] + ["overall"] * bool(self.checks)
        return [
            {"subject": name, "time": rfc(NOW_NS - i * HOUR_NS), "status": ("unhealthy", "healthy")[i % 2],
             "previous": ("healthy", "unhealthy")[i % 2], "detail": WHY}
            for i in range(6) for name in names
        ]  # fmt: skip

    def _uptime(self):
        days = [{"start_time": rfc(NOW_NS - (89 - i) * DAY_NS), "uptime": None if i < 20 else 0.97 if i == 60 else 1.0,
                 "known_ns": DAY_NS, "down_ns": 0, "degraded_ns": int(i == 70)} for i in range(90)]  # fmt: skip
        outages = [{"start_time": rfc(NOW_NS - 3 * DAY_NS), "end_time": rfc(NOW_NS - 3 * DAY_NS + 400 * 10**9),
                    "detail": "no answer"},
                   {"start_time": rfc(NOW_NS - HOUR_NS), "end_time": None, "detail": WHY}]  # fmt: skip
        return {"share": 0.99951, "known_ns": DAY_NS, "down_ns": 0, "degraded_ns": 0, "outages": outages, "days": days}
