"""Made-up channels, routes, silences and deliveries in the shapes of docs/api.md, which people can change."""

from __future__ import annotations

import re
from collections import Counter

from made_up import HOSTILE, NOW_NS, rfc
from made_up_settings import KINDS, TIMES, duties, routes, settings, thing

from spanglass_server.pages.ports import ApiError

MINUTE_NS = 60 * 1_000_000_000
STATES = ("waiting", "sent", "failed", "digested")
ALERT = "00000001-0000-4000-8000-000000000000"
TITLE = "Error rate of checkout is 8.2 %, above 5 %"
LABELS = {"alertname": "High error rate", "severity": "critical", "service_name": "checkout", "service": "checkout",
          "team": "shop", "rule": "high-error-rate", "source": "rule", "owner": "Ines"}  # fmt: skip
MATCHER = re.compile(r'\s*([^=!~,"]+?)\s*(=~|!~|!=|=)\s*"?([^",]*)"?\s*')


def delivery(number, channel, state="sent", reason="firing", **more):
    """Return a delivery as the API lists it."""
    created_ns = NOW_NS - more.pop("age_min", number) * MINUTE_NS
    done = state in {"sent", "failed"}
    alert = {"id": ALERT, "title": more.pop("title", TITLE), "severity": "critical", "status": "active"}
    return {
        "id": f"n-{number:06d}", "channel": channel, "state": state, "reason": reason,
        "thread": f"{{}}/{channel}", "created_at": rfc(created_ns),
        "done_at": rfc(created_ns + 180_000_000) if done else None, "took_ns": 180_000_000 if done else None,
        "next_at": rfc(NOW_NS + 20 * 10**9) if state == "waiting" else None, "attempts": 1, "error": None,
        "why": 'route team="shop"', "addresses": [], "group_labels": {"service_name": "checkout"},
        "fallback_of": None, "title": alert["title"], "alerts": [] if reason == "test" else [alert],
    } | more  # fmt: skip


def deliveries(scenario):
    """Return those of a scenario, newest first."""
    if scenario == "many":
        return [delivery(i, ("email", "slack", "hook")[i % 3], STATES[1:][i % 3]) for i in range(10_000)]
    if scenario == "hostile":
        labels = {HOSTILE: HOSTILE}
        return [delivery(1, HOSTILE, "failed", error=HOSTILE, why=HOSTILE, title=HOSTILE, group_labels=labels)]
    shop = [
        delivery(1, "hook", "waiting", attempts=3, error="the host shop.example answered 503 three times"),
        delivery(2, "slack"),
        delivery(3, "email", "failed", attempts=5, error="mail.example refused the login: check username and password"),
        delivery(4, "slack", fallback_of="n-000003", why="email could not deliver"),
        delivery(5, "pager", reason="escalation", why="step 2 of db: 15 min without an acknowledgement"),
        delivery(6, "email", reason="test", title="Test message"),
        delivery(7, "slack", "digested", reason="repeat"),
    ]  # fmt: skip
    return {"shop": shop, "one": shop[1:2]}.get(scenario, [])


def silence(number, matchers, starts_min, ends_min, **more):
    """Return a silence; times in minutes from now."""
    return {
        "id": f"s-{number}", "matchers": [matcher(text) for text in matchers],
        "starts_at": rfc(NOW_NS + starts_min * MINUTE_NS), "ends_at": rfc(NOW_NS + ends_min * MINUTE_NS),
        "state": "expired" if ends_min <= 0 else "pending" if starts_min > 0 else "active", "text": ", ".join(matchers),
        "created_by": "Kim", "comment": "moving the price list", "updated_at": rfc(NOW_NS), "hides": 0,
    } | more  # fmt: skip


def matcher(text):
    """Return a matcher as the API writes it."""
    name, operator, value = MATCHER.fullmatch(text).groups()
    return {"name": name, "operator": operator, "value": value}


def silences(scenario):
    """Return those of a scenario."""
    if scenario == "many":
        return [silence(i, ['service="checkout"', f'pod="p-{i}"'], -i, i % 200 - 50) for i in range(1, 10_001)]
    if scenario == "hostile":
        return [
            silence(1, ['a="b"'], -5, 60, comment=HOSTILE, created_by=HOSTILE)
            | {"matchers": [{"name": HOSTILE, "operator": "=", "value": HOSTILE}]}
        ]
    shop = [
        silence(1, ['service="checkout"', 'severity=~"warning|info"'], -20, 100, hides=3),
        silence(2, ['host="shop-2"'], 600, 720, comment="disk is replaced tonight", created_by="Ines"),
        silence(3, ['team="db"'], -3000, -2000),
    ]  # fmt: skip
    return {"shop": shop, "one": shop[:1]}.get(scenario, [])


class MadeUpNotifications:
    """Notifications of one scenario; ``changes`` has what was sent to change them."""

    def __init__(self, scenario, alerts):
        self.scenario, self.alerts = scenario, alerts
        self.reset()

    def reset(self):
        """Forget all changes."""
        self.changes = []
        self.deliveries = {one["id"]: one for one in deliveries(self.scenario)}
        self.silences = {one["id"]: one for one in silences(self.scenario)}
        self.settings = {
            section: {one["name"]: one for one in found} for section, found in settings(self.scenario).items()
        }
        is_shop = self.scenario == "shop"
        self.problems = ["spanglass.yaml:31:5: there is no channel 'slak'; did you mean 'slack'?"] if is_shop else []

    def get(self, kind, parts, params):
        """Answer a question."""
        return getattr(self, f"_{kind.replace('-', '_')}")(parts, params)

    def _deliveries(self, parts, params):
        if parts:
            found = found_in(self.deliveries, parts[0])
            return found | {"log": log_of(found)}
        wanted = [
            one for one in self.deliveries.values()
            if all(params.get(name, one[name]) == one[name] for name in ("state", "channel"))
            and params.get("text", "").lower() in f"{one['error']} {one['alerts']}".lower()
            and (not params.get("alert") or any(each["id"] == params["alert"] for each in one["alerts"]))
        ]  # fmt: skip
        at, limit = int(params.get("cursor") or 0), int(params.get("limit", 50))
        return {
            "deliveries": wanted[at : at + limit],
            "next_cursor": str(at + limit) if at + limit < len(wanted) else None,
        }

    def _silences(self, parts, params):
        if parts:
            return found_in(self.silences, parts[0])
        wanted = {"open": ("active", "pending")}.get(params["state"], (params["state"],))
        found = [one for one in self.silences.values() if one["state"] in wanted]
        return {"silences": found[: int(params["limit"])]}

    def _notifications(self, parts, _):
        if parts[:1] == ["settings-schema"]:
            return {"channels": {"anyOf": KINDS}}
        if parts[:1] == ["settings"]:
            return self._settings(*parts[1:])
        if parts == ["route"]:
            return routes(self.scenario)
        if parts == ["bell"]:
            open_ = [one for one in self.alerts.alerts.values() if one["status"] in {"active", "acknowledged"}]
            open_.sort(key=lambda one: one["created_at"], reverse=True)
            return {"version": self.alerts.version, "open": len(open_), "unacknowledged": len(open_), "failed": 1,
                    "alerts": open_[:20]}  # fmt: skip
        if parts[:1] == ["alerts"]:
            return self._told(parts[1])
        return {"channels": self._stands(), "groups": 2, "escalations": 1, "problems": self.problems,
                "silences": sum(one["state"] == "active" for one in self.silences.values())}  # fmt: skip

    def _settings(self, section, name=None):
        found = list(self.settings[section].values())
        return {"things": found, "problems": []} if name is None else found_in(self.settings[section], name)

    def _stands(self):
        names = [*self.settings["channels"], *(one["channel"] for one in self.deliveries.values())]
        errors = {one["channel"]: one["error"] for one in self.deliveries.values() if one["state"] == "failed"}
        pairs = Counter((one["channel"], one["state"]) for one in self.deliveries.values())
        return [
            {"name": name, "kind": None, "origin": None, "oldest_waiting_at": None, "error": errors.get(name),
             "last_at": rfc(NOW_NS - 2 * MINUTE_NS), "counts": {state: pairs[name, state] for state in STATES}}
            for name in dict.fromkeys(names)
        ]  # fmt: skip

    def _told(self, alert):
        silences = [one for one in self.silences.values() if one["state"] == "active"]
        found = [one for one in self.deliveries.values() if any(each["id"] == alert for each in one["alerts"])]
        is_shop = alert == ALERT and self.scenario == "shop"
        running = [one for one in self._escalations([], {})["escalations"] if is_shop]
        name = {"id": alert, "title": TITLE, "severity": "critical", "status": "active"}
        return {"alert": name, "deliveries": found, "silences": silences[:1] if is_shop else [], "escalations": running}

    def _escalations(self, _, __):
        if self.scenario not in {"shop", "hostile"}:
            return {"escalations": []}
        name = {"id": ALERT, "title": TITLE, "severity": "critical", "status": "active"}
        told = {"channel": "sms", "person": HOSTILE if self.scenario == "hostile" else "ann", "until": None}
        return {"escalations": [
            {"key": "{}/shop", "escalation": "shop", "began_at": rfc(NOW_NS - 9 * MINUTE_NS), "step": 2, "steps": 2,
             "round": 1, "next_at": rfc(NOW_NS + 6 * MINUTE_NS), "acknowledged": False, "paused": False,
             "told": [told], "held": [], "alerts": [name]}]}  # fmt: skip

    def _on_call(self, parts, _):
        ann = HOSTILE if self.scenario == "hostile" else "ann"
        if parts:
            return {"rota": parts[0], "time_zone": "UTC", "duties": duties(parts[0], ann)}
        rotas = [{"rota": name, "time_zone": "UTC", "now": duties(name, ann)[0], "next": duties(name, ann)[1]}
                 for name in self.settings["rotas"]]  # fmt: skip
        return {"time": rfc(NOW_NS), "rotas": rotas}

    def _explain(self, body):
        alert = self.alerts.alerts.get(body.get("alert", ""))
        labels = labels_of(alert) if alert else body["labels"]
        found = []
        for node in routes(self.scenario)["routes"]:
            if all(holds(each, labels) for each in map(matcher, node["matchers"])):
                inner = [
                    one for one in node["routes"] if all(holds(each, labels) for each in map(matcher, one["matchers"]))
                ]
                found.append((inner or [node])[0])
                if not node["continue"]:
                    break
        hearings = [
            {"route": one["key"], "channels": one["channels"], "unknown_channels": [], "group_labels": {}, **TIMES,
             "escalation": one["escalation"], "muted": None, "escalation_steps": [], "text": ""}
            for one in found or [routes(self.scenario)]
        ]  # fmt: skip
        texts = [f"{', '.join(one['channels'])}: through the route {one['key']}, 30s after it begins." for one in found]
        steps = [
            {"route": node["key"], "failing": node["matchers"][0], "value": labels.get("team")}
            for node in routes(self.scenario)["routes"] if node["key"] == "{}/db"
        ]  # fmt: skip
        return {"labels": labels, "steps": steps, "hearings": hearings, "muted": None, "silences": [], "text": texts}

    def write(self, method, kind, parts, body):
        """Change something, or answer a question with a body."""
        if parts[-1:] == ["explain"]:
            return self._explain(body)
        if parts[-1:] == ["preview"]:
            return self._hidden(body) if kind == "silences" else message(body)
        if parts[-1:] == ["check"]:
            return {"problems": wrong(body)}
        self.changes.append((method, "/".join([kind, *parts]), body))
        return getattr(self, f"_write_{kind}")(method, parts, body)

    def _hidden(self, body):
        try:
            wanted = [matcher(part) for part in body["matchers"].split(",")]
        except AttributeError:
            text = f"{body['matchers']!r} is no condition"
            raise ApiError(400, {"code": "bad_request", "message": text, "field": "matchers",
                                 "hint": 'write name="value"'}) from None  # fmt: skip
        every = [one for one in self.alerts.alerts.values() if one["status"] in {"active", "acknowledged"}]
        found = [one for one in every if all(holds(each, labels_of(one)) for each in wanted)]
        return {"alerts": found, "total": len(found), "matchers": wanted, "text": body["matchers"]}

    def _write_notifications(self, method, parts, body):
        if parts == ["test"]:
            bad = body["channel"] == "email"
            return {"sent": not bad, "answer": "" if bad else "ok", "error": "535 refused" * bad}
        _, section, name = parts
        if method == "DELETE":
            return self.settings[section].pop(name)
        problems = wrong(body)
        if problems:
            raise ApiError(400, {"code": "bad_request", **problems[0], "problems": problems})
        self.settings[section][name] = thing(section, name, body.get("value", {}))
        return self.settings[section][name]

    def _write_silences(self, method, parts, body):
        if method == "DELETE":
            self.silences[parts[0]] |= {"ends_at": rfc(NOW_NS), "state": "expired"}
            return self.silences[parts[0]]
        kept = {name: body[name] for name in ("starts_at", "comment") if name in body}
        if "matchers" in body:
            kept["matchers"] = [matcher(part) for part in body["matchers"].split(",")]
        number = parts[0] if parts else f"s-{len(self.silences) + 1}"
        before = self.silences.get(number) or silence(0, [], 0, 60, created_by=body["by"])
        self.silences[number] = before | kept | {"id": number}
        return self.silences[number]

    def _write_deliveries(self, _, parts, __):
        self.deliveries[parts[0]] |= {"state": "waiting", "error": None, "next_at": rfc(NOW_NS)}
        return self.deliveries[parts[0]]


def message(body):
    """Return a message as a channel would say it."""
    bad = "{{" in str(body.get("value", {}).get("title", ""))
    return {"title": f"[Critical] {TITLE}", "text": f"{TITLE}\n\nservice_name: checkout", "html": f"<h1>{TITLE}</h1>",
            "problem": "the template of the title fails: line 1: unexpected end" if bad else None}  # fmt: skip


def wrong(body):
    """Return what is wrong with a thing: the made-up API knows of two mistakes."""
    if "bad" in body.get("yaml", ""):
        return [{"line": 2, "column": 3, "path": "bad", "message": "unknown key 'bad'", "hint": "did you mean 'by'?"}]
    value, found = body.get("value", {}), []
    if value.get("smtp_server", "x:25").rpartition(":")[2] not in {"25", "587"}:
        found.append({"line": None, "column": None, "path": "smtp_server", "message": "the port is missing",
                      "hint": "write host:port"})  # fmt: skip
    if "@" not in value.get("from", "@"):
        found.append({"line": None, "column": None, "path": "from", "message": "this is no address", "hint": None})
    return found


def found_in(things, name):
    """Return a thing by its name as the API would."""
    if name not in things:
        raise ApiError(404, {"code": "not_found", "message": f"there is no {name!r}"})
    return things[name]


def log_of(found):
    """Return the attempts of a delivery."""
    sent = found["state"] == "sent"
    return [
        {"number": i, "started_at": found["created_at"], "latency_ns": 180_000_000 * i, "retryable": True,
         "sent": sent and i == found["attempts"], "answer": "250 2.0.0 Ok" if sent else "503 Service Unavailable",
         "error": None if sent else found["error"]}
        for i in range(1, found["attempts"] + 1)
    ]  # fmt: skip


def labels_of(alert):
    """Return the labels by which an alert is routed."""
    key = {"service": alert["service"] or "", "host": alert["host"] or ""}
    return {**alert["details"]["labels"], **key, "severity": alert["severity"], "alertname": alert["rule_name"]}


def holds(one, labels):
    """Whether labels fulfil a matcher."""
    value = labels.get(one["name"], "")
    if one["operator"] in {"=", "!="}:
        return (value == one["value"]) == (one["operator"] == "=")
    return bool(re.fullmatch(one["value"], value)) == (one["operator"] == "=~")
