"""Cursors of every route that has pages, as nobody was given them."""

from __future__ import annotations

import base64
import json
import re

SECOND = 1_000_000_000
IDS = {"trace_id": b"t" * 16, "span_id": b"s" * 8, "kind": 1, "status_code": 0}
#: Values that no page has written: not integers of 64 bits.
NO_VALUES = (1.5, 1e30, 2**64, "9" * 5000, True)
#: Values and lengths of ids that are cursors, but not of a place where a page could have ended.
ODD_VALUES, ID_BYTES = (-(2**63), 2**64 - 1), (0, 8, 16, 20, 24)
#: What stores that write cursors of their own may take for numbers.
TEXTS = ("9" * 5000, "9" * 30, "-1", "1.5", "1-" + "9" * 30, "9" * 30 + "-1", "\0", "x")


def written(*parts):
    """Write a cursor as a stranger would."""
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def test_made_up_cursors_are_no_failure(api):
    """Whatever value and id a cursor has, the answer is an error that names it or a page, on every route with pages."""
    client = api(
        spans=[{"start_time_ns": SECOND, "name": "a", "duration_ns": 5, **IDS}],
        logs=[{"time_ns": SECOND, "body": "a", "arrival_order": 1}],
        metrics=[{"metric_name": "hits", "metric_type": "gauge", "time_ns": SECOND, "value_int": 1}],
    )
    document = client.get("/api/v1/openapi.json").json()["paths"]
    known = {
        path: {one["name"] for one in routes["get"]["parameters"]}
        for path, routes in document.items()
        if "get" in routes
    }
    paged = [(path, name) for path in known for name in ("cursor", "after") if name in known[path] and "{" not in path]
    assert len(paged) >= 11
    for path, name in paged:

        def ask(cursor, path=path, name=name):
            told = {"start": "0", "end": "600", "metric": "hits", name: cursor}
            answer = client.get(path, params={key: text for key, text in told.items() if key in known[path]})
            assert answer.status_code in {200, 400}, (path, cursor, answer.text)
            assert answer.status_code == 200 or answer.json()["error"]["field"] == name, (path, answer.text)
            return answer

        found = re.search(r'these are by ([^"]+)"', ask(written("?", 1, "")).text)
        if found is None:
            for text in TEXTS:
                ask(text)
            continue
        for value in NO_VALUES:
            assert ask(written(found[1], value, "")).status_code == 400, path
        for value in ODD_VALUES:
            for size in ID_BYTES:
                ask(written(found[1], value, "ff" * size))
