"""Evidence: gathered beside the ticks, tried again, and found again after a restart."""

from __future__ import annotations

import pytest
from worlds import World, rule

from spanglass_server.alerting.running import gathering
from spanglass_server.alerting.running.gathering import Gatherer


class Source:
    """Evidence that fails so many times."""

    def __init__(self, fails=0):
        self.fails = fails
        self.seen = []

    def gather(self, session, rule_, alert, readings):
        """See ``EvidenceSource``."""
        del session
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
