"""Evidence: gathered beside the ticks, tried again, and found again after a restart."""

from __future__ import annotations

from dataclasses import replace

import pytest
from worlds import START_S, S, World, rule

from spanglass_server.alerting.running import gathering
from spanglass_server.alerting.running.gathering import Gatherer
from spanglass_server.store.ports import QueryError


class Source:
    """Evidence that fails so many times."""

    def __init__(self, fails=0):
        self.fails = fails
        self.seen, self.sessions, self.shared, self.brief = [], [], [], []

    def gather(self, session, rule_, alert, readings, shared):
        """See ``EvidenceSource``."""
        self.sessions.append(session)
        self.shared.append(shared)
        self.brief.append(shared.is_brief)
        self.seen.append((rule_.uid, alert.key[0][1], float(readings.values[0, -1])))
        if self.fails:
            self.fails -= 1
            raise RuntimeError("odd")
        return {"value": float(readings.values[0, -1])}


@pytest.fixture
def world():
    """Return a world in which the shop fires from the second tick on."""
    made = World()
    for second in range(0, 200, 15):
        made.samples.put(second, 12.0 if second >= 15 else 1.0)
    return made


def evidence(world, gatherer):
    """Return evidence and the entries about it, after a step of the gatherer."""
    gatherer.step()
    return [
        (alert.evidence, [entry.text for entry in world.store.history(alert.id) if entry.kind == "evidence"])
        for alert in world.alerts()
    ]


def test_attached_once(world):
    """What is found is attached with an entry, from the readings that the alert opened with; once."""
    source = Source()
    gatherer = Gatherer(source, world.around)
    world.listen(gatherer.offer)
    world.run(60)

    assert evidence(world, gatherer) == [({"value": 12.0}, [""])]
    assert evidence(world, gatherer) == [({"value": 12.0}, [""])]
    assert source.seen == [("errors", "shop", 12.0)]


def test_alerts_that_open_together(world):
    """They share a session and what is read of it, also where one fails; those that open later have another."""
    for second in range(15, 200, 15):
        world.samples.put(second, 12.0, service="cart")
        if second >= 45:
            world.samples.put(second, 12.0, service="web")
    source = Source(fails=1)
    gatherer = Gatherer(source, world.around)
    world.listen(gatherer.offer)
    sessions = []
    gatherer._around = replace(world.around, ask=lambda query: (sessions.append(1), query(world.samples)))
    world.run(30)
    gatherer.step()
    assert [name for _, name, _ in source.seen] == ["shop", "cart"]
    assert len(sessions) == 1
    assert source.shared[0] is source.shared[1]
    assert [bool(alert.evidence) for alert in world.alerts()].count(True) == 1
    world.run(60)
    gatherer.step()

    assert [name for _, name, _ in source.seen[2:]] == ["shop", "web"]
    assert len(sessions) == 2
    assert source.shared[1] is not source.shared[2]
    assert all(alert.evidence for alert in world.alerts())


def test_a_storm(world, monkeypatch):
    """Of many that opened at once the first get all evidence, the others a brief one; the next ones all again."""
    monkeypatch.setattr(gathering, "WHOLE", 2)
    for second in range(15, 200, 15):
        for service in ("cart", "web", *(["mail"] if second >= 45 else [])):
            world.samples.put(second, 12.0, service=service)
    source = Source()
    gatherer = Gatherer(source, world.around)
    world.listen(gatherer.offer)
    world.run(30)
    gatherer.step()
    world.run(60)
    gatherer.step()

    assert source.brief == [False, False, True, False]


def test_no_session(world):
    """Where none can be opened, each alert has its tries; time that runs out lets the others wait for the next one."""
    world.samples.put(15, 12.0, service="cart")
    gatherer = Gatherer(Source(), world.around)
    world.listen(gatherer.offer)
    world.run(30)
    opened = gatherer._around

    def refuse(_):
        raise QueryError("no")

    gatherer._around = replace(opened, ask=refuse)
    assert [texts for _, texts in evidence(world, gatherer)] == [[], []]
    clock = iter(range(START_S * S, (START_S + 100) * S, 5 * S))
    gatherer._around = replace(opened, clock_ns=lambda: next(clock))
    assert [texts for _, texts in evidence(world, gatherer)] == [[""], [""]]


def test_tried_again(world):
    """Three tries; then the history says why there is none, and other alerts get theirs."""
    gatherer = Gatherer(Source(fails=2), world.around)
    world.listen(gatherer.offer)
    world.run(60)
    assert [evidence(world, gatherer)[0][1] for _ in range(3)] == [[], [], [""]]
    other = World(rule("slow"))
    other.samples.put(0, 12.0, uid="slow")
    gatherer = Gatherer(Source(fails=3), other.around)
    other.listen(gatherer.offer)
    other.run(15)

    assert [evidence(other, gatherer)[0][1] for _ in range(3)][2] == ["nothing could be gathered: RuntimeError: odd"]


def test_after_a_restart(world, monkeypatch):
    """Open alerts without evidence get it from readings of the time when they opened; deleted ones harm nothing."""
    world.run(60)
    source = Source()
    gatherer = Gatherer(source, world.around)
    assert evidence(world, gatherer) == [({"value": 12.0}, [""])]
    assert source.seen == [("errors", "shop", 12.0)]
    monkeypatch.setattr(gathering, "MOST", 0)
    gatherer.offer(rule(), world.alerts()[0], None)
    gatherer.step()
    monkeypatch.setattr(gathering, "MOST", 9)
    gatherer.offer(rule(), world.alerts()[0], None)
    world.store.delete(world.alerts()[0].id)
    gatherer.step()

    assert len(source.seen) == 2
