"""Hooks wait for the application."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from spanglass.library_metrics.install import HOOKS, install_library_metrics
from spanglass.library_metrics.polled import Polled
from spanglass.process import forking
from spanglass.settings.settings import load


def test_no_library_is_imported():
    """In a new process that uses none of them, none is there afterwards."""
    code = (
        "import sys\n"
        "from opentelemetry.sdk.metrics import MeterProvider\n"
        "from spanglass.library_metrics.install import install_library_metrics\n"
        "from spanglass.settings.settings import load\n"
        "install_library_metrics(load({}, {}), meter_provider=MeterProvider())\n"
        f"print([name for name in {list(HOOKS)} if name.partition('.')[0] in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_a_library_imported_later_is_measured():
    """An engine of SQLAlchemy that is imported after the hooks were set has its pool measured."""
    code = (
        "from opentelemetry.sdk.metrics import MeterProvider\n"
        "from measuring import Measured\n"
        "from spanglass.library_metrics.install import install_library_metrics\n"
        "from spanglass.settings.settings import load\n"
        "measured = Measured()\n"
        "install_library_metrics(load({}, {}), meter_provider=measured.provider)\n"
        "import sqlalchemy\n"
        "engine = sqlalchemy.create_engine('sqlite:///:memory:', poolclass=sqlalchemy.QueuePool)\n"
        "with engine.connect(): measured.collect()\n"
        "print(measured.values('db.client.connection.count', 'db.client.connection.state'))"
    )
    from measuring import __file__ as measuring  # noqa: PLC0415 - for its folder

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=measuring.rpartition("/")[0]
    )
    assert done.stdout == "{'used': 1, 'idle': 0}\n"


def test_all_is_taken_back(measured):
    """Nothing is left to be called after forks, and no metric has a value."""
    before = list(forking._in_child)
    uninstall = install_library_metrics(load({}, {}), meter_provider=measured.provider)
    uninstall()

    assert (list(forking._in_child), measured.collect().names) == (before, set())


def test_once_closed_no_other_source_is_asked():
    """The one that is being asked when all is taken back is the last."""
    polled, asked = Polled(), []
    begun, closed = threading.Event(), threading.Event()

    def first():
        begun.set()
        closed.wait()
        asked.append("first")
        return []

    polled.add("first", first, in_children=True)
    polled.add("second", lambda: asked.append("second") or [], in_children=True)
    assert list(polled.readings()) == []
    begun.wait()
    polled.close()
    closed.set()
    polled.wait()

    assert asked == ["first"]


@pytest.mark.parametrize("off", ["metrics", "runtime_metrics"])
def test_switched_off_it_does_nothing(measured, off):
    """No group, no hook."""
    before = list(forking._in_child)
    install_library_metrics(load({off: False}, {}), meter_provider=measured.provider)

    assert list(forking._in_child) == before
