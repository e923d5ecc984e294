"""Made-up durations over time, and what is different about some of them."""

from __future__ import annotations

from itertools import pairwise

import made_up as shop
from made_up import MS, rfc

ROWS = 20


def heatmap(api, params):
    """Make durations around 20 ms, and from two thirds of the time on some of 600 ms and more."""
    step, times = api._buckets(params, int(params.get("buckets", 72)))
    bounds = [0, *(round(MS * 10 ** (place / 5)) for place in range(1, ROWS + 1))]
    cells = [[max(0, 200 - 60 * abs(row - 7)) + (row == 14 and at > 48) * 30 for at in range(len(times))]
             for row in range(ROWS)]  # fmt: skip
    errors = [int(at > 48) for at in range(len(times))]
    if api.none:
        bounds, cells, errors = [0], [], []
    rows = [{"low_ns": low, "high_ns": high} for low, high in pairwise(bounds)]
    return {"window": window(params), "start": times[0], "step_s": step, "count": len(times), "rows": rows,
            "cells": cells, "errors": errors, "spans": sum(map(sum, cells))}  # fmt: skip


def window(params):
    """Say which range is asked for."""
    return {"start_time": rfc(int(params["start"])), "end_time": rfc(int(params["end"]))}


def value(key, text, share, other, *, operator="="):
    """Make one value of a key."""
    condition = f'{key} {operator} "{text}"' if text is not None else f"{key} {operator}"
    return {"operator": operator, "value": text, "filter": condition, "opposite": f"not ({condition})",
            "selected_share": share, "baseline_share": other, "lift": round(share / other, 2) if other else None,
            "selected": round(218 * share), "baseline": round(9000 * other), "difference": share - other}  # fmt: skip


def differences(api, params):
    """Make what sets the slow ones apart; nothing where only times are compared."""
    text = shop.HOSTILE if api.scenario == "hostile" else "2.14.0"
    keys = [
        {"key": "service.version", "difference": 0.5, "values": [value("service.version", text, 1.0, 0.46)],
         "alike": [{"key": "vcs.revision", "filter": "vcs.revision = 4f1c2b7"}]},
        {"key": "shop.cart.items", "difference": 0.5, "alike": [],
         "values": [value("shop.cart.items", 9, 0.71, 0.14, operator=">")]},
        {"key": "cache.hit", "difference": 0.4, "alike": [],
         "values": [value("cache.hit", None, 0.6, 0.1, operator="not exists")]},
    ]  # fmt: skip
    group = {"spans": 218, "errors": 12, "p50_ns": 700 * MS, "p95_ns": 4600 * MS, "counted": 218, "traces": 200}
    others = {"spans": 14_000, "errors": 20, "p50_ns": 20 * MS, "p95_ns": 80 * MS, "counted": 9000, "traces": 8000}
    if api.none or "baseline_start" in params:
        keys = []
    return {"window": window(params), "selected": group, "baseline": others, "since_time": None,
            "certain": api.scenario != "hostile", "compared": 34,
            "keys": keys}  # fmt: skip


def groups(api, params):
    """Count spans by version, or failed ones by type."""
    names = ["2.14.0", "2.13.2"] if params["by"] == "service.version" else ["TimeoutError", None]
    figures = {"spans": 900, "errors": 12, "p50_ns": 20 * MS, "p95_ns": 80 * MS, "p99_ns": 90 * MS}
    rows = [{"by": {params["by"]: name}, **figures, "sampled_share": None, "last_time": rfc(int(params["start"]))}
            for name in names]  # fmt: skip
    return {"groups": [] if api.none else rows}


def call(name, depth, parent, slower=0, *, service="checkout", calls=1.0):
    """Make a place of the typical trace."""
    usual = {"calls": calls, "share": min(1.0, calls), "failed": 0.0, "total_ns": 20 * MS, "self_ns": 5 * MS,
             "p50_ns": 4 * MS, "p95_ns": 9 * MS}  # fmt: skip
    return {"service": service, "slot": len(service) % 10, "operation": name, "kind": "client", "depth": depth,
            "parent": parent, "usual": usual, "slow": usual, "slower_ns": slower * MS}  # fmt: skip


def typical(api, window):
    """Make a typical trace: a request with a loop of statements, which is where slow ones differ, and a payment."""
    name = shop.HOSTILE if api.scenario == "hostile" else "SELECT price"
    text = f"SELECT * FROM price WHERE sku = ? /* {name} */"  # noqa: S608 - never run
    calls = [call("POST /orders", 0, -1, 1), call(name, 1, 0, 240, calls=18.0),
             call("POST /charge", 1, 0, -2, service="payments"), call("authorise", 2, 2, service="bank")]  # fmt: skip
    statement = {"service": "checkout", "slot": 3, "text": text, "calls": 18.0, "total_ns": 9 * MS, "slow_calls": 60.0,
                 "slow_total_ns": 240 * MS}  # fmt: skip
    callers = [{"service": "web", "slot": 2, "operation": "POST /checkout", "requests": 90}]
    found = {"spans": 4760, "usual": 100, "slow": 50, "slow_ns": 600 * MS, "calls": calls, "statements": [statement],
             "callers": callers}  # fmt: skip
    nothing = {"spans": 0, "usual": 0, "slow": 0, "slow_ns": None, "calls": [], "statements": [], "callers": []}
    return {"window": window, **(nothing if api.none else found)}


def self_time(api, params):
    """Make paths of a shop's requests: one of them waits most of its time for a loop of statements."""
    name = shop.HOSTILE if api.scenario == "hostile" else "SELECT price"
    tree = [(0, "web", "POST /checkout", 2, 100), (1, "checkout", "POST /orders", 18, 98),
            (2, "checkout", name, 60, 60),
            (2, "payments", "POST /charge", 20, 20), (0, "web", "GET /", 40, 40)]  # fmt: skip
    paths = [
        {"depth": depth, "service": service, "slot": len(service) % 10, "name": text, "spans": 100, "errors": 2 * depth,
         "duration_ns": work * MS, "self_time_ns": own * MS, "work_ns": work * MS, "longest_ns": 9 * MS,
         "longest_trace": "e" * 32, "longest_span": "a" * 16}
        for depth, service, text, own, work in tree
    ]  # fmt: skip
    paths = [] if api.none else paths
    operations = [{"service": path["service"], "slot": path["slot"], "operation": path["name"], "spans": 100,
                   "errors": 0, "duration_ns": path["work_ns"], "self_time_ns": path["self_time_ns"],
                   "share": path["self_time_ns"] / (140 * MS)} for path in paths]  # fmt: skip
    return {"window": window(params), "spans": 100 * len(paths), "self_time_ns": sum(p["self_time_ns"] for p in paths),
            "sampled_share": 0.25, "paths": paths, "paths_left_out": 0, "operations": operations,
            "operations_left_out": 0}  # fmt: skip


def profile(api, params):
    """Make the stacks of a request that spends most of its time in one function; of traces one scenario has any."""
    name = shop.HOSTILE if api.scenario == "hostile" else "Cart.total"
    tree = [(0, "shop.web", "handle", 10, 100), (1, "shop.cart", name, 60, 60), (1, "json.encoder", "encode", 30, 30),
            (0, "gc", "collect", 5, 5)]  # fmt: skip
    frames = [
        {"depth": depth, "module": module, "function": function, "file": f"/srv/{module}.py", "line": 41,
         "slot": len(module) % 10, "samples": work, "self_ns": own * MS, "total_ns": work * MS}
        for depth, module, function, own, work in tree
    ]  # fmt: skip
    nothing = api.none or (params.get("trace_id") and api.scenario != "talk")
    frames = [] if nothing else frames
    operations = [{"service": "checkout", "slot": 3, "operation": operation, "samples": 50, "wall_ns": 52 * MS,
                   "cpu_ns": cpu_ns} for operation, cpu_ns in (("POST /orders", 40 * MS), (None, None))]  # fmt: skip
    return {"window": window(params), "measure": params.get("measure") or "wall", "samples": 105 if frames else 0,
            "wall_ns": 105 * MS, "cpu_ns": 40 * MS, "sampled_share": None, "frames": frames, "frames_left_out": 0,
            "functions": [{key: value for key, value in frame.items() if key != "depth"} for frame in frames],
            "operations": [] if nothing else operations}  # fmt: skip
