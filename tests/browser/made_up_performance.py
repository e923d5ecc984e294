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
    return {"window": window(params), "selected": group, "baseline": others, "since_time": None, "compared": 34,
            "keys": keys}  # fmt: skip
