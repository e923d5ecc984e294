"""Start, stop, one server a data directory, and what survives a restart."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from http import HTTPStatus

import pytest
from otlp_bodies import ids_of, post, post_spans, spans, stored_span_ids

from loadgen.sending import Ready, Sender
from loadgen.server import ServerFailedError
from loadgen.transports import Http


def test_sigterm_drains_and_exits(new_server):
    """SIGTERM under load ends the server with 0 within 10 s, and every request that was answered 200 is there."""
    server = new_server()
    server.start()
    bodies = [spans(range(first, first + 10)).SerializeToString() for first in range(0, 40_000, 10)]
    taken: list[int] = []

    class Counting(Http):
        """Notes which bodies were acknowledged."""

        def send(self, body):
            outcome = super().send(body)
            if not outcome.error:
                taken.append(bodies.index(body))
            return outcome

    sender = Sender(lambda: Counting(server.port, "traces"), Ready(bodies, 10), connections=3)
    load = threading.Thread(target=sender.run)
    load.start()
    while len(taken) < 50:
        time.sleep(0.01)
    exit_code = server.stop(timeout_s=10)
    sender.stopped.set()
    load.join()
    server.start()

    stored = set(stored_span_ids(server))
    acknowledged = {span for index in taken for span in ids_of(range(index * 10, index * 10 + 10))}
    assert exit_code == 0
    assert acknowledged <= stored


def test_second_server_on_the_same_data_is_refused(new_server):
    """A second server on a data directory in use ends with 1 and names the first one's process id."""
    first = new_server("first")
    first.start()
    second = new_server("second", data=first.data)

    with pytest.raises(ServerFailedError) as failure:
        second.start()

    assert second.process.returncode == 1
    assert f"process {first.pid}" in str(failure.value)
    post_spans(first, range(3))
    assert stored_span_ids(first) == ids_of(range(3))


def test_exact_resend_is_stored_once(new_server):
    """The same bytes sent again are acknowledged and not stored again: at once, after a restart, after a kill.

    SIGKILL leaves no lock: the server starts at once on the same data.
    """
    server = new_server()
    server.start()
    body = spans(range(20)).SerializeToString()
    answers = [post(server, body).status, post(server, body).status]
    server.stop()
    server.start()
    answers.append(post(server, body).status)
    server.kill()
    server.start()
    answers.append(post(server, body).status)

    assert answers == [HTTPStatus.OK] * 4
    assert stored_span_ids(server) == ids_of(range(20))


def test_read_only_data_directory_is_refused(new_server, tmp_path, need):
    """A data directory that can't be written ends the server with 1 and says what to do."""
    data = tmp_path / "locked"
    data.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(data)], capture_output=True, check=False)
    if mounted.returncode:
        need("a read-only mount needs root: run the tests as root, or in a container")
    try:
        server = new_server("server", data=data)
        with pytest.raises(ServerFailedError) as failure:
            server.start()
    finally:
        subprocess.run(["umount", str(data)], check=True)

    assert server.process.returncode == 1
    assert "can't be written" in str(failure.value)
    assert "--data" in str(failure.value)


def test_sigint_stops_as_sigterm_does(new_server):
    """Ctrl-C ends the server with 0."""
    server = new_server()
    server.start()
    os.kill(server.pid, signal.SIGINT)

    assert server.process.wait(60) == 0
