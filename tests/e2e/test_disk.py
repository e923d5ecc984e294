"""A full disk: refused with a reason to come back, said aloud, survived, and over as soon as there is room."""

from __future__ import annotations

import subprocess
import time
from http import HTTPStatus

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


def fill(path) -> None:
    """Write zeros until the file system has no room left."""
    with path.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(_MIB)):
                pass
        except OSError:
            pass


def until_taken(server, numbers, limit_s: float = 30.0) -> None:
    """Send until the server takes it, as an exporter would."""
    body = spans(numbers).SerializeToString()
    end = time.monotonic() + limit_s
    while (answer := post(server, body)).status != HTTPStatus.OK:
        assert time.monotonic() < end, f"still {answer.status} after {limit_s} s: {answer.body!r}"
        time.sleep(0.2)


@pytest.mark.parametrize("reserve", [pytest.param("8MiB", id="reserve"), pytest.param("0", id="no-space-at-all")])
def test_full_disk_is_survived(new_server, small_disk, reserve):
    """A full disk means 503 with Retry-After 2, and health says why; freeing space ends it; nothing is lost."""
    server = new_server(data=small_disk / "data", storage__min_free_disk_bytes=reserve, storage__flush_interval="1s")
    server.start()
    post_spans(server, range(100))
    fill(small_disk / "filler")
    refused = None
    for first in range(10_000, 60_000, 1000):  # what the file system still had in its last block
        refused = post(server, spans(range(first, first + 1000)).SerializeToString())
        if refused.status != HTTPStatus.OK:
            break
    health = server.request("GET", "/healthz")
    still_there = set(ids_of(range(100))) <= set(stored_span_ids(server))
    (small_disk / "filler").unlink()
    until_taken(server, range(100, 200))
    healthy = server.request("GET", "/healthz")
    server.kill()
    server.start()

    assert (refused.status, refused.headers["Retry-After"]) == (HTTPStatus.SERVICE_UNAVAILABLE, "2")
    assert "disk" in Status.FromString(refused.body).message
    assert health.status == HTTPStatus.SERVICE_UNAVAILABLE
    assert b"disk" in health.body
    assert still_there
    assert healthy.status == HTTPStatus.OK
    stored = stored_span_ids(server)
    assert len(stored) == len(set(stored))
    assert set(ids_of(range(200))) <= set(stored)
