"""What a user must see of the log records that real senders send: the captures of tests/data/senders."""

from __future__ import annotations

import json
import re
import urllib.parse

import pytest
from senders import SENDERS

WITH_LOGS = sorted(path.parent.name for path in SENDERS.glob("*/logs.txt"))
#: How the records of a capture are told from those of others.
OF = {
    "collector-filelog": "log.file.name exists", "go": "service:gateway", "java-agent": "service:orders",
    "node": "service:checkout", "python": "service:mailer", "rust": "service:warehouse",
}  # fmt: skip


def line(record):
    """Write a record as a line of ``logs.txt``: severity, service, body (JSON, where it is no text)."""
    body = record["body"] if isinstance(record["body"], str) else json.dumps(record["body"])
    return f"{record['severity']:5} {record['service']}: {body}".replace("\n", "\\n")


@pytest.mark.parametrize("name", WITH_LOGS)
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_records_are_listed_as_they_were_sent(cases_server, sent, name, order):
    """Severity, service and body of each; records of one time in the order in which they were sent, both ways."""
    expected = (SENDERS / name / "logs.txt").read_text().splitlines()
    records = cases_server.get("/logs", filter=OF[name], order=order, **sent(name).window)["logs"]
    assert [line(record) for record in records] == expected[:: 1 if order == "asc" else -1]


@pytest.mark.parametrize("name", WITH_LOGS)
def test_counts_and_facet_agree_with_the_list(cases_server, sent, name):
    """One rule for the severity: as many records as the list shows of each are counted, and found by it."""
    window = {"filter": OF[name], **sent(name).window}
    listed = [record["severity"] for record in cases_server.get("/logs", **window)["logs"]]
    shown = {severity: listed.count(severity) for severity in sorted(set(listed))}
    points = cases_server.get("/logs/counts", **window)["points"]
    counted = {severity: sum(point[severity] for point in points) for severity in points[0] if severity != "t"}
    assert {severity: count for severity, count in sorted(counted.items()) if count} == shown
    (facet,) = cases_server.get("/facets", signal="logs", keys="severity", **window)["facets"]
    assert {value["value"]: value["count"] for value in facet["values"]} == shown
    for severity, count in shown.items():
        found = cases_server.get("/logs", **{**window, "filter": f"{OF[name]} and severity = {severity}"})["logs"]
        assert len(found) == count, severity


#: How a record is found, by whom it was sent, and the bodies of those that are found, oldest first.
SEARCHES = [
    ("java-agent", "severity_text = SEVERE", ["order failed", "order failed"]),
    ("java-agent", 'severity >= error and exception.message = "sku none is unknown"',
     ["order failed", "order failed for good"]),
    ("java-agent", "severity = fatal and exception.type = java.lang.IllegalStateException", ["order failed for good"]),
    ("node", "order.id = 17", ["order came in", "ordered 17", "ordered"]),
    ("node", "order.total > 20 and severity = error", ["order failed", "order failed"]),
    ("node", "nested.deep.er = true and order.id = 18", ["order came in"]),
    ("node", "tags = web and order.id = 20", ["order came in"]),
    ("node", "exception.type = declined", ["order failed"]),
    ("go", "order.id = 17", ["could not reserve"]),
    ("go", "order.item.sku = none", ["could not reserve"]),
    ("go", "request.sku = tea", ["buying", "buying"]),
    ("go", "request.took > 1000000 and request.sku = bad", ["buying"]),
    ("go", "severity = info2", ["between info and warn"]),
    ("go", 'severity_text = "INFO+1"', ["between info and warn"]),
    ("go", 'exception.type = "*main.StockError"', ["could not reserve"]),
    ("rust", "severity = warn and event_name = stock.low", ["only few are left", "only few are left"]),
    ("rust", 'error = "sku none is unknown"', [None]),
    ("rust", "exception.type = anyhow::Error and severity = error",
     ["not reserved: could not reserve 2 of none: sku none is unknown",
      "not reserved: could not reserve 2 of disk: storage failed: stock.db is gone"]),
    ("python", "exception.type = KeyError", ["mail 3 was not sent"]),
    ("python", "mail.number >= 4", ["sent 1000 bytes", "sent 1200 bytes"]),
    ("collector-filelog", "level = F and severity = fatal", ["F1129 02:07:41.264102    4711 main.go:44] cannot go on"]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "wanted", "found"), SEARCHES)
def test_records_are_found_by_what_they_say(cases_server, sent, name, wanted, found):
    """Severity by number or text, and keys of nested maps by their path, with their type."""
    parameters = {"filter": f"{OF[name]} and {wanted}", "order": "asc", **sent(name).window}
    assert [record["body"] for record in cases_server.get("/logs", **parameters)["logs"]] == found


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("body.order.id = 17", ["order came in", "stock is low"]),
        ('body.msg = "stock is low"', ["stock is low"]),
        ("body.left < 3", ["stock is low"]),
        ("body.order.items = cup", ["order came in"]),
        ("body.error.type = Declined", ["payment failed"]),
        ("body.event exists and severity = fatal", [None]),
        ('"payment failed"', ["payment failed"]),
    ],
)
def test_a_parsed_body_is_reached_by_path(cases_server, sent, wanted, found):
    """What the Collector parsed into the body is found by ``body.`` and the path, and by its words."""
    parameters = {"filter": f"log.file.name = app.json.log and {wanted}", "order": "asc"}
    records = cases_server.get("/logs", **parameters, **sent("collector-filelog").window)["logs"]
    assert [record["body"].get("msg") for record in records] == found


def test_a_record_without_a_service_has_a_name(cases_server, sent):
    """All of these are of one service with one name, in list, facet and filter."""
    window = {"filter": OF["collector-filelog"], **sent("collector-filelog").window}
    (name,) = {record["service"] for record in cases_server.get("/logs", **window)["logs"]}
    (facet,) = cases_server.get("/facets", signal="logs", keys="service.name", **window)["facets"]
    assert [(value["value"], value["count"]) for value in facet["values"]] == [(name, 15)]
    found = cases_server.get("/logs", **{**window, "filter": f"service:{name} and {OF['collector-filelog']}"})["logs"]
    assert len(found) == 15


def test_a_record_without_a_body_shows_what_it_is(cases_server, sent):
    """Rust's ``#[instrument(err)]`` sends no body: the page shows the event's name, never an empty line."""
    parameters = {"filter": "service:warehouse and body not exists", **sent("rust").window}
    answer = cases_server.request("GET", f"/logs?{urllib.parse.urlencode(parameters)}")
    assert answer.status == 200
    _, _, lines = answer.body.decode().partition("Lines over time")
    assert re.sub(r"<[^>]+>", "\n", lines).count("event src/main.rs:23") == 2
