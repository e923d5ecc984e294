"""Rules, alerts, handlers, channels and history of an application's ``AlertManager``."""

from __future__ import annotations

import asyncio
import logging
import runpy
import threading
from pathlib import Path

import pytest

from spanglass.api.analysis.figures import Figures
from spanglass.client.errors import UnreachableError
from spanglass.errors import AlertError, NotificationError
from spanglass.monitoring.alerts import Alert
from spanglass.monitoring.manager import AlertManager
from spanglass.monitoring.rules import AlertRule
from spanglass_core.alerting.fingerprints import digest_of
from spanglass_core.alerting.lifecycle import Status
from spanglass_core.alerting.severity import Severity

EXAMPLES = Path(__file__).parents[3] / "examples"
ERRORS = AlertRule("Errors", "error_rate > 5%", "critical", ["pager"], warning="1%", labels={"team": "shop"})


@pytest.fixture
def told():
    """What was told of alerts: status and severity."""
    return []


@pytest.fixture
def manager(time, told):
    made = AlertManager(clock=time.clock)
    made.add_channel("pager", lambda alert: told.append(f"pager {alert.severity} {alert.status}"))
    made.add_handler("threshold", lambda alert: told.append(f"handler {alert.severity} {alert.status}"))
    return made


def check(manager, time, numbers, **labels):
    """Check a minute later."""
    time.pass_s(60)
    return manager.check_metrics(numbers, labels)


def kinds(manager, alert):
    return [each.kind for each in manager.history(alert.id)]


def test_an_alert_from_the_first_check_to_the_end(manager, time, told):
    """A11: it fires, is told to handler and channel, becomes worse, and is resolved when the figure recovers."""
    manager.add_rule(ERRORS)
    assert check(manager, time, {"error_rate": 0.01}) is None
    alert = check(manager, time, {"error_rate": 0.02})

    assert (alert.title, alert.severity, alert.status) == ("Errors: error_rate > 5%, is 0.02", "warning", "active")
    assert (alert.rule, alert.alert_type, dict(alert.labels)) == ("Errors", "threshold", {"team": "shop"})
    assert check(manager, time, {"error_rate": 0.02}) == manager.alert(alert.id)  # until it is processed
    done = asyncio.run(manager.process_alert(alert))
    assert (len(done.deliveries), done.errors) == (2, ())
    assert sorted(told) == ["handler warning active", "pager warning active"]
    assert check(manager, time, {"error_rate": 0.03}) is None
    assert asyncio.run(manager.process_alert(alert)).deliveries == ()

    told.clear()
    worse = check(manager, time, {"error_rate": 0.06})
    assert (worse.id, worse.severity) == (alert.id, Severity.CRITICAL)
    asyncio.run(manager.process_alert(worse))
    assert check(manager, time, {"error_rate": 0.0097}) is None  # not recovered: five percent below the lowest
    assert check(manager, time, {"error_rate": 0.009}) is None
    asyncio.run(manager.process_waiting())

    assert sorted(told) == [
        "handler critical active",
        "handler warning resolved",
        "pager critical active",
        "pager warning resolved",
    ]
    over = manager.alert(alert.id)
    assert (over.status, over.resolved_by, over.is_open) == (Status.RESOLVED, "rule", False)
    assert kinds(manager, alert) == [
        *("fired", "delivered", "delivered", "raised", "delivered", "delivered", "lowered", "resolved"),
        *("delivered", "delivered"),
    ]
    assert manager.active_alerts() == []


def test_the_flow_of_the_example(capsys):
    """A6: health, check, process, performance, report, as the example has it; it runs without a server."""
    alerts = asyncio.run(runpy.run_path(str(EXAMPLES / "health_and_alerts.py"))["main"]())

    printed = capsys.readouterr().out
    assert {(alert.rule, alert.severity.value, alert.status.value) for alert in alerts} >= {
        ("Not healthy", "warning", "resolved"),
        ("High error rate", "critical", "active"),
    }
    assert "[critical] active: High error rate: error_rate > 0.05, is 0.1" in printed
    assert "[warning] resolved: Not healthy" in printed
    assert "status: critical" in printed
    assert "Begin with checkout" in printed


def test_the_conditions_that_everybody_writes_fire(manager, time):
    """N15: these strings, as they stand, on figures in base units; each set of labels has an alert of its own."""
    for name, condition in (("a", "error_rate > 0.05"), ("b", "avg_response_time > 1000ms"), ("c", "disk_usage > 90%")):
        manager.add_rule({"name": name, "condition": condition, "for": "1m"})
    numbers = {"error_rate": 0.06, "avg_response_time": 1.1, "disk_usage": 0.91}

    assert check(manager, time, numbers, host="w1") is None
    assert check(manager, time, Figures(numbers, labels={"host": "w1"}, time_ns=time.now_ns + 60 * 10**9)) is not None
    check(manager, time, {"disk_usage": 0.95}, host="w2")
    check(manager, time, {"disk_usage": 0.95}, host="w2")

    assert sorted((alert.rule, alert.labels["host"]) for alert in manager.active_alerts()) == [
        ("a", "w1"), ("b", "w1"), ("c", "w1"), ("c", "w2")
    ]  # fmt: skip


def test_alerts_by_hand_are_routed_counted_and_kept(manager, time, told):
    """A4: send_alert goes through routing, deduplication and history; after the end a new alert begins."""
    manager.add_rule(AlertRule("Backup", "backup_age > 1d", "error", ["pager", "nobody"], alert_type="backup"))

    async def send():
        first = await manager.send_alert("Backup", "the backup of tonight failed", labels={"host": "w1"})
        again = await manager.send_alert("Backup", "and again", labels={"host": "w1"})
        other = await manager.send_alert("Backup", "here too", labels={"host": "w2"}, severity="critical")
        return first, again, other

    first, again, other = asyncio.run(send())

    assert (first.id == again.id, again.count, again.title) == (True, 2, "the backup of tonight failed")
    assert told == ["pager error active", "pager critical active"]  # no handler of this type: it is logged
    assert kinds(manager, first) == ["fired", "delivered", "delivered", "counted"]
    assert [each.id for each in manager.active_alerts()] == [other.id, first.id]
    time.pass_s(5)
    manager.acknowledge(first.id, by="ann")
    assert manager.resolve(first.id, by="ann", reason="disk was full").resolved_by == "ann"
    with pytest.raises(AlertError, match="an alert that is resolved can't become dismissed"):
        manager.dismiss(first.id)
    third = asyncio.run(manager.send_alert(AlertRule("Backup", "backup_age > 1d"), "once more", labels={"host": "w1"}))
    assert third.id != first.id
    assert kinds(manager, first)[-2:] == ["acknowledged", "resolved"]
    with pytest.raises(AlertError, match="there is no rule 'Backups'"):
        asyncio.run(manager.send_alert("Backups", "x"))
    with pytest.raises(AlertError, match="'bad' is no severity"):
        asyncio.run(manager.send_alert("Backup", "x", severity="bad"))


def test_what_fails_is_in_nobodys_way(time, told, caplog):
    """A handler that raises or hangs is an error of its delivery; blocking functions run in threads, not the loop."""
    manager = AlertManager({"alerting": {"timeout": 0.2}}, clock=time.clock)
    released = threading.Event()

    async def hang(_alert):
        await asyncio.Event().wait()

    def block(_alert):
        told.append(threading.current_thread() is threading.main_thread())
        released.wait()

    manager.add_handler("*", lambda _: 1 / 0)
    manager.add_handler("*", hang)
    manager.add_handler("*", block)
    manager.add_handler("*", lambda alert: told.append(alert.title))
    manager.add_rule(AlertRule("a", "x > 1"))

    async def process():
        done = await manager.process_alert(manager.check_metrics({"x": 2}))
        released.set()
        return done

    done = asyncio.run(process())

    assert sorted(map(str, done.errors)) == [
        "handler 'threshold#1' took longer than 0.2 s",
        "handler 'threshold#2' took longer than 0.2 s",
        "handler 'threshold' failed: ZeroDivisionError: division by zero",
    ]
    assert sorted(map(str, told)) == ["False", "a: x > 1, is 2"]
    with pytest.raises(NotificationError, match="handler 'threshold"):
        done.raise_for_errors()
    assert kinds(manager, done.alert).count("not_delivered") == 3
    plain = AlertManager(clock=time.clock)
    plain.add_rule(AlertRule("b", "x > 1", "error"))
    with caplog.at_level(logging.INFO, "spanglass.monitoring"):
        asyncio.run(plain.process_alert(plain.check_metrics({"x": 2})))
    assert [(each.levelname, each.message) for each in caplog.records] == [
        ("ERROR", "alert active: b: x > 1, is 2 (error)")
    ]


class Client:
    """As much of the client as is asked; away until it is told to be there."""

    url = "http://server"

    def __init__(self):
        self.is_away, self.calls = True, []

    async def create_alert(self, title, severity, **fields):
        """Take an alert."""
        if self.is_away:
            raise UnreachableError("away")
        self.calls.append(("create", title, severity, fields["fingerprint"], fields["source"]))
        return Alert(id="on-server", title=title, severity=severity, fingerprint="")

    async def resolve_alert(self, alert_id, *, by, reason):
        """Take its end."""
        self.calls.append(("resolve", alert_id, by, reason))

    async def close(self):
        """End."""
        self.calls.append(("close",))


def test_the_server_gets_what_it_missed(time):
    """Alerts are on the server too; those of a time in which it was away follow, and their end is told."""
    client = Client()
    manager = AlertManager({"alerting": {"source": "shop"}}, client=client, clock=time.clock)
    manager.add_rule(AlertRule("a", "x > 1"))
    alert = manager.check_metrics({"x": 2})

    assert [str(each) for each in asyncio.run(manager.process_alert(alert)).errors] == [
        "server 'http://server' failed: UnreachableError: away"
    ]
    client.is_away = False
    assert [each.alert.id for each in asyncio.run(manager.process_waiting())] == [alert.id]
    assert asyncio.run(manager.process_waiting()) == []
    assert check(manager, time, {"x": 0}) is None
    asyncio.run(manager.close())

    assert manager.alert(alert.id).server_id == "on-server"
    assert client.calls == [
        ("create", "a: x > 1, is 2", "warning", digest_of("application", "shop", [], alert.fingerprint), "shop"),
        ("resolve", "on-server", "rule", "its condition holds no more"),
        ("close",),
    ]


def test_a_configuration_makes_rules_and_can_switch_alerting_off(time):
    """C1 and C3: rules and channels of a configuration are checked at once, and enabled: false is no alert."""
    config = {"alerting": {"channels": ["email"]}, "alert_rules": [{"name": "a", "condition": "x > 1"}]}
    off = AlertManager({**config, "alerting": {"enabled": False}}, clock=time.clock)
    on = AlertManager(config, clock=time.clock)

    assert (off.check_metrics({"x": 2}), list(off.rules())) == (None, ["a"])
    assert on.check_metrics({"x": 2}).rule == "a"
    assert (
        on.check_metrics({"y": 2}).rule == "a"
    )  # which waits; a rule is checked if it is about a number that is given
    on.remove_rule("a")
    assert on.rules() == {}
    with pytest.raises(AlertError, match="'emial' is no channel; did you mean email"):
        on.add_rule(AlertRule("b", "x > 1", channels=["emial"]))
    with pytest.raises(AlertError, match="rule '\\?': name is missing"):
        AlertManager({"alert_rules": [{"condition": "x > 1"}]})


def test_no_data_can_be_an_alert_and_absence_is_a_condition(manager, time):
    """no_data="alert" fires where a number is None, after `for`; absent(x) where there is none, until there is one."""
    manager.add_rule(AlertRule("a", "x > 1", "error", no_data="alert", for_="1m"))
    manager.add_rule(AlertRule("b", "absent(y)"))

    assert [check(manager, time, {"x": value, "y": 1}) for value in (0, None)] == [None, None]
    gone = check(manager, time, {"x": None})
    titles = {each.title for each in manager.active_alerts()}
    check(manager, time, {"x": 0, "y": 1})

    assert (gone.title, gone.severity) == ("a: no data", "error")
    assert titles == {"a: no data", "b: absent(y)"}
    assert manager.active_alerts() == []


@pytest.mark.parametrize(
    ("rule", "said", "column"),
    [
        (AlertRule("a", "x >> 1"), "rule 'a': condition 'x >> 1': column 4: > can't stand here", 4),
        (AlertRule("a", "response_time > 2 * baseline"), "baseline needs a server", 21),
        (AlertRule("a", "x > 1", "fatal"), "'fatal' is no severity", 0),
        (AlertRule("a", "x > 1", critical=0.5), "critical at 0.5 comes before warning at 1", 0),
        (AlertRule("a", "x > 1", critical="5 apples"), "critical: apples is no unit", 0),
        (AlertRule("a", "x > 1", critical=True), "critical is True, and must be a number", 0),
        (AlertRule("a", "x > 1", for_="5 apples"), "for: unknown unit 'apples'", 0),
        (AlertRule("a", "x > 1", channels="email"), "channels is 'email', and must be a list", 0),
        (AlertRule("a", "x > 1", no_data="fire"), "no_data is 'fire'", 0),
        (AlertRule("", "x > 1"), "a rule needs a name", 0),
        (AlertRule("a", 5), "condition is 5, and must be a text", 0),
        (
            {"name": "a", "condition": "x > 1", "sevrity": "error"},
            "sevrity is no key of a rule; did you mean severity",
            0,
        ),
        ("x > 1", "'x > 1' is no rule", 0),
    ],
)
def test_a_rule_is_checked_when_it_is_added(manager, rule, said, column):
    """A4: what is wrong is said at once, with the rule, the key, and the column in the condition."""
    with pytest.raises(AlertError) as caught:
        manager.add_rule(rule)

    assert said in str(caught.value)
    assert caught.value.column == column
    assert manager.rules() == {}


def test_alerts_made_elsewhere_can_be_processed_and_old_ones_are_forgotten(manager, time, told):
    """An Alert object is taken over once; a thousand alerts that are over are kept, and open ones are not forgotten."""
    made = Alert(id="", title="by hand", severity=Severity.ERROR, fingerprint="f", alert_type="threshold")
    done = asyncio.run(manager.process_alert(made))
    assert asyncio.run(manager.process_alert(made)).alert.count == 2
    assert told == ["handler error active"]

    manager.add_rule(AlertRule("a", "x > 1"))
    for number in range(2_002):
        manager.check_metrics({"x": 2 * (number % 2)})
        time.pass_s(1)
    assert len(manager.alerts()) == 1_000
    assert manager.alert(done.alert.id).is_open
    with pytest.raises(AlertError, match="there is no alert 'x'"):
        manager.alert("x")
