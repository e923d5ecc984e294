"""What hosts and processes send: metrics and attributes, with the names that the Collector and older senders use."""

from __future__ import annotations

from spanglass_server.service_names import SERVICE

#: Metrics of hosts by the name that they are read under: the conventions' of today, and what else is sent for it.
HOST_METRICS = {
    "system.cpu.utilization": ("cpu.utilization",),
    "system.cpu.time": ("cpu.time",),
    "system.cpu.logical.count": (),
    "system.cpu.load_average.1m": (),
    "system.cpu.load_average.5m": (),
    "system.cpu.load_average.15m": (),
    "system.memory.usage": (),
    "system.memory.linux.available": ("system.linux.memory.available",),
    "system.paging.usage": (),
    "system.filesystem.usage": (),
    "system.disk.io": (),
    "system.network.io": (),
    "system.uptime": (),
}
#: Metrics of processes; the Collector's differ.
PROCESS_METRICS = {
    "process.cpu.time": (),
    "process.cpu.utilization": (),
    "process.memory.usage": ("process.memory.physical_usage",),
    "process.memory.virtual": ("process.memory.virtual_usage",),
    "process.unix.file_descriptor.count": ("process.open_file_descriptor.count", "process.open_file_descriptors"),
    "process.thread.count": ("process.threads",),
    "process.disk.io": (),
    "process.context_switches": (),
    "process.uptime": (),
    "cpython.gc.collections": (),
    "spanglass.gc.pause.time": (),
    "spanglass.python.thread.count": (),
    "spanglass.asyncio.task.count": (),
}
#: What names a host; the first that is there.
HOST_KEYS = ("resource.host.name:str", "resource.host.id:str", "resource.k8s.node.name:str")
#: Which part of a whole a point is of: a mode of the processor, a state of memory, a direction.
STATE_KEYS = tuple(
    f"point.{key}:{kind}"
    for key, kind in (
        *(("cpu.mode", "str"), ("system.cpu.state", "str"), ("process.cpu.state", "str")),
        *(("system.memory.state", "str"), ("system.paging.state", "str"), ("system.filesystem.state", "str")),
        *(("disk.io.direction", "str"), ("network.io.direction", "str"), ("cpython.gc.generation", "int")),
        *(("process.context_switch.type", "str"), ("process.context_switch_type", "str")),
        *(("state", "str"), ("direction", "str"), ("generation", "int")),
    )
)
#: Which disk, mount point or interface it is about.
PART_KEYS = tuple(
    f"point.{key}:str"
    for key in ("system.filesystem.mountpoint", "mountpoint", "network.interface.name", "system.device", "device")
)
#: File systems that are none: their content is in memory, or cannot grow.
PSEUDO_FILE_SYSTEMS = (
    *("tmpfs", "devtmpfs", "squashfs", "iso9660", "overlay", "proc", "sysfs", "devfs", "ramfs", "autofs", "nullfs"),
)
TYPE_KEYS = ("point.system.filesystem.type:str", "point.type:str")
#: What tells processes apart, and what says what they are.
PID, INSTANCE = "resource.process.pid:int", "resource.service.instance.id:str"
COMMAND_KEYS = (
    *("resource.process.command_line:str", "resource.process.command:str", "resource.process.executable.name:str"),
)
RUNTIME_KEYS = ("resource.process.runtime.name:str", "resource.process.runtime.version:str")
PROCESS_COLUMNS = (PID, INSTANCE, *COMMAND_KEYS, *RUNTIME_KEYS, "resource.service.version:str")
COLUMNS = (
    *("metric_name", "metric_type", "temporality", "is_monotonic", "time_ns", "flags", "value_double", "value_int"),
    *(SERVICE, *HOST_KEYS, *STATE_KEYS, *PART_KEYS, *TYPE_KEYS),
)
