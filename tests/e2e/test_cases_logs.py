"""What users must see of the situations of tests/data/cases that are about log records, through the real server."""

from __future__ import annotations

import json
import time

from cases import Case


def found(server, path, **parameters):
    """Ask the API about the last hour."""
    return server.get(path, last="1h", **parameters)


def test_severity_by_text(cases_server):
    """A severity that only the text names is the same in list, filter, facet and counts."""
    case = Case("05-severity-by-text", time.time_ns())
    case.send(cases_server)
    service = f"service:sev-{case.run}"

    listed = {log["body"]: log["severity"] for log in found(cases_server, "/logs", filter=service)["logs"]}

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
        matching = found(cases_server, "/logs", filter=f"{service} severity:{word}")["logs"]
        assert {log["body"] for log in matching} == {body for body, its in listed.items() if its == word}
    counts = {"error": 4, "warn": 2, "fatal": 1, "info": 1, "unset": 1}
    (facet,) = found(cases_server, "/facets", signal="logs", keys="severity", filter=service)["facets"]
    assert {value["value"]: value["count"] for value in facet["values"]} == counts
    points = found(cases_server, "/logs/counts", filter=service)["points"]
    assert {word: sum(point[word] for point in points) for word in counts} == counts


def test_undated_records_are_no_resends(cases_server):
    """Three equal requests without any time are three records; a dated one that is sent twice is stored once."""
    case = Case("06-undated-equal-logs", time.time_ns())
    for _ in range(3):
        case.send(cases_server)
    for _ in range(2):
        case.send(cases_server, "dated.json")

    undated = found(cases_server, "/logs", filter=f"service:beat-{case.run}")["logs"]
    dated = found(cases_server, "/logs", filter=f"service:beat2-{case.run}")["logs"]

    assert [log["body"] for log in undated] == ["door opened"] * 3
    assert [log["body"] for log in dated] == ["door opened"] * 3
    assert len({log["id"] for log in undated + dated}) == 6


def test_records_of_one_millisecond_keep_their_order(new_server):
    """They come in the order in which they arrived, and exactly reversed the other way; also from a segment."""
    case = Case("sender-02-log-order-in-a-millisecond", time.time_ns())
    server = new_server()
    server.start()
    case.send(server)
    expected = ["at trace", "at debug", "at info", "at warn", "at error", "at fatal"]
    for _ in range(2):
        body = json.dumps({"sql": "SELECT body FROM logs ORDER BY arrival_order"}).encode()
        answer = server.request("POST", "/api/v1/sql", body, {"Content-Type": "application/json"}).json()
        assert [row[0] for row in answer["rows"]] == expected
        one_by_one, cursor = [], {}
        while cursor is not None:
            page = server.get("/logs", last="2h", limit=1, order="asc", **cursor)
            one_by_one += page["logs"]
            cursor = page["next_cursor"] and {"cursor": page["next_cursor"]}
        assert [log["body"] for log in one_by_one] == expected
        assert [log["body"] for log in server.get("/logs", last="2h")["logs"]] == expected[::-1]
        server.stop()
        server.start()


def log_request(service, *records):
    """Make a request of records: their ages in seconds, and bodies."""
    now_ns = time.time_ns()
    logs = [
        {"timeUnixNano": str(now_ns - round(age_s * 1e9)), "body": {"stringValue": body}} for age_s, body in records
    ]
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]}
    return {"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": logs}]}]}


def test_following_loses_nothing(cases_server):
    """Records that arrive late, of a time that was shown, or from a clock ahead of ours come once each, in order."""

    def send(*records):
        body = json.dumps(log_request("follow", *records)).encode()
        assert cases_server.request("POST", "/v1/logs", body, {"Content-Type": "application/json"}).status == 200

    send((5, "shown"), (-60, "a minute ahead"))
    page = found(cases_server, "/logs", filter="service:follow")
    assert [log["body"] for log in page["logs"]] == ["shown"]
    seen = []
    for records in (
        [(6, "a second before")],
        [(0, "now")],
        [(7200, "two hours late"), (0, "now too")],
        [(-30, "half a minute ahead")],
    ):
        send(*records)
        for _ in range(3):  # clients ask again and again
            page = cases_server.get("/logs", filter="service:follow", after=page["newest_cursor"])
            seen += [log["body"] for log in page["logs"]]
    assert seen == ["a minute ahead", "a second before", "now", "two hours late", "now too", "half a minute ahead"]
