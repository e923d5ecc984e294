"""File systems and disks of the host."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import psutil

from spanglass.runtime_metrics.groups import Kind, Metric

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from spanglass.runtime_metrics.groups import Reading

FILESYSTEM_USAGE = Metric("system.filesystem.usage", Kind.UP_DOWN_COUNTER, "By", "Space of file systems.")
FILESYSTEM_UTILIZATION = Metric(
    "system.filesystem.utilization", Kind.GAUGE, "1", "Used share of the space that ordinary users can have."
)
FILESYSTEM_LIMIT = Metric("system.filesystem.limit", Kind.UP_DOWN_COUNTER, "By", "Size of file systems.")
DISK_IO = Metric("system.disk.io", Kind.COUNTER, "By", "Bytes read from and written to disks.")
DISK_OPERATIONS = Metric("system.disk.operations", Kind.COUNTER, "{operation}", "Reads and writes of disks.")

METRICS = (FILESYSTEM_USAGE, FILESYSTEM_UTILIZATION, FILESYSTEM_LIMIT, DISK_IO, DISK_OPERATIONS)

#: Images that are always full; everything without a device (proc, tmpfs, nfs) psutil leaves out itself. A network file
#: system that hangs would hold up every metric.
_PSEUDO = frozenset({"squashfs", "iso9660", "udf", "erofs"})
_MOST_FILESYSTEMS = 32
_MOST_DISKS = 32

#: Devices on top of others: their traffic is counted below too. Linux alone lists partitions beside disks.
_STACKED = ("loop", "ram", "zram", "dm-", "md")


def mounted(partitions: Iterable[tuple[str, str, str, str]]) -> list[tuple[str, str, str, str]]:
    """Choose from (device, mount point, type, options) what is measured: each device once, where it is mounted highest.

    A container has its root on an overlay, which has no device, and single files of the host mounted on it.
    """
    by_device: dict[str, tuple[str, str, str, str]] = {}
    for device, mountpoint, fstype, options in sorted(partitions, key=lambda each: (len(each[1]), each[1])):
        if fstype not in _PSEUDO and os.path.isdir(mountpoint):  # noqa: PTH112 - a path of psutil's, asked once
            by_device.setdefault(device, (device, mountpoint, fstype, options))
    chosen = list(by_device.values())
    if os.name == "posix" and all(mountpoint != "/" for _, mountpoint, _, _ in chosen):
        chosen.insert(0, ("root", "/", "overlay", "rw"))
    return chosen[:_MOST_FILESYSTEMS]


def filesystems() -> Iterator[Reading]:
    """Space of each file system on a device; one that can't be read is left out."""
    parts = [(part.device, part.mountpoint, part.fstype, part.opts) for part in psutil.disk_partitions(all=False)]
    for device, mountpoint, fstype, options in mounted(parts):
        try:
            usage = psutil.disk_usage(mountpoint)
        except OSError:  # no permission, or unmounted a moment ago
            continue
        place = {
            "system.device": device,
            "system.filesystem.mountpoint": mountpoint,
            "system.filesystem.type": fstype,
            "system.filesystem.mode": "ro" if "ro" in options.split(",") else "rw",
        }
        states = {"used": usage.used, "free": usage.free, "reserved": usage.total - usage.used - usage.free}
        for state, size in states.items():
            yield FILESYSTEM_USAGE, size, {**place, "system.filesystem.state": state}
        yield FILESYSTEM_LIMIT, usage.total, place
        yield FILESYSTEM_UTILIZATION, usage.percent / 100, {**place, "system.filesystem.state": "used"}


def is_disk(name: str) -> bool:
    """Whether a device of psutil's list is a whole disk: not a part of one, nor made of others."""
    if name.startswith(_STACKED):
        return False
    # a slash in a device's name, as in cciss/c0d0, is an exclamation mark in /sys
    return not psutil.LINUX or os.path.exists(f"/sys/block/{name.replace('/', '!')}")  # noqa: PTH110 - hot in a loop


def disks() -> Iterator[Reading]:
    """Traffic of each disk."""
    counts = psutil.disk_io_counters(perdisk=True) or {}
    for name in [name for name in sorted(counts) if is_disk(name)][:_MOST_DISKS]:
        disk = counts[name]
        for direction, size, operations in (
            ("read", disk.read_bytes, disk.read_count),
            ("write", disk.write_bytes, disk.write_count),
        ):
            attributes = {"system.device": name, "disk.io.direction": direction}
            yield DISK_IO, size, attributes
            yield DISK_OPERATIONS, operations, attributes
