"""All runtime metrics at once."""

from __future__ import annotations

import asyncio
import gc
import socket
import threading

import pytest

from spanglass.process import forking
from spanglass.runtime_metrics import install_runtime_metrics
from spanglass.runtime_metrics.host.connections import METRICS as CONNECTIONS
from spanglass.runtime_metrics.host.host import METRICS as HOST
from spanglass.runtime_metrics.interpreter import METRICS as INTERPRETER
from spanglass.runtime_metrics.process import METRICS as PROCESS
from spanglass.settings.settings import load

# What a machine may not have: a container's limit, swap space, Windows.
MAY_BE_MISSING = {
    "spanglass.container.memory.limit", "container.memory.usage", "container.memory.available",
    "system.paging.utilization", "process.windows.handle.count", "system.disk.io", "system.disk.operations",
    "process.cpu.utilization", "system.cpu.utilization",
}  # fmt: skip


@pytest.fixture
def settings():
    """Point at a port that refuses."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    return load({"service_name": "shop", "endpoint": f"http://127.0.0.1:{port}"}, {})


def test_every_metric_of_the_tables_is_there(measured, settings, tmp_path):
    """One cycle gives each documented metric, but for what the machine does not have."""
    uninstall = install_runtime_metrics(settings, meter_provider=measured.provider, lock_directory=tmp_path)
    names = measured.collect().names
    uninstall()

    documented = {metric.name for metric in (*PROCESS, *HOST, *CONNECTIONS, *INTERPRETER)}
    assert documented - names <= MAY_BE_MISSING


def test_one_of_two_configurations_speaks_for_the_host(measured, settings, tmp_path):
    """Two workers of one service on one host: one sends its numbers, both send their own; then the other takes over."""
    from measuring import Measured  # noqa: PLC0415 - beside the fixture of the first

    other = Measured()
    end_first = install_runtime_metrics(settings, meter_provider=measured.provider, lock_directory=tmp_path)
    end_other = install_runtime_metrics(settings, meter_provider=other.provider, lock_directory=tmp_path)
    speaks = [["system.memory.limit" in each.collect().names for each in (measured, other)]]
    alike = "process.memory.usage" in measured.names & other.names
    end_first()
    speaks.append(["system.memory.limit" in each.collect().names for each in (measured, other)])
    end_other()
    other.close()

    assert speaks == [[True, False], [False, True]]
    assert alike


@pytest.fixture
def no_collections():
    """Let the garbage collector rest: a pause of a millisecond is a value of the histogram from then on."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collections")
def test_all_is_taken_back(measured, settings, tmp_path):
    """No callback of gc, no wrapped loop, nothing after forks, no value and no thread is left."""
    before = (list(gc.callbacks), asyncio.BaseEventLoop.run_forever, list(forking._in_child))
    uninstall = install_runtime_metrics(settings, meter_provider=measured.provider, lock_directory=tmp_path)
    measured.collect()
    uninstall()
    for thread in threading.enumerate():
        if thread.name.startswith("spanglass:"):
            thread.join()

    assert (list(gc.callbacks), asyncio.BaseEventLoop.run_forever, list(forking._in_child)) == before
    measured.collect()
    assert measured.collect().names - {"spanglass.network.probe.failures"} == set()


@pytest.mark.parametrize("off", ["metrics", "runtime_metrics"])
def test_switched_off_it_does_nothing(measured, tmp_path, off):
    """Neither a metric nor a file."""
    uninstall = install_runtime_metrics(
        load({off: False}, {}), meter_provider=measured.provider, lock_directory=tmp_path
    )

    assert (measured.collect().names, list(tmp_path.iterdir())) == (set(), [])
    uninstall()
