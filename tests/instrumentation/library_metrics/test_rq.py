"""RQ, with real workers and a real Redis."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import redis
import rq

from spanglass.library_metrics.install import install_library_metrics
from spanglass.settings.settings import load

sys.path.insert(0, str(Path(__file__).parent))

OUTCOME, QUEUE = "spanglass.task.outcome", "messaging.destination.name"


@pytest.fixture(autouse=True)
def install(measured):
    """Measure libraries."""
    uninstall = install_library_metrics(load({}, {}), meter_provider=measured.provider)
    yield
    uninstall()


@pytest.mark.parametrize("kind", [rq.SimpleWorker, rq.Worker])
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_jobs_of_a_worker_are_measured(measured, redis_server, kind):
    """Also where each job is a process of its own: it is the worker that measures."""
    with redis.Redis.from_url(redis_server.url()) as client:
        queue = rq.Queue("mail", connection=client)
        for fails in (False, True, False):
            queue.enqueue("shop_tasks.job", fails)
        kind([queue], connection=client).work(burst=True, logging_level="ERROR")
        measured.collect()

    assert measured.values("messaging.client.sent.messages", QUEUE) == {"mail": 3}
    assert measured.counts("messaging.process.duration", QUEUE, OUTCOME) == {
        ("mail", "success"): 2,
        ("mail", "failure"): 1,
    }
    assert measured.values("spanglass.task.count", OUTCOME) == {"success": 2, "failure": 1}
    assert measured.counts("spanglass.task.wait_time", "messaging.system", "spanglass.task.name") == {
        ("rq", "shop_tasks.job"): 3
    }
    assert measured.values("spanglass.task.active", QUEUE) == {"mail": 0}


def test_lengths_of_queues_are_asked_for(measured, redis_server):
    """What waits in the queues that this process's worker serves."""
    with redis.Redis.from_url(redis_server.url()) as client:
        queue = rq.Queue("mail", connection=client)
        worker = rq.SimpleWorker([queue], connection=client)
        worker.work(burst=True, logging_level="ERROR")
        for _ in range(4):
            queue.enqueue("shop_tasks.job", False)  # noqa: FBT003 - as RQ passes it on
        while not (seen := measured.collect().values("spanglass.queue.length", "messaging.system", QUEUE)):
            pass

    assert seen == {("rq", "mail"): 4}
