"""Made-up users, sessions, tasks and queues: those of the shop, and hostile ones."""

from __future__ import annotations

from made_up import HOSTILE, MS, NOW_NS, rfc

FIGURES = {"requests": 41, "errors": 2, "events": 9, "records": 120}
PEOPLE = {"shop": ("u-4711", "u-4712", "u-4713"), "hostile": (HOSTILE,)}
AGO = rfc(NOW_NS - 600_000 * MS)
WINDOW = {"start_time": rfc(NOW_NS - 3_600_000 * MS), "end_time": rfc(NOW_NS)}


def users(api, parts, params):
    """Answer ``GET /api/v1/users`` and what is below it."""
    answers = {
        "overview": overview,
        "summary": summary,
        "active": active,
        "features": features,
        "paths": paths,
        "course": course,
    }
    return answers[parts[0]](api, params) if parts else listed(api)


def listed(api):
    """List users."""
    found = [{"user": who, "sessions": 3, **FIGURES, "first_time": AGO, "last_time": AGO} for who in _people(api)]
    return {"users": found, "total": 400 if found else 0, "users_share": None}


def sessions(api):
    """Answer ``GET /api/v1/sessions``."""
    times = {"start_time": AGO, "last_time": AGO, "duration_ns": 240_000 * MS}
    found = [{"session": who and f"s-{who}", "user": user, **FIGURES, **times} for who, user in zip(
        ("", *_people(api)), (*_people(api), None), strict=True)] if _people(api) else []  # fmt: skip
    return {"sessions": [{**each, "session": each["session"] or None} for each in found], "total": len(found),
            "users_share": None}  # fmt: skip


def summary(api, params):
    """Answer ``GET /api/v1/users/summary``."""
    count = len(_people(api))
    step, times = api._buckets(params, int(params["buckets"]))
    points = [
        {"t": time, "users": place % 4 * count, "sessions": place % 3 * count} for place, time in enumerate(times)
    ]
    took = 240_000 * MS if count else None
    return {"window": WINDOW, "users": count, "anonymous": 1 if count else 0, "sessions": 3 * count, **FIGURES,
            "session_p50_ns": took, "session_p95_ns": took, "step_s": step, "points": points,
            "users_share": None}  # fmt: skip


def overview(api, params):
    """Answer ``GET /api/v1/users/overview``."""
    return {"summary": summary(api, params), "users": listed(api), "sessions": sessions(api)}


def active(api, _params):
    """Answer ``GET /api/v1/users/active``."""
    count = len(_people(api))
    return {"day": count, "week": 9 * count, "month": 30 * count, "since": AGO if count else None, "users_share": None}


def features(api, _params):
    """Answer ``GET /api/v1/users/features``."""
    names = {"shop": ("checkout", "search"), "hostile": (HOSTILE,)}.get(api.scenario, ())
    return {
        "features": [{"name": name, "events": 200, "users": 54, "sessions": 60, "last_time": AGO} for name in names]
    }


def paths(api, _params):
    """Answer ``GET /api/v1/users/paths``."""
    names = {"shop": (("GET", "/cart/{id}"), ("POST /orders", None)), "hostile": ((HOSTILE, HOSTILE),)}
    counts = {"requests": 900, "errors": 4, "users": 55, "sessions": 70, "p95_ns": 150 * MS, "sampled_share": None}
    return {"paths": [{"service": "web", "slot": 1, "operation": name, "route": route, **counts}
                      for name, route in names.get(api.scenario, ())]}  # fmt: skip


def course(api, params):
    """Answer ``GET /api/v1/users/course``: one step of each kind."""
    name = HOSTILE if api.scenario == "hostile" else "POST /orders"
    kinds = ("request", False), ("event", False), ("error", True), ("request", True)
    steps = [
        {"kind": kind, "time": AGO, "name": name, "text": None if kind == "request" else name, "service": "web",
         "slot": 1, "trace_id": "0a" * 16, "span_id": "0b" * 8, "duration_ns": 90 * MS if kind == "request" else None,
         "spans": 7, "failed": failed, "user": name, "session": name}
        for kind, failed in kinds
        if _people(api) and (failed or params.get("only") != "errors")
    ]  # fmt: skip
    return {"window": WINDOW, "steps": steps, "more": bool(steps)}


def coverage(api):
    """Answer ``GET /api/v1/coverage``: each state once, of a host and of a service."""
    names = {"shop": ("web-1", "worker"), "hostile": (HOSTILE, HOSTILE)}.get(api.scenario, ())
    shared = {"subject": "service", "group": "application"}
    families = [
        {"key": "cpu", "group": "system", "subject": "host", "title": "Processors", "remedy": "spanglass run"},
        {"key": "traces", **shared, "title": "Traces", "remedy": "spanglass run"},
        {"key": "queues", **shared, "title": "Queue lengths", "remedy": "spanglass.watch_queue(mails)"},
        {"key": "users", **shared, "group": "user_activity", "title": "Users", "remedy": "spanglass.set_user(42)"},
    ]
    told = {"cpu": ("stale", AGO), "traces": ("there", AGO), "queues": ("missing", None), "users": ("not_needed", None)}
    subjects = [
        {"subject": subject, "name": name, "slot": None if subject == "host" else 2, "missing": 1, "stale": 0,
         "families": [{"family": each["key"], "state": told[each["key"]][0], "last_time": told[each["key"]][1]}
                      for each in families if each["subject"] == subject]}
        for subject, name in zip(("host", "service"), names, strict=False)
    ]  # fmt: skip
    return {"window": WINDOW, "families": families, "subjects": subjects, "total": len(subjects), "there": 1,
            "stale": 1, "missing": 1, "ratio": 1 / 3 if subjects else None}  # fmt: skip


def costs(api):
    """Answer ``GET /api/v1/costs``: with prices, an attribute to drop, and log records."""
    names = {"shop": ("web", "worker"), "hostile": (HOSTILE,)}.get(api.scenario, ())
    figures = {"bytes": 5e8, "share": 0.5, "bytes_a_day": 1e8, "price": 12.5}
    senders = [{"service": name, "slot": 2, "bytes": 1e6} for name in names]
    key = HOSTILE if api.scenario == "hostile" else "cart.contents"
    attribute = {"signal": "spans", "position": "span", "key": key, "values": "unique", "services": senders, **figures}
    debug = {**attribute, "kind": "debug_logs", "signal": "logs", "position": None, "key": None, "values": None}
    saved = {"bytes_a_month": 3e9, "place": "collector", "remedy": f"attributes/costs: {key}"}
    signal = {"signal": "spans", "stored_bytes": 10**9, "records": 1e6, "attribute_bytes": 2e8, "records_a_day": 1e5,
              "kept_days": 30.0, "bytes_at_pace": 3e9, "received_a_day": 4e8,
              "prices": {"stored": 0.1, "received": None, "records": None},
              **figures}  # fmt: skip
    body = {**attribute, "position": None, "key": "name", "values": None, "services": []}
    services = [{"service": name, "slot": 2, "spans": 1e6, "logs": 0.0, "metrics": 7.5, **figures} for name in names]
    return {"window": WINDOW, "days": 5.0, "currency": "EUR", "priced": True, "stored_bytes": 10**9 if names else 0,
            "signals": [signal], "services": services, "services_total": len(services), "attributes": [attribute, body],
            "attributes_total": 40, "savings": [{**each, **saved} for each in (
                {**attribute, "kind": "attribute"}, debug)], "sampled_records": 10**6, **figures}  # fmt: skip


def tasks(api, params):
    """Answer ``GET /api/v1/tasks``."""
    names = {"shop": ("shop.send_mail", "reports.nightly"), "hostile": (HOSTILE,)}.get(api.scenario, ())
    step, times = api._buckets(params, int(params["buckets"]))
    found = [
        {"task": name, "service": "worker", "slot": 2, "system": "celery", "queue": name, "source": "spans",
         "operation": None if place else f"run/{name}", "runs": 240, "rate_per_s": 0.07, "failed": 30 * place,
         "failed_ratio": place / 8, "p50_ns": 210 * MS, "p95_ns": 730 * MS, "wait_p50_ns": None if place else 900 * MS,
         "wait_p95_ns": None if place else 4_200 * MS, "running": place or None, "last_time": AGO,
         "sampled_share": None, "series": [{"t": time, "runs": 6, "failed": place} for time in times]}
        for place, name in enumerate(names)
    ]  # fmt: skip
    return {"window": WINDOW, "step_s": step, "tasks": found, "total": len(found)}


def queues(api, params):
    """Answer ``GET /api/v1/queues``: one that is measured, and one that is not."""
    names = {"shop": ("mails", "reports"), "hostile": (HOSTILE,)}.get(api.scenario, ())
    step, times = api._buckets(params, int(params["buckets"]))
    found = [
        {"queue": name, "systems": ["celery"], "senders": [] if place else ["web"], "consumers": ["worker"],
         "sent": None if place else 240, "sent_per_s": None if place else 0.07, "processed": 240,
         "processed_per_s": 0.07, "failed": 30, "length": None if place else 17.0, "longest": None if place else 37.0,
         "lengths": [] if place else [at % 5 for at in range(len(times))]}
        for place, name in enumerate(names)
    ]  # fmt: skip
    return {"window": WINDOW, "start": times[0], "step_s": step, "queues": found, "total": len(found)}


def _people(api):
    return PEOPLE.get(api.scenario, ())
