"""Made-up patterns of log lines, and lines around one, in the shape of docs/api.md."""

from __future__ import annotations

from made_up import HOSTILE, MS, NOW_NS, rfc

from spanglass_server.pages.ports import ApiError

SHOP = (
    ("POST /checkout <*>", "info", 9100, 9000),
    ("rate table <*> has no <*>", "warn", 420, 0),
    ("order <*> undone: CurrencyNotPriced", "error", 311, 12),
)
KNOWN = {"empty": (), "hostile": ((f"{HOSTILE}<*>{'x' * 400}", "error", 7, 0), (HOSTILE, "info", 6, 5))}


def patterns(api, params):
    """Answer ``GET /api/v1/logs/patterns``: those of the shop, hostile ones, or 200 of them."""
    known = KNOWN.get(api.scenario, SHOP)
    if api.scenario == "many":
        known = [(f"worker {number} took <*>", "info", 5000 - number, 40) for number in range(200)]
    step, times = api._buckets(params, int(params["buckets"]))
    service = HOSTILE if api.scenario == "hostile" else "checkout"
    found = [
        {"pattern": text, "filter": 'body ~ "^a"', "lines": lines, "before": before, "is_new": not before,
         "severity": severity, "services": [service, "payments"], "first_time": rfc(NOW_NS - 600_000 * MS),
         "last_time": rfc(NOW_NS - 4000 * MS), "example": text.replace("<*>", "17"),
         "points": [{"t": t, "lines": lines // len(times) + i % 3} for i, t in enumerate(times)]}
        for text, severity, lines, before in known
    ]  # fmt: skip
    return {"window": {}, "before": {}, "step_s": step, "patterns": found, "left_out": 0, "sampled_share": None}


def around(api, params):
    """Answer ``GET /api/v1/logs/{log}/around``; nothing is stored in ``empty``."""
    if api.none:
        raise ApiError(404, {"code": "not_found", "message": "no log record 'log-3' is stored"})
    lines = [api._line(number) for number in (4, 3, 2, 1, 0)]
    return {"log": lines[2], "before": lines[:2], "after": lines[3:], "has_more_before": True,
            "has_more_after": False, "same": params.get("same", "stream"), "filter": "service.name = a"}  # fmt: skip
