"""kill -9 under load: everything acknowledged is there once, and no request is there in part."""

from __future__ import annotations

import threading
import time

import pytest
from otlp_bodies import seeded, span_id, spans, stored_span_ids

from loadgen.transports import Http

SPANS_EACH = 40
WORKERS = 4


class Load:
    """Workers that send numbered bodies until the server is gone, and note which were acknowledged."""

    def __init__(self, port: int, first: int) -> None:
        self.port, self.first = port, first
        self.acknowledged: list[int] = []
        self.sent: list[int] = []

    def run(self, worker: int) -> None:
        """Send one worker's bodies: every WORKERS-th number."""
        transport, number = Http(self.port, "traces"), self.first + worker
        while True:
            self.sent.append(number)
            body = spans(range(number * SPANS_EACH, (number + 1) * SPANS_EACH)).SerializeToString()
            if transport.send(body).error:
                break
            self.acknowledged.append(number)
            number += WORKERS
        transport.close()

    def until_killed(self, server, after_s: float, *, only_with_one: bool) -> None:
        """Run all workers and kill the server in the midst of it; with one request acknowledged, if that is asked."""
        threads = [threading.Thread(target=self.run, args=(worker,)) for worker in range(WORKERS)]
        for thread in threads:
            thread.start()
        time.sleep(after_s)
        while only_with_one and not self.acknowledged and any(thread.is_alive() for thread in threads):
            time.sleep(0.01)
        server.kill()
        for thread in threads:
            thread.join()


def bodies_in(stored: list[bytes]) -> dict[int, int]:
    """Count how many spans of each numbered body are stored."""
    counts: dict[int, int] = {}
    for each in stored:
        number = (int.from_bytes(each, "big") - 1) // SPANS_EACH
        counts[number] = counts.get(number, 0) + 1
    return counts


def kill_rounds(server, rounds: int, seed: int) -> None:
    """Load and kill a server again and again, and compare what it has with what it acknowledged."""
    rng, acknowledged, sent = seeded(seed), set(), set()
    for turn in range(rounds):
        server.start()
        load = Load(server.port, turn * 1_000_000)
        is_last_chance = turn == rounds - 1 and not acknowledged
        load.until_killed(server, rng.uniform(0.05, 2.0), only_with_one=is_last_chance)
        acknowledged |= set(load.acknowledged)
        sent |= set(load.sent)
    server.start()
    stored = stored_span_ids(server)
    found = bodies_in(stored)

    assert acknowledged, "the load never got through: the test would prove nothing"
    assert len(stored) == len(set(stored))
    assert acknowledged <= set(found) <= sent
    assert set(found.values()) == {SPANS_EACH}


def test_nothing_acknowledged_is_lost_by_a_kill(new_server):
    """Two kills at random moments: every acknowledged body is there once and whole, flushes included."""
    kill_rounds(new_server(storage__flush_interval="300ms"), rounds=2, seed=1)


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_by_many_kills(new_server):
    """The same over 6 kills, with flush and compaction going on all the time."""
    kill_rounds(new_server(storage__flush_interval="200ms", storage__compact_interval="500ms"), rounds=6, seed=2)


def test_corrupt_end_of_the_journal_is_cut_off(new_server):
    """Garbage after the journal's last whole entry, and a torn entry, cost nothing that was acknowledged."""
    server = new_server(storage__flush_interval="1h")
    server.start()
    expected = []
    for first in (0, 10, 20):
        transport = Http(server.port, "traces")
        assert not transport.send(spans(range(first, first + 10)).SerializeToString()).error
        transport.close()
        server.kill()
        newest = max((server.data / "journal").iterdir(), key=lambda path: path.stat().st_mtime_ns)
        with newest.open("ab") as journal:
            journal.write(seeded(first).randbytes(37 + first))
        expected += [span_id(number) for number in range(first, first + 10)]
        server.start()
        assert stored_span_ids(server) == expected
