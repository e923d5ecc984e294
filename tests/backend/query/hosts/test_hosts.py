"""Hosts and processes, from our instrumentation's names and from the Collector's."""

from __future__ import annotations

import pytest
from metric_tables import CUMULATIVE, WINDOW, counter, gauge, point

from spanglass_server.query.hosts import listing
from spanglass_server.query.hosts.courses import host_course, process_course
from spanglass_server.query.hosts.listing import list_hosts, list_processes
from spanglass_server.query.senders import list_senders

GIB = 2**30


def of(host, service="web", **more):
    """Name the resource of a point."""
    return {"resource.host.name:str": host, "resource.service.name:str": service, **more}


def level(name, time_s, value, **more):
    """Make a point of an up-down counter."""
    return point("sum", time_s, metric_name=name, value_int=value, is_monotonic=False, temporality=CUMULATIVE, **more)


def ours(host, service="web"):
    """Make what our instrumentation sends of a host: an hour's processor, 8 GiB of memory, a disk, a network."""
    at, rows = of(host, service), []
    for t in (0, 60, 120):
        for mode, share in (("user", 0.3), ("system", 0.1), ("idle", 0.55), ("iowait", 0.05)):
            rows.append(
                counter(t, round(t * share * 4), metric_name="system.cpu.time", **at, **{"point.cpu.mode:str": mode})
            )
        for state, size in (("used", 6), ("free", 2)):
            rows.append(level("system.memory.usage", t, size * GIB, **at, **{"point.system.memory.state:str": state}))
        for state, size in (("used", 90), ("free", 10)):
            rows.append(level("system.filesystem.usage", t, size * GIB, **at, **{
                "point.system.filesystem.state:str": state, "point.system.filesystem.mountpoint:str": "/",
                "point.system.filesystem.type:str": "ext4"}))  # fmt: skip
        rows.append(
            counter(t, t * 1000, metric_name="system.network.io", **at, **{"point.network.io.direction:str": "receive"})
        )
    return rows


def collectors(host):
    """Make what the Collector sends: time by processor, attributes without a prefix, pseudo file systems, load."""
    at, rows = {"resource.host.name:str": host}, []
    for t in (0, 60, 120):
        for cpu in ("cpu0", "cpu1"):
            for state, share in (("user", 0.5), ("idle", 0.5)):
                rows.append(
                    counter(
                        t,
                        round(t * share),
                        metric_name="system.cpu.time",
                        **at,
                        **{"point.state:str": state, "point.cpu:str": cpu},
                    )
                )
        for mount, kind, used in (("/data", "xfs", 3), ("/snap", "squashfs", 9)):
            for state, size in (("used", used), ("free", 1), ("reserved", 5)):
                rows.append(level("system.filesystem.usage", t, size * GIB, **at, **{
                    "point.state:str": state, "point.mountpoint:str": mount, "point.type:str": kind}))  # fmt: skip
        rows.append(gauge(t, 1.5, metric_name="system.cpu.load_average.1m", **at))
    return rows


def test_a_host_is_told_from_what_our_instrumentation_sends(open_tables):
    """Busy is neither idle nor waiting; two services that both tell of the host are not added up."""
    session = open_tables(metrics=[*ours("a"), *ours("a", "cart")])
    (host,) = list_hosts(session, WINDOW)["hosts"]
    assert (host["host"], host["services"]) == ("a", ["cart", "web"])
    assert host["cpu"] == pytest.approx(0.4)
    assert host["memory"] == {"used": 6 * GIB, "total": 8 * GIB, "ratio": 0.75}
    assert host["disks"] == [{"mount": "/", "used": 90 * GIB, "total": 100 * GIB, "ratio": 0.9}]
    assert host["network"] == {"in_per_s": 1000.0, "out_per_s": None}
    assert host["last_time"] == "2025-11-21T10:42:00.000000000Z"


def test_a_host_is_told_from_the_collectors_names(open_tables):
    """Processors are added up; what is no real file system, and blocks kept for root, do not count."""
    (host,) = list_hosts(open_tables(metrics=collectors("db")), WINDOW)["hosts"]
    assert host["cpu"] == pytest.approx(0.5)
    assert host["disks"] == [{"mount": "/data", "used": 3 * GIB, "total": 4 * GIB, "ratio": 0.75}]
    assert host["load"] == [1.5, None, None]
    assert (host["services"], host["memory"], host["uptime_s"]) == (["web"], None, None)


def test_shares_do_where_no_time_is_sent(open_tables):
    """Of the utilization all but idle and waiting is busy."""
    shares = (("user", 0.25), ("idle", 0.7), ("iowait", 0.05))
    rows = [
        gauge(10, value, metric_name="system.cpu.utilization", **of("a"), **{"point.cpu.mode:str": mode})
        for mode, value in shares
    ]
    (host,) = list_hosts(open_tables(metrics=rows), WINDOW)["hosts"]
    assert host["cpu"] == pytest.approx(0.25)


def test_a_hosts_course_has_its_charts(open_tables):
    """Shares of processor, memory and disks, and traffic by the second; nothing where nothing is sent."""
    found = host_course(open_tables(metrics=[*ours("a"), *ours("b")]), WINDOW, "a", 10)
    lines = {(line["chart"], line["name"]): line["values"][1] for line in found["lines"]}
    assert lines == {
        ("cpu", "user"): pytest.approx(0.3), ("cpu", "system"): pytest.approx(0.1),
        ("cpu", "waiting for disks"): pytest.approx(0.05), ("memory", "used"): 0.75, ("disk", "/"): 0.9,
        ("network", "in"): 1000.0,
    }  # fmt: skip
    assert host_course(open_tables(metrics=[]), WINDOW, "a", 10)["lines"] == []


def test_processes_have_figures_and_a_course(open_tables):
    """A process by host and id, with what it is; the Collector's names of files and threads count, too."""
    texts = {"service.instance.id": "w-7", "process.command": "python", "process.runtime.name": "cpython",
             "process.runtime.version": "3.12"}  # fmt: skip
    at = of("a", **{"resource.process.pid:int": 7}, **{f"resource.{key}:str": text for key, text in texts.items()})
    rows = [
        *(
            counter(t, t // 2, metric_name="process.cpu.time", **at, **{"point.cpu.mode:str": "user"})
            for t in (0, 60, 120)
        ),
        level("process.memory.usage", 60, 100, **at),
        level("process.open_file_descriptors", 60, 12, **at),
        level("process.threads", 60, 3, **at),
        level("process.memory.usage", 60, 1, **of("b", **{"resource.process.pid:int": 1})),
    ]
    session = open_tables(metrics=rows)
    (process,) = list_processes(session, WINDOW, "a")["processes"]
    told = {
        "pid": 7, "service": "web", "instance": "w-7", "command": "python", "runtime": "cpython 3.12", "cpu": 0.5,
        "memory": 100, "fds": 12, "threads": 3,
    }  # fmt: skip
    assert {key: process[key] for key in told} == told
    assert [each["pid"] for each in list_processes(session, WINDOW)["processes"]] == [7, 1]
    assert list_hosts(session, WINDOW)["hosts"] == []
    lines = {line["chart"] for line in process_course(session, WINDOW, "a", 7, 10)["lines"]}
    assert lines == {"cpu", "memory", "fds", "threads"}


def test_no_point_is_read_to_say_that_no_host_sends(open_tables, monkeypatch):
    """Names alone tell that applications send only their own metrics and those of processes; of a host one will do."""
    session = open_tables(metrics=[level("process.memory.usage", 60, 100, **of("a")), gauge(60, 1.0)])
    (host,) = list_hosts(open_tables(metrics=[level("system.uptime", 60, 9, **of("a"))]), WINDOW)["hosts"]
    assert (host["host"], host["uptime_s"]) == ("a", 9)
    monkeypatch.setattr(listing, "latest", None)  # fails when called
    assert list_hosts(session, WINDOW)["hosts"] == []


def test_senders_are_told_with_their_newest_records(open_tables):
    """By service and signal: how many records, how many in the newest minute, the time of the newest."""
    found = list_senders(open_tables(metrics=[gauge(10, 1.0), gauge(590, 1.0)]), WINDOW)["senders"]
    assert found == [{
        "service": "web", "slot": found[0]["slot"], "signal": "metrics", "records": 2, "newest_minute": 1,
        "last_time": "2025-11-21T10:49:50.000000000Z",
    }]  # fmt: skip
