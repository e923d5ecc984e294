"""A made-up service map: that of the shop, a hostile one, and one of 80 services."""

from __future__ import annotations

from made_up import MS, SLOTS

from spanglass_server.pages.ports import ApiError

SHOP = (
    ("service:web", "service:checkout", 9310, 0.071),
    ("service:web", "service:catalog", 22000, 0.0),
    ("service:checkout", "service:payment", 9300, 0.068),
    ("service:checkout", "database:postgresql:orders", 18600, 0.0),
    ("service:checkout", "queue:kafka:orders", 9000, 0.0),
    ("queue:kafka:orders", "service:fulfilment", 8990, 0.0),
    ("service:payment", "external:api.stripe.com", 9290, 0.066),
)
HOSTILE = (("service:<script>alert(1)</script>", 'external:"><img src=x onerror=alert(1)>', 12, 0.5),)
FIGURES = ("calls", "rate_per_s", "errors", "error_ratio", "p95_ns")


def service_map(api, params):
    """Answer ``GET /api/v1/service-map`` for a scenario."""
    calls = {"hostile": HOSTILE, "many": large(80), "empty": ()}.get(api.scenario, SHOP)
    if (focus := params.get("focus")) and f"service:{focus}" not in {end for call in calls for end in call[:2]}:
        error = {"code": "not_found", "message": f"no spans of service '{focus}' in this range", "field": "focus"}
        raise ApiError(404, error)
    compares = "earlier" in params
    edges = [
        {"caller": caller, "callee": callee, **figures(count, ratio), "before": before(count, compares, place)}
        for place, (caller, callee, count, ratio) in enumerate(calls)
    ]
    ids = dict.fromkeys(end for call in calls for end in call[:2])
    nodes = [node(name, [call for call in calls if call[1] == name], compares) for name in ids]
    window = {"start_time": "2026-11-21T10:34:48Z", "end_time": "2026-11-21T11:34:48Z"}
    earlier = {"start_time": "2026-11-21T09:34:48Z", "end_time": "2026-11-21T10:34:48Z"} if compares else None
    return {"window": window, "before": earlier, "nodes": nodes, "edges": edges, "left_out": 0,
            "sampled_callees": False, "sampled_share": None}  # fmt: skip


def large(count):
    """Calls of many services: each is called by three others that come before it."""
    return [
        (f"service:svc-{one // way}", f"service:svc-{one}", 1000 * way + one, 0.0)
        for one in range(1, count)
        for way in (2, 3, 5)
    ]


def figures(calls, ratio):
    """Figures of some calls."""
    return {"calls": calls, "rate_per_s": calls / 3600, "errors": round(calls * ratio), "error_ratio": ratio,
            "p95_ns": (20 + calls % 300) * MS}  # fmt: skip


def before(calls, compares, place):
    """What was before: the first call is new, others were the same."""
    return figures(calls, 0.0) if compares and place else None


def node(name, calls, compares):
    """A node with the sum of the calls of it."""
    kind, _, rest = name.partition(":")
    system, _, own = rest.partition(":") if kind in {"database", "queue"} else ("", "", rest)
    count = sum(call[2] for call in calls)
    ratio = max((call[3] for call in calls), default=0.0)
    slot = SLOTS.get(own, 3) if kind == "service" else None
    return {"id": name, "kind": kind, "name": own, "system": system, "slot": slot, **figures(count, ratio),
            "before": figures(count, 0.0) if compares else None}  # fmt: skip
