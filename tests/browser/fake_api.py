"""An API of made-up data after the contract in docs/api.md, for developing and testing pages by themselves."""

# ruff: noqa: S311, ARG002 - made-up data needs no secrets, ignores what it does not vary, and reads best as a table
from __future__ import annotations

import asyncio
import random
from urllib.parse import unquote

import made_up as shop
import made_up_comparison
import made_up_errors
import made_up_lines
import made_up_map
import made_up_performance
import made_up_use
from made_up import MS, NOW_NS, SERVICES, SLOTS, rfc
from made_up_alerts import MadeUpAlerts
from made_up_anomalies import MadeUpAnomalies
from made_up_findings import MadeUpFindings
from made_up_health import MadeUpHealth
from made_up_incidents import MadeUpIncidents
from made_up_issues import MadeUpIssues
from made_up_notifications import MadeUpNotifications
from made_up_retention import MadeUpRetention
from made_up_rules import MadeUpRules
from made_up_slos import MadeUpSlos
from made_up_status import FULL_DISK, status_of
from made_up_views import MadeUpViews

from spanglass_core.model_prices import Prices, parse_prices
from spanglass_server.pages.ports import ApiError
from spanglass_server.query.trace_views.meaning import meaning

KEYS = (
    ("service.name", 36800),
    ("status", 36800),
    ("shop.currency", 14800),
    ("shop.cart.items", 9100),
    ("http.route", 22000),
    ("duration", 36800),
    ("name", 36800),
)
VALUES = {
    "service.name": [(name, 15000 // (i + 1)) for i, name in enumerate(SERVICES)],
    "status": [("unset", 13044), ("error", 1166)],
    "http.route": [("/checkout", 9310), ("/checkout/quote", 3922), ("/cart/{id}", 978)],
    "shop.currency": [("EUR", 9480), ("SEK", 2707), ("NOK", 1412)],
    "name": [("POST /checkout", 900), ("GET /", 700), ("GET /cart/{id}", 300)],
    "severity": [("info", 151204), ("debug", 38841), ("error", 7318), ("warn", 4105)],
}
PRICES = Prices(parse_prices("gpt-*=2/8"))
TRACE_ID = "4f1c2b77d06e4b9c8a53f0e1b2c6a90e"
#: Paths about notifications.
NOTIFYING = frozenset({"deliveries", "silences", "on-call", "escalations", "notifications"})
#: Paths about health; that of PromQL, which tells how long checks took, begins with nothing.
HEALTH = frozenset({"health", "checks", "components", ""})


class FakeApi:
    """One scenario of made-up data. ``indexes`` is whether waterfalls come with their attributes, as small ones do.

    ``shop``, ``empty``, ``one``, ``many``, ``huge``, ``hostile``, ``timeout``, ``slow``, ``unwell``,
    ``rootless``, ``talk``, ``raised`` or ``open``, in which spans have not ended and a sampler keeps one in ten.
    """

    def __init__(self, scenario):
        self.scenario, self.indexes = scenario, True
        self.asked = []
        self.health = FULL_DISK if scenario == "unwell" else None
        self.first_ns = None if scenario == "empty" else NOW_NS - 30 * 86_400 * 1_000_000_000
        self.late_logs = []
        self.left_out = 0
        self.woken = False  # whether the empty server has received something
        self.issues = MadeUpIssues(scenario)
        self.alerts = MadeUpAlerts(scenario)
        self.rules = MadeUpRules(scenario)
        self.findings = MadeUpFindings(scenario)
        self.slos = MadeUpSlos(scenario)
        self.retention = MadeUpRetention(scenario)
        self.anomalies = MadeUpAnomalies(scenario)
        self.incidents = MadeUpIncidents(scenario)
        self.notifications = MadeUpNotifications(scenario, self.alerts)
        self.parts = MadeUpHealth(scenario)
        self.views = MadeUpViews(scenario)
        self.open, self.lost_root = True, False
        self.draw = random.Random(3)

    async def __call__(self, path, params, body=None):
        """Answer as the API would."""
        self.asked.append((path, dict(params)))
        if body is not None:
            return await self.write("POST", path, {**params, **body})
        if path.startswith("/api/monitoring/"):
            return await self._monitoring(path, params)
        parts = [unquote(part) for part in path.removeprefix("/api/v1/").split("/")]
        if parts == ["notifications", "bell"]:  # of every page, whatever its own question comes to
            return self.notifications.get(parts[0], parts[1:], params)
        if self.scenario == "slow":
            await asyncio.sleep(1.5)
        if self.scenario == "timeout" and parts[0] not in {"filter", "values", "keys"}:
            raise ApiError(504, {"code": "timeout", "message": "It had read 61 of 212 segments in 10 s."})
        if parts[0] == "findings" or parts[::2] == ["traces", "findings"]:
            return await self.findings("GET", path, params)
        if parts[0] in {"views", "pins", "slos", "retention"}:
            kept = {"slos": self.slos, "retention": self.retention}.get(parts[0], self.views)
            return await kept("GET", path, params)
        return self._read(parts, params)

    def _read(self, parts, params):
        if parts[0] in {"anomalies", "anomaly-feedback"}:
            return self.anomalies.get(parts, params)
        if parts[-1] == "query_range" and "process.memory.usage" in params["query"]:
            return self.findings.memory(params)
        if parts[0] in NOTIFYING | HEALTH:
            kept = self.parts if parts[0] in HEALTH else self.notifications
            return kept.get(parts[0], parts[1:], params)
        answer = getattr(self, "_" + parts[0].replace("-", "_"))
        return answer(parts[1:], params)

    def _trends(self, _path, _params):
        return {"trends": [], "looked": [], "past_s": 0}

    async def _monitoring(self, path, params):
        if path.startswith("/api/monitoring/incident"):
            return await self.incidents("GET", path, params)
        if path.startswith("/api/monitoring/alerts/"):
            return self.alerts.get([unquote(part) for part in path.split("/")[4:]], params)
        return {"thresholds": [{"rule": "high-error-rate", "critical_threshold": 0.05}]}

    async def write(self, method, path, body):
        """Answer as the API would to what changes something."""
        by_start = {
            "/api/monitoring/incidents/": self.incidents, "/api/v1/findings/": self.findings,
            "/api/v1/views": self.views, "/api/v1/pins/": self.views, "/api/v1/slos": self.slos,
            "/api/v1/retention": self.retention,
            "/api/v1/anomal": self.anomalies,
        }  # fmt: skip
        kept = next((each for start, each in by_start.items() if path.startswith(start)), None)
        if kept is not None:
            is_delete = method == "DELETE"
            return await kept(method, path, body if is_delete else {}, None if is_delete else body)
        if path.startswith("/api/monitoring/alerts/"):
            return self.alerts.write(method, [unquote(part) for part in path.split("/")[4:]], body)
        if path == "/api/monitoring/thresholds/":
            return self.rules.tune(body)
        if path == "/api/v1/rules" or path.startswith("/api/v1/rules/"):
            return self.rules.write(method, [unquote(part) for part in path.split("/")[4:]] or [""], body)
        parts = [unquote(part) for part in path.removeprefix("/api/v1/").split("/")]
        if parts[0] in NOTIFYING:
            return self.notifications.write(method, parts[0], parts[1:], body)
        return self.issues.write(method, parts, body)

    def _issues(self, parts, params):
        return self.issues.get(parts, params)

    def _rules(self, parts, params):
        return self.rules.get(parts)

    def _issue_occurrences(self, parts, params):
        return self.issues.of(params)

    def _grouping(self, parts, params):
        return self.issues.rules_of(parts, params)

    def _releases(self, parts, params):
        return self.issues.releases(parts, params)

    @property
    def share(self):
        """Which share of the spans a sampler kept; None for all."""
        return 0.1 if self.scenario == "open" else None

    @property
    def none(self):
        """Whether the scenario has no data."""
        return self.scenario == "empty"

    def _names(self):
        if self.none and not self.woken:
            return ()
        return {"hostile": (shop.HOSTILE,), "one": ("web",)}.get(self.scenario, SERVICES)

    def _buckets(self, params, count):
        start, end = int(params["start"]), int(params["end"])
        step = (end - start) / count / 1e9
        return step, [start / 1e9 + i * step for i in range(count)]

    def _services(self, parts, params):
        params = {"start": NOW_NS - 3_600_000 * MS, "end": NOW_NS, **params}
        window = {"start_time": rfc(int(params["start"])), "end_time": rfc(int(params["end"]))}
        if parts and parts[1] == "typical":
            return made_up_performance.typical(self, window)
        if parts and parts[1] == "operations":
            return {
                "window": window,
                "service": parts[0],
                "operations": [] if self.none else self._operations(parts[0]),
            }
        if parts:
            step, times = self._buckets(params, int(params.get("buckets", 60)))
            points = [
                {
                    "t": t,
                    "requests": 0 if i % 17 == 5 else 80 + i % 7 * 9,
                    "errors": i % 5 + (14 if i > 38 else 0),
                    "p50_ns": None if i % 17 == 5 else 160 * MS + i * MS,
                    "p95_ns": None if i % 17 == 5 else (500 + i * 20) * MS,
                    "p99_ns": None if i % 17 == 5 else (1100 + i % 9 * 150 + i * 20) * MS,
                }
                for i, t in enumerate(times)
            ]
            return {"window": window, "step_s": step, "points": points, "sampled_share": self.share}
        return {"window": window, "services": [self._service(i, name, params) for i, name in enumerate(self._names())]}

    def _service(self, i, name, params):
        count = int(params.get("buckets", 40))
        _, times = self._buckets(params, count) if count else (0, [])
        bad = name == "checkout"
        draw = random.Random(i)
        series = [
            {
                "t": t,
                "requests": int(60 + 40 * draw.random()),
                "errors": int((14 if bad and j > 22 else 1) * draw.random()) if i < 3 else 0,
                "p95_ns": int((200 + 40 * draw.random() + (900 if bad and j > 22 else 0)) * MS),
            }
            for j, t in enumerate(times)
        ]
        rate = 66.1 / (i * 1.7 + 1)
        return {
            "service": name,
            "slot": SLOTS.get(name, 1),
            "spans": 33018 * (9 - i),
            "requests": 9742,
            "errors": 391 if bad else 12 if i < 3 else 0,
            "rate_per_s": rate,
            "error_ratio": 0.082 if bad else 0.004 if i < 3 else 0.0,
            "p50_ns": (164 - i * 17) * MS,
            "p95_ns": (1940 if bad else 400 - i * 41) * MS,
            "p99_ns": (3800 if bad else 1200 - i * 90) * MS,
            "sampled_share": self.share if i != 2 else None,
            "last_seen_time": rfc(NOW_NS),
            "series": series,
        }

    def _operations(self, service):
        names = (
            [shop.HOSTILE]
            if self.scenario == "hostile"
            else [
                "POST /orders",
                "pricing.total_for",
                "SELECT price WHERE sku = ?",
                "GET cart /cart/{id}",
                "auth.current_user",
                "orders.reserve",
                "POST payments /charge",
                "ROLLBACK",
            ]
        )
        return [
            {
                "operation": name,
                "kind": "server" if i == 0 else "internal",
                "requests": 9000 // (i + 1),
                "errors": 700 if i == 0 else 0,
                "rate_per_s": 2.5 / (i + 1),
                "error_ratio": 0.078 if i == 0 else 0.0,
                "p50_ns": 160 * MS // (i + 1),
                "p95_ns": 1900 * MS // (i + 1),
                "p99_ns": 3800 * MS // (i + 1),
                "total_ns": 10**12 // (i + 1) ** 2,
                "sampled_share": self.share,
            }
            for i, name in enumerate(names)
        ]

    def _traces(self, parts, params):
        if parts == ["counts"]:
            step, times = self._buckets(params, int(params.get("buckets", 60)))
            points = (
                []
                if self.none
                else [
                    {
                        "t": t,
                        "spans": int(220 + 90 * self.draw.random()),
                        "errors": int((30 if i > 40 else 3) * self.draw.random()),
                    }
                    for i, t in enumerate(times)
                ]
            )
            return {
                "window": {},
                "step_s": step,
                "points": points,
                "total": sum(point["spans"] for point in points),
                "errors": sum(point["errors"] for point in points),
                "sampled_share": self.share,
            }
        if parts == ["compare"]:
            if params.get("a") == "broken":
                raise ApiError(
                    400, {"code": "bad_request", "field": "a", "message": "expected a value, at character 9"}
                )
            first, second = self._trace(TRACE_ID), self._trace("e" * 32)
            return made_up_comparison.comparison(first, first if self.scenario == "one" else second)
        if parts:
            return self._of_trace(self._trace(parts[0]), parts[1:], params.get("format", "tree"))
        if params.get("filter", "") == "broken":
            raise ApiError(400, {"code": "bad_filter", "message": "unexpected"})
        return self._search(params)

    def _of_trace(self, trace, parts, form):
        if parts[:1] == ["spans"]:
            found = next((one for one in trace["spans"] if one["key"] == parts[1]), None)
            if found is None:
                raise ApiError(404, {"code": "not_found", "message": f"no span {parts[1]}"})
            return {"trace_id": trace["trace_id"], **found, "meaning": meaning(found, PRICES)}
        if form == "paths":
            return made_up_comparison.in_paths(trace)
        if form == "summary":
            return {name: value for name, value in trace.items() if name != "spans"}
        if form not in ("columns", "waterfall", "attributes"):
            return trace
        answer = shop.in_columns(trace)
        if form == "attributes":
            return {"trace_id": trace["trace_id"], "key": answer["columns"]["key"], "attributes": answer["attributes"]}
        return shop.in_waterfall(answer, indexed=self.indexes) if form == "waterfall" else answer

    def _trace(self, trace_id):
        if self.none or trace_id.startswith("dead"):
            raise ApiError(
                404,
                {
                    "code": "not_found",
                    "message": f"No span of trace {trace_id} is stored.",
                    "hint": "It may be older than the retention, or still on its way.",
                },
            )
        if self.scenario == "open" and trace_id == TRACE_ID:
            return shop.open_trace(trace_id, lost_root=self.lost_root) if self.open else shop.checkout_trace(trace_id)
        if self.scenario == "shop" and trace_id == "e" * 32:
            return made_up_comparison.better_trace(trace_id)
        made = {"hostile": shop.hostile_trace, "talk": shop.talking_trace, "raised": made_up_errors.failing_trace}
        if self.scenario in made:
            return made[self.scenario](trace_id)
        if self.scenario == "huge":
            return shop.wide_trace(trace_id, 10_000)
        if self.scenario == "one":
            return shop.as_trace(trace_id, [shop.span(1, None, 0, "web", "GET /", 0, 3.2, kind="server")])
        return shop.checkout_trace(trace_id)

    def _search(self, params):
        total = {"empty": 0, "one": 1, "many": 10_000, "huge": 1, "hostile": 3, "rootless": 4}.get(self.scenario, 23)
        at, limit = int(params.get("cursor", "0")), int(params.get("limit", 20))
        base = shop.summary(self._trace(TRACE_ID)) if total else {}
        rows = []
        for i in range(at, min(total, at + limit)):
            variant = (
                {}
                if i == 0 or self.scenario == "hostile"
                else {
                    "trace_id": f"{i:032x}",
                    "root_operation": ("GET /", "POST /checkout", "GET /cart/{id}")[i % 3],
                    "duration_ns": (i * 7919 % 900 + 3) * MS,
                    "error_count": (i % 5 == 2) * 2,
                    "span_count": 5 + i % 60,
                }
            )
            variant["root_missing"] = self.scenario == "rootless" or (self.scenario == "open" and i == 0)
            rows.append({**base, **variant, "start_time": rfc(NOW_NS - i * 13_777 * MS)})
        if params.get("filter", "").startswith("trace_id = "):
            digits = params["filter"].removeprefix("trace_id = ").removesuffix("*")
            rows = rows if limit >= total else self._search({"limit": str(total)})["traces"]
            rows = [row for row in rows if row["trace_id"].startswith(digits)]
        if "http.rout " in params.get("filter", ""):
            rows = []
        if "error" in params.get("filter", ""):
            rows = [row for row in rows if row["error_count"]]
        if params.get("sort") == "duration":
            rows.sort(key=lambda row: row["duration_ns"], reverse=params.get("order") != "asc")
        return {"traces": rows, "next_cursor": str(at + limit) if at + limit < total else None}

    def _spans(self, parts, params):
        if parts == ["heatmap"]:
            return made_up_performance.heatmap(self, params)
        if parts == ["groups"]:
            return made_up_performance.groups(self, params)
        if params["filter"].startswith("link.trace_id"):
            return {"spans": shop.linking_spans(TRACE_ID) if self.scenario == "talk" else [], "next_cursor": None}
        return made_up_errors.telling_spans(TRACE_ID, params)

    def _service_map(self, parts, params):
        return made_up_map.service_map(self, params)

    def _users(self, parts, params):
        return made_up_use.users(self, parts, params)

    def _sessions(self, parts, params):
        return made_up_use.sessions(self)

    def _coverage(self, parts, params):
        return made_up_use.coverage(self)

    def _costs(self, parts, params):
        return made_up_use.costs(self)

    def _tasks(self, parts, params):
        return made_up_use.tasks(self, params)

    def _queues(self, parts, params):
        return made_up_use.queues(self, params)

    def _self_time(self, parts, params):
        return made_up_performance.self_time(self, params)

    def _profiles(self, parts, params):
        return made_up_performance.profile(self, params)

    def _differences(self, parts, params):
        return made_up_performance.differences(self, params)

    def _running(self, parts, params):
        if self.scenario != "open" or not self.open:
            return {"running": 0, "lost": 0, "spans": []}
        return shop.open_spans(TRACE_ID, params.get("service", ""))

    def _logs(self, parts, params):
        if parts == ["patterns"]:
            return made_up_lines.patterns(self, params)
        if parts[1:] == ["around"]:
            return made_up_lines.around(self, params)
        if parts == ["counts"]:
            step, times = self._buckets(params, int(params.get("buckets", 60)))
            points = (
                []
                if self.none
                else [
                    {
                        "t": t,
                        "trace": 0,
                        "debug": 600,
                        "info": int(1500 + 900 * self.draw.random()),
                        "warn": 100 + (500 if i > 55 else 0),
                        "error": 30 + (900 if i > 55 else 0),
                        "fatal": 0,
                        "unset": 0,
                    }
                    for i, t in enumerate(times)
                ]
            )
            return {
                "window": {},
                "step_s": step,
                "points": points,
                "total": sum(sum(v for k, v in point.items() if k != "t") for point in points),
            }
        if self.scenario == "raised" and not params.get("after"):
            return made_up_errors.records(TRACE_ID, params)
        if params.get("after"):
            found, self.late_logs = self.late_logs, []
            left_out, self.left_out = self.left_out, 0
            cursor = f"after-{len(self.asked)}"
            return {"logs": found, "next_cursor": None, "newest_cursor": cursor, "left_out": left_out}
        total = {"empty": 0, "one": 1, "many": 10_000, "hostile": 2}.get(self.scenario, 40)
        at, limit = int(params.get("cursor", "0")), int(params.get("limit", 100))
        rows = [self._line(i) for i in range(at, min(total, at + limit))]
        return {"logs": rows, "next_cursor": str(at + limit) if at + limit < total else None, "newest_cursor": "n-0"}

    def _line(self, i):
        if self.scenario == "hostile":
            return shop.log(
                i,
                NOW_NS - i,
                shop.HOSTILE,
                "error",
                {shop.HOSTILE: shop.HOSTILE} if i else shop.HOSTILE,
                attributes={shop.HOSTILE: shop.HOSTILE, "link": shop.HOSTILE_LINK},
                trace_id=TRACE_ID,
                span_id="1" * 16,
                event_name=shop.HOSTILE,
            )
        service, severity, body, attributes = shop.LINES[i % len(shop.LINES)]
        return shop.log(
            i,
            NOW_NS - i * 311 * MS,
            service,
            severity,
            body,
            attributes=attributes,
            trace_id=TRACE_ID,
            span_id=f"{33:016x}",
        )

    def _facets(self, parts, params):
        keys = (
            ("severity", "service.name", "shop.currency")
            if params["signal"] == "logs"
            else ("service.name", "status", "http.route", "shop.currency")
        )
        values = (
            {**VALUES, "http.route": [(shop.HOSTILE, 3)], "service.name": [(shop.HOSTILE, 4)]}
            if self.scenario == "hostile"
            else VALUES
        )
        return {
            "facets": []
            if self.none
            else [
                {
                    "key": key,
                    "values": [
                        {"value": value, "count": count, **({"slot": SLOTS.get(value, 1)} if "service" in key else {})}
                        for value, count in values[key]
                    ],
                    "distinct": len(values[key]) + (3 if key == "http.route" else 0),
                    "missing": 0,
                }
                for key in keys
                if key in params.get("keys", key)
            ],
            "total": 14210,
        }

    def _keys(self, parts, params):
        prefix = params.get("prefix", "").lower()
        extra = ((shop.HOSTILE, 3),) if self.scenario == "hostile" else ()
        return {
            "keys": [
                {"key": key, "position": "span", "types": ["str"], "count": count}
                for key, count in (*KEYS, *extra)
                if prefix in key.lower()
            ]
        }

    def _values(self, parts, params):
        if self.none:
            return {"values": []}
        values = [(shop.HOSTILE, 2)] if self.scenario == "hostile" else VALUES.get(params["key"], [])
        return {
            "values": [
                {"value": value, "count": count}
                for value, count in values
                if params.get("prefix", "").lower() in value.lower()
            ]
        }

    def _status(self, parts, params):
        return status_of(self.scenario)

    def _filter(self, parts, params):
        text = params["filter"]
        if parts == ["unknown"]:
            at = text.find("http.rout ") + 1
            return {"unknown": [{"key": "http.rout", "column": at, "nearest": ["http.route"]}] if at else []}
        if "500mz" in text:
            at = text.index("500mz")
            tokens = [{"start": at, "end": at + 5, "kind": "bad"}]
            return {
                "ok": False,
                "tokens": tokens,
                "error": {
                    "code": "bad_filter",
                    "message": f"“500mz” at {at + 1}: a duration ends in ns, us, ms, s, m or h.",
                    "field": "filter",
                    "column": at + 1,
                    "expected": ["ns", "us", "ms"],
                    "hint": "Did you mean 500ms?",
                },
            }
        return {"ok": True, "tokens": list(tokens_of(text)), "error": None}


def tokens_of(text):
    """Rough tokens of a filter: enough to colour it."""
    at = 0
    for word in text.split(" "):
        kind = (
            "word"
            if word in {"and", "or", "not"}
            else "operator"
            if word and not set(word) - set("=!<>~")
            else "string"
            if word.startswith('"')
            else "number"
            if word[:1].isdigit()
            else "key"
        )
        if word:
            yield {"start": at, "end": at + len(word), "kind": kind}
        at += len(word) + 1
