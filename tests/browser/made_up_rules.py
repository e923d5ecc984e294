"""Made-up rules in the shapes of docs/api.md: they are listed, tried, saved and switched."""

from __future__ import annotations

import math
import re

from made_up import HOSTILE, NOW_NS, rfc

from spanglass_server.pages.ports import ApiError

MINUTE_NS = 60 * 1_000_000_000
LASTS = {"3h": 180, "6h": 360, "24h": 1440, "7d": 10_080, "30d": 43_200}


DEFAULTS = {
    "severity": "warning", "warning": None, "error": None, "critical": None, "recovery": None, "hysteresis": 0.05,
    "for": "0s", "keep_firing_for": "0s", "interval": "0s", "delay": "0s", "window": "0s", "min_samples": 0,
    "no_data": "keep", "by": [], "labels": {}, "title": "", "description": "", "channels": [], "runbook": "",
    "owner": "", "enabled": True, "annotations": {},
}  # fmt: skip
SHOWN = ("uid", "name", "condition", "severity", "enabled", "labels", "owner", "channels")
#: What only the answer about one rule has.
WHOLE = ("rule", "threshold", "key_states", "evaluations", "warnings")
ALERTER = {"last_tick_time": rfc(NOW_NS), "lag_p50_ns": 1, "lag_p99_ns": 1, "ticks": 9, "missed_ticks": 0,
           "failed_evaluations": 0, "silent_since_time": None, "problems": []}  # fmt: skip


def found(uid, name, condition, origin="kept", *, state="inactive", file="", line=None, stands=(), **rule):
    """Return a rule as the API gives it."""
    whole = {**DEFAULTS, **rule, "uid": uid, "name": name, "condition": condition}
    state = state if whole["enabled"] else "disabled"
    evaluations = [
        {"time": rfc(NOW_NS - i * 15_000_000_000), "duration_ns": 4_200_000, "keys": 12, "firing": 1, "error": ""}
        for i in range(8)
    ]
    levels = {level: whole[level] for level in ("warning", "error", "critical", "recovery")}
    threshold = {f"{level}_threshold": base(value) if value is not None else None for level, value in levels.items()}
    return {
        **{key: whole[key] for key in SHOWN}, "origin": origin, "file": file, "line": line, "group": "",
        "version": "v1", "editable": origin in {"kept", "shipped"}, "tuned": False, "state": state,
        "health": state if state in {"error", "no_data"} else "ok", "error": "", "value": 0.004, "unit": "ratio",
        "level": None, "firing": 0, "pending": 0, "keys": 12, "last_evaluation_time": rfc(NOW_NS - 9_000_000_000),
        "evaluation_ns": 4_200_000, "rule": whole, "warnings": [], "evaluations": evaluations,
        "key_states": [key_state("firing", "checkout", 0.082)] if state == "firing" else [],
        "threshold": {**threshold, "unit": "ratio", "duration": 120 if whole["for"] == "2m" else 0, "enabled": True,
                      "updated_by": None, "updated_at": None},
        **dict(stands),
    }  # fmt: skip


def key_state(phase, service, value):
    """Return where one key of a rule stands."""
    return {"labels": {"service_name": service}, "phase": phase, "health": "ok", "severity": "critical", "value": value,
            "error": "", "pending_time": rfc(NOW_NS - 28 * MINUTE_NS), "fired_time": rfc(NOW_NS - 26 * MINUTE_NS),
            "no_data_time": None, "evaluated_time": rfc(NOW_NS), "alert_id": None}  # fmt: skip


def shop():
    """Return the rules of the shop, in every state."""
    return [
        found("high-error-rate", "High error rate", "error_rate > 0.05", severity="critical", warning=0.02,
              state="firing", stands={"firing": 1, "pending": 2, "level": "critical", "value": 0.082},
              **{"for": "2m"}, labels={"team": "shop"}, channels=["shop-oncall"], owner="Ines",
              runbook="https://wiki.example/errors"),
        found("slow", "Slow", "p95(response_time) > 1s", "files", file="rules/shop.yaml", line=12, state="pending",
              stands={"pending": 1, "value": 1.2, "unit": "s"}),
        found("disk-usage", "Disk usage", "disk_usage > 90%", "shipped", stands={"value": 0.41, "tuned": True}),
        found("queue", "Queue", "max(queue_size) by (queue) > 100", "settings", file="spanglass.yaml", line=40,
              state="no_data", stands={"value": None, "keys": 0}),
        found("broken", "Broken", 'promql("rate(x[5m])") > 3', state="error",
              stands={"error": "there is no metric x", "value": None}),
        found("off", "Off", "request_rate < 1", enabled=False),
    ]  # fmt: skip


TEMPLATES = [
    {"rule": {**DEFAULTS, "uid": uid, "name": name, "condition": condition, "severity": severity}, "yaml": ""}
    for uid, name, condition, severity in (
        ("pool-usage", "Pool usage", "db_pool_usage > 90%", "warning"),
        ("error-rate", "Error rate", "error_rate > 5%", "critical"),
    )
]


class MadeUpRules:
    """Rules of one scenario; ``changes`` has what was sent to change them."""

    def __init__(self, scenario):
        self.scenario = scenario
        self.reset()

    def reset(self):
        """Forget all changes."""
        self.changes, self.conflict = [], False
        rows = {"shop": shop, "one": lambda: shop()[:1], "many": many, "hostile": hostile}.get(self.scenario, list)()
        self.rules = {row["uid"]: row for row in rows}
        self.problems = ["rules/shop.yaml:31:14: 5 persent is no number; did you mean 5%?"]
        if self.scenario != "shop":
            self.problems = []

    def get(self, parts):
        """Answer a question."""
        if not parts:
            rows = [{key: value for key, value in row.items() if key not in WHOLE} for row in self.rules.values()]
            return {"rules": rows, "problems": self.problems, "alerter": ALERTER}
        if parts == ["templates"]:
            return {"templates": TEMPLATES if self.scenario == "shop" else []}
        if parts == ["completions"]:
            return {"start": 0, "end": 0, "items": [{"text": "error_rate", "kind": "measure"}]}
        if parts[0] not in self.rules:
            raise ApiError(404, {"code": "not_found", "message": "there is no rule of that uid"})
        if parts[1:] == ["yaml"]:
            return {"yaml": f"monitoring:\n  alert_rules:\n  - name: {self.rules[parts[0]]['name']}\n"}
        if parts[1:] == ["changes"]:
            change = {"time": rfc(NOW_NS - MINUTE_NS), "by": "Kim", "kind": "created", "before": "", "after": "x"}
            return {"rule": parts[0], "changes": [change]}
        return self.rules[parts[0]]

    def write(self, method, parts, body):
        """Try a rule, or change one."""
        if parts[0] == "preview":
            return preview(body["rule"])
        if parts[0] == "backtest":
            rule = body["rule"] if "rule" in body else self.rules[body["uid"]]["rule"]
            return backtest({**DEFAULTS, **rule}, body.get("last", "3h"))
        self.changes.append((method, "/".join(parts), body))
        if method == "DELETE":
            return self.rules.pop(parts[0])
        if method == "PUT" and self.conflict:
            self.conflict = False
            self.rules[parts[0]]["version"] = "v2"
            raise ApiError(409, {"code": "conflict", "message": "somebody else changed it", "field": "version"})
        if parts[1:] in (["enable"], ["disable"]):
            is_on = parts[1] == "enable"
            self.rules[parts[0]] |= {"enabled": is_on, "state": "inactive" if is_on else "disabled"}
            return self.rules[parts[0]]
        rule = body["rule"]
        uid = parts[0] or re.sub(r"[^a-z0-9]+", "-", rule["name"].lower())
        self.rules[uid] = found(uid, **{key: value for key, value in rule.items() if key != "uid"})
        return self.rules[uid]

    def tune(self, body):
        """Change thresholds."""
        self.changes.append(("PUT", "thresholds", body))
        for uid, given in body["thresholds"].items():
            after = {**self.rules[uid]["threshold"], **given, "updated_by": body["by"]}
            self.rules[uid] |= {"tuned": True, "threshold": after}
        return {"thresholds": []}


def many():
    """Return a thousand rules."""
    return [found(f"rule-{i}", f"Rule {i}", f"error_rate > 0.{i:03d}1") for i in range(1000)]


def hostile():
    """Return a rule whose every text is hostile."""
    row = found("x", HOSTILE, HOSTILE, severity="critical", owner=HOSTILE, labels={HOSTILE: HOSTILE})
    return [row]


def failure(condition):
    """Return what is wrong with a condition: the made-up one knows of one mistake."""
    at = condition.find(">>")
    return {"message": "a number is expected here", "column": at + 2} if at >= 0 else None


def threshold(rule):
    """Return the number that a condition compares with."""
    number = re.search(r">\s*([\d.]+)(%?)", rule["condition"])
    return (float(number[1]) / (100 if number[2] else 1)) if number else 0.05


LEVELS = ("warning", "error", "critical")


def base(value):
    """Return a threshold in base units."""
    return float(str(value).removesuffix("%")) / (100 if "%" in str(value) else 1)


def thresholds(rule):
    """Return the levels of a rule."""
    own = rule.get("severity", "warning")
    levels = {own: threshold(rule)} | {name: base(rule[name]) for name in LEVELS if rule.get(name) is not None}
    return [{"severity": name, "value": float(value)} for name, value in levels.items()]


def preview(rule):
    """Return what a rule says now."""
    keys = [{"labels": {"service_name": name}, "value": value, "severity": None}
            for name, value in (("checkout", 0.082), ("payments", 0.012), ("cart", 0.001))]  # fmt: skip
    for key in keys:
        reached = [one["severity"] for one in thresholds(rule) if key["value"] > one["value"]]
        key["severity"] = reached[0] if reached else None
    crossing = sum(key["severity"] is not None for key in keys)
    return {"time": rfc(NOW_NS), "unit": "ratio", "thresholds": thresholds(rule), "keys": keys, "keys_left_out": 0,
            "crossing": crossing, "warnings": [], "failure": failure(rule["condition"])}  # fmt: skip


def backtest(rule, last):
    """Return what a rule would have done: the failing share rises three times, one time higher than the others."""
    minutes = LASTS[last]
    start_ns = NOW_NS - minutes * MINUTE_NS
    limit = min(one["value"] for one in thresholds(rule))
    step = minutes * 60 / 240
    times = [start_ns / 1e9 + i * step for i in range(241)]
    values = [0.004 + 0.002 * math.sin(i / 3) + (0.03 + 0.02 * (i // 80) if i % 80 > 60 else 0) for i in range(241)]
    fired, since = [], None
    for place, value in enumerate([*values, 0.0]):
        if value > limit and since is None:
            since = place
        if value <= limit and since is not None:
            fired.append((since, place))
            since = None
    at = [rfc(int(time * 1e9)) for time in [*times, NOW_NS / 1e9]]
    spans = [
        {"pending_time": at[a], "fired_time": at[min(a + 1, 241)], "resolved_time": at[b] if b < 241 else None,
         "severity": rule.get("severity", "warning"), "value": values[a], "peak": max(values[a:b]),
         "firing_ns": int((b - a) * step * 1e9)} for a, b in fired
    ]  # fmt: skip
    firing = sum(one["firing_ns"] for one in spans)
    longest = max((one["firing_ns"] for one in spans), default=0)
    window = {"start_time": rfc(start_ns), "end_time": rfc(NOW_NS)}
    labels = {"service_name": "checkout"}
    quieter = [{"what": "threshold", "value": 0.06, "text": "above 6%", "fires": 1, "firing_ns": firing // 3,
                "missed_count": len(spans) - 1,
                "missed": [{"labels": labels, **{name: one[name] for name in ("fired_time", "firing_ns", "peak")}}
                           for one in spans[:1]]}]  # fmt: skip
    return {
        "window": window, "evaluated": window, "complete": True, "interval_ns": 15 * 10**9, "step_ns": int(step * 1e9),
        "ticks": 241, "unit": "ratio", "direction": "above", "thresholds": thresholds(rule),
        "totals": {"keys": 3, "keys_fired": min(1, len(spans)), "fires": len(spans), "pending_only": 0,
                   "firing_ns": firing, "longest_ns": longest,
                   "firing_at_end": sum(not one["resolved_time"] for one in spans)},
        "days": [], "keys": [{"labels": labels, "fires": len(spans), "firing_ns": firing, "longest_ns": longest,
                              "fired": spans, "pending": [], "spans_left_out": 0}] if spans else [],
        "keys_left_out": 0, "suggestions": quieter if len(spans) > 1 else [], "warnings": [],
        "series": [{"labels": labels, "times_s": times, "values": values, "bounds": None}],
        "failure": failure(rule["condition"]),
    }  # fmt: skip
