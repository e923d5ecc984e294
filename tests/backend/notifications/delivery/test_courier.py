"""The workers of the outbox: who is sent what, when, again or over which other channel, and what the log says."""

from __future__ import annotations

from dataclasses import replace

import pytest
from couriers import BUSY, REFUSED, SENT, World, until
from made_notifications import alert, attempt, told

from spanglass_server.notifications.delivery.sending.breaker import Breaker
from spanglass_server.notifications.delivery.sending.retrying import Retrying
from spanglass_server.notifications.model import Channel, Delivery, Limit, Outcome, Reason, State
from spanglass_server.notifications.ports import DeliveryFilter
from spanglass_server.self_metrics import registry as own


def states(store):
    """Return the state of every delivery by its id."""
    return {each.notification.id: each.state for each in store.deliveries(DeliveryFilter(), limit=99)}


def mail(**changes):
    """Return a channel."""
    return Channel(**{"name": "mail", "kind": "webhook", "options": None, **changes})


def test_a_sink_that_hangs_holds_up_no_other():
    """Its own messages time out and wait; those of others arrive, in order within a thread; what stops them is said."""
    world = World({"stuck": ["hang"], "broken": [OSError("no such host")], "mail": [SENT]})
    world.store.enqueue([told(f"s{number}", "stuck") for number in range(9)])
    world.store.enqueue([told("b", "broken"), *(told(f"m{number}", thread="t") for number in range(9))])
    with world.courier(timeout_s=0.2) as courier:
        courier.wake()
        until(lambda: all(states(world.store)[f"m{number}"] is State.SENT for number in range(9)))
        until(lambda: world.store.delivery("s3").attempts and world.store.delivery("b").attempts)

    assert [each for each in world.sent if each[0] == "mail"] == [("mail", f"m{number}") for number in range(9)]
    stuck = world.store.delivery("s0")
    assert (stuck.state, stuck.next_ns, stuck.error) == (State.WAITING, 1010, "no answer within 0.2 s")
    assert world.store.delivery("b").error == "the channel failed: no such host; see the log"
    assert world.messages["m1"].previous == "ref"
    assert sorted(world.closed) == ["broken", "mail", "stuck"]
    attempts = {each.metric: each.values for each in world.telemetry.snapshot()}[own.NOTIFICATION_ATTEMPTS]
    assert attempts["mail", "sent"] == 9
    assert attempts["stuck", "retryable"] == 4


def test_a_message_is_tried_until_it_is_given_up():
    """Pauses double; after the time for it it has failed; one that is refused fails at once; unknown channels too."""
    world = World({"mail": [BUSY], "chat": [REFUSED]})
    world.store.enqueue([told("m", created_ns=1000), told("c", "chat"), told("u", "nowhere")])
    seen, second = [], 10**9
    retrying = Retrying(for_ns=20 * second, fallback_after_ns=0, first_ns=2 * second, most_ns=8 * second, jitter=0)
    with world.courier(retrying=retrying) as courier:
        for _ in range(4):
            courier.wake()
            until(lambda: world.store.delivery("m").attempts > len(seen))
            next_ns = world.store.delivery("m").next_ns
            seen.append(max(next_ns - world.now_ns, 0) / second)
            world.now_ns = max(next_ns, world.now_ns)

    assert seen == [2, 4, 8, 0]
    assert states(world.store) == {"m": State.FAILED, "c": State.FAILED, "u": State.FAILED}
    assert [each.outcome.error for each in world.store.attempts("m")] == ["busy"] * 4
    assert world.store.delivery("u").error.startswith("there is no channel 'nowhere': add it under")
    assert list(world.store.attempts("u")) == []


def test_a_channel_that_does_not_work_is_asked_by_one_message_at_a_time():
    """After three failures in a row nothing is tried for a while, then one message; a success sets all of them free."""
    breaker = Breaker()
    for _ in range(2):
        breaker.failed("mail", "busy", 100)
    assert (breaker.places("mail", 4), breaker.paused(100)) == (4, {})
    for pause_s in (1, 2, 4, 8, 16, 30, 30):
        breaker.failed("mail", "busy", 100)
        assert breaker.paused(100) == {"mail": 100 + pause_s * 10**9}
    assert (breaker.places("mail", 4), breaker.error("mail"), breaker.paused(10**12)) == (1, "busy", {})
    assert breaker.paused(-(10**12)) == {}  # the clock was set back
    breaker.answered("mail")
    assert (breaker.places("mail", 4), breaker.error("mail")) == (4, "")

    world = World({"mail": [BUSY] * 4 + [SENT]})
    world.store.enqueue([told(f"n{number}") for number in range(9)])
    retrying = Retrying(for_ns=10**12, fallback_after_ns=0, first_ns=10, jitter=0)
    with world.courier(retrying=retrying) as courier:
        until(lambda: sum(each.attempts for each in world.store.deliveries(DeliveryFilter(), limit=9)) == 4)
        world.now_ns += 10**9
        courier.wake()
        until(lambda: len(world.sent) == 4)
        world.now_ns += 10**9
        courier.wake()
        until(lambda: list(states(world.store).values()) == [State.SENT] * 9)


def test_pauses():
    """They double up to the longest, differ by chance, and are at least what the sink asks for."""
    retrying = Retrying(for_ns=10**12, fallback_after_ns=200, first_ns=1000, most_ns=3000)
    assert [retrying.pause_ns(number, BUSY, 0.5) for number in (1, 2, 3, 4, 99)] == [1000, 2000, 3000, 3000, 3000]
    assert [retrying.pause_ns(1, BUSY, chance) for chance in (0, 1)] == [800, 1200]
    wanted = replace(BUSY, retry_after_s=1.5)
    assert retrying.pause_ns(1, wanted, 0.5) == 1_500_000_000
    waiting, channel = Delivery(notification=told(not_before_ns=500), state=State.WAITING), mail()
    busy = attempt(started_ns=600, error="busy", retryable=True)
    assert retrying.next_ns(waiting, channel, busy, 0.5) == 1610
    assert retrying.end_ns(replace(waiting, begun_ns=550), channel, 600) == 550 + 10**12
    assert retrying.end_ns(waiting, replace(channel, fallback="chat"), 600) == 700
    assert retrying.next_ns(waiting, replace(channel, fallback="chat"), busy, 0.5) == 0


def test_fallbacks_are_told_in_its_place():
    """Each once, with why, without the addresses of people; none is told twice however they refer to each other."""
    world = World(
        {"mail": [REFUSED], "chat": [REFUSED], "sms": [REFUSED]},
        mail=mail(fallback="chat"),
        chat=mail(name="chat", fallback="sms"),
        sms=mail(name="sms", fallback="mail"),
    )
    world.store.enqueue([told("m", addresses=("ann@example.com",), why="the route", alerts=(alert(),))])
    with world.courier() as courier:
        courier.wake()
        until(lambda: len(world.sent) == 3 and set(states(world.store).values()) == {State.FAILED})

    assert [name for name, _ in world.sent] == ["mail", "chat", "sms"]
    chat = world.store.delivery(world.sent[1][1]).notification
    assert (chat.fallback_of, chat.addresses, chat.alerts[0].id) == ("m", (), "a1")
    assert chat.failed == "mail could not be told (refused: correct the address)"
    assert chat.why == f"{chat.failed}; the route"
    assert world.store.delivery(world.sent[2][1]).notification.failed.endswith(f"; {chat.failed}")


def test_a_fallback_that_the_route_tells_anyway_is_told_once():
    """What a route tells it at the same time is not told again; what it was told less of, or earlier, is."""
    world = World({"mail": [REFUSED], "chat": [SENT]}, mail=mail(fallback="chat"))
    one, two = alert(), alert("a2")
    world.store.enqueue([
        told("same", thread="t", alerts=(one,)), told("same-chat", "chat", thread="t", alerts=(one, two)),
        told("more", thread="u", alerts=(one, two)), told("less-chat", "chat", thread="u", alerts=(one,)),
        told("later", thread="v", created_ns=101), told("early-chat", "chat", thread="v"),
    ])  # fmt: skip
    with world.courier() as courier:
        courier.wake()
        until(lambda: len(states(world.store)) == 8 and State.WAITING not in states(world.store).values())

    every = [each.notification for each in world.store.deliveries(DeliveryFilter(), limit=99)]
    assert {each.fallback_of for each in every} == {"", "more", "later"}


def test_what_waits_behind_many_others_falls_back_in_time():
    """Where a sink does not work, a message that is past its time is told over the fallback without an attempt."""
    world = World({"mail": [BUSY], "chat": [SENT]}, mail=mail(fallback="chat"))
    world.store.enqueue([told("early", created_ns=900)])
    with world.courier() as courier:
        courier.wake()
        until(lambda: len(world.sent) == 2)
        world.store.enqueue([told("late", created_ns=901)])
        courier.wake()
        until(lambda: len(world.sent) == 3)

    assert [name for name, _ in world.sent] == ["mail", "chat", "chat"]
    assert world.store.delivery("late").error == "not tried, as the channel does not work: busy"
    assert world.store.delivery("late").attempts == 0


def test_what_comes_above_a_limit_is_told_in_one_digest():
    """Two messages a period go through, escalations on top; the rest is in one digest when the period ends."""
    world = World({"mail": [SENT]}, mail=mail(limit=Limit(messages=2, per_ns=1000)))
    world.now_ns = 1500
    world.store.enqueue([
        *(told(f"n{number}", alerts=(alert(f"a{number}"),)) for number in range(4)),
        told("i", reason=Reason.INCIDENT, about={"title": "Shop down"}),
        told("e", reason=Reason.ESCALATION),
    ])  # fmt: skip
    with world.courier() as courier:
        courier.wake()
        until(lambda: len(states(world.store)) == 7 and list(states(world.store).values()).count(State.WAITING) == 1)
        told_of = [notification_id for _, notification_id in world.sent]
        digested = [each for each, state in states(world.store).items() if state is State.DIGESTED]
        world.now_ns = 2000
        world.store.enqueue([told("next")])
        courier.wake()
        until(lambda: len(world.sent) == 5)

    assert len(told_of) == 3
    assert "e" in told_of
    assert sorted([*told_of, *digested]) == ["e", "i", "n0", "n1", "n2", "n3"]
    digest = next(each for name, each in world.messages.items() if each.notification.reason is Reason.DIGEST)
    waited = [each for each in digested if each != "i"]
    assert sorted(each.id for each in digest.alerts) == sorted(each.replace("n", "a") for each in waited)
    assert digest.notification.about["title"] == "3 messages above the limit of mail"
    assert digest.notification.why.startswith("the channel takes 2 messages in ")
    assert "next" in {notification_id for _, notification_id in world.sent}


def test_a_digest_over_a_fallback_tells_of_the_same():
    """What came above the limit of a channel that then does not work is told whole over its fallback."""
    limited = mail(limit=Limit(messages=1, per_ns=1000), fallback="chat")
    world = World({"mail": [SENT, REFUSED], "chat": [SENT]}, mail=limited)
    world.now_ns = 1500
    world.store.enqueue([told(f"n{number}", alerts=(alert(f"a{number}"),)) for number in range(3)])
    with world.courier() as courier:
        courier.wake()
        until(lambda: list(states(world.store).values()).count(State.DIGESTED) == 2)
        world.now_ns = 2000
        courier.wake()
        until(lambda: "chat" in dict(world.sent))

    digest = world.messages[dict(world.sent)["chat"]]
    assert len(digest.alerts) == 2
    assert digest.notification.about["title"] == "2 messages above the limit of mail"


def test_a_message_that_cant_be_written_is_sent_plainly():
    """Whatever the writer raises, somebody is told, with titles and what failed."""
    world = World({"mail": [SENT]})

    def fail(*_):
        raise RuntimeError("template")

    world.write = fail
    world.store.enqueue([told("m", alerts=(alert(), alert("a2", title="Slow")), why="the route")])
    with world.courier() as courier:
        courier.wake()
        until(lambda: states(world.store) == {"m": State.SENT})

    message = world.messages["m"]
    assert message.text.splitlines()[:3] == ["Errors in shop", "Slow", "the route"]
    assert message.problem == "it could not be written as usual: RuntimeError: template"


def test_nothing_more_is_sent_while_the_disk_fails():
    """A message whose outcome can't be remembered keeps its place until it can; a broken outbox is told of."""
    world = World({"mail": [SENT]})
    store, failing = world.store, {"log", "waiting"}

    def failing_at(name):
        work = getattr(store, name)

        def run(*values):
            if name in failing:
                raise OSError("disk full")
            return work(*values)

        return run

    store.log, store.waiting = failing_at("log"), failing_at("waiting")
    store.enqueue([told("m")])
    with world.courier() as courier:
        until(courier.problems)
        assert courier.problems() == ["the outbox can't be read (disk full); it is tried again"]
        failing.remove("waiting")
        until(lambda: world.sent)
        until(lambda: courier.problems() and "log" in courier.problems()[0])
        assert courier.problems() == ["the delivery log can't be written (disk full); nothing is sent until it can"]
        failing.remove("log")
        until(lambda: states(store) == {"m": State.SENT})
        until(lambda: not courier.problems())
    assert world.sent == [("mail", "m")]


def test_what_was_cut_off_comes_again_with_its_id():
    """An attempt that the end of the server interrupts is not logged, and is made again by the next one."""
    world = World({"mail": ["hang", SENT]})
    world.store.enqueue([told("m")])
    with world.courier() as courier:
        courier.wake()
        until(lambda: world.sent)
    assert world.store.delivery("m").attempts == 0
    with world.courier() as courier:
        courier.wake()
        until(lambda: states(world.store) == {"m": State.SENT})
    assert world.sent == [("mail", "m")] * 2


def test_a_test_message_is_tried_past_the_outbox():
    """A channel is tried as it is given; a courier that is not there says so."""
    world = World({"mail": [Outcome(sent=True, answer="250")]})
    with world.courier() as courier:
        message, outcome = courier.send(world.channels["mail"], told("t", reason=Reason.TEST, about={"title": "Test"}))
        assert (message.title, outcome.answer) == ("Test", "250")
        changed = replace(world.channels["mail"], title="another")
        courier.send(changed, told("t2"))
        assert world.closed == ["mail"]
    assert states(world.store) == {}
    with pytest.raises(OSError, match=r"notifications\.enabled"):
        courier.send(changed, told("t3"))
