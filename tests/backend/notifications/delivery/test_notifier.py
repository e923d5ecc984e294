"""What becomes of alerts: who is to be told, when, once; over failures, restarts and changes of what is configured."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from types import SimpleNamespace

import pytest
from made_notifications import attempt

from spanglass_core.alerting.rule import Rule
from spanglass_core.alerting.severity import Severity
from spanglass_server.alerting.desk import Desk, NewAlert
from spanglass_server.alerting.model import Entry
from spanglass_server.alerting.store.in_memory import MemoryAlertStore
from spanglass_server.notifications.delivery.deciding import Deciding
from spanglass_server.notifications.delivery.notifier import Notifier
from spanglass_server.notifications.delivery.sending.fallback import fallback_id
from spanglass_server.notifications.model import Channel, Matcher, Reason, Route, Silence, State
from spanglass_server.notifications.people.model import Escalation, Step, Target
from spanglass_server.notifications.ports import Configuration, Decision, DeliveryFilter, Tried
from spanglass_server.notifications.store.in_memory import MemoryNotificationStore
from spanglass_server.self_metrics.registry import Telemetry

SECOND = 10**9
ROOT = Route(
    key="{}",
    channels=("mail",),
    group_by=("service",),
    group_wait_ns=30 * SECOND,
    group_interval_ns=300 * SECOND,
    repeat_interval_ns=4 * 3600 * SECOND,
)


class World:
    """Alerts, a notifier over stores in memory, and a clock that stands still until it is moved."""

    def __init__(self):
        self.now_ns, self.told, self.woken = 1000 * SECOND, set(), 0
        self.ids = count(1)
        self.alerts = MemoryAlertStore()
        self.desk = Desk(None, self.alerts, None, None, lambda: self.now_ns, lambda: f"a{next(self.ids)}")
        self.store = MemoryNotificationStore()
        self.rules = {}
        self.configure()
        self.restart()

    def configure(self, route=ROOT, escalations=(), **channels):
        """Configure a route, escalations and channels; there is always one called mail."""
        named = {"mail": {}} | channels
        made = {name: Channel(name=name, kind="webhook", options=None, **changes) for name, changes in named.items()}
        self.configured = Configuration(made, route, escalations=dict(escalations))

    def restart(self):
        """Begin anew from what is stored."""
        self.notifier = Notifier(
            Deciding(
                alerts=self.alerts,
                rules=SimpleNamespace(rules=lambda: self.rules),
                store=self.store,
                book=SimpleNamespace(configuration=lambda: self.configured),
                telemetry=Telemetry(),
                clock_ns=lambda: self.now_ns,
                new_id=lambda: f"n{next(self.ids)}",
                decided=self.wake,
            )
        )

    def wake(self):
        """Note that there is something to deliver."""
        self.woken += 1

    def look(self):
        """Have the notifier look; where it says that this is not needed, nothing comes of it."""
        needed, before = self.notifier.has_news(), (self.alerts.version(), self.store.version())
        more = self.notifier.step()
        assert needed or (more, self.alerts.version(), self.store.version()) == (False, *before)
        return more

    def fire(self, service, *, seen=True, **changes):
        """Have an alert fire, and the notifier see it."""
        new = NewAlert(title=f"{service} is slow", labels={"service": service, **changes.pop("labels", {})}, **changes)
        alert = self.desk.create(new, "rule")
        while seen and self.look():
            pass
        return alert

    def after(self, seconds):
        """Let time pass; what is to be told since the last time, as (channel, reason, ids of alerts)."""
        self.now_ns += int(seconds * SECOND)
        while self.look():
            pass
        every = [each.notification for each in self.store.deliveries(DeliveryFilter(), limit=999)][::-1]
        fresh = [each for each in every if each.id not in self.told]
        self.told |= {each.id for each in fresh}
        self.fresh = fresh
        return [(each.channel, str(each.reason), [alert.id for alert in each.alerts]) for each in fresh]

    def done(self, notification, state, error="", answer=""):
        """Log that a notification was delivered or not."""
        outcome = {"error": error} if error else {}
        tried = attempt(started_ns=self.now_ns, **outcome)
        if answer:
            tried = replace(tried, outcome=replace(tried.outcome, answer=answer))
        self.store.log([Tried(notification_id=notification.id, attempt=tried, state=state)])

    def history(self, alert):
        """Return what the history of an alert says, as (kind, text), without that it fired."""
        return [(entry.kind, entry.text) for entry in self.alerts.history(alert.id)][1:]


@pytest.fixture
def world():
    """Return a world."""
    return World()


def test_from_firing_to_over(world):
    """After the wait one message tells of all; worse, new and over are told at the interval; what comes again, anew."""
    one, two = world.fire("shop"), world.fire("shop", labels={"host": "h2"})
    other = world.fire("cart")
    assert world.after(29) == []
    assert world.after(1) == [("mail", "firing", [one.id, two.id]), ("mail", "firing", [other.id])]
    assert world.woken == 1
    first = world.fresh[0]
    assert (first.group_labels, first.why, first.created_ns) == ({"service": "shop"}, "the first route", world.now_ns)
    world.desk.resolve(one.id, "ann")
    assert world.after(299) == []
    assert world.after(1) == [("mail", "resolved", [two.id, one.id])]
    world.desk.resolve(two.id, "ann")
    assert world.after(300) == [("mail", "resolved", [two.id])]
    assert {each.thread for each in world.fresh} == {first.thread}
    assert world.after(4 * 3600) == [("mail", "repeat", [other.id])]
    again = world.fire("shop")
    assert world.after(30) == [("mail", "firing", [again.id])]
    assert world.fresh[0].thread != first.thread
    assert (world.notifier.groups, world.notifier.problems()) == (2, [])


def test_a_restart_or_a_failure_changes_nothing(world):
    """Between any two steps the notifier may be another one; what can't be kept is decided anew."""
    alerts = [world.fire("shop")]
    world.after(20)
    world.restart()
    assert world.after(10) == [("mail", "firing", [alerts[0].id])]
    world.restart()
    assert world.after(0) == []
    alerts.append(world.fire("shop", labels={"host": "h2"}))
    decide = world.store.decide

    def full(_):
        raise OSError("disk full")

    world.store.decide = full
    with pytest.raises(OSError, match="disk full"):
        world.after(300)
    world.store.decide = decide
    assert world.after(0) == [("mail", "firing", [alert.id for alert in alerts])]
    assert world.after(0) == []


def test_alerts_of_before_the_first_start(world):
    """Those that are open are told of, those that are over are not, nor are their responses called."""
    world.rules = {"": SimpleNamespace(rule=Rule(uid="", name="r", condition="x", responses=("mail",)))}
    over, still = world.fire("cart", seen=False), world.fire("shop", seen=False)
    world.desk.resolve(over.id, "ann")
    assert world.after(60) == [("mail", "firing", [still.id])]


def test_a_file_of_alerts_that_began_anew(world):
    """What was read of the one before counts for nothing: alerts of the new one are told of."""
    world.store.decide(Decision(cursor=1_000_000))
    world.restart()
    alert = world.fire("shop")
    assert world.after(30) == [("mail", "firing", [alert.id])]


def test_what_was_given_up_is_told_anew(world):
    """At the next interval, unless a fallback was told; the history says what became of each message."""
    world.configure(replace(ROOT, channels=("mail", "chat")), chat={"fallback": "mail"})
    alert = world.fire("shop")
    world.after(30)
    mail, chat = world.fresh
    world.done(mail, State.FAILED, "wrong address")
    instead = replace(chat, id=fallback_id(chat, "mail"), channel="mail", fallback_of=chat.id)
    refused = attempt(started_ns=world.now_ns, error="wrong token")
    world.store.log([Tried(notification_id=chat.id, attempt=refused, state=State.FAILED, follow_ups=(instead,))])
    world.told.add(instead.id)
    assert world.after(0) == []
    assert world.after(300) == [("mail", "firing", [alert.id])]
    world.done(instead, State.FAILED, "wrong address")  # then nobody has been told in the place of chat
    world.done(world.fresh[0], State.SENT)
    assert world.after(300) == [("chat", "firing", [alert.id])]
    assert world.history(alert) == [
        ("notified", "mail could not be told: wrong address"),
        ("notified", "chat could not be told: wrong token"),
        ("notified", "mail could not be told: wrong address"),
        ("notified", "mail was told that it fires"),
    ]


def test_what_a_digest_could_not_tell_is_told_anew(world):
    """A digest that was given up leaves its groups as if they had been told nothing."""
    alert = world.fire("shop")
    world.after(30)
    (above,) = world.fresh
    digest = replace(above, id="d", reason=Reason.DIGEST, thread="digest:mail:1", alerts=())
    held = Tried(notification_id=above.id, attempt=None, state=State.DIGESTED, digest="d", follow_ups=(digest,))
    world.store.log([held])
    world.told.add("d")
    assert world.after(600) == []
    world.done(digest, State.FAILED, "no such host")
    assert world.after(300) == [("mail", "firing", [alert.id])]


def test_responses_are_called_once(world):
    """At once and alone for each alert of the rule, never again for the same one; a silence holds them back."""
    world.after(0)  # it is not the first start
    rule = Rule(uid="", name="Slow", condition="x > 1", responses=("restart",))
    world.rules = {"": SimpleNamespace(rule=rule)}
    world.configure(restart={})
    quiet = Silence(
        id="s", matchers=(Matcher("service", "=", "cart"),), starts_ns=0, ends_ns=world.now_ns + 10 * SECOND,
        created_by="ann", comment="deploy", updated_ns=0,
    )  # fmt: skip
    world.store.put_silence(quiet)
    one, silenced = world.fire("shop"), world.fire("cart")
    assert world.after(0) == [("restart", "response", [one.id])]
    world.done(world.fresh[0], State.SENT, answer="restarted\n" * 40)
    assert world.fire("shop").id == one.id
    world.restart()
    assert world.after(1) == []
    assert world.history(silenced) == [("response", "restart not called: silenced by ann (deploy)")]
    said = "restart was called: " + ("restarted " * 40)[:99].rstrip() + "…"
    assert ("response", said) in world.history(one)


def test_parts_of_a_problem_and_deleted_alerts(world):
    """A part is told of when the alert that stands for it is over; nobody is told of what was deleted."""
    head, part, gone = world.fire("shop"), world.fire("pay"), world.fire("cart")
    world.after(10)
    world.alerts.join(part.id, head.id, Entry(world.now_ns, "joined", "server"))
    assert world.after(10) == []
    world.desk.delete(gone.id)
    assert world.after(10) == [("mail", "firing", [head.id])]
    world.desk.resolve(head.id, "ann")
    assert world.after(30) == [("mail", "firing", [part.id])]
    world.desk.delete(part.id)
    assert world.after(270) == [("mail", "resolved", [head.id])]
    assert world.after(300) == []


def test_channels_that_are_not_there(world):
    """They are a problem in words, hold up no other channel, and are told as soon as they are configured."""
    world.configure(replace(ROOT, channels=("mail", "chat")))
    alert = world.fire("shop")
    assert world.after(30) == [("mail", "firing", [alert.id])]
    assert world.notifier.problems()[0].startswith("alerts are to be told over 'chat', which is no channel: add it")
    assert world.notifier.faults() == []  # somebody hears of it
    world.configure(replace(ROOT, channels=("mail", "chat")), chat={})
    assert world.after(300) == [("chat", "firing", [alert.id])]
    assert world.notifier.problems() == []


def test_a_channel_that_was_gone_for_a_while(world):
    """What could not be told over it, as it was not configured just then, is told when it is again."""
    with_chat = (replace(ROOT, channels=("chat",)),)
    world.configure(*with_chat, chat={})
    alert = world.fire("shop")
    assert world.after(30) == [("chat", "firing", [alert.id])]
    world.configure(*with_chat)
    gone = Tried(
        notification_id=world.fresh[0].id, attempt=None, state=State.FAILED, done_ns=world.now_ns, error="gone"
    )
    world.store.log([gone])
    assert world.after(600) == []
    assert world.notifier.faults() == ["nobody hears of some alerts (groups: 1): there is no channel 'chat'"]
    world.configure(*with_chat, chat={})
    assert world.after(300) == [("chat", "firing", [alert.id])]
    assert world.notifier.faults() == []


def test_a_clock_that_is_set_back(world):
    """Groups and escalations that wait for a time of the old clock are looked at all the same."""
    policy = Escalation(steps=(Step(after_ns=900 * SECOND, tell=(Target("boss"),)),))
    world.now_ns += 10**7 * SECOND
    world.configure(replace(ROOT, escalation="db"), {"db": policy}, boss={})
    alert = world.fire("shop")
    world.after(30)
    world.now_ns -= 10**6 * SECOND
    other = world.fire("shop", labels={"pod": "b"})
    assert world.after(300) == [("mail", "firing", [other.id, alert.id])]  # oldest first
    assert [channel for channel, _, _ in world.after(900)] == ["boss"]


def test_other_routes_count_at_once(world):
    """Alerts find their places in a changed tree, and those who were told before are told of the end."""
    alert = world.fire("shop")
    world.after(30)
    world.configure(replace(ROOT, channels=("chat",)), chat={})
    assert world.after(1) == [("chat", "firing", [alert.id])]
    world.desk.resolve(alert.id, "ann")
    assert sorted(world.after(300)) == [("chat", "resolved", [alert.id]), ("mail", "resolved", [alert.id])]


@pytest.mark.parametrize("channels", [(), ("gone",)])
def test_an_escalation_tells_people_where_no_channel_does(world, channels):
    """A route without a channel, or with one that is not configured, waits as others do, and then its steps come."""
    policy = Escalation(steps=(Step(after_ns=60 * SECOND, tell=(Target("duty"),)),))
    world.configure(replace(ROOT, channels=channels, escalation="db"), {"db": policy}, duty={})
    alert = world.fire("shop")
    assert world.after(30) == []
    assert world.after(59) == []
    assert world.after(1) == [("duty", "escalation", [alert.id])]
    world.desk.resolve(alert.id, "ann")
    assert world.after(300) == [("duty", "resolved", [alert.id])]


def test_a_defect_of_escalations_keeps_no_group_from_being_told(world, monkeypatch):
    """Groups are told, the defect is a fault in words until it is gone, and then the steps come."""
    policy = Escalation(steps=(Step(after_ns=0, tell=(Target("duty"),)),))
    world.configure(replace(ROOT, escalation="db"), {"db": policy}, duty={})
    alert = world.fire("shop")
    with monkeypatch.context() as patch:
        patch.setattr("spanglass_server.notifications.delivery.escalations.escalate", lambda *_: 1 / 0)
        assert world.after(30) == [("mail", "firing", [alert.id])]
        assert world.notifier.faults()[0].startswith("nobody is told by escalations (ZeroDivisionError: division by")
    assert world.after(1) == [("duty", "escalation", [alert.id])]
    assert world.notifier.faults() == []


def test_what_a_fallback_is_told_by_its_route_is_not_told_anew(world):
    """A channel that failed while its fallback was told of the same by the route is not told at the next look."""
    world.configure(replace(ROOT, channels=("mail", "chat")), mail={"fallback": "chat"}, chat={})
    alert = world.fire("shop")
    assert world.after(30) == [("mail", "firing", [alert.id]), ("chat", "firing", [alert.id])]
    mail, chat = world.fresh
    world.done(chat, State.SENT)
    world.done(mail, State.FAILED, "refused")
    assert world.after(300) == []


@pytest.mark.parametrize("silenced", [False, True])
def test_an_escalation_whose_alert_was_lowered_waits_until_it_is_over(world, silenced):
    """Nobody hears that it is over while it is open on another route; then all whom it told do, but for a silence."""
    policy = Escalation(steps=(Step(tell=(Target("duty"),)), Step(tell=(Target("boss"),), after_ns=600 * SECOND)))
    critical = replace(ROOT, key="{critical}", matchers=(Matcher("severity", "=", "critical"),), escalation="db")
    world.configure(replace(ROOT, routes=(critical,)), {"db": policy}, duty={}, boss={})
    alert = world.fire("shop", severity=Severity.CRITICAL)
    assert ("duty", "escalation", [alert.id]) in world.after(30)
    world.alerts.edit(alert.id, {"severity": Severity.WARNING}, Entry(world.now_ns, "edited", "ann"))
    for seconds in (30, 900):
        assert {channel for channel, _, _ in world.after(seconds)} <= {"mail"}
    if silenced:
        world.store.put_silence(
            Silence(id="s", matchers=(Matcher("service", "=", "shop"),), starts_ns=1, ends_ns=world.now_ns * 2,
                    created_by="ann", comment="", updated_ns=1)
        )  # fmt: skip
    world.desk.resolve(alert.id, "ann")
    told = [one for one in world.after(1) if one[0] != "mail"]
    assert told == ([] if silenced else [("duty", "resolved", [alert.id])])
    assert world.store.escalations() == {}


def test_an_escalation_goes_on_until_somebody_acknowledges(world):
    """Its steps come in their time, across a restart, and stop; whom it told is told of the end."""
    steps = (Step(after_ns=0, tell=(Target("duty"),)), Step(after_ns=900 * SECOND, tell=(Target("boss"),)))
    policy = Escalation(steps=steps)
    world.configure(replace(ROOT, escalation="db"), {"db": policy}, duty={}, boss={})
    alert = world.fire("shop", severity=Severity.CRITICAL)
    assert world.after(30) == [("mail", "firing", [alert.id]), ("duty", "escalation", [alert.id])]
    world.restart()
    assert world.after(899) == []
    assert world.after(1) == [("boss", "escalation", [alert.id])]
    other = world.fire("cart", severity=Severity.CRITICAL)
    assert ("duty", "escalation", [other.id]) in world.after(30)
    thread = next(each.thread for each in world.fresh if each.channel == "duty")
    world.desk.acknowledge(other.id, "ann")
    assert world.after(3600) == []
    world.desk.resolve(other.id, "ann")
    world.after(300)
    assert ("duty", Reason.RESOLVED, thread) in {(each.channel, each.reason, each.thread) for each in world.fresh}
    world.fire("cart", severity=Severity.CRITICAL)
    world.after(30)
    assert thread not in {each.thread for each in world.fresh}
