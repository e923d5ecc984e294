"""The faults of the demo shop (docs/demo.md), as records like those that it sends: the evidence holds the cause."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from spanglass_core.alerting.lifecycle import Status
from spanglass_core.alerting.rule import Rule
from spanglass_core.alerting.severity import Severity
from spanglass_server.alerting.evidence.gathering import Evidences, Timing
from spanglass_server.alerting.evidence.shared import Shared
from spanglass_server.alerting.model import Alert, Entry, Failure, Readings
from spanglass_server.alerting.store.in_memory import MemoryAlertStore
from spanglass_server.issues.model import Sighting
from spanglass_server.issues.sqlite_store import SqliteIssueStore
from spanglass_server.query.comparing import candidates, groups
from spanglass_server.query.issues.known import KnownIssues
from spanglass_server.times import NS_PER_MS, NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from spanglass_server.promql.series.vectors import Steps

#: When alerts fire, 14:05 UTC; the condition has held for 90 s. Requests come once a second, since 15 minutes before.
AT_NS = 1_796_047_500 * NS_PER_SECOND
SINCE_S, FIRST_S = -90, -900
ERROR, SERVER, CLIENT, CONSUMER = 2, 2, 3, 5

Span = dict[str, Any]


class Shop:
    """Spans, logs and occurrences of traces that are added; times are in seconds before the fire."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.logs: list[dict[str, Any]] = []
        self.occurrences: list[dict[str, Any]] = []
        self.points: list[dict[str, Any]] = []
        self._ids = itertools.count(1)

    def trace(self, second: float, *spans: tuple[str, str, int, float, Mapping[str, Any]]) -> bytes:
        """Add a trace: service, name, kind, milliseconds and columns of spans, each the child of the one before."""
        trace_id, parent = next(self._ids).to_bytes(16, "big"), None
        for depth, (service, name, kind, long_ms, columns) in enumerate(spans):
            span_id = next(self._ids).to_bytes(8, "big")
            row = {
                "trace_id": trace_id, "span_id": span_id, "parent_span_id": parent, "name": name, "kind": kind,
                "start_time_ns": self.at(second) + depth * NS_PER_MS, "duration_ns": round(long_ms * NS_PER_MS),
                "status_code": 0, "resource.service.name:str": service,
                "resource.service.instance.id:str": f"{service}-1", **columns,
            }  # fmt: skip
            self.spans.append(row)
            parent = span_id
        return trace_id

    def raised(self, trace_id: bytes, second: float, service: str, kind: str, message: str, key: int = 7) -> None:
        """Let a trace have told an exception."""
        self.occurrences.append(
            {"time_ns": self.at(second), "issue_key": key, "service_name": service, "type": kind, "message": message,
             "culprit": "shop.charge", "trace_id": trace_id, "source": 0, "record_time_ns": self.at(second)}
        )  # fmt: skip

    @staticmethod
    def at(second: float) -> int:
        """A time."""
        return AT_NS + round(second * NS_PER_SECOND)


def seconds() -> Iterator[tuple[int, bool]]:
    """Each second with whether the fault is on."""
    for second in range(FIRST_S, 0):
        yield second, second >= SINCE_S


def error(kind: str, message: str) -> dict[str, Any]:
    """Columns of a span that raised."""
    return {"status_code": ERROR, "status_message": f"{kind}: {message}"}


class Held:
    """An ``Evaluator`` of one key, whose condition has held since the fault began."""

    def __init__(
        self, key: tuple[tuple[str, str], ...], value: float, usual: float, threshold: float, unit: str
    ) -> None:
        self.key = key
        self.values = usual, value
        self.threshold = threshold
        self.unit = unit
        self.fails = ""
        self.asked = 0

    def evaluate(self, session: Any, rules: Sequence[Rule], steps: Steps) -> dict[str, Readings | Failure]:
        """Readings of any rule."""
        del session
        self.asked += 1
        if self.fails:
            return {rule.uid: Failure(self.fails) for rule in rules}
        times = (steps.start_ms + steps.step_ms * np.arange(steps.size)) * NS_PER_MS
        holds = times >= AT_NS + SINCE_S * NS_PER_SECOND
        values = np.where(holds, self.values[1], self.values[0])[np.newaxis]
        levels = np.where(holds, 3, 0).astype(np.int8)[np.newaxis]
        readings = Readings(times, (self.key,), values, levels, levels == 0, self.unit, {3: self.threshold})
        return {rule.uid: readings for rule in rules}

    def check(self, rule: Rule) -> None:
        """All rules are right."""


class NoRules:
    """A ``RuleBook`` of the rules of a test."""

    def __init__(self) -> None:
        self.found: dict[str, Any] = {}

    def rules(self) -> Mapping[str, Any]:
        """The rules."""
        return self.found


class Desk:
    """What evidence is gathered with: everything but the records."""

    def __init__(self, path: Path, open_tables: Callable[..., Any]) -> None:
        self.store = MemoryAlertStore()
        self.issues = SqliteIssueStore(path / "issues.sqlite", 1000)
        self.book = NoRules()
        self.open = open_tables
        self.timing = Timing()

    def evidence(self, shop: Shop, rule: Rule, evaluator: Held, shared: Shared | None = None) -> dict[str, Any]:
        """The evidence of an alert of a rule that fires at ``AT_NS``."""
        for row in {row["issue_key"]: row for row in reversed(shop.occurrences)}.values():
            self.issues.observe([_sighting(row)], AT_NS)
        session = self.open(spans=shop.spans, logs=shop.logs, occurrences=shop.occurrences, metrics=shop.points)
        source = Evidences(evaluator, self.store, self.book, KnownIssues(self.issues), self.timing)  # type: ignore[arg-type]
        alert = alert_of(rule, evaluator.key, evaluator.values[1])
        readings = Readings(
            np.array([AT_NS]), (evaluator.key,), np.array([[evaluator.values[1]]]), np.array([[3]], np.int8),
            np.array([[False]]), evaluator.unit, {3: evaluator.threshold},
        )  # fmt: skip
        return dict(source.gather(session, rule, alert, readings, shared or Shared()))


def alert_of(rule: Rule, key: tuple[tuple[str, str], ...], value: float, **changes: Any) -> Alert:
    """An alert of a rule and key."""
    fields: dict[str, Any] = {
        "id": "now", "rule_uid": rule.uid, "rule_name": rule.name, "fingerprint": str(key), "key": key, "title": "bad",
        "description": "", "severity": Severity.ERROR, "status": Status.ACTIVE, "source": "rule", "labels": {},
        "value": value, "unit": "", "created_ns": AT_NS, "updated_ns": AT_NS, "firing": True,
    }  # fmt: skip
    return Alert(**{**fields, **changes})


def _sighting(row: Mapping[str, Any]) -> Sighting:
    return Sighting(
        key=row["issue_key"], service=row["service_name"], title=f"{row['type']}: {row['message']}", type=row["type"],
        message=row["message"], culprit=row["culprit"], version=1, inputs=(("type", row["type"]),),
        first_ns=row["time_ns"], last_ns=row["time_ns"],
    )  # fmt: skip


@pytest.fixture
def desk(tmp_path: Path, open_tables: Callable[..., Any]) -> Iterator[Desk]:
    """Everything but records."""
    desk = Desk(tmp_path, open_tables)
    yield desk
    desk.issues.close()


def of(service: str) -> tuple[tuple[str, str], ...]:
    """The key of a service."""
    return (("service_name", service),)


ERROR_RATE = Rule(uid="errors", name="Errors", condition="error_rate > 0.05", severity=Severity.ERROR)


def payment_failure() -> Shop:
    """Every second charge of payment times out, of those that are paid with visa."""
    shop = Shop()
    for second, is_on in seconds():
        card = ("visa", "amex", "visa", "maestro")[second % 4]
        fails = is_on and card == "visa"
        message = f"no answer from the {card} gateway within 2000 ms"
        trace_id = shop.trace(
            second,
            ("web", "POST /checkout", SERVER, 90, {"status_code": ERROR if fails else 0}),
            ("payment", "POST /charges", SERVER, 40,
             {"span.shop.card.brand:str": card, **(error("ProviderTimeout", message) if fails else {})}),
        )  # fmt: skip
        if fails:
            shop.raised(trace_id, second, "payment", "ProviderTimeout", message)
            for _ in range(2):  # who calls it raises too, and retries
                shop.raised(trace_id, second, "web", "HTTPError", "Server error 500", 8)
    return shop


def test_payment_failure(desk: Desk) -> None:
    """The exception, its issue, the operation with its share, and the card that all failed charges have."""
    found = desk.evidence(payment_failure(), ERROR_RATE, Held(of("payment"), 0.5, 0, 0.05, "ratio"))

    assert found["left_out"] == []
    assert found["about"]["topic"] == "errors"
    (first, *_) = found["attributes"]["attributes"]
    assert (first["key"], first["value"], first["share"]) == ("shop.card.brand", "visa", 1.0)
    issue = found["issues"][0]
    assert [each["service"] for each in found["issues"]] == ["payment", "web"]
    assert (issue["service"], issue["share"], issue["is_new"]) == ("payment", 1.0, True)
    assert issue["title"].startswith("ProviderTimeout")
    assert [example["role"] for example in found["examples"]] == ["worst", "typical", "newest"]
    assert all("ProviderTimeout: no answer from the visa gateway" in each["reason"] for each in found["examples"])
    assert found["cause"].startswith("POST /charges of payment fails for 50 % of requests since 14:03:30 UTC: Provider")
    assert "100 % of the failed spans have shop.card.brand = visa" in found["cause"]
    assert found["figures"]["failed_share"] == 0.5
    assert [found["figures"][when]["spans"] for when in ("now", "before")] == [90, pytest.approx(90, abs=1)]
    assert found["value"]["value"] == 0.5
    assert len(found["value"]["times_s"]) == len(found["value"]["values"]) == 61


def test_of_many_records_the_newest_are_compared(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """They tell the same; how many are bad is counted of all."""
    held, new = Held(of("payment"), 0.5, 0, 0.05, "ratio"), Held((("issue", "PAYMENT-1"), *of("payment")), 1, 0, 0, "")
    issue = Rule(uid="new", name="New", condition="new_issue", severity=Severity.ERROR)
    asked = (ERROR_RATE, held), (issue, new)
    shop = payment_failure()
    spans = {row["trace_id"]: row["span_id"] for row in shop.spans if row["name"] == "POST /charges"}
    for row in shop.occurrences:
        row["span_id"] = spans[row["trace_id"]]
    whole = [desk.evidence(shop, rule, each)["attributes"] for rule, each in asked]
    monkeypatch.setattr(candidates, "_ENOUGH", 90)
    monkeypatch.setattr(groups, "_MOST_BAD", 20)
    few = [desk.evidence(shop, rule, each)["attributes"] for rule, each in asked]

    assert [each["bad"] for each in few] == [each["bad"] for each in whole] == [45, 45]
    assert [each["others"] for each in whole] == [375, 420]
    assert [each["others"] for each in few] == [90, 90]  # half of them from before
    for each in few:
        assert [(each["attributes"][0][name]) for name in ("key", "value", "share")] == ["shop.card.brand", "visa", 1.0]


def test_much_fails_and_nothing_else(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """With no others at its side what fails is compared with the time before, however much of it there is."""
    shop = Shop()
    for second in range(2 * (SINCE_S - 120), 0):
        is_bad = second >= SINCE_S - 120
        columns = {"resource.service.version:str": "2.0" if is_bad else "1.8", "span.shop.card.brand:str": "visa"}
        failed = error("ProviderTimeout", "no answer") if is_bad else {}
        trace_id = shop.trace(second, ("payment", "POST /charges", SERVER, 40, {**columns, **failed}))
        if is_bad:
            shop.raised(trace_id, second, "payment", "ProviderTimeout", "no answer")
            shop.occurrences[-1]["span_id"] = shop.spans[-1]["span_id"]
    monkeypatch.setattr(candidates, "_ENOUGH", 90)
    new = Held((("issue", "PAYMENT-1"), *of("payment")), 1, 0, 0, "")
    issue = Rule(uid="new", name="New", condition="new_issue", severity=Severity.ERROR)
    asked = (ERROR_RATE, Held(of("payment"), 1, 0, 0.05, "ratio")), (issue, new)
    found = [desk.evidence(shop, rule, held)["attributes"] for rule, held in asked]

    assert [(each["bad"], each["others"]) for each in found] == [(210, 90), (210, 90)]
    for each, share in zip(found, (0.0, 0.5), strict=True):
        (first,) = each["attributes"]
        assert (first["key"], first["value"], first["other_share"]) == ("service.version", "2.0", share)


def test_alerts_that_open_together(desk: Desk) -> None:
    """What they have in common is read once, and each has the evidence that it would have alone."""
    held, shared = Held(of("payment"), 0.5, 0, 0.05, "ratio"), Shared()
    alone = desk.evidence(payment_failure(), ERROR_RATE, held)
    assert [desk.evidence(payment_failure(), ERROR_RATE, held, shared) for _ in range(2)] == [alone, alone]
    assert held.asked == 2
    other = Held(of("web"), 0.5, 0, 0.05, "ratio")
    beside = desk.evidence(payment_failure(), replace(ERROR_RATE, uid="of web"), other, shared)
    assert beside == desk.evidence(payment_failure(), replace(ERROR_RATE, uid="of web"), other)


def test_most_alerts_of_a_storm(desk: Desk) -> None:
    """What takes longest is left out and named where an issue's page shows it; all else is as it would be."""
    issue = Rule(uid="new", name="New", condition="new_issue", severity=Severity.ERROR)
    new, shared = Held((("issue", "PAYMENT-1"), *of("payment")), 1, 0, 0, ""), Shared()
    whole = desk.evidence(payment_failure(), issue, new)
    shared.is_brief = True
    brief = desk.evidence(payment_failure(), issue, new, shared)
    assert [each["part"] for each in brief["left_out"]] == ["examples", "attributes"]
    assert whole.keys() - brief.keys() == {"examples", "attributes"}
    assert (brief["figures"], brief["issues"][0]) == (whole["figures"], whole["issues"][0])

    held = Held(of("payment"), 0.5, 0, 0.05, "ratio")
    assert desk.evidence(payment_failure(), ERROR_RATE, held, shared) == desk.evidence(
        payment_failure(), ERROR_RATE, held
    )


def test_the_reason_is_where_it_began(desk: Desk) -> None:
    """For the alert of a caller, too, it is the exception of the service that failed first, not its own."""
    found = desk.evidence(payment_failure(), ERROR_RATE, Held(of("web"), 0.5, 0, 0.05, "ratio"))
    assert found["cause"].startswith(
        "POST /checkout of web fails for 50 % of requests since 14:03:30 UTC: ProviderTime"
    )
    assert "at POST /charges of payment" in found["cause"]


def test_spans_that_fail_without_a_word(desk: Desk) -> None:
    """Spans that have a status and no message are no cause: nothing is said with an end left open."""
    shop = Shop()
    for second, is_on in seconds():
        shop.trace(
            second, ("cart", "GET /cart", SERVER, 20, {"status_code": ERROR if is_on and second % 3 == 0 else 0})
        )
    found = desk.evidence(shop, ERROR_RATE, Held(of("cart"), 0.33, 0, 0.05, "ratio"))
    assert {each["reason"] for each in found["examples"]} == {"cart, GET /cart fails"}
    assert found["cause"] == ""


def test_product_failure(desk: Desk) -> None:
    """One product is behind all the errors, though they are few."""
    shop = Shop()
    for second, is_on in seconds():
        product = f"p-{second % 20}"
        fails = is_on and product == "p-13"
        columns = error("ValueError", "unreadable weight") if fails else {}
        shop.trace(
            second, ("catalog", "GET /products/<id>", SERVER, 9, {"span.shop.product.id:str": product, **columns})
        )
    found = desk.evidence(shop, ERROR_RATE, Held(of("catalog"), 0.06, 0, 0.05, "ratio"))

    top = found["attributes"]["attributes"][0]
    assert (top["key"], top["value"], top["share"]) == ("shop.product.id", "p-13", 1.0)
    assert "shop.product.id = p-13" in found["cause"]
    assert "unreadable weight" in found["cause"]


@pytest.mark.parametrize("lone", [False, True])
def test_a_new_issue(desk: Desk, *, lone: bool) -> None:
    """An alert about an issue has its traces, and what sets its occurrences apart from all requests of the service.

    Of a single occurrence, too, what others have is told and ids are not, but the sentence says nothing about it.
    """
    shop = Shop()
    for second, is_on in seconds():
        product = f"p-{second % 20}"
        fails = product == "p-13" and (second == -7 if lone else is_on)
        columns = {"span.shop.request.id:str": str(second), "span.http.response.status_code:int": 500 if fails else 200,
                   **(error("ValueError", "unreadable weight") if fails else {})}  # fmt: skip
        trace_id = shop.trace(
            second, ("catalog", "GET /products/<id>", SERVER, 9, {"span.shop.product.id:str": product, **columns})
        )
        if fails:
            shop.raised(trace_id, second, "catalog", "ValueError", "unreadable weight")
            shop.occurrences[-1]["span_id"] = shop.spans[-1]["span_id"]
    rule = Rule(uid="new", name="A new error", condition="new_issue", severity=Severity.WARNING)
    issue = ("issue", "CATALOG-1")
    found = desk.evidence(shop, rule, Held((issue, *of("catalog")), 1, 0, 0, ""))

    assert found["left_out"] == []
    assert found["about"]["topic"] == "issue"
    assert found["issues"][0]["issue"] == "CATALOG-1"
    top = found["attributes"]["attributes"][0]
    assert (top["key"], top["value"], top["share"]) == ("shop.product.id", "p-13", 1.0)
    assert len(found["examples"]) == (1 if lone else 3)
    assert found["examples"][0]["operation"] == "GET /products/<id>"
    assert found["cause"].startswith("ValueError: unreadable weight at GET /products/<id> of catalog, a new issue")
    assert ("shop.product.id = p-13, 5 % of all" in found["cause"]) is not lone


def slow_query() -> Shop:
    """The search of catalog reads everything, in one statement."""
    shop = Shop()
    for second, is_on in seconds():
        slow = is_on and second % 2 == 0
        took = 400 if slow else 6
        path: Any = ("catalog", "GET /products" if second % 2 == 0 else "GET /health", SERVER, took + 9, {})
        statement = {
            "span.db.query.text:str": "SELECT * FROM reviews r, products p",
            "span.db.system.name:str": "sqlite",
        }
        shop.trace(second, path, ("catalog", "SELECT", CLIENT, took if second % 2 == 0 else 1, statement))
    return shop


def test_slow_query(desk: Desk) -> None:
    """The statement that holds the time of the slow traces is named, and the operation that became slower."""
    rule = Rule(uid="slow", name="Slow", condition="p95(response_time) > 200ms", severity=Severity.ERROR)
    found = desk.evidence(slow_query(), rule, Held(of("catalog"), 0.4, 0.01, 0.2, "s"))

    assert (found["about"]["topic"], found["about"]["bad"]) == ("latency", "duration > 200ms")
    spent = found["examples"][0]["time_spent"]
    assert (spent["name"], spent["query"], spent["count"]) == ("SELECT * FROM reviews r, products p", True, 1)
    operation = found["figures"]["operations"][0]
    assert operation["now"]["p95_ns"] > 10 * operation["before"]["p95_ns"]
    assert found["cause"].startswith("GET /products of catalog takes longer than 200ms in 45 spans since")
    assert "SELECT * FROM reviews r, products p" in found["cause"]


def test_payment_down(desk: Desk) -> None:
    """Checkout's evidence names whom it could not reach, why, and since when nothing came from there."""
    shop = Shop()
    address = {"span.server.address:str": "127.0.0.1", "span.server.port:int": 8083}
    for second, is_on in seconds():
        down = error("ConnectError", "All connection attempts failed") if is_on else {}
        charge: Any = [] if is_on else [("payment", "POST /charges", SERVER, 20, {})]
        shop.trace(
            second,
            ("checkout", "POST /orders", SERVER, 50, {"status_code": ERROR if is_on else 0}),
            ("checkout", "POST", CLIENT, 30, {**address, **down}),
            *charge,
        )
    found = desk.evidence(shop, ERROR_RATE, Held(of("checkout"), 1.0, 0, 0.05, "ratio"))

    failure = found["examples"][0]["failure"]
    assert failure["peer"] == {"host": "127.0.0.1", "port": 8083, "service": "payment"}
    (silent,) = (change for change in found["changes"] if change["kind"] == "silent")
    assert (silent["service"], silent["text"]) == ("payment", "nothing came from payment after 14:03:29 UTC")
    assert "calls of payment by checkout fail: ConnectError: All connection attempts failed" in found["cause"]
    assert "nothing came from payment" in found["cause"]


def test_a_release_that_breaks(desk: Desk) -> None:
    """A release and the restart that brought it are among the changes and in the sentence."""
    shop = Shop()
    for second, is_on in seconds():
        columns = {
            "resource.service.version:str": "1.1" if is_on else "1.0",
            "resource.service.instance.id:str": "b" if is_on else "a",
            **(error("KeyError", "price") if is_on else {}),
        }
        shop.trace(second, ("cart", "GET /cart", SERVER, 9, columns))
    found = desk.evidence(shop, ERROR_RATE, Held(of("cart"), 1.0, 0, 0.05, "ratio"))

    assert [(each["kind"], each["value"]) for each in found["changes"]] == [("release", "1.1"), ("restart", "b")]
    assert "release 1.1 of cart began at 14:03:30 UTC" in found["cause"]


def test_a_health_check(desk: Desk) -> None:
    """An alert about a health check says what the check said, and nothing of other checks of the same service."""
    shop = Shop()
    told = [
        (-95, "Backup", 17, "health check Backup is unhealthy: a call was due at 03:00"),
        (-80, "Queue", 17, "health check Queue is unhealthy: connection refused"),
        (-120, "Backup", 9, "health check Backup is healthy: called"),
    ]
    for order, (second, name, severity, body) in enumerate(told):
        shop.logs.append(
            {"time_ns": shop.at(second), "arrival_order": order + 1, "severity_number": severity,
             "body": body, "event_name": "spanglass.health.changed",
             "resource.service.name:str": "spanglass", "log.spanglass.health.check.name:str": name}
        )  # fmt: skip
    condition = "min(spanglass.health.check.status) by (service, spanglass.health.check.name) < 1"
    rule = Rule(uid="health", name="A health check fails", condition=condition, severity=Severity.ERROR)
    key = (*of("spanglass"), ("spanglass_health_check_name", "Backup"))
    found = desk.evidence(shop, rule, Held(key, 0, 1, 1, ""))
    assert found["cause"] == "health check Backup is unhealthy: a call was due at 03:00"
    assert [log["body"] for log in found["logs"]] == [found["cause"]]


def test_errors_in_logs(desk: Desk) -> None:
    """For a rule about logs the records are the logs, beside the others of the service; three are shown."""
    shop = Shop()
    for second, is_on in seconds():
        for number in range(3 if is_on else 1):
            bad = is_on and number > 0
            shop.logs.append(
                {"time_ns": shop.at(second), "arrival_order": len(shop.logs) + 1, "severity_number": 17 if bad else 9,
                 "severity_text": "ERROR" if bad else "INFO", "body": "stock feed broken" if bad else "searched",
                 "resource.service.name:str": "catalog", "log.feed:str": "stock" if bad else "none"}
            )  # fmt: skip
    rule = Rule(uid="logs", name="Logs", condition="log_errors > 0.5", severity=Severity.ERROR)
    found = desk.evidence(shop, rule, Held(of("catalog"), 2, 0.1, 0.5, "/s"))

    assert (found["about"]["signal"], found["left_out"]) == ("logs", [])  # they have no traces to be examples
    assert [log["body"] for log in found["logs"]] == ["stock feed broken"] * 3
    assert (found["attributes"]["bad"], found["attributes"]["attributes"][0]["value"]) == (180, "stock")
    assert "100 % of the bad logs have feed = stock" in found["cause"]


def test_errors_in_logs_of_any_service(desk: Desk) -> None:
    """For a rule about all logs, whose filter is one with ``or``, logs without a trace are no examples of traces."""
    shop = Shop()
    for second, is_on in seconds():
        shop.logs.append(
            {"time_ns": shop.at(second), "arrival_order": len(shop.logs) + 1, "severity_number": 17 if is_on else 9,
             "severity_text": "", "body": "broken", "resource.service.name:str": "catalog"}
        )  # fmt: skip
    rule = Rule(uid="logs", name="Logs", condition="count(logs) >= 0", severity=Severity.ERROR)
    found = desk.evidence(shop, rule, Held((), 2, 0.1, 0.5, "/s"))
    assert (found["about"]["filter"], found["about"]["bad"], found["left_out"]) == ("", "severity >= error", [])
    assert "examples" not in found


@pytest.mark.parametrize(("used", "said"), [(0.07, ""), (1.8, "process 7 of shop uses 1.8 processors")])
def test_a_busy_host(desk: Desk, used: float, said: str) -> None:
    """A rule about a host has its processes, and names one only if it uses much."""
    shop = Shop()
    point = {"metric_name": "process.cpu.utilization", "metric_type": "gauge", "metric_unit": "1",
             "resource.host.name:str": "h1", "resource.process.pid:int": 7, "resource.service.name:str": "shop",
             }  # fmt: skip
    shop.points = [{**point, "time_ns": shop.at(second), "value_double": used} for second in range(-110, 0, 10)]
    rule = Rule(uid="cpu", name="Busy", condition="cpu_usage > 90%", severity=Severity.ERROR)
    found = desk.evidence(shop, rule, Held((("host_name", "h1"),), 0.95, 0.9, 0.9, "ratio"))
    assert found["left_out"] == []
    assert (found["about"]["topic"], found["about"]["host"]) == ("host", "h1")
    assert [(each["pid"], each["cpu"]) for each in found["processes"]] == [(7, used)]
    assert found["cause"] == said


def test_past_alerts(desk: Desk) -> None:
    """Earlier alerts of the rule and key are told with how long they took, who ended them and why; else ones alike."""
    desk.book.found = {"errors": type("Found", (), {"rule": ERROR_RATE})()}
    key = of("payment")
    other = Rule(uid="other", name="More errors", condition='error_rate{service="payment"} > 0.5')
    held = Held(key, 0.5, 0, 0.05, "ratio")
    old = alert_of(ERROR_RATE, key, 0.4, id="old", created_ns=AT_NS - 10_000, fingerprint=str(key))
    desk.store.create(old, Entry(old.created_ns, "fired", "rule"))
    desk.store.change_status("old", Status.RESOLVED, Entry(AT_NS - 4_000, "resolved", "ann", "provider was down"))

    (same,) = desk.evidence(payment_failure(), ERROR_RATE, held)["similar"]
    assert (same["alert"], same["same"], same["status"], same["duration_ns"]) == ("old", True, "resolved", 6_000)
    assert (same["resolved_by"], same["reason"]) == ("ann", "provider was down")
    (alike,) = desk.evidence(payment_failure(), other, held)["similar"]
    assert (alike["alert"], alike["same"]) == ("old", False)


def test_parts_that_fail_are_left_out(desk: Desk) -> None:
    """A part that can't be found out, or that there is no time for, is named with the reason; the rest is there."""
    held = Held(of("payment"), 0.5, 0, 0.05, "ratio")
    held.fails = "too many samples"
    found = desk.evidence(payment_failure(), ERROR_RATE, held)
    assert found["left_out"] == [{"part": "value", "reason": "too many samples"}]
    assert found["value"]["value"] == 0.5
    assert found["issues"]

    desk.timing = Timing(limit_s=3, clock_s=itertools.count().__next__)
    hurried = desk.evidence(payment_failure(), ERROR_RATE, held)
    assert {"part": "figures", "reason": "there was no time left"} in hurried["left_out"]
    assert "figures" not in hurried
    assert hurried["about"]["service"] == "payment"
