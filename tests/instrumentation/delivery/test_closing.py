"""The end of a process, with servers that are down or hang."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import pytest

from spanglass.delivery.closing import Closing, flush_within

# An application that ends with spans in its queue; the deadline is at the end of its arguments, in seconds.
_APPLICATION = """
import sys
from conftest_delivery import Delivery
delivery = Delivery(sys.argv[1], timeout_ns=round(float(sys.argv[2]) * 1e9), **dict(a.split("=") for a in sys.argv[3:]))
delivery.end_spans(*(f"span {n}" for n in range(2000)))
delivery.close()
counts = delivery.traces
print(counts.sent, counts.lost, counts.spooled)
"""


@pytest.fixture
def run(tmp_path):
    """Run the application as a process and give the numbers of spans that were sent, lost and kept."""

    def start(url, timeout_s, *options):
        (tmp_path / "conftest_delivery.py").symlink_to(__file__.replace("test_closing", "conftest"))
        paths = ":".join([str(tmp_path), *sys.path])
        done = subprocess.run(
            [sys.executable, "-c", _APPLICATION, url, str(timeout_s), *options],
            capture_output=True,
            text=True,
            timeout=180,
            check=True,
            env={"PYTHONPATH": paths},
        )
        return tuple(map(int, done.stdout.split()))

    return start


def test_a_process_ends_while_the_server_hangs(hanging, run):
    """With half a second to end, the process is gone while its request still hangs; what was not sent is counted."""
    assert run(hanging.url, 0.5) == (0, 2000, 0)
    assert not hanging.go.is_set()


def test_a_process_ends_while_the_server_hangs_and_keeps_what_it_has(hanging, run, tmp_path):
    """With a spool all spans are on disk when the process has ended, also those whose request hangs."""
    assert run(hanging.url, 0.5, f"spool_dir={tmp_path / 'spool'}") == (0, 0, 2000)
    assert not hanging.go.is_set()


def test_a_process_ends_with_nobody_there(nobody, run):
    """A refused connection is tried once at the end, and nothing waits for the five seconds that it may take."""
    assert run(nobody, 3600) == (0, 2000, 0)


def test_a_process_ends_when_all_is_sent(canned, run):
    """With a server everything is sent, and an hour that it may take is not used."""
    assert run(canned.url, 3600) == (2000, 0, 0)
    assert len(canned.span_names()) == 2000


def test_no_provider_takes_more_than_what_is_left():
    """Before the end everything has its own limit; from then on what is left, sending a tenth less."""
    now = [100]
    closing = Closing(clock_ns=lambda: now[0])
    limits = [(closing.limit_ns(70), closing.sending_ns(70))]
    closing.begin(50)
    for now_ns in (100, 140, 147, 200):
        now[0] = now_ns
        limits.append((closing.limit_ns(70), closing.sending_ns(70)))
    closing.begin(1000)  # changes nothing
    limits.append((closing.limit_ns(70), closing.sending_ns(70)))
    assert limits == [(70, 70), (50, 45), (10, 5), (3, 0), (0, 0), (0, 0)]


def test_the_end_wakes_whoever_waits():
    """A pause of an hour is cut short when the end begins, and so is every later one."""
    closing = Closing(time.monotonic_ns)
    woken = []
    waiting = threading.Thread(target=lambda: woken.append(closing.wait(3600 * 10**9)))
    waiting.start()
    closing.begin(1)
    waiting.join(30)
    assert (woken, closing.wait(3600 * 10**9), closing.begun) == ([True], True, True)


class Provider:
    """One that a flush sends what waits of, when it is let."""

    def __init__(self, *, sent=True):
        self.go, self.asked_ms, self._sent = threading.Event(), None, sent

    def force_flush(self, timeout_ms):
        """Return whether it is sent; None raises, as a MeterProvider does."""
        self.asked_ms = timeout_ms
        self.go.wait()
        if self._sent is None:
            raise RuntimeError("a reader failed")
        return self._sent


def test_a_flush_waits_for_no_signal_that_hangs():
    """One that hangs, though it was told the limit, takes no time from the others; the flush is over in time."""
    hangs, sends = Provider(), Provider()
    sends.go.set()

    assert not flush_within([hangs, sends], 50_000_000)
    assert (hangs.asked_ms, sends.asked_ms) == (50, 50)
    hangs.go.set()


@pytest.mark.parametrize(("sent", "told"), [(True, True), (False, False), (None, False)])
def test_a_flush_tells_whether_all_was_sent(sent, told):
    """One that was not sent, or raises, makes it False."""
    providers = Provider(), Provider(sent=sent)
    for provider in providers:
        provider.go.set()

    assert flush_within(providers, 60_000_000_000) is told


def test_a_flush_where_no_thread_can_be_started(monkeypatch):
    """At the end of the interpreter the providers are flushed one after the other."""

    def refuse(_thread):
        raise RuntimeError("can't start new thread")

    provider = Provider()
    provider.go.set()
    monkeypatch.setattr(threading.Thread, "start", refuse)

    assert flush_within([provider], 60_000_000_000)
