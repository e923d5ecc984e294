"""A full disk: refused with a reason to come back, said aloud, survived, and over as soon as there is room."""

from __future__ import annotations

import errno
import shutil
import subprocess
import time
from http import HTTPStatus
from itertools import count, repeat

import pytest
from google.rpc.status_pb2 import Status
from otlp_bodies import ids_of, post, post_spans, spans, stored_span_ids

_MIB = 1024**2


@pytest.fixture
def small_disk(tmp_path, need):
    """Mount a file system of 64 MiB, gone at the end."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(disk)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        need("a small file system of its own needs root: run the tests as root, or in a container")
    yield disk
    # Lazy: at the end of a failed test the server may still have files open there.
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def fill(path, leave_bytes: int) -> None:
    """Write zeros until no more than so much of the file system is free; the server may be quicker to take the rest."""
    with path.open("wb", buffering=0) as file:
        while (room := shutil.disk_usage(path.parent).free - leave_bytes) > 0:
            try:
                file.write(bytes(min(room, _MIB)))
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                return


def until(server, status: HTTPStatus, numbers, limit_s: float = 120.0):
    """Send numbered spans, a thousand at a time, until the server answers with a status; returns that answer.

    The server looks after its disk once a second, so what it says changes a moment after the disk did.
    """
    end = time.monotonic() + limit_s
    for first in numbers:
        answer = post(server, spans(range(first, first + 1000)).SerializeToString())
        if answer.status == status:
            break
        assert time.monotonic() < end, f"still {answer.status} after {limit_s} s: {answer.body!r}"
        time.sleep(0.1)
    return answer


def recovered(server, limit_s: float = 120.0):
    """Ask for health until it is good again: what could not be written is tried again after a pause."""
    end = time.monotonic() + limit_s
    while (health := server.request("GET", "/healthz")).status != HTTPStatus.OK and time.monotonic() < end:
        time.sleep(0.1)
    return health


@pytest.mark.parametrize(
    ("reserve", "leave_bytes", "reason"),
    [
        pytest.param("8MiB", 4 * _MIB, "less than the setting storage.min_free_disk_bytes", id="reserve"),
        pytest.param("0", 0, "No space left on device", id="no-space-at-all"),
    ],
)
def test_full_disk_is_survived(new_server, small_disk, reserve, leave_bytes, reason):
    """A full disk means 503 with Retry-After 2, and health says why; freeing space ends it; nothing is lost."""
    server = new_server(data=small_disk / "data", storage__min_free_disk_bytes=reserve, storage__flush_interval="1s")
    server.start()
    post_spans(server, range(100))
    fill(small_disk / "filler", leave_bytes)
    refused = until(server, HTTPStatus.SERVICE_UNAVAILABLE, count(100_000, 1000))
    health = server.request("GET", "/healthz")
    still_there = set(ids_of(range(100))) <= set(stored_span_ids(server))
    (small_disk / "filler").unlink()
    until(server, HTTPStatus.OK, repeat(50_000))
    healthy = recovered(server)
    server.kill()
    server.start()

    assert (refused.status, refused.headers["Retry-After"]) == (HTTPStatus.SERVICE_UNAVAILABLE, "2")
    assert reason in Status.FromString(refused.body).message
    assert health.status == HTTPStatus.SERVICE_UNAVAILABLE
    assert reason in health.body.decode()
    assert still_there
    assert healthy.status == HTTPStatus.OK, healthy.body
    stored = stored_span_ids(server)
    assert len(stored) == len(set(stored))
    assert set(ids_of([*range(100), *range(50_000, 51_000)])) <= set(stored)
