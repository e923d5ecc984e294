"""What users must see of the situations of tests/data/cases that are about log records, through the real server."""

from __future__ import annotations

import time

from cases import Case


def found(server, path, **parameters):
    """Ask the API about the last hour."""
    return server.get(path, last="1h", **parameters)


def test_severity_by_text(shared_server):
    """A severity that only the text names is the same in list, filter, facet and counts."""
    case = Case("05-severity-by-text", time.time_ns())
    case.send(shared_server)
    service = f"service:sev-{case.run}"

    listed = {log["body"]: log["severity"] for log in found(shared_server, "/logs", filter=service)["logs"]}

    assert listed == {
        "ERROR/0": "error",
        "Error/0": "error",
        "/17": "error",
        "ERROR/17": "error",
        "Warning/0": "warn",
        "/13": "warn",
        "Information/0": "info",
        "Critical/0": "fatal",
        "/0": "unset",
    }
    for word in ("error", "warn", "info", "fatal", "unset"):
        matching = found(shared_server, "/logs", filter=f"{service} severity:{word}")["logs"]
        assert {log["body"] for log in matching} == {body for body, its in listed.items() if its == word}
    counts = {"error": 4, "warn": 2, "fatal": 1, "info": 1, "unset": 1}
    (facet,) = found(shared_server, "/facets", signal="logs", keys="severity", filter=service)["facets"]
    assert {value["value"]: value["count"] for value in facet["values"]} == counts
    points = found(shared_server, "/logs/counts", filter=service)["points"]
    assert {word: sum(point[word] for point in points) for word in counts} == counts
