"""Made-up channels, routes, people and rotas: what is configured of notifications, in the shapes of docs/api.md."""

from __future__ import annotations

from made_up import HOSTILE, NOW_NS, rfc

HOUR_NS = 3_600 * 1_000_000_000


def thing(section, name, value, **more):
    """Return something that is configured."""
    base = {"section": section, "name": name, "origin": "kept", "file": "", "line": None, "version": "v1",
            "editable": True, "value": value}  # fmt: skip
    return base | more


SETTINGS = {"origin": "settings", "file": "spanglass.yaml", "line": 14, "version": "", "editable": False}
EMAIL = {"type": "email", "smtp_server": "mail.example:587", "from": "alerts@example.com", "to": ["ops@example.com"],
         "username": "spanglass", "password": {"kept": True}, "send_resolved": True}  # fmt: skip


def channels(scenario):
    """Return those of a scenario."""
    if scenario == "many":
        return [thing("channels", f"hook-{i}", {"type": "webhook"}) for i in range(1_000)]
    if scenario == "hostile":
        return [thing("channels", HOSTILE, {"type": HOSTILE, HOSTILE: HOSTILE})]
    shop = [
        thing("channels", "slack", {"type": "slack"}, **SETTINGS), thing("channels", "email", EMAIL),
        thing("channels", "pager", {"type": "pagerduty"}),
        thing("channels", "hook", {"type": "webhook", "fallback": "email"}),
    ]  # fmt: skip
    return {"shop": shop, "one": shop[:1]}.get(scenario, [])


_TEXT = {"type": "string"}
_SECRET = {"oneOf": [_TEXT, {"type": "object", "properties": {"env": _TEXT}, "required": ["env"]}]}
_COMMON = {
    "send_resolved": {"type": "boolean"}, "fallback": _TEXT,
    "limit": {"anyOf": [{"type": "object", "properties": {
        "messages": {"type": ["integer", "null"]}, "per": {"type": "string", "examples": ["30s"]}}}, {"type": "null"}]},
    "title": _TEXT, "text": _TEXT, "html": _TEXT,
}  # fmt: skip
KINDS = [
    {"title": "Email", "description": "Mail", "required": ["smtp_server", "from", "to"], "properties": {
        "type": {"const": "email"}, "smtp_server": _TEXT, "from": _TEXT, "to": {"type": "array", "items": _TEXT},
        "tls": {"type": "string", "enum": ["starttls", "tls", "none"]}, "username": _TEXT, "password": _SECRET,
        **_COMMON}},
    {"title": "Webhook", "description": "Signed JSON", "required": ["url"], "properties": {
        "type": {"const": "webhook"}, "url": _SECRET, "headers": {"type": "object", "additionalProperties": _TEXT},
        **_COMMON}},
    {"title": "Slack", "description": "", "properties": {
        "type": {"const": "slack"}, "webhook_url": _SECRET, **_COMMON}},
]  # fmt: skip

TIMES = {"group_wait": "30s", "group_interval": "5m", "repeat_interval": "4h"}


def route(key, matchers=(), channels=(), routes=(), **more):
    """Return a node of the tree."""
    return {"key": key, "matchers": list(matchers), "channels": list(channels), **TIMES,
            "group_by": ["alertname"], "continue": False, "mute_during": [], "active_during": [], "escalation": None,
            "routes": list(routes)} | more  # fmt: skip


def routes(scenario):
    """Return the tree of a scenario."""
    if scenario == "many":
        return route("{}", routes=[route(f"r{i}", [f'team="t{i}"'], ["slack"], [route(f"r{i}/{j}", [f'pod="{j}"'])
                     for j in range(9)]) for i in range(100)])  # fmt: skip
    if scenario == "hostile":
        return route("{}", routes=[route("x", [HOSTILE], [HOSTILE], escalation=HOSTILE)])
    if scenario == "empty":
        return route("{}")
    low = route("{}/shop/low", ['severity=~"warning|info"'], ["email"], mute_during=["nights"])
    return route("{}", [], [], [
        route("{}/all", ['severity="critical"'], ["pager"], escalation="shop", **{"continue": True}),
        route("{}/shop", ['team="shop"'], ["slack"], [low], group_by=["service", "alertname"]),
        route("{}/db", ['team="db"'], ["hook"], group_by=None),
    ])  # fmt: skip


def duty(person, start_h, end_h, why="turn", reason=""):
    """Return who is on call; times in hours from now."""
    return {"person": person or None, "full_name": None, "start": rfc(NOW_NS + start_h * HOUR_NS),
            "end": rfc(NOW_NS + end_h * HOUR_NS) if end_h else None, "why": why, "reason": reason}  # fmt: skip


def duties(rota, ann):
    """Return who is on call in a rota."""
    if rota == "db":
        return [duty("", 0, 30, "nobody"), duty("bob", 30, 0)]
    why = HOSTILE if ann == HOSTILE else "Bob is ill"
    return [duty(ann, 0, 5), duty("eve", 5, 29, "override", why), duty(ann, 29, 127), duty("bob", 127, 295),
            duty("eve", 295, 336)]  # fmt: skip


def settings(scenario):
    """Return what is configured of a scenario, by section."""
    found = {"channels": channels(scenario)}
    sections = ("routes", "inhibitions", "intervals", "people", "rotas", "escalations")
    if scenario not in {"shop", "hostile"}:
        return found | {section: [] for section in sections}
    ann = HOSTILE if scenario == "hostile" else "ann"
    quiet = [{"from": "22:00", "to": "07:00", "weekdays": [], "severity": "critical"}]
    steps = [{"after": "0s", "tell": ["rota:shop"], "by": ["sms"]}, {"after": "15m", "tell": [ann, "email"], "by": []}]
    inhibition = {"source": ['severity="critical"'], "target": ['severity="warning"'], "equal": ["service"]}
    written = {
        "routes": {"root": {"group_by": ["alertname"], "routes": [{"match": ['team="shop"'], "channels": ["email"]}]}},
        "inhibitions": {"inhibition-1": inhibition},
        "intervals": {"nights": [{"times": [{"start_time": "22:00", "end_time": "24:00"}], "location": "UTC"}]},
        "people": {name: {"full_name": full, "channels": {"email": {"to": [f"{name}@example.com"]}},
                          "time_zone": "Europe/Berlin", "quiet_hours": quiet}
                   for name, full in ((ann, "Ann Smith"), ("bob", "Bob Jones"), ("eve", ""))},
        "rotas": {"shop": {"people": ["ann", "bob"], "time_zone": "Europe/Berlin"}, "db": {"people": ["bob"]}},
        "escalations": {"shop": {"steps": steps, "repeat": 2, "repeat_every": "30m"}},
    }  # fmt: skip
    return found | {
        section: [thing(section, name, value, **(SETTINGS if name == "db" else {})) for name, value in things.items()]
        for section, things in written.items()
    }
