"""What is measured of the own process, beside what psutil says itself."""

from __future__ import annotations

import os

import psutil
import pytest

from spanglass.clock import Clock
from spanglass.runtime_metrics.groups import install_group
from spanglass.runtime_metrics.host import containers
from spanglass.runtime_metrics.process import METRICS, ProcessMetrics

#: What can fall as well as rise.
GAUGES = ("threads", "descriptors")


def test_values_are_psutils(measured):
    """Times, sizes and counts lie between what psutil says before and after."""
    install_group(measured.provider.get_meter("test"), ProcessMetrics(Clock()).group())
    process = psutil.Process()

    before, after = {}, facts(process)
    while any(before.get(gauge) != after[gauge] for gauge in GAUGES):  # a thread of an earlier test ended meanwhile
        before = facts(process)
        measured.collect()
        after = facts(process)

    seen = {
        "user": measured.values("process.cpu.time", "cpu.mode")["user"],
        "system": measured.values("process.cpu.time", "cpu.mode")["system"],
        "descriptors": measured.value("process.unix.file_descriptor.count"),
        "threads": measured.value("process.thread.count"),
        "voluntary": measured.values("process.context_switches", "process.context_switch.type")["voluntary"],
        "written": measured.values("process.disk.io", "disk.io.direction")["write"],
    }
    assert {name: before[name] <= value <= after[name] for name, value in seen.items()} == dict.fromkeys(seen, True)
    assert measured.value("process.memory.usage") == pytest.approx(after["rss"], rel=0.2)
    assert measured.value("process.memory.virtual") == pytest.approx(after["vms"], rel=0.2)


def facts(process):
    """What psutil says now."""
    times, memory, switches = process.cpu_times(), process.memory_info(), process.num_ctx_switches()
    return {
        "user": times.user,
        "system": times.system,
        "descriptors": process.num_fds(),
        "threads": process.num_threads(),
        "voluntary": switches.voluntary,
        "written": process.io_counters().write_bytes,
        "rss": memory.rss,
        "vms": memory.vms,
    }


def test_every_metric_of_the_table_is_measured(measured, clock):
    """On Linux all but Windows' handles have a value, once time has passed."""
    install_group(measured.provider.get_meter("test"), ProcessMetrics(clock).group())
    clock.move_s(1)
    assert measured.collect().names == {metric.name for metric in METRICS} - {"process.windows.handle.count"}


def test_uptime_is_the_time_since_the_process_began(measured, clock):
    """By the clock that was passed in."""
    clock.unix = int(psutil.Process().create_time() * 1e9)
    clock.move_s(90)
    install_group(measured.provider.get_meter("test"), ProcessMetrics(clock).group())

    assert measured.collect().value("process.uptime") == pytest.approx(90, abs=0.001)


def test_utilization_is_a_share_of_the_processors_it_may_use(measured, clock):
    """Processor time since the last time, over the time that passed on each processor it may run on."""
    metrics = ProcessMetrics(clock)
    install_group(measured.provider.get_meter("test"), metrics.group())
    before = psutil.Process().cpu_times()
    metrics._cpu_before = (clock.monotonic, {"user": before.user - 3, "system": before.system})
    clock.move_s(10)
    shares = measured.collect().values("process.cpu.utilization", "cpu.mode")

    assert shares["user"] == pytest.approx(3 / 10 / len(os.sched_getaffinity(0)), abs=0.05)


def test_a_forked_child_reports_its_own(measured):
    """The child, after what forking calls there, has its own descriptors, not the parent's."""
    metrics = ProcessMetrics(Clock())
    install_group(measured.provider.get_meter("test"), metrics.group())
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        extra = [os.dup(0) for _ in range(50)]
        metrics.after_fork()
        seen = measured.collect().value("process.unix.file_descriptor.count") == psutil.Process().num_fds()
        os.write(writing, b"yes" if seen and len(extra) == 50 else b"no")
        os._exit(0)
    os.waitpid(child, 0)

    assert os.read(reading, 10) == b"yes"
    os.close(reading)
    os.close(writing)


CGROUPS = {
    "version 2 in a container": ({"memory.max": "1000", "memory.current": "400"}, "0::/\n", (1000, 400)),
    "version 2 on a host": (
        {"memory.max": "9999", "memory.current": "9", "a.slice/b/memory.max": "1000", "a.slice/b/memory.current": "4"},
        "0::/a.slice/b\n",
        (1000, 4),
    ),
    "no limit": ({"memory.max": "max", "memory.current": "400"}, "0::/\n", None),
    "version 1": (
        {"memory/d/memory.limit_in_bytes": "2000", "memory/d/memory.usage_in_bytes": "5"},
        "3:cpu,cpuacct:/x\n2:memory:/d\n",
        (2000, 5),
    ),
    "version 1 without a limit": (
        {"memory/memory.limit_in_bytes": "9223372036854771712", "memory/memory.usage_in_bytes": "5"},
        "2:memory:/elsewhere\n",
        None,
    ),
    "nothing to read": ({}, "", None),
}


@pytest.mark.parametrize("case", CGROUPS)
def test_a_containers_limit_is_read(tmp_path, case):
    """From files as the kernel writes them; None where there is no limit."""
    files, own, expected = CGROUPS[case]
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    (tmp_path / "own").write_text(own)

    assert containers.memory_limit_and_use_bytes(tmp_path, tmp_path / "own") == expected
