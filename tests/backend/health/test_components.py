"""How components and the whole are judged, what they are called, and since when they are as they are."""

from __future__ import annotations

import pytest

from spanglass_server.health.components import telemetry
from spanglass_server.health.components.board import HealthBoard, Heard
from spanglass_server.health.components.ledger import Ledger
from spanglass_server.health.components.naming import area_of_name, uid_of
from spanglass_server.health.components.of_checks import CheckComponents
from spanglass_server.health.components.overall import overall_of
from spanglass_server.health.components.telemetry import HeardSeldom, merged
from spanglass_server.health.model import OVERALL, CheckView, Component, Figure, Kept, Status
from spanglass_server.health.store.sqlite import HealthStore
from spanglass_server.store.ports import Window

S = 10**9
HOUR = 3600 * S
UP, HALF, DOWN, UNKNOWN = Status.HEALTHY, Status.DEGRADED, Status.UNHEALTHY, Status.UNKNOWN


@pytest.fixture
def store(tmp_path):
    """A new store."""
    opened = HealthStore(tmp_path / "health.sqlite")
    yield opened
    opened.close()


def component(name, status, *, critical=True, **more):
    """A component."""
    given = {"uid": uid_of("component", name), "area": "component", "reason": f"{name} is {status}"}
    return Component(**{**given, "name": name, "status": status, "critical": critical, **more})


def view(name, status, **more):
    """A check."""
    given = {
        "uid": name, "kind": "tcp", "area": "dependency", "component": name, "source": "check", "critical": True,
        "enabled": True, "since_ns": 0, "last_ns": 5, "latency_ns": 7, "detail": f"{name} said {status}",
    }  # fmt: skip
    return CheckView(**{**given, "name": name, "status": status, **more})


@pytest.mark.parametrize(
    ("components", "status", "score", "reasons"),
    [
        ([], UNKNOWN, 0, []),
        ([component("a", UNKNOWN)], UNKNOWN, 0, []),
        ([component("a", UP), component("b", UNKNOWN)], UP, 100, []),
        ([component("a", UP), component("b", DOWN)], DOWN, 49, [("b", 50.0)]),
        ([component("a", UP), component("b", DOWN, critical=False)], HALF, 66, [("b", 33.3)]),
        ([component(str(n), UP) for n in range(99)] + [component("b", HALF)], HALF, 94, [("b", 0.5)]),
        ([component("a", HALF, critical=False), component("b", DOWN)], DOWN, 16, [("b", 66.7), ("a", 16.7)]),
    ],
)
def test_the_whole(components, status, score, reasons):
    """The worst critical component decides, the score never says something else, and reasons say what each costs."""
    found = overall_of(components, 9)
    assert (found.status, found.score) == (status, score)
    assert [(reason.name, reason.points) for reason in found.reasons] == reasons


def test_components_of_checks():
    """Checks with one component are one: the worst counts, what is not critical degrades it, alone it is what it is."""
    views = [
        view("a", UP, component="Shop"),
        view("b", DOWN, component="Shop", critical=False, latency_ns=9),
        view("c", DOWN, critical=False),
        view("d", UNKNOWN, detail="it was not called yet"),
        view("e", DOWN, enabled=False),
    ]
    found = {each.name: each for each in CheckComponents().of(views)}
    shop = found["Shop"]
    assert (shop.status, shop.reason, shop.latency_ns, shop.checks) == (HALF, "b: b said unhealthy", 9, ("a", "b"))
    assert (found["c"].status, found["c"].critical, found["c"].reason) == (DOWN, False, "c said unhealthy")
    assert (found["d"].status, found["d"].reason, sorted(found)) == (
        UNKNOWN,
        "it was not called yet",
        ["Shop", "c", "d"],
    )
    maker = CheckComponents()
    assert maker.of(views)[0] is maker.of(list(views))[0]


def test_sources_that_tell_of_the_same_are_one():
    """The worst status counts; reasons, sources and figures are of all."""
    told = component("cart", UP, sources=("telemetry",), reason="", figures={"p95": Figure(0.2, "s")}, last_ns=3)
    checked = component("cart", DOWN, sources=("check",), latency_ns=8, last_ns=2)
    (one,) = merged([checked, told]).values()
    assert (one.status, one.sources, one.latency_ns, one.last_ns) == (DOWN, ("check", "telemetry"), 8, 3)
    assert (one.reason, one.figures) == ("cart is unhealthy", {"p95": Figure(0.2, "s")})


@pytest.mark.parametrize(
    ("name", "area"),
    [
        ("database", "database"),
        ("orders_db", "database"),
        ("redis-sessions", "cache"),
        ("feeds workers2", "component"),
        ("celery queue", "task"),
        ("disk", "system"),
        ("Payment gateway", "dependency"),
        ("feedback", "component"),
    ],
)
def test_the_area_of_an_applications_check(name, area):
    """It follows from whole words of the name."""
    assert area_of_name(name) == area


def test_uids_are_short_and_never_the_same():
    """Small letters and dashes; a digest where they can't tell names apart."""
    assert uid_of("api", "Web shop") == "api-web-shop"
    assert uid_of("database", "postgresql on db:5432") != uid_of("database", "postgresql on db-5432")
    assert len({uid_of("api", "ä"), uid_of("api", "ö"), uid_of("api", "x")}) == 3


def test_what_was_known_before_a_restart(store):
    """A short stop changes nothing; after a long one it is not known what was; what never comes back is let go of."""
    kept = [Kept(subject=name, status=UP, since_ns=HOUR, seen_ns=2 * HOUR) for name in ("near", "far", "gone")]
    store.save(kept, [])
    ledger = Ledger(store)
    assert ledger.note("near", UP, "", 2 * HOUR + 30 * S) == HOUR
    assert ledger.note("far", UP, "", 3 * HOUR) == 3 * HOUR
    assert ledger.note("new", DOWN, "it broke", 3 * HOUR, since_ns=3 * HOUR - S) == 3 * HOUR - S
    ledger.save(3 * HOUR)
    ledger.settle(frozenset())
    told = [(change.subject, change.time_ns, change.status) for change in reversed(store.changes())]
    assert told == [
        ("far", 2 * HOUR, UNKNOWN),
        ("far", 3 * HOUR, UP),
        ("new", 3 * HOUR - S, DOWN),
        ("gone", 2 * HOUR, UNKNOWN),
    ]
    assert sorted(store.kept()) == ["far", "near", "new"]


def test_what_was_dropped_is_over_once(store):
    """A subject that is no more is not known after a restart either; its end is told of once."""
    ledger = Ledger(store)
    ledger.note("cart", UP, "", HOUR)
    ledger.save(HOUR)
    ledger.drop("cart", "it is no more", 2 * HOUR)
    ledger.save(2 * HOUR)
    again = Ledger(store)
    again.settle(frozenset())
    assert store.kept() == {}
    told = [(change.time_ns, change.status, change.detail) for change in reversed(store.changes())]
    assert told == [(HOUR, UP, ""), (2 * HOUR, UNKNOWN, "it is no more")]


def test_the_board_remembers_what_it_does_not_hear_of(store):
    """What falls silent is unknown for a day, and then no more; the version rises with what is shown."""
    now = [10 * HOUR]
    heard = [component("cart", DOWN, sources=("telemetry",), last_ns=10 * HOUR)]
    itself = component("Spanglass server", UP)
    board = HealthBoard(list, lambda: itself, lambda _: Heard(tuple(heard), ()), Ledger(store), lambda: now[0], 300 * S)

    def look(time_ns):
        now[0] = time_ns
        board.listen()
        board.refresh()
        return {each.name: (each.status, each.reason) for each in board.components()}, board.version

    shown, version = look(10 * HOUR)
    assert shown["cart"] == (DOWN, "cart is unhealthy")
    assert look(10 * HOUR + S) == (shown, version)
    heard.clear()
    shown, after = look(11 * HOUR)
    assert (shown["cart"], after > version) == ((UNKNOWN, "nothing was heard of it within the last 5m"), True)
    assert board.overall().status is UP
    assert "cart" not in look(35 * HOUR)[0]
    assert [change.status for change in store.changes(OVERALL)] == [UP, DOWN]


def test_hosts_and_calls_are_asked_for_seldom(monkeypatch):
    """They stay as they were until a minute has passed or the clock went back; while there is none, each time."""
    asked = []

    def some(name):
        def ask(_session, window):
            asked.append((name, window.end_ns // S))
            return ["a"] if window.end_ns >= 30 * S else []

        return ask

    monkeypatch.setattr(telemetry, "list_hosts", lambda *of: {"hosts": some("hosts")(*of)})
    monkeypatch.setattr(telemetry, "list_calls", some("calls"))
    heard = HeardSeldom(60 * S, 60 * S)
    for name, each in (("hosts", heard.hosts), ("calls", heard.calls)):
        found = [each.of(None, Window(0, second * S)) for second in (0, 10, 24, 30, 45, 89, 90, 80)]
        assert found == [*[[]] * 3, *[["a"]] * 5]
        assert [second for of, second in asked if of == name] == [0, 10, 24, 30, 90, 80]


def test_what_has_not_changed_is_not_put_together_again(store):
    """There is news when telemetry was listened to, when the server has a problem, now and then, and with checks."""
    now, own, itself = [HOUR], [], [component("Spanglass server", UP)]
    board = HealthBoard(lambda: own, lambda: itself[0], lambda _: Heard((), ()), Ledger(store), lambda: now[0], 300 * S)
    told = []
    changes = (
        lambda: None,
        board.listen,
        lambda: itself.insert(0, component("Spanglass server", HALF)),
        lambda: now.insert(0, now[0] + 5 * S),
        lambda: now.insert(0, now[0] - 5 * S),
        lambda: own.append(view("db", UP)),
    )
    for change in changes:
        board.refresh()
        change()
        told.append(board.has_news(5 * S))
    assert told == [False, True, True, True, True, False]  # that there are checks now, their runner tells
    board.refresh()
    assert board.has_news(5 * S)
