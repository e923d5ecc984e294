"""Releases in the timelines of incidents that go on."""

from __future__ import annotations

from made_incidents import MINUTE, START, World

from spanglass_server.incidents.model import SERVER, Line
from spanglass_server.incidents.running import releases as module
from spanglass_server.incidents.running.releases import ReleaseWatch, releases_of
from spanglass_server.incidents.store.in_memory import MemoryIncidentStore
from spanglass_server.pace import REST_PAST, Pace


def spans(service: str, release: str | None, *minutes: float):
    """Spans of a service's release, so many minutes after the start."""
    return [
        {
            "trace_id": b"\x01" * 16, "span_id": b"\x02" * 8, "start_time_ns": START + round(minute * MINUTE),
            "duration_ns": 5, "resource.service.name:str": service, "resource.service.version:str": release,
        }
        for minute in minutes
    ]  # fmt: skip


def test_what_began_shortly_before_or_since_is_told(open_tables):
    """Not what was there from the beginning of the window or of the service, nor of services that are not asked for."""
    session = open_tables(
        spans=[
            *spans("shop", "1.0", -70, -50, -1), *spans("shop", "1.1", -10, 5), *spans("shop", "1.2", 20),
            *spans("cart", "7", -20, 3), *spans("cart", "8", -20.5), *spans("cart", None, -30),
            *spans("new", "1", -5), *spans("new", "2", -4), *spans("other", "1", -9), *spans("other", "2", -8),
        ]
    )  # fmt: skip

    found = releases_of(session, ["shop", "cart", "new", "silent"], START, START + 10 * MINUTE)

    told = [(-20.5, "cart 8"), (-20, "cart 7"), (-10, "shop 1.1"), (-4, "new 2")]
    assert found == [Line(START + round(minute * MINUTE), "release", SERVER, text) for minute, text in told]


def test_without_any_release_nothing_is_told(open_tables):
    """Spans whose senders say nothing of their release are no reason to fail."""
    session = open_tables(spans=[{"start_time_ns": START, "resource.service.name:str": "shop"}])
    assert releases_of(session, ["shop"], START, START + MINUTE) == []


def test_incidents_are_looked_at_in_turn_within_a_share_of_a_core(monkeypatch):
    """One at a time, the longest ago first, each once in half a minute at most, with a rest after each; told once."""
    world = World(MemoryIncidentStore())
    for service in ("shop", "mail", "auth"):
        world.fire(service)
    world.after(1)
    elapsed_s = spent_s = 0.0
    asked: list[str] = []

    def releases(_session, services, _start_ns, _end_ns):
        nonlocal spent_s
        spent_s += 0.5
        asked.append(*services)
        return [Line(START, "release", SERVER, f"{services[0]} 2")]

    monkeypatch.setattr(module, "releases_of", releases)
    watch = ReleaseWatch(world.store, lambda query: query(None), world.clock, Pace(lambda: elapsed_s, lambda: spent_s))
    for looks in (1, 2, 3):
        assert watch.is_due()
        watch.step()
        assert len(asked) == looks
        elapsed_s += REST_PAST * 0.5 - 1
        assert not watch.is_due()
        elapsed_s += 2
    assert sorted(asked) == ["auth", "mail", "shop"]

    watch.step()
    assert len(asked) == 3
    world.after(1)
    elapsed_s += 60
    assert watch.is_due()
    watch.step()
    assert asked[3] == asked[0]
    told = {line.text for number in (1, 2, 3) for line in world.store.timeline(f"INC-{number}", limit=99)}
    assert {"shop 2", "mail 2", "auth 2"} <= told
    assert world.kinds("INC-1").count("release") == 1
