"""All hosts, and the processes of one or of all, with how they are now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

from spanglass_server.query.answers import Time, whole
from spanglass_server.query.hosts import names
from spanglass_server.query.hosts.readings import by_key, is_host, latest, may_have_any
from spanglass_server.query.language.compiling.sql import TRUE, Sql
from spanglass_server.service_names import UNKNOWN_SERVICE
from spanglass_server.signals import quote_identifier
from spanglass_server.times import format_time

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spanglass_server.query.hosts.readings import Readings, Row
    from spanglass_server.store.ports import QuerySession, Window

#: States in which a processor does nothing, and states of memory that are in use.
IDLE = ("idle", "iowait", "wait")
MEMORY_USED = ("used",)
#: The metric by which the processes of a host are known.
_OF_PROCESSES = "process.memory.usage"
IN, OUT = ("receive", "read"), ("transmit", "write")


class Space(TypedDict):
    """How much of something is used, in bytes; ``ratio`` is 0 to 1."""

    used: float
    total: float
    ratio: float


class Disk(Space):
    """A file system by its mount point."""

    mount: str


class Traffic(TypedDict):
    """Bytes a second, in and out (of a disk: read and written)."""

    in_per_s: float | None
    out_per_s: float | None


class Host(TypedDict):
    """A host: null is what nobody sends of it. ``cpu`` is the busy share of all processors."""

    host: str
    services: list[str]
    processes: int
    cpu: float | None
    cpus: int | None
    load: list[float | None]
    memory: Space | None
    swap: Space | None
    disks: list[Disk]
    network: Traffic
    disk_io: Traffic
    uptime_s: float | None
    last_time: Time


class HostList(TypedDict):
    """The answer of ``GET /api/v1/hosts``, by name."""

    hosts: list[Host]


class Process(TypedDict):
    """A process: ``cpu`` in processors, memory in bytes, ``gc_share`` the share of time that collections take."""

    host: str
    pid: int
    service: str
    instance: str | None
    command: str | None
    runtime: str | None
    version: str | None
    cpu: float | None
    memory: float | None
    virtual: float | None
    fds: float | None
    threads: float | None
    python_threads: float | None
    tasks: float | None
    gc_per_s: float | None
    gc_share: float | None
    switches_per_s: float | None
    disk_io: Traffic
    uptime_s: float | None
    last_time: Time


class ProcessList(TypedDict):
    """The answer of ``GET /api/v1/processes``, those with most work first."""

    processes: list[Process]


def list_hosts(session: QuerySession, window: Window) -> HostList:
    """Answer ``GET /api/v1/hosts``: every host that sent something in the newest part of a range."""
    if not may_have_any(session, window, names.HOST_METRICS):
        return {"hosts": []}
    told = latest(session, window, {**names.HOST_METRICS, _OF_PROCESSES: names.PROCESS_METRICS[_OF_PROCESSES]})
    readings = by_key((row for row in told if row["metric"] != _OF_PROCESSES), lambda row: row["host"])
    services: dict[str, set[str]] = {}
    pids: dict[str, set[int]] = {}
    for row in told:
        services.setdefault(row["host"], set()).add(row["service"])
        if row["metric"] == _OF_PROCESSES:
            pids.setdefault(row["host"], set()).add(row["pid"])
    hosts = [
        _host(host, read, services[host] - {UNKNOWN_SERVICE}, pids.get(host, ())) for host, read in readings.items()
    ]
    return {"hosts": sorted(hosts, key=lambda each: each["host"])}


def _host(host: str, read: Readings, services: Iterable[str], pids: Iterable[int]) -> Host:
    cpus = read.value("system.cpu.logical.count")
    return {
        "host": host,
        "services": sorted(services),
        "processes": len(set(pids)),
        "cpu": _busy(read),
        "cpus": None if cpus is None else whole(cpus),
        "load": [read.value(f"system.cpu.load_average.{minutes}m") for minutes in (1, 5, 15)],
        "memory": _space(read.rows("system.memory.usage"), MEMORY_USED),
        "swap": _space(read.rows("system.paging.usage"), MEMORY_USED),
        "disks": _disks(read),
        "network": _traffic(read, "system.network.io"),
        "disk_io": _traffic(read, "system.disk.io"),
        "uptime_s": read.value("system.uptime"),
        "last_time": format_time(read.last_ns),
    }


def _busy(read: Readings) -> float | None:
    """Return the busy share: of the utilization that is sent, or of the time that passed."""
    time = {row["state"]: row["per_s"] or 0.0 for row in read.rows("system.cpu.time")}
    if total := sum(time.values()):
        return 1 - sum(time.get(state, 0.0) for state in IDLE) / total
    shares = read.rows("system.cpu.utilization")
    if not shares:
        return None
    busy = sum(row["value"] for row in shares if row["state"] not in IDLE)
    return float(busy / max(row["series"] for row in shares))


def _space(found: Iterable[Row], used_states: Iterable[str]) -> Space | None:
    """Add up the states of a whole; None where nothing is sent, or its size is zero."""
    found = list(found)
    total = sum(row["value"] for row in found)
    used = sum(row["value"] for row in found if row["state"] in used_states)
    return {"used": used, "total": total, "ratio": used / total} if total > 0 else None


def _disks(read: Readings) -> list[Disk]:
    """List file systems, the fullest first; blocks kept for root are neither used nor free."""
    by_mount: dict[str, list[Row]] = {}
    for row in read.rows("system.filesystem.usage"):
        by_mount.setdefault(row["part"], []).append(row)
    spaces = (
        (mount, _space([r for r in found if r["state"] != "reserved"], ("used",))) for mount, found in by_mount.items()
    )
    disks: list[Disk] = [{"mount": mount, **space} for mount, space in spaces if space]
    return sorted(disks, key=lambda disk: (-disk["ratio"], disk["mount"]))


def _traffic(read: Readings, metric: str) -> Traffic:
    return {"in_per_s": read.per_s(metric, *IN), "out_per_s": read.per_s(metric, *OUT)}


def list_processes(
    session: QuerySession, window: Window, host: str | None = None, service: str | None = None
) -> ProcessList:
    """Answer ``GET /api/v1/processes``: those that sent something in the newest part of a range."""
    found = latest(session, window, names.PROCESS_METRICS, TRUE if host is None else is_host(host), _about())
    rows = [row for row in found if row["pid"] is not None and service in (None, row["service"])]
    about = {(row["host"], row["pid"]): row for row in sorted(rows, key=lambda row: row["last_ns"])}
    processes = [
        _process(about[key], read) for key, read in by_key(rows, lambda row: (row["host"], row["pid"])).items()
    ]
    processes.sort(key=lambda each: (-(each["cpu"] or 0), -(each["memory"] or 0), each["pid"]))
    return {"processes": processes}


def _about() -> Sql:
    first = {"instance": (names.INSTANCE,), "command": names.COMMAND_KEYS, "version": ("resource.service.version:str",)}
    fields = [f"{name} := coalesce({', '.join(map(quote_identifier, columns))})" for name, columns in first.items()]
    runtime = ", ".join(map(quote_identifier, names.RUNTIME_KEYS))
    return Sql(f"struct_pack({', '.join(fields)}, runtime := concat_ws(' ', {runtime}))")


def _process(row: Row, read: Readings) -> Process:
    about: dict[str, Any] = row["about"]
    cpu = read.per_s("process.cpu.time")
    return {
        "host": row["host"],
        "pid": row["pid"],
        "service": row["service"],
        "instance": about["instance"],
        "command": about["command"],
        "runtime": about["runtime"] or None,
        "version": about["version"],
        "cpu": read.value("process.cpu.utilization") if cpu is None else cpu,
        "memory": read.value("process.memory.usage"),
        "virtual": read.value("process.memory.virtual"),
        "fds": read.value("process.unix.file_descriptor.count"),
        "threads": read.value("process.thread.count"),
        "python_threads": read.value("spanglass.python.thread.count"),
        "tasks": read.value("spanglass.asyncio.task.count"),
        "gc_per_s": read.per_s("cpython.gc.collections"),
        "gc_share": read.per_s("spanglass.gc.pause.time"),
        "switches_per_s": read.per_s("process.context_switches"),
        "disk_io": _traffic(read, "process.disk.io"),
        "uptime_s": read.value("process.uptime"),
        "last_time": format_time(read.last_ns),
    }
