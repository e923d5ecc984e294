"""gevent and eventlet that patch the standard library after telemetry has begun."""

from __future__ import annotations

import pytest

# What gevent's does to our locks, for environments without it: whoever made one before may not wait for it any more.
STAND_IN = """
import threading
def patch_all():
    class Green(threading.Event().__class__):
        pass
    threading.Event = Green
    return "patched"
"""

PROGRAM = """
import threading, time, spanglass
from spanglass.start.setup import running
spanglass.configure(in_progress=True, tail_sampling=True, metric_interval="1h")
parts = running()
(reader,) = parts.pipelines.readers
before = reader._daemon_thread
"""


def test_parts_begin_anew_after_the_patching(execute, tmp_path):
    """The result is the patching's; afterwards the collecting thread is another one, and events are of the new kind."""
    (tmp_path / "gevent").mkdir()
    (tmp_path / "gevent" / "__init__.py").write_text("")
    (tmp_path / "gevent" / "monkey.py").write_text(STAND_IN)
    done = execute(
        PROGRAM
        + """
from gevent import monkey
print(monkey.patch_all(), before.is_alive(), reader._daemon_thread.is_alive(), type(parts.pipelines.closing._event))
spanglass.shutdown()
print(monkey.patch_all.__module__)
""",
        variables={"PYTHONPATH": str(tmp_path)},
    )

    assert done.stdout == "patched False True <class 'gevent.monkey.patch_all.<locals>.Green'>\ngevent.monkey\n", (
        done.stderr
    )


def test_greenlets_are_not_held_up(execute):
    """With the real one, a server that is down does not stop other greenlets for as long as we wait to try again."""
    pytest.importorskip("gevent")
    done = execute(
        PROGRAM
        + """
from gevent import monkey, sleep
monkey.patch_all()
for _ in range(20):
    with spanglass.span("work"):
        pass
ticks = 0
end = time.monotonic() + 3
while time.monotonic() < end:
    sleep(0.01)
    ticks += 1
spanglass.shutdown()
print(ticks > 50)
"""
    )

    assert done.stdout == "True\n", done.stderr
