"""Celery, with a real worker and a real Redis between."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
import redis
from celery.contrib.testing.worker import start_worker
from celery.signals import worker_ready
from opentelemetry.sdk.metrics import MeterProvider

from spanglass.library_metrics.install import install_library_metrics
from spanglass.settings.settings import load

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from shop_tasks import app, charge, ship  # noqa: E402  # found on the path that the line above sets

TASK, QUEUE, OUTCOME = "spanglass.task.name", "messaging.destination.name", "spanglass.task.outcome"
LIMIT_S = 120


@pytest.fixture
def celery_app(redis_server):
    """Point the application at the test's Redis."""
    app.conf.update(broker_url=redis_server.url(), result_backend=None)
    app.set_current()
    return app


@pytest.fixture
def install(measured):
    """Measure libraries."""
    uninstall = install_library_metrics(load({}, {}), meter_provider=measured.provider)
    yield
    uninstall()


def wait_for(condition):
    """Wait for what must happen; the limit only ends a test that has failed."""
    deadline = time.monotonic() + LIMIT_S
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


def running_worker(application, **options):
    """Run a worker in a thread of this process; Celery's own limit for its end is 10 s, too few on a busy machine."""
    return start_worker(application, perform_ping_check=False, pool="solo", shutdown_timeout=LIMIT_S, **options)


@pytest.mark.usefixtures("install")
def test_tasks_of_a_worker_are_measured(measured, celery_app):
    """Sent, waited, ran; how each ended and by which error; none is active afterwards."""
    with running_worker(celery_app):
        for amount in (1, 2, -1):
            charge.delay(amount)
        ship.delay()
        ended = {
            ("shop.charge", "success", None): 2,
            ("shop.charge", "failure", "ValueError"): 1,
            ("shop.ship", "retry", None): 1,
            ("shop.ship", "success", None): 1,
        }
        wait_for(lambda: measured.collect().counts("messaging.process.duration", TASK, OUTCOME, "error.type") == ended)

    assert measured.values("spanglass.task.count", TASK, OUTCOME, "error.type") == ended
    assert measured.counts("spanglass.task.wait_time", TASK, QUEUE) == {
        ("shop.charge", "celery"): 3,
        ("shop.ship", "celery"): 2,
    }
    assert all(0 <= total < LIMIT_S for total in measured.sums("spanglass.task.wait_time", TASK).values())
    assert measured.values("messaging.client.sent.messages", TASK, QUEUE) == {
        ("shop.charge", "celery"): 3,
        ("shop.ship", "celery"): 2,
    }
    assert measured.values("spanglass.task.active", TASK) == {"shop.charge": 0, "shop.ship": 0}
    assert {each["messaging.system"] for each in measured.attributes("messaging.process.duration")} == {"celery"}


@pytest.mark.usefixtures("install")
def test_lengths_of_queues_are_asked_for_by_the_worker(measured, celery_app):
    """From when it is ready, for the queues that it serves: an empty one has a length too."""
    with running_worker(celery_app, queues=["quiet"]) as worker:
        worker_ready.send(sender=worker.consumer)  # the real worker does; that of Celery's tests keeps it to itself
        seen = wait_for(lambda: measured.collect().values("spanglass.queue.length", "messaging.system", QUEUE))
    assert seen == {("celery", "quiet"): 0}


def test_forked_workers_measure_their_tasks(redis_server, tmp_path):
    """Celery's prefork pool: the child that ran the tasks has their durations and waits."""
    environment = {
        **os.environ,
        "SHOP_BROKER": redis_server.url(),
        "PYTHONPATH": f"{HERE}{os.pathsep}{HERE.parent}{os.pathsep}{HERE.parents[2] / 'benchmarks'}",
    }
    app.conf.update(broker_url=redis_server.url(), result_backend=None)
    with (tmp_path / "log").open("wb") as log:
        worker = subprocess.Popen(
            [sys.executable, HERE / "shop_tasks.py", tmp_path], env=environment, stdout=log, stderr=log
        )
    try:
        uninstall = install_library_metrics(load({}, {}), meter_provider=MeterProvider())  # stamps what is sent
        for amount in (1, 2, -1):
            charge.delay(amount)
        uninstall()
        wait_for(lambda: worker.poll() is not None or not queue_length(redis_server))
        worker.terminate()  # warm: what runs is ended
        worker.wait(LIMIT_S)
    finally:
        worker.kill()
        worker.wait()

    lines = [line for file in tmp_path.glob("*.txt") for line in file.read_text().splitlines()]
    assert Counter(dict(map(ast.literal_eval, lines))) == {
        ("shop.charge", "celery", "success", None): 2,
        ("shop.charge", "celery", "failure", "ValueError"): 1,
        ("shop.charge", "celery"): 3,
    }, (tmp_path / "log").read_text()


def queue_length(redis_server):
    """How many tasks nobody has taken or finished."""
    with redis.Redis.from_url(redis_server.url()) as client:
        return client.llen("celery") + client.hlen("unacked")
