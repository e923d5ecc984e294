"""An outage with a spool: nothing is lost, nothing arrives twice, nobody waits."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import textwrap

import pytest

# Python 3.12 warns of what is tested here
pytestmark = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")


@pytest.fixture
def spool_dir(tmp_path):
    """Name a directory for the spool."""
    return tmp_path / "spool"


def files_in(directory):
    """Name the bodies on disk."""
    return [path.name for path in sorted(directory.rglob("*.gz"))]


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_after_an_outage_everything_is_in_the_server_once(new_server, new_delivery, spool_dir, eventually, protocol):
    """Spans that end while the server is down are in it when it is up again, each once; later ones go there at once."""
    server = new_server()
    url = server.url if protocol == "http/protobuf" else f"http://127.0.0.1:{server.grpc_port}"
    delivery = new_delivery(url, protocol=protocol, spool_dir=spool_dir)
    down = []
    for number in range(20):
        down += delivery.end_spans(f"down {number}")
        assert delivery.flush()
    assert (delivery.traces.spooled, delivery.traces.lost, len(files_in(spool_dir))) == (20, 0, 20)

    server.start()
    assert eventually(lambda: delivery.traces.replayed == 20)
    up = delivery.end_spans("up")
    assert delivery.flush()

    assert (delivery.traces.sent, delivery.traces.lost, files_in(spool_dir)) == (1, 0, [])
    rows = server.get("/traces", limit=100)["traces"]
    assert sorted((row["trace_id"], row["span_count"]) for row in rows) == sorted((each, 1) for each in [*down, *up])


def test_a_later_process_sends_what_a_killed_one_left(canned, new_delivery, spool_dir, tmp_path, eventually):
    """A process is killed during an outage; the next one to the same address sends its spans, in order, once."""
    script = textwrap.dedent("""
        import os, sys
        from conftest_delivery import Delivery, eventually
        delivery = Delivery(sys.argv[1], spool_dir=sys.argv[2], backoff_ns=3_600_000_000_000)
        for name in "abc":
            delivery.end_spans(name)
            delivery.flush()
        assert eventually(lambda: delivery.traces.requests == 2)  # from now on it waits
        os.kill(os.getpid(), 9)
    """)
    (tmp_path / "conftest_delivery.py").symlink_to(__file__.replace("test_replay", "conftest"))
    canned.status = 503
    done = subprocess.run(
        [sys.executable, "-c", script, canned.url, str(spool_dir)],
        env={"PYTHONPATH": ":".join([str(tmp_path), *sys.path])},
        timeout=180,
        check=False,
    )
    assert (done.returncode, len(files_in(spool_dir))) == (-9, 3)

    canned.status = 200
    delivery = new_delivery(canned.url, spool_dir=spool_dir)
    delivery.end_spans("now")
    assert eventually(lambda: delivery.traces.replayed == 3)
    assert delivery.flush()

    names = canned.span_names()
    assert (sorted(names), [name for name in names if name != "now"]) == (["a", "b", "c", "now"], ["a", "b", "c"])
    assert files_in(spool_dir) == []


def test_a_server_that_hangs_does_not_hold_the_queue_up(hanging, new_delivery, spool_dir, eventually):
    """The first batch waits for the timeout and is kept; what follows is kept at once, while the server still hangs."""
    delivery = new_delivery(hanging.url, spool_dir=spool_dir, send_timeout="50ms")
    for number in range(5):
        delivery.end_spans(f"span {number}")
        assert delivery.flush()
    assert not hanging.go.is_set()
    assert (delivery.traces.spooled, delivery.traces.lost) == (5, 0)

    hanging.go.set()
    assert eventually(lambda: delivery.traces.replayed == 5)


def test_no_secret_is_written(nobody, new_delivery, spool_dir):
    """Neither the token nor a header is in any file or name of the spool."""
    delivery = new_delivery(nobody, spool_dir=spool_dir, token="s3cret-t0ken", headers={"x-key": "s3cret-header"})  # noqa: S106 - of the test
    delivery.end_spans("a")
    assert delivery.flush()
    (file,) = spool_dir.rglob("*.gz")
    assert b"s3cret" not in gzip.decompress(file.read_bytes())
    assert not [path for path in spool_dir.rglob("*") if "s3cret" in str(path)]


def test_what_the_server_refuses_is_not_replayed_for_ever(canned, new_delivery, spool_dir, eventually):
    """A kept body that the server refuses for good is given up and counted; the one behind it is sent."""
    canned.status = 503
    delivery = new_delivery(canned.url, spool_dir=spool_dir)
    delivery.end_spans("bad")
    assert delivery.flush()
    canned.status = 400
    assert eventually(lambda: delivery.traces.failed["400"] == 1)

    assert (delivery.traces.spooled, delivery.traces.replayed, files_in(spool_dir)) == (1, 0, [])


def test_a_damaged_file_is_counted_and_does_not_stop_the_rest(canned, new_delivery, spool_dir, eventually):
    """Of two bodies on disk the damaged one is set aside and counted, the other arrives."""
    canned.status = 503
    first = new_delivery(canned.url, spool_dir=spool_dir, backoff_ns=3_600_000_000_000)
    for name in ("damaged", "good"):
        first.end_spans(name)
        assert first.flush()
    assert eventually(lambda: first.traces.requests == 2)  # from now on it waits
    first.close()
    min(spool_dir.rglob("*.gz")).write_bytes(b"damaged")
    canned.status = 200

    delivery = new_delivery(canned.url, spool_dir=spool_dir)
    delivery.end_spans("now")
    assert eventually(lambda: delivery.traces.replayed == 1)
    assert delivery.flush()
    assert (dict(delivery.traces.dropped), sorted(canned.span_names())) == ({"spool_corrupt": 1}, ["good", "now"])


def test_a_full_spool_loses_the_oldest_and_counts_them(nobody, new_delivery, spool_dir):
    """Beyond spool_max_bytes the oldest spans are dropped; the numbers of kept, dropped and remaining agree."""
    delivery = new_delivery(nobody, spool_dir=spool_dir, spool_max_bytes=1000)
    for number in range(20):
        delivery.end_spans(f"span {number}")
        assert delivery.flush()
    counts, left = delivery.traces, files_in(spool_dir)
    assert counts.spooled == 20
    assert 0 < len(left) < 20
    assert dict(counts.dropped) == {"spool_full": 20 - len(left)}
    assert sum(path.stat().st_size for path in spool_dir.rglob("*.gz")) <= 1000


def test_a_spool_that_cannot_be_written_costs_the_batch_only(nobody, new_delivery, tmp_path):
    """Where no file can be written, spans are dropped and counted, and nothing is raised."""
    (tmp_path / "file").write_text("")
    delivery = new_delivery(nobody, spool_dir=tmp_path / "file")
    delivery.end_spans("a")
    assert delivery.flush()
    assert (delivery.traces.spooled, dict(delivery.traces.dropped)) == (0, {"spool_failed": 1})


def test_a_forked_child_has_its_own_spool_and_connections(canned, new_delivery, spool_dir, eventually):
    """During an outage parent and child keep their own spans; after it the server has both, each once."""
    canned.status = 503
    delivery = new_delivery(canned.url, spool_dir=spool_dir)
    delivery.end_spans("of the parent")
    assert delivery.flush()
    child = os.fork()
    if child == 0:
        delivery.end_spans("of the child")
        fine = delivery.flush() and delivery.traces.spooled == 1
        os._exit(0 if fine else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert len(files_in(spool_dir)) == 2

    canned.status = 200
    assert eventually(lambda: delivery.traces.replayed == 1)
    later = new_delivery(canned.url, spool_dir=spool_dir)
    later.end_spans("later")
    assert eventually(lambda: later.traces.replayed == 1)
    assert later.flush()
    assert sorted(canned.span_names()) == ["later", "of the child", "of the parent"]
