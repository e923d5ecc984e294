"""What is measured of the host, beside what psutil says, and that one process of many says it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile

import psutil
import pytest

from spanglass.clock import Clock
from spanglass.runtime_metrics.groups import install_group
from spanglass.runtime_metrics.host import connections, storage
from spanglass.runtime_metrics.host.host import HostMetrics
from spanglass.runtime_metrics.host.lock import HostLock, lock_path


@pytest.fixture
def host(measured):
    """Collect the host's metrics once."""
    install_group(measured.provider.get_meter("test"), HostMetrics(Clock(), lambda: True).group())
    return measured.collect()


def test_memory_is_psutils_and_its_states_add_up(host):
    """Total exactly, states about as psutil says a moment later; together they are the whole."""
    memory, swap = psutil.virtual_memory(), psutil.swap_memory()
    states = host.values("system.memory.usage", "system.memory.state")

    assert host.value("system.memory.limit") == memory.total
    assert sum(states.values()) == memory.total
    assert states["free"] == pytest.approx(memory.free, abs=0.1 * memory.total)
    assert states["cached"] == pytest.approx(memory.cached, abs=0.1 * memory.total)
    assert host.value("system.memory.linux.available") == pytest.approx(memory.available, abs=0.1 * memory.total)
    assert sum(host.values("system.memory.utilization", "system.memory.state").values()) == pytest.approx(1)
    assert sum(host.values("system.paging.usage", "system.paging.state").values()) == swap.total


def test_processor_times_are_psutils(host):
    """Every mode's time is at most what psutil says a moment later, and near it."""
    now = psutil.cpu_times()
    seen = host.values("system.cpu.time", "cpu.mode")

    assert {"user", "system", "idle", "iowait", "interrupt", "nice", "steal"} == set(seen)
    assert seen["idle"] == pytest.approx(now.idle, rel=0.05)
    assert seen["interrupt"] == pytest.approx(now.irq + now.softirq, rel=0.05, abs=1)
    assert host.value("system.cpu.logical.count") == psutil.cpu_count()


def test_processor_utilization_is_a_whole(measured):
    """Shares of all modes since the last time add up to 1."""
    metrics = HostMetrics(Clock(), lambda: True)
    install_group(measured.provider.get_meter("test"), metrics.group())
    metrics._cpu_before = dict.fromkeys(metrics._cpu_before, 0.0)

    assert sum(measured.collect().values("system.cpu.utilization", "cpu.mode").values()) == pytest.approx(1)


def test_file_systems_are_psutils(host):
    """The root's size is exact; used, free and reserved add up to it; the share is psutil's percent."""
    usage = psutil.disk_usage("/")
    root = {
        state: value
        for (place, state), value in host.values(
            "system.filesystem.usage", "system.filesystem.mountpoint", "system.filesystem.state"
        ).items()
        if place == "/"
    }

    assert (
        sum(root.values()) == usage.total == host.values("system.filesystem.limit", "system.filesystem.mountpoint")["/"]
    )
    assert root["used"] == pytest.approx(usage.used, rel=0.05)
    shares = host.values("system.filesystem.utilization", "system.filesystem.mountpoint")
    assert shares["/"] == pytest.approx(usage.percent / 100, abs=0.02)


def test_network_traffic_is_psutils(host):
    """Bytes of the loopback device have not fallen since, and every direction and metric is there."""
    name, now = next((name, each) for name, each in psutil.net_io_counters(pernic=True).items() if each.bytes_recv)
    keys = ("network.interface.name", "network.io.direction")

    assert 0 < host.values("system.network.io", *keys)[name, "receive"] <= now.bytes_recv
    for metric in ("system.network.packet.count", "system.network.packet.dropped", "system.network.errors"):
        assert {(name, "transmit"), (name, "receive")} <= set(host.values(metric, *keys))


def test_disks_are_whole_ones(host):
    """Each disk once: neither its partitions nor what is made of it; numbers are psutil's."""
    seen = host.values("system.disk.operations", "system.device", "disk.io.direction")
    now = psutil.disk_io_counters(perdisk=True)

    assert {name for name, _ in seen} == {name for name in now if storage.is_disk(name)}
    assert all(seen[name, "write"] <= now[name].write_count for name, _ in seen)


@pytest.mark.parametrize("name", ["loop0", "ram1", "dm-0", "md127", "no-such-disk"])
def test_devices_made_of_others_are_no_disks(name):
    """Their traffic is that of the disks below."""
    assert not storage.is_disk(name)


def test_a_device_is_counted_once_and_images_never(tmp_path):
    """The shortest of a device's mount points counts; files and read-only images do not; the root is always there."""
    file = tmp_path / "file"
    file.touch()
    (tmp_path / "deep").mkdir()
    chosen = storage.mounted(
        [
            ("/dev/a", str(tmp_path / "deep"), "ext4", "rw"),
            ("/dev/a", str(tmp_path), "ext4", "rw"),
            ("/dev/b", str(file), "ext4", "ro"),
            ("/dev/loop1", str(tmp_path), "squashfs", "ro"),
        ]
    )
    assert chosen == [("root", "/", "overlay", "rw"), ("/dev/a", str(tmp_path), "ext4", "rw")]


def test_connections_are_counted_by_state():
    """A socket that listens is one more; psutil's slower count agrees on what listens."""

    def listening():
        of_state = {
            reading[2].get("network.connection.state"): reading[1]
            for reading in connections.connections()
            if reading[2]["network.transport"] == "tcp"
        }
        return of_state.get("listen", 0)

    with socket.create_server(("127.0.0.1", 0)):
        counted, after = 0, 1
        while counted != after:  # a server of another test began or ended meanwhile
            counted = listening()
            by_psutil = sum(each.status == psutil.CONN_LISTEN for each in psutil.net_connections("tcp"))
            after = listening()
    assert counted >= 1
    assert counted == pytest.approx(by_psutil, abs=5)  # other tests run beside this one


def test_very_many_connections_are_only_numbered(tmp_path):
    """Beyond the limit the tables, which may have millions of lines, are not read."""
    (tmp_path / "sockstat").write_text("sockets: used 9\nTCP: inuse 20000 orphan 0 tw 5 alloc 9 mem 3\n")

    readings = list(connections.connections(tmp_path))
    assert readings == [(connections.COUNT, 20_005, {"network.transport": "tcp"})]


def test_who_does_not_speak_for_the_host_is_silent(measured):
    """Not one metric of the host comes from a process that does not hold the lock."""
    install_group(measured.provider.get_meter("test"), HostMetrics(Clock(), lambda: False).group())
    assert measured.collect().names == set()


def test_one_process_holds_the_lock_until_it_dies(tmp_path):
    """While another process holds it, it is not ours; when that one is killed, it is."""
    path = lock_path(("shop",), tmp_path)
    code = (
        "import sys, pathlib; from spanglass.runtime_metrics.host.lock import HostLock\n"
        "lock = HostLock(pathlib.Path(sys.argv[1])); print(lock.held(), flush=True); sys.stdin.read()"
    )
    lock = HostLock(path)
    with subprocess.Popen(
        [sys.executable, "-c", code, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        theirs = other.stdout.readline()
        ours = [lock.held(), lock.held()]
        other.kill()
        other.wait()

    assert (theirs, ours, lock.held()) == ("True\n", [False, False], True)
    lock.release()


def test_a_forked_child_leaves_the_lock_to_its_parent(tmp_path):
    """A fork copies the descriptor; released in the child, the parent holds the lock still, and the child does not."""
    lock = HostLock(tmp_path / "lock")
    assert lock.held()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        lock.release()
        os.write(writing, b"held" if lock.held() else b"free")
        os._exit(0)
    os.waitpid(child, 0)

    assert (os.read(reading, 10), lock.held()) == (b"free", True)
    other = HostLock(tmp_path / "lock")
    assert not other.held()
    for each in (lock, other):
        each.release()
    os.close(reading)
    os.close(writing)


def test_each_process_speaks_for_its_host_where_no_file_can_be_written(tmp_path, monkeypatch):
    """A file system that is read-only, or a file that can't be opened, costs no measurement and says nothing."""

    def none():
        raise FileNotFoundError

    monkeypatch.setattr(tempfile, "gettempdir", none)
    path = lock_path(("shop",))
    locks = HostLock(path), HostLock(tmp_path / "nowhere" / "lock")

    assert (path, [lock.held() for lock in (*locks, *locks)]) == (None, [True] * 4)
    for lock in locks:
        lock.release()


def test_services_of_one_host_have_locks_of_their_own(tmp_path):
    """The file's name depends on all that is given, and says nothing of it."""
    one, other = lock_path(("a", "bc"), tmp_path), lock_path(("ab", "c"), tmp_path)
    assert one != other
    assert one.parent == tmp_path
    assert one.name.startswith("spanglass-host-")
