"""The desk of notifications: silences with who and why, announcements, test messages, how channels stand."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from types import SimpleNamespace

import pytest

from spanglass_core.alerting.severity import Severity
from spanglass_server.alerting.desk import Desk, NewAlert
from spanglass_server.alerting.store.in_memory import MemoryAlertStore
from spanglass_server.notifications.desk import Announcement, Around, NewSilence, NotificationDesk, SilenceError
from spanglass_server.notifications.model import Channel, Matcher, Message, Outcome, Reason, Route, State
from spanglass_server.notifications.ports import Configuration, DeliveryFilter
from spanglass_server.notifications.store.in_memory import MemoryNotificationStore

MAIL = Channel(name="mail", kind="email", options=None, origin="settings")
SHOP = (Matcher("service", "=", "shop"),)


#: One channel, and a file with a problem.
BOOK = SimpleNamespace(
    configuration=lambda: Configuration(
        {"mail": MAIL}, Route(key="", group_wait_ns=1, group_interval_ns=1, repeat_interval_ns=1)
    ),
    problems=lambda: ["line 3: what?"],
)


def message(notification, _):
    """Return a message in few words."""
    title = notification.about.get("title") or notification.alerts[0].title
    return Message(
        notification=notification, status="info", severity=Severity.INFO, title=title, text="", html="", link=""
    )


@pytest.fixture
def world():
    """Return a desk, its stores, a clock that can be set, and what was sent."""
    made = SimpleNamespace(now_ns=1000, sent=[], outcome=Outcome(sent=True, answer="250 ok"))

    def send(channel, notification):
        made.sent.append((channel.name, notification.reason, notification.about.get("text")))
        return message(notification, channel), made.outcome

    numbers = count(1)
    made.alerts = Desk(None, MemoryAlertStore(), None, None, lambda: made.now_ns, lambda: f"alert-{next(numbers)}")
    made.store = MemoryNotificationStore()
    made.desk = NotificationDesk(
        Around(
            book=BOOK,
            store=made.store,
            alerts=made.alerts.store,
            writer=SimpleNamespace(message=message),
            matches=lambda matchers, labels: all(labels.get(each.name, "") == each.value for each in matchers),
            explain=lambda subject: f"{subject.labels['alertname']} over {subject.channels}",
            send=send,
            clock_ns=lambda: made.now_ns,
            new_id=lambda: f"id-{next(numbers)}",
            default_channels=("mail", "chat"),
            problems=lambda: ["a thread fails"],
        )
    )
    return made


def test_a_silence_from_preview_to_end(world):
    """What it will hide is shown; it hides; its end can move; other matchers make another one; it can be ended."""
    shop, cart = (
        world.alerts.create(NewAlert(title="Slow", labels={"service": name}), "x") for name in ("shop", "cart")
    )
    desk = world.desk
    assert desk.hidden_by(SHOP) == [shop]
    made = desk.silence(NewSilence(matchers=SHOP, ends_ns=5000, comment=" deploy "), "ann")
    assert (made.starts_ns, made.created_by, made.comment) == (1000, "ann", "deploy")
    assert (desk.silences_of(shop), desk.silences_of(cart)) == ([made], [])
    world.now_ns = 2000
    longer = desk.silence(NewSilence(matchers=SHOP, ends_ns=9000, comment="longer", starts_ns=3000), "bob", made.id)
    assert (longer.id, longer.starts_ns, longer.ends_ns) == (made.id, 1000, 9000)
    other = desk.silence(
        NewSilence(matchers=(Matcher("service", "=", "cart"),), ends_ns=9000, comment="cart"), "bob", made.id
    )
    assert (other.id != made.id, other.starts_ns) == (True, 2000)
    assert (desk.silences_of(shop), desk.silences_of(cart)) == ([], [other])
    world.now_ns = 2500
    assert desk.expire(other.id, "ann").comment == "cart (ended by ann)"
    assert desk.silences() == []
    assert [each.ends_ns for each in desk.silences(ended_after_ns=0)] == [2500, 2000]
    with pytest.raises(SilenceError, match="has ended"):
        desk.expire(other.id, "ann")
    with pytest.raises(KeyError):
        desk.expire("nobody's", "ann")


@pytest.mark.parametrize(
    ("changes", "by", "field"),
    [
        ({"matchers": ()}, "ann", "matchers"),
        ({"matchers": (Matcher("team", "=", ""),)}, "ann", "matchers"),
        ({"ends_ns": 900}, "ann", "ends_at"),
        ({"starts_ns": 6000}, "ann", "ends_at"),
        ({"starts_ns": -(10**20)}, "ann", "starts_at"),
        ({"ends_ns": 10**20}, "ann", "ends_at"),
        ({"comment": " "}, "ann", "comment"),
        ({}, "", "created_by"),
    ],
)
def test_silences_that_cant_be(world, changes, by, field):
    """Each error names its field, and nothing is kept."""
    new = replace(NewSilence(matchers=SHOP, ends_ns=5000, comment="why"), **changes)
    with pytest.raises(SilenceError) as refused:
        world.desk.silence(new, by)
    assert (refused.value.field, world.store.silences()) == (field, [])


def test_an_announcement_is_told_once(world):
    """It waits once for each channel, however often it is made; without channels those of alerts that name none."""
    announcement = Announcement(key="i7:opened", thread="incident:7", title="Shop down", text="All of it", link="/i/7")
    first = world.desk.announce(announcement)
    assert list(world.desk.announce(announcement)) == list(first)
    world.desk.announce(replace(announcement, key="i7:over", channels=("mail",), status="resolved"))
    found = [each.notification for each in world.store.waiting(1000, 9)]

    assert [(each.channel, each.reason, each.about["status"]) for each in found] == [
        ("mail", Reason.INCIDENT, "info"),
        ("chat", Reason.INCIDENT, "info"),
    ]
    assert len(world.store.deliveries(DeliveryFilter(channel="mail"), limit=9)) == 2


def test_test_messages_and_previews(world):
    """A test is sent at once, and logged as it went; a preview is sent to nobody; a channel need not be kept."""
    assert world.desk.preview("mail").title == "Test message"
    alert = world.alerts.create(NewAlert(title="Slow", labels={"service": "shop"}), "x")
    assert world.desk.preview("mail").title == "Slow"
    told, outcome = world.desk.test("mail", "ann")
    assert (told.title, outcome.answer) == ("Test message", "250 ok")
    world.outcome = Outcome(sent=False, error="no such host: correct smtp_server")
    world.desk.test(replace(MAIL, name="new"), "ann")
    assert [channel for channel, _, _ in world.sent] == ["mail", "new"]
    assert world.sent[0][2].startswith("ann has sent this message over the channel 'mail'")
    with pytest.raises(KeyError):
        world.desk.test("chat", "ann")

    status = world.desk.status()
    assert [(each.name, each.kind, each.counts, each.error) for each in status.channels] == [
        ("mail", "email", {State.SENT: 1}, ""),
        ("new", "", {State.FAILED: 1}, "no such host: correct smtp_server"),
    ]
    assert status.problems == ("line 3: what?", "a thread fails")
    assert world.desk.explain(alert.id) == "Slow over ('mail', 'chat')"
    failed = world.store.deliveries(DeliveryFilter(states=(State.FAILED,)), limit=1)[0]
    assert world.desk.retry(failed.notification.id).state is State.WAITING


def test_messages_that_wait_for_long_are_a_problem(world):
    """After five minutes the channel is named, with how long and why; so it is after the clock was set back."""
    world.now_ns += 3600 * 10**9
    world.desk.announce(Announcement(key="k", thread="t", title="T", text="", channels=("mail",)))
    world.now_ns += 360 * 10**9

    assert world.desk.status().problems[-1] == (
        "messages of the channel 'mail' have waited for 6m: nothing was tried yet"
    )
    world.now_ns -= 3 * 360 * 10**9
    assert world.desk.status().problems[-1] == (
        "messages of the channel 'mail' wait that were decided 12m ahead of the clock, which was set back: "
        "nothing was tried yet"
    )
