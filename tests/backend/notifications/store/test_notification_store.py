"""The contract of the notification store, over every implementation of it, and across restarts."""

from __future__ import annotations

from dataclasses import replace

import pytest
from made_notifications import alert, attempt, told

from spanglass_server.notifications.model import Delivery, Matcher, Reason, Silence, State
from spanglass_server.notifications.ports import Decision, DeliveryFilter, Tried


def ids(deliveries):
    """Return the ids of deliveries, in their order."""
    return [delivery.notification.id for delivery in deliveries]


def test_a_decision_is_kept(reopen):
    """Cursor, groups, escalations and notifications are there after a restart as they were given, evidence left out."""
    strange = alert(
        labels={"service_name": "shöp", "weird \"key'.": "ü"}, value=float("inf"), channels=("mail",), evidence={"a": 1}
    )
    notification = told(
        alerts=(strange,),
        group_labels={"service": "shöp"},
        why="the root route",
        addresses=("ann@example.com",),
        about={"title": "T", "deep": {"a": [1]}},
        not_before_ns=150,
        fallback_of="n0",
    )
    store = reopen()
    store.decide(Decision(cursor=7, groups={"b": {"x": 1}, "a": {"y": [2]}}, escalations={"e": {"z": "ü"}}))
    store.decide(Decision(cursor=9, groups={"a": None}, notifications=(notification,)))
    store.decide(Decision(cursor=9, notifications=(replace(notification, why="another one"),)))  # an id that is known
    store = reopen()

    assert (store.cursor(), store.groups(), store.escalations()) == (9, {"b": {"x": 1}}, {"e": {"z": "ü"}})
    assert store.running() == (1, 1)
    kept = replace(notification, alerts=(replace(strange, evidence={}),))
    delivery = Delivery(notification=kept, state=State.WAITING, next_ns=150)
    assert store.delivery("n1") == delivery
    assert list(store.waiting(149, 10)) == []
    assert list(store.waiting(150, 10)) == [delivery]
    with pytest.raises(KeyError):
        store.delivery("n2")


def test_what_waits_is_given_in_order(reopen):
    """The earliest first, without some channels; of a thread at a channel only the oldest, until it is done.

    One that was to wait from the beginning holds up no other.
    """
    store = reopen()
    store.enqueue([
        told("late", created_ns=300),
        told("first", thread="t"),
        told("second", thread="t", created_ns=120),
        told("elsewhere", "chat", thread="t", created_ns=110),
        told("quiet", thread="q", not_before_ns=1000),
        told("loud", thread="q", created_ns=130),
    ])  # fmt: skip
    assert ids(store.waiting(299, 10)) == ["first", "elsewhere", "loud"]
    assert ids(store.waiting(299, 1)) == ["first"]
    assert ids(store.waiting(1000, 10, ["mail"])) == ["elsewhere"]
    assert ids(store.waiting(299, 10, [], ["first", "loud"])) == ["elsewhere"]  # those under way still hold others up
    store.attempted("first", attempt(error="busy", retryable=True), State.WAITING, 5000)
    assert ids(store.waiting(299, 10)) == ["elsewhere", "loud"]
    store.attempted("first", attempt(2), State.SENT, 0)

    store = reopen()

    assert ids(store.waiting(299, 10)) == ["elsewhere", "second", "loud"]
    assert ids(store.waiting(1000, 10)) == ["elsewhere", "second", "late", "quiet"]


def test_what_waits_for_a_clock_that_was_set_back_is_due(reopen):
    """What would be tried in more than two hours is due last of all, but for what was to wait from the beginning."""
    store, hour_ns = reopen(), 3600 * 10**9
    store.enqueue([
        told("retried"),
        told("decided", created_ns=5 * hour_ns),
        told("quiet", created_ns=100, not_before_ns=9 * hour_ns),
        told("paused"),
        told("held", "chat", thread="t", not_before_ns=8 * hour_ns),
    ])  # fmt: skip
    for name, next_ns in (("retried", 4 * hour_ns), ("paused", 2 * hour_ns), ("held", 8 * hour_ns + 1)):
        store.attempted(name, attempt(error="busy", retryable=True), State.WAITING, next_ns)
    store.enqueue([told("now")])
    assert ids(store.waiting(hour_ns, 10)) == ["now", "retried", "decided", "held"]
    assert ids(store.waiting(hour_ns, 2)) == ["now", "retried"]
    assert ids(store.waiting(hour_ns, 10, ["chat"], ["decided"])) == ["now", "retried"]
    assert ids(store.waiting(2 * hour_ns, 10)) == ["now", "paused", "decided", "held"]


def test_attempts_are_logged(reopen):
    """The log has each attempt; the delivery has the last one's error, and the reference that the sink gave."""
    store = reopen()
    store.enqueue([told(alerts=(alert(),), thread="t"), told("n2", thread="t")])
    first = attempt(error="busy", retryable=True, answer="503", retry_after_s=1.5)
    second = attempt(2, 300, reference="ts-1", answer="ok")
    store.attempted("n1", first, State.WAITING, 290)
    assert (store.delivery("n1").next_ns, store.delivery("n1").error) == (290, "busy")
    assert store.last_errors() == {"mail": (210, "busy")}
    assert (store.untold(9), store.reference("t", "mail")) == ([], "")
    store.attempted("n1", second, State.SENT, 0)
    store.attempted("gone", second, State.SENT, 0)  # it was purged meanwhile
    store = reopen()

    sent = store.delivery("n1")
    assert (sent.state, sent.attempts, sent.next_ns, sent.done_ns, sent.error) == (State.SENT, 2, 0, 310, "")
    assert sent.begun_ns == 200
    assert list(store.attempts("n1")) == [first, second]
    assert (store.reference("t", "mail"), store.reference("t", "chat")) == ("ts-1", "")
    assert store.last_errors() == {"mail": (310, "")}
    assert store.counts() == {("mail", State.SENT): 1, ("mail", State.WAITING): 1}
    assert store.oldest_waiting(100) == {"mail": 100}
    assert ids(store.untold(9)) == ["n1"]
    store.told(["n1"])
    assert store.untold(9) == []


def test_limits_and_digests(reopen):
    """Only what limits are for is counted; a digest and what it tells of are found again, and a fallback waits."""
    store = reopen()
    reasons = (Reason.FIRING, Reason.REPEAT, Reason.DIGEST, Reason.ESCALATION, Reason.TEST, Reason.RESPONSE)
    for number, reason in enumerate(reasons):
        store.record(told(f"s{number}", reason=reason), attempt(started_ns=200 + number), State.SENT)
    assert [store.sent_since("mail", since_ns) for since_ns in (210, 211, 212)] == [2, 1, 0]
    assert store.sent_since("chat", 0) == 0
    store.enqueue([told("n1"), told("n2"), told("n3")])
    digest, fallback = told("d", reason=Reason.DIGEST, not_before_ns=500), told("f", "chat", fallback_of="n3")
    store.log([
        Tried(notification_id="n1", attempt=None, state=State.DIGESTED, done_ns=300, digest="d", error="too many",
              follow_ups=(digest,)),
        Tried(notification_id="n2", attempt=None, state=State.DIGESTED, done_ns=301, digest="d", follow_ups=(digest,)),
        Tried(notification_id="n3", attempt=attempt(error="no"), state=State.FAILED, follow_ups=(fallback,)),
    ])  # fmt: skip
    store = reopen()

    assert ids(store.digested("d")) == ["n1", "n2"]
    assert (store.delivery("n1").error, store.delivery("n1").done_ns) == ("too many", 300)
    assert ids(store.waiting(500, 9)) == ["f", "d"]
    store.retry("n1", 600)
    assert ids(store.digested("d")) == ["n2"]
    assert store.retry("n3", 600) == store.delivery("n3")
    assert (store.delivery("n3").state, store.delivery("n3").next_ns) == (State.WAITING, 600)
    with pytest.raises(ValueError, match="it is delivered"):
        store.retry("s0", 600)
    with pytest.raises(KeyError):
        store.retry("gone", 600)


def test_who_is_told_of_the_same_is_known(reopen):
    """A channel that a route tells at the same time of all the alerts, unless it was given up or goes to people."""
    store, own = reopen(), told(thread="t", alerts=(alert(),))
    store.enqueue([
        own,
        told("n2", "chat", thread="t", alerts=(alert(), alert("a2"))),
        told("n3", "sms", thread="t", alerts=(alert(),), addresses=("+1",)),
        told("n4", "page", thread="t", alerts=(alert(),), reason=Reason.ESCALATION),
        told("n5", "late", thread="t", alerts=(alert(),), created_ns=101),
    ])  # fmt: skip
    assert [store.is_told(own, name) for name in ("chat", "sms", "page", "late", "gone")] == [True, *[False] * 4]
    store.attempted("n2", attempt(), State.SENT, 0)
    assert store.is_told(own, "chat")
    store.retry("n1", 200)
    store.attempted("n1", attempt(error="no"), State.FAILED, 0)
    assert not store.is_told(store.delivery("n2").notification, "mail")


def test_deliveries_are_listed(reopen):
    """Newest first, page by page, by every field of the filter."""
    store = reopen()
    for number in range(5):
        store.enqueue([told(f"n{number}", "chat" if number == 3 else "mail", created_ns=100 + number)])
    store.enqueue([told("n5", alerts=(alert("a7", title="Öl"), alert("a8")), created_ns=105)])
    store.attempted("n2", attempt(error="No Such Host"), State.FAILED, 0)
    every = ["n5", "n4", "n3", "n2", "n1", "n0"]
    assert ids(store.deliveries(DeliveryFilter(), limit=4)) == every[:4]
    assert ids(store.deliveries(DeliveryFilter(), limit=4, after="n2")) == every[4:]
    cases = {
        "n2": DeliveryFilter(states=(State.FAILED, State.SENT)),
        "n3": DeliveryFilter(channel="chat"),
        "n5": DeliveryFilter(alert_id="a8"),
        "n5 ": DeliveryFilter(text="öL"),
        "n2 ": DeliveryFilter(text="such host"),
        "n1 n0": DeliveryFilter(end_ns=102),
        "n5 n4": DeliveryFilter(start_ns=104),
        "": DeliveryFilter(text="nowhere"),
    }
    for expected, wanted in cases.items():
        assert ids(store.deliveries(wanted, limit=9)) == expected.split(), wanted


def test_silences_links_and_purging(reopen):
    """Silences are replaced by id; a link is used once; what is done for long goes, what waits stays."""
    store, day_ns = reopen(), 86_400 * 10**9
    silence = Silence(
        id="s1", matchers=(Matcher("service", "=~", "ü.*"),), starts_ns=1, ends_ns=50, created_by="ann", comment="why",
        updated_ns=1,
    )  # fmt: skip
    store.put_silence(silence)
    store.put_silence(replace(silence, id="s2", ends_ns=90 * day_ns))
    store.put_silence(replace(silence, comment="because"))
    assert not store.is_link_used("x")
    assert store.use_link("x", 5)
    assert store.is_link_used("x")
    assert not store.use_link("x", 6)
    store.enqueue([told("n1"), told("n2", alerts=(alert(),)), told("n3", alerts=(alert(),))])
    store.attempted("n2", attempt(), State.SENT, 0)
    store.attempted("n3", attempt(started_ns=60 * day_ns), State.SENT, 0)
    assert store.purge(50 * day_ns) == 3
    store = reopen()

    assert [(each.id, each.comment) for each in store.silences()] == [("s2", "why")]
    assert store.silences(ended_after_ns=90 * day_ns) == []
    assert ids(store.deliveries(DeliveryFilter(), limit=9)) == ["n3", "n1"]
    assert ids(store.deliveries(DeliveryFilter(alert_id="a1"), limit=9)) == ["n3"]
    assert list(store.attempts("n2")) == []
    assert store.use_link("x", 7)
